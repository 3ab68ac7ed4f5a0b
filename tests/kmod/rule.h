/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules with the module's expression, in a table of the test's own:
 *	meta mark set BEFORE
 *	asym ... => register 1, meta mark set register 1, log group GROUP
 *	drop, or nothing
 */
#ifndef TESTS_KMOD_RULE_H
#define TESTS_KMOD_RULE_H

#include "tests/kmod/module.h"
#include <arpa/inet.h>

#define RULE_TABLE "probe"
#define RULE_GROUP 5

struct rule_how {
	const char *chain;
	uint32_t before; /* the mark that packets carry */
	bool alone;      /* the expression only */
	bool log, drop;
};

static inline void rule_expr(struct nlmsghdr *h, const char *name, const struct attrs *l)
{
	struct nlattr *elem = mnl_attr_nest_start(h, NFTA_LIST_ELEM), *data;

	mnl_attr_put_strz(h, NFTA_EXPR_NAME, name);
	data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
	attrs_write(h, l);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, elem);
}

static inline void rule_mark(struct nft_batch *b, const struct rule_how *how)
{
	nft_rule_begin(b, how->chain, "meta mark set 0x%x", how->before);
	nft_meta_load(b, NFT_META_MARK);
	nft_bitwise_u32(b, 0, how->before);
	nft_meta_set(b, NFT_META_MARK);
	nft_rule_end(b);
}

static inline void rule_asym(struct nft_batch *b, const struct rule_how *how,
                             const struct attrs *asym)
{
	static __thread struct attrs l;
	struct nlmsghdr *h = nft_message_begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	struct nlattr *list;

	mnl_attr_put_strz(h, NFTA_RULE_TABLE, RULE_TABLE);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, how->chain);
	list = mnl_attr_nest_start(h, NFTA_RULE_EXPRESSIONS);
	rule_expr(h, ASYM_NFT_EXPR, asym);
	l.n = 0;
	attrs_be32(&l, NFTA_META_KEY, NFT_META_MARK);
	attrs_be32(&l, NFTA_META_SREG, NFT_REG_1);
	if (!how->alone)
		rule_expr(h, "meta", &l);
	l.n = 0;
	attrs_put(&l, NFTA_LOG_GROUP, &(uint16_t){htons(RULE_GROUP)}, sizeof(uint16_t));
	if (how->log)
		rule_expr(h, "log", &l);
	mnl_attr_nest_end(h, list);
	nft_message_add(b, h, "asym");
}

static inline void rule_flush_chain(struct nft_batch *b, const char *chain)
{
	struct nlmsghdr *h = nft_message_begin(b, NFT_MSG_DELRULE, 0);

	mnl_attr_put_strz(h, NFTA_RULE_TABLE, RULE_TABLE);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, chain);
	nft_message_add(b, h, "flush");
}

/* In place of what the chain had. */
static inline int rule_use(struct module *m, const struct rule_how *how, const struct attrs *asym)
{
	_cleanup_nft_batch_ struct nft_batch b;
	char error[200];

	nft_batch_init(&b, RULE_TABLE);
	rule_flush_chain(&b, how->chain);
	if (how->before)
		rule_mark(&b, how);
	rule_asym(&b, how, asym);
	if (how->drop) {
		nft_rule_begin(&b, how->chain, "drop");
		nft_verdict(&b, NF_DROP, NULL);
		nft_rule_end(&b);
	}
	return nft_batch_send(&b, &m->nft, false, error, sizeof(error));
}

/* No rules at all. */
static inline int rule_flush(struct module *m)
{
	_cleanup_nft_batch_ struct nft_batch b;
	char error[200];

	nft_batch_init(&b, RULE_TABLE);
	nft_rules_flush(&b);
	return nft_batch_send(&b, &m->nft, false, error, sizeof(error));
}

/* The table, of this family, with chains in prerouting, output (of the type "route") and none. */
static inline int rule_table(struct module *m, uint8_t family)
{
	_cleanup_nft_batch_ struct nft_batch b;
	char error[200];
	int r;

	nft_batch_init(&b, RULE_TABLE);
	b.family = family;
	nft_table_add(&b, "");
	nft_base_add(&b, &(struct nft_base){"prerouting", "filter", NF_INET_PRE_ROUTING, -300});
	nft_base_add(&b, &(struct nft_base){"output", "route", NF_INET_LOCAL_OUT, -150});
	nft_chain_add(&b, "plain");
	r = nft_batch_send(&b, &m->nft, false, error, sizeof(error));
	if (r)
		print_error("%s\n", error);
	return r;
}

/* The expression for a policy, with result in register 1. */
static inline void rule_attrs(struct attrs *l, uint32_t policy)
{
	l->n = 0;
	attrs_be32(l, NFTA_ASYM_DREG, NFT_REG_1);
	attrs_be32(l, NFTA_ASYM_POLICY, policy);
}

static inline int rule_policy(struct module *m, const struct rule_how *how, uint32_t policy)
{
	static __thread struct attrs l;

	rule_attrs(&l, policy);
	return rule_use(m, how, &l);
}

#endif
