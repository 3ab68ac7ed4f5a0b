// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules with the kernel module's expression. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "bpf/abi.h"
#include "kmod/uapi/nft_asym.h"
#include "nl/attr.h"
#include "nl/nft_message.h"

/* Numbers of nftables are big endian. */
static void put_be32(struct nlmsghdr *h, uint16_t type, uint32_t v)
{
	mnl_attr_put_u32(h, type, htonl(v));
}

/* A rule's list has an element for each expression: its name and a nest of its own attributes. */
struct expr {
	struct nlattr *elem, *data;
};

static struct expr expr_begin(struct nlmsghdr *h, const char *name)
{
	struct expr e = { .elem = mnl_attr_nest_start(h, NFTA_LIST_ELEM) };

	mnl_attr_put_strz(h, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
	return e;
}

static void expr_end(struct nlmsghdr *h, const struct expr *e)
{
	mnl_attr_nest_end(h, e->data);
	mnl_attr_nest_end(h, e->elem);
}

static void put_asym(struct nlmsghdr *h, const struct nft_asym *choice)
{
	struct expr e = expr_begin(h, ASYM_NFT_EXPR);

	put_be32(h, NFTA_ASYM_DREG, NFT_REG_1);
	put_be32(h, NFTA_ASYM_POLICY, choice->policy);
	if (choice->sticky_s) {
		put_be32(h, NFTA_ASYM_STICKY, choice->sticky_s);
		put_be32(h, NFTA_ASYM_STICKY_KEY, choice->sticky_key);
		put_be32(h, NFTA_ASYM_STICKY_ID, choice->sticky_id);
	}
	expr_end(h, &e);
}

static void put_mark_set(struct nlmsghdr *h)
{
	struct expr e = expr_begin(h, "meta");

	put_be32(h, NFTA_META_KEY, NFT_META_MARK);
	put_be32(h, NFTA_META_SREG, NFT_REG_1);
	expr_end(h, &e);
}

void nft_rule_asym(struct nft_batch *b, const char *chain, const struct nft_asym *choice)
{
	struct nlattr *list;
	struct nlmsghdr *h;

	if (b->err)
		return;
	h = nft_message_begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	mnl_attr_put_strz(h, NFTA_RULE_TABLE, b->table);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, chain);
	list = mnl_attr_nest_start(h, NFTA_RULE_EXPRESSIONS);
	put_asym(h, choice);
	put_mark_set(h);
	mnl_attr_nest_end(h, list);
	nft_message_add(b, h, "chain %s: asym policy %u meta mark set", chain, choice->policy);
}

struct count {
	const char *table, *expr;
	size_t n;
};

static const struct attr_size rule_policy[] = {
	[NFTA_RULE_TABLE] = ATTR_STR(NFT_NAME),
	[NFTA_RULE_EXPRESSIONS] = ATTR_NEST,
};

static bool has_expr(const struct nlattr *list, const char *name)
{
	static const struct attr_size policy[] = { [NFTA_EXPR_NAME] = ATTR_STR(NFT_NAME) };
	const struct nlattr *tb[ARRAY_SIZE(policy)], *elem;
	char got[NFT_NAME];

	mnl_attr_for_each_nested(elem, list)
		if (!attr_parse_nest(elem, policy, ARRAY_SIZE(policy), tb) &&
		    !attr_str(tb[NFTA_EXPR_NAME], got, sizeof(got)) && !strcmp(got, name))
			return true;
	return false;
}

/* Not by libnftnl, which reads no rule that has an expression it does not know. */
static int on_rule(const struct nlmsghdr *h, void *data)
{
	const struct nlattr *tb[ARRAY_SIZE(rule_policy)];
	struct count *c = data;
	char table[NFT_NAME];
	int r = attr_parse(h, sizeof(struct nfgenmsg), rule_policy, ARRAY_SIZE(rule_policy), tb);

	r = r ? r : attr_str(tb[NFTA_RULE_TABLE], table, sizeof(table));
	if (!r && !strcmp(table, c->table) && tb[NFTA_RULE_EXPRESSIONS])
		c->n += has_expr(tb[NFTA_RULE_EXPRESSIONS], c->expr);
	return r;
}

static void reset(void *data)
{
	((struct count *)data)->n = 0;
}

int nft_rules_count(struct nl *nl, const char *table, const char *expr, size_t *ret)
{
	struct nfgenmsg header = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	struct count c = { .table = table, .expr = expr };
	struct nl_msg m;
	int r;

	nl_begin(&m, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETRULE, 0, &header, sizeof(header));
	nl_put_str(&m, NFTA_RULE_TABLE, table);
	r = nl_dump(nl, &m, on_rule, reset, &c);
	if (!r)
		*ret = c.n;
	return r;
}
