// SPDX-License-Identifier: GPL-2.0-or-later
#include "nl/mark.h"
#include "core/plan.h"
#include "nl/mark_xt.h"
#include <errno.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

/* Registers as 4-byte words: NFT_REG_1..4 are four words each, NFT_REG32_00..15 name them. */
#define WORDS 16

enum content { CONTENT_OTHER, CONTENT_CONSTANT, CONTENT_META, CONTENT_CT };

/* (mark & mask) ^ value, or the constant `value`. */
struct word {
	enum content content;
	uint32_t mask, value;
};

/* A rule being read, expression by expression. */
struct walk {
	struct host *host;
	const struct nftnl_rule *rule;
	struct word words[WORDS];
	int err;
};

static struct word *word(struct walk *w, uint32_t reg)
{
	static struct word nowhere;

	if (reg >= NFT_REG_1 && reg <= NFT_REG_4)
		return &w->words[(reg - NFT_REG_1) * 4];
	if (reg >= NFT_REG32_00 && reg <= NFT_REG32_15)
		return &w->words[reg - NFT_REG32_00];
	nowhere = (struct word){ 0 }; /* the verdict register */
	return &nowhere;
}

static struct word *word_of(struct walk *w, const struct nftnl_expr *e, uint16_t attr)
{
	return word(w, nftnl_expr_get_u32(e, attr));
}

static uint32_t value_of(const struct nftnl_expr *e, uint16_t attr)
{
	uint32_t size, value = 0;
	const void *data = nftnl_expr_get(e, attr, &size);

	if (data && size >= sizeof(value))
		memcpy(&value, data, sizeof(value));
	return value;
}

static bool is_mark(const struct word *word)
{
	return word->content == CONTENT_META || word->content == CONTENT_CT;
}

static void push(struct walk *w, struct host_mark_use use)
{
	struct host_mark_use *slot = ARRAY_ADD(w->host->marks, w->host->n_marks);
	const char *table = nftnl_rule_get_str(w->rule, NFTNL_RULE_TABLE);
	const char *chain = nftnl_rule_get_str(w->rule, NFTNL_RULE_CHAIN);

	if (!slot) {
		w->err = -ENOMEM;
		return;
	}
	*slot = use;
	/* Names longer than ours, which the kernel allows, are cut: they are only shown. */
	snprintf(slot->table, sizeof(slot->table), "%s", table ? table : "");
	snprintf(slot->chain, sizeof(slot->chain), "%s", chain ? chain : "");
}

static void push_test(struct walk *w, const struct word *word, uint32_t value)
{
	if (is_mark(word))
		push(w, (struct host_mark_use){ .value = value, .mask = word->mask });
}

/* A mark made of itself keeps the bits under the mask; one made of anything else keeps none. */
static void push_set(struct walk *w, const struct word *word, enum content target)
{
	struct host_mark_use use = { .mask = UINT32_MAX, .sets = true };

	if (word->content == target)
		use.mask = ~word->mask | word->value;
	if (word->content == target || word->content == CONTENT_CONSTANT)
		use.value = word->value;
	push(w, use);
}

static void on_meta(struct walk *w, const struct nftnl_expr *e)
{
	bool mark = nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY) == NFT_META_MARK;

	if (nftnl_expr_is_set(e, NFTNL_EXPR_META_DREG))
		*word_of(w, e, NFTNL_EXPR_META_DREG) = (struct word){
			mark ? CONTENT_META : CONTENT_OTHER, UINT32_MAX, 0,
		};
	else if (mark)
		push_set(w, word_of(w, e, NFTNL_EXPR_META_SREG), CONTENT_META);
}

static void on_ct(struct walk *w, const struct nftnl_expr *e)
{
	bool mark = nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY) == NFT_CT_MARK;

	if (nftnl_expr_is_set(e, NFTNL_EXPR_CT_DREG))
		*word_of(w, e, NFTNL_EXPR_CT_DREG) = (struct word){
			mark ? CONTENT_CT : CONTENT_OTHER, UINT32_MAX, 0,
		};
	else if (mark)
		push_set(w, word_of(w, e, NFTNL_EXPR_CT_SREG), CONTENT_CT);
}

static void on_bitwise(struct walk *w, const struct nftnl_expr *e)
{
	struct word from = *word_of(w, e, NFTNL_EXPR_BITWISE_SREG);
	uint32_t mask = value_of(e, NFTNL_EXPR_BITWISE_MASK);

	/* Shifts have no mask, and leave nothing that we can follow. */
	if (!nftnl_expr_is_set(e, NFTNL_EXPR_BITWISE_MASK))
		from.content = CONTENT_OTHER;
	from.mask &= mask;
	from.value = (from.value & mask) ^ value_of(e, NFTNL_EXPR_BITWISE_XOR);
	*word_of(w, e, NFTNL_EXPR_BITWISE_DREG) = from;
}

static void on_cmp(struct walk *w, const struct nftnl_expr *e)
{
	push_test(w, word_of(w, e, NFTNL_EXPR_CMP_SREG), value_of(e, NFTNL_EXPR_CMP_DATA));
}

static void on_range(struct walk *w, const struct nftnl_expr *e)
{
	push_test(w, word_of(w, e, NFTNL_EXPR_RANGE_SREG),
		  value_of(e, NFTNL_EXPR_RANGE_FROM_DATA));
}

static void on_immediate(struct walk *w, const struct nftnl_expr *e)
{
	*word_of(w, e, NFTNL_EXPR_IMM_DREG) = (struct word){
		CONTENT_CONSTANT, 0, value_of(e, NFTNL_EXPR_IMM_DATA),
	};
}

/* The parts of a concatenation lie in the words behind the first. */
static void on_lookup(struct walk *w, const struct nftnl_expr *e)
{
	const struct word *from = word_of(w, e, NFTNL_EXPR_LOOKUP_SREG);

	push_test(w, from, 0);
	if (from >= w->words && from < w->words + WORDS)
		while (++from < w->words + WORDS)
			push_test(w, from, 0);
	if (nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG))
		*word_of(w, e, NFTNL_EXPR_LOOKUP_DREG) = (struct word){ 0 };
}

static void on_match(struct walk *w, const struct nftnl_expr *e)
{
	uint32_t size;
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_MT_NAME);
	const void *info = nftnl_expr_get(e, NFTNL_EXPR_MT_INFO, &size);
	uint32_t rev = nftnl_expr_get_u32(e, NFTNL_EXPR_MT_REV);
	struct host_mark_use use = { 0 };

	if (info && mark_xt_match(name, rev, info, size, &use))
		push(w, use);
}

static void on_target(struct walk *w, const struct nftnl_expr *e)
{
	uint32_t size;
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_TG_NAME);
	const void *info = nftnl_expr_get(e, NFTNL_EXPR_TG_INFO, &size);
	uint32_t rev = nftnl_expr_get_u32(e, NFTNL_EXPR_TG_REV);
	struct host_mark_use use = { 0 };

	if (info && mark_xt_target(name, rev, info, size, &use))
		push(w, use);
}

static void forget(struct walk *w, const struct nftnl_expr *e, uint16_t dreg)
{
	if (nftnl_expr_is_set(e, dreg))
		*word_of(w, e, dreg) = (struct word){ 0 };
}

static void on_payload(struct walk *w, const struct nftnl_expr *e)
{
	forget(w, e, NFTNL_EXPR_PAYLOAD_DREG);
}

static void on_numgen(struct walk *w, const struct nftnl_expr *e)
{
	forget(w, e, NFTNL_EXPR_NG_DREG);
}

static void on_hash(struct walk *w, const struct nftnl_expr *e)
{
	forget(w, e, NFTNL_EXPR_HASH_DREG);
}

/* Expressions that write a register and are not here leave what was in it, which matters only when
 * they overwrite a mark that was never used. */
static const struct {
	const char *name;
	void (*fn)(struct walk *w, const struct nftnl_expr *e);
} exprs[] = {
	{ "meta", on_meta },
	{ "ct", on_ct },
	{ "bitwise", on_bitwise },
	{ "cmp", on_cmp },
	{ "range", on_range },
	{ "immediate", on_immediate },
	{ "lookup", on_lookup },
	{ "match", on_match },
	{ "target", on_target },
	{ "payload", on_payload },
	{ "numgen", on_numgen },
	{ "hash", on_hash },
};

static int walk_expr(struct nftnl_expr *e, void *data)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(exprs); i++)
		if (!strcmp(exprs[i].name, name))
			exprs[i].fn(data, e);
	return 0;
}

static void rule_free(struct nftnl_rule **rule)
{
	if (*rule)
		nftnl_rule_free(*rule);
}

static bool is_ours(const struct nftnl_rule *rule)
{
	const char *table = nftnl_rule_get_str(rule, NFTNL_RULE_TABLE);

	return nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY) == NFPROTO_INET && table &&
	       (!strcmp(table, PLAN_NFT_TABLE) || !strcmp(table, PLAN_ROUTER_TABLE));
}

static int add(const struct nlmsghdr *h, void *data)
{
	_cleanup_(rule_free) struct nftnl_rule *rule = nftnl_rule_alloc();
	struct walk w = { .host = data, .rule = rule };

	if (!rule)
		return -ENOMEM;
	if ((h->nlmsg_type & 0xff) != NFT_MSG_NEWRULE)
		return 0;
	/* one with an expression that libnftnl does not know, such as our module's; nft passes it over, too */
	if (nftnl_rule_nlmsg_parse(h, rule))
		return 0;
	if (!is_ours(rule))
		nftnl_expr_foreach(rule, walk_expr, &w);
	return w.err;
}

static void reset(void *data)
{
	((struct host *)data)->n_marks = 0;
}

int mark_dump(struct nl *nl, struct host *ret)
{
	struct nfgenmsg nfg = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };
	struct nl_msg m;

	nl_begin(&m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, 0, &nfg, sizeof(nfg));
	return nl_dump(nl, &m, add, reset, ret);
}
