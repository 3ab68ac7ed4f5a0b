/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel by hand: a table of nftables, which takes what it is given. */
#ifndef TESTS_UNIT_KERNEL_NFT_H
#define TESTS_UNIT_KERNEL_NFT_H

#include "tests/unit/kernel_answer.h"

#include <linux/netfilter/nfnetlink.h>

static inline const struct nlattr *kernel_nested(const struct nlattr *nest, int type, int n)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest)
		if (mnl_attr_get_type(a) == type && !n--)
			return a;
	return NULL;
}

static inline const struct nlattr *kernel_nft_attr(const struct nlmsghdr *h, int type)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == type)
			return a;
	return NULL;
}

/* The data of a rule's expression of this name; NULL: it has none, or is no rule. */
static inline const struct nlattr *kernel_expr(const struct nlmsghdr *rule, const char *name)
{
	const struct nlattr *list = kernel_nft_attr(rule, NFTA_RULE_EXPRESSIONS), *elem;

	if ((rule->nlmsg_type & 0xff) != NFT_MSG_NEWRULE)
		return NULL;
	for (int i = 0; list && (elem = kernel_nested(list, NFTA_LIST_ELEM, i)); i++)
		if (!strcmp(mnl_attr_get_str(kernel_nested(elem, NFTA_EXPR_NAME, 0)), name))
			return kernel_nested(elem, NFTA_EXPR_DATA, 0);
	return NULL;
}

static inline void kernel_messages_done(struct kernel_message **m, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*m)[i].h);
	free(*m);
	*m = NULL;
	*n = 0;
}

static inline void kernel_keep(struct kernel_message **m, size_t *n, const struct nlmsghdr *h)
{
	struct kernel_message *to = ARRAY_ADD(*m, *n);

	assert_non_null(to);
	to->h = malloc(h->nlmsg_len);
	assert_non_null(to->h);
	memcpy(to->h, h, h->nlmsg_len);
}

/* The last one; somebody deletes it. */
static inline void kernel_lose_rule(void)
{
	free(kernel.table[--kernel.n_table].h);
}

static inline void kernel_commit(void)
{
	str_add(&kernel.log, "nft ");
	for (size_t i = 0; i < kernel.n_pending; i++) {
		const struct nlmsghdr *h = kernel.pending[i].h;

		if ((h->nlmsg_type & 0xff) == NFT_MSG_DELTABLE)
			kernel_messages_done(&kernel.table, &kernel.n_table);
		else
			kernel_keep(&kernel.table, &kernel.n_table, h);
	}
}

static inline void kernel_batch(struct mnl_socket *s, const struct nlmsghdr *h, size_t len)
{
	int left = (int)len, r = 0;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		if (h->nlmsg_type == NFNL_MSG_BATCH_BEGIN)
			continue;
		if (h->nlmsg_type == NFNL_MSG_BATCH_END) {
			if (r)
				str_add(&kernel.log, "refused ");
			else
				kernel_commit();
			continue;
		}
		kernel_keep(&kernel.pending, &kernel.n_pending, h);
		if (kernel.refuse_expr && kernel_expr(h, kernel.refuse_expr)) {
			r = kernel.refuse_expr_err;
			kernel_verdict(s, h, r, NULL);
		} else if (h->nlmsg_flags & NLM_F_ACK) {
			kernel_verdict(s, h, 0, NULL);
		}
	}
	kernel_messages_done(&kernel.pending, &kernel.n_pending);
}

/* As they were written, which is how the kernel tells them, too. */
static inline void kernel_nft_list(struct mnl_socket *s, const struct nlmsghdr *request)
{
	uint16_t wanted = (request->nlmsg_type & 0xff) - 1; /* GETRULE follows NEWRULE, and so on */
	const struct nfgenmsg *family = mnl_nlmsg_get_payload(request);
	bool torn = kernel.nft_torn > 0;

	assert_int_equal(family->nfgen_family, NFPROTO_INET);
	kernel.nft_torn -= torn;

	for (size_t i = 0; i < kernel.n_table; i++) {
		struct nlmsghdr *h = kernel.table[i].h;

		if ((h->nlmsg_type & 0xff) != wanted)
			continue;
		h->nlmsg_flags = NLM_F_MULTI;
		if (torn && i + 1 == kernel.n_table)
			h->nlmsg_flags |= NLM_F_DUMP_INTR;
		h->nlmsg_seq = request->nlmsg_seq;
		h->nlmsg_pid = kernel_port(s);
		kernel_post(s, h, h->nlmsg_len, 0);
	}
	kernel_dump_end(s, request, kernel.dump_err);
}

#endif
