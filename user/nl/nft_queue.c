// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules that hand packets to a process. */
#include <errno.h>
#include <stdio.h> /* libnftnl/expr.h forgets it */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>

#include "nl/nft_message.h"

static struct nftnl_expr *add(struct nft_batch *b, const char *name)
{
	struct nftnl_expr *e = b->err ? NULL : nftnl_expr_alloc(name);

	if (!e)
		nft_fail(b, -ENOMEM);
	else
		nftnl_rule_add_expr(b->rule, e);
	return e;
}

void nft_queue(struct nft_batch *b, uint16_t number)
{
	struct nftnl_expr *e = add(b, "queue");

	if (!e)
		return;
	nftnl_expr_set_u16(e, NFTNL_EXPR_QUEUE_NUM, number);
	nftnl_expr_set_u16(e, NFTNL_EXPR_QUEUE_TOTAL, 1);
	nftnl_expr_set_u16(e, NFTNL_EXPR_QUEUE_FLAGS, NFT_QUEUE_FLAG_BYPASS);
}

void nft_queue_xt(struct nft_batch *b, uint16_t number)
{
	struct nftnl_expr *e = add(b, "target");
	size_t size = XT_ALIGN(sizeof(struct xt_NFQ_info_v3));
	struct xt_NFQ_info_v3 *info = e ? calloc(1, size) : NULL;

	if (!info) {
		nft_fail(b, -ENOMEM);
		return;
	}
	info->queuenum = number;
	info->queues_total = 1;
	info->flags = NFQ_FLAG_BYPASS;
	nftnl_expr_set_u32(e, NFTNL_EXPR_TG_REV, 3);
	/* the expression keeps the pointer and frees it */
	if (nftnl_expr_set_str(e, NFTNL_EXPR_TG_NAME, "NFQUEUE") ||
	    nftnl_expr_set(e, NFTNL_EXPR_TG_INFO, info, size))
		nft_fail(b, -ENOMEM);
}
