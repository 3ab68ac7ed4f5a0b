// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a policy counts as its rules, over transactions of nf_tables: rules that are made and deleted
 * in one of them, rules that fail half-way, chains that belong to a rule (jump { ... }), each done or
 * forgotten, and a table that goes with its owner.
 */
#include "tests/kmod/rule.h"
#include <time.h>

#define CHAIN "plain"

static struct attrs good, bad;

static uint32_t references(void)
{
	static struct policy p;

	assert_int_equal(policy_get(&module, 1, &p), 0);
	return p.references;
}

static int open_all(void **state)
{
	static struct policy p;
	int r = module_open(state);

	if (r || !module_ready)
		return r;
	rule_attrs(&good, 1);
	rule_attrs(&bad, 2); /* there is none */
	p = policy_of(1, 9);
	return rule_table(&module, NFPROTO_INET) ?: policy_set(&module, &p);
}

/* --- messages that libnftnl has no words for ---------------------------------------------------- */

static struct nlmsghdr *rule_begin(struct nft_batch *b, uint32_t chain, struct nlattr **ret_list)
{
	struct nlmsghdr *h = nft_message_begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

	mnl_attr_put_strz(h, NFTA_RULE_TABLE, b->table);
	if (chain)
		mnl_attr_put_u32(h, NFTA_RULE_CHAIN_ID, htonl(chain));
	else
		mnl_attr_put_strz(h, NFTA_RULE_CHAIN, CHAIN);
	*ret_list = mnl_attr_nest_start(h, NFTA_RULE_EXPRESSIONS);
	return h;
}

static void rule_end(struct nft_batch *b, struct nlmsghdr *h, struct nlattr *list)
{
	mnl_attr_nest_end(h, list);
	nft_message_add(b, h, "rule");
}

static void put_jump(struct nlmsghdr *h, uint32_t chain)
{
	struct nlattr *elem = mnl_attr_nest_start(h, NFTA_LIST_ELEM), *data, *value, *verdict;

	mnl_attr_put_strz(h, NFTA_EXPR_NAME, "immediate");
	data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
	mnl_attr_put_u32(h, NFTA_IMMEDIATE_DREG, htonl(NFT_REG_VERDICT));
	value = mnl_attr_nest_start(h, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(h, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(h, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_JUMP));
	mnl_attr_put_u32(h, NFTA_VERDICT_CHAIN_ID, htonl(chain));
	mnl_attr_nest_end(h, verdict);
	mnl_attr_nest_end(h, value);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, elem);
}

static void add_rule(struct nft_batch *b, uint32_t chain, unsigned int exprs, bool fails)
{
	struct nlattr *list;
	struct nlmsghdr *h = rule_begin(b, chain, &list);

	for (unsigned int i = 0; i < exprs; i++)
		rule_expr(h, ASYM_NFT_EXPR, &good);
	if (fails)
		rule_expr(h, ASYM_NFT_EXPR, &bad);
	rule_end(b, h, list);
}

static void add_bound_chain(struct nft_batch *b, uint32_t id)
{
	struct nlmsghdr *h = nft_message_begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, b->table);
	mnl_attr_put_u32(h, NFTA_CHAIN_ID, htonl(id));
	mnl_attr_put_u32(h, NFTA_CHAIN_FLAGS, htonl(NFT_CHAIN_BINDING));
	nft_message_add(b, h, "bound chain");
}

/* A rule that jumps to a chain of its own, with one of the expressions here and two there. */
static void add_block(struct nft_batch *b, uint32_t id, bool fails)
{
	struct nlattr *list;
	struct nlmsghdr *h;

	add_bound_chain(b, id);
	add_rule(b, id, 1, false);
	add_rule(b, id, 1, false);
	h = rule_begin(b, 0, &list);
	rule_expr(h, ASYM_NFT_EXPR, &good);
	put_jump(h, id);
	if (fails)
		rule_expr(h, ASYM_NFT_EXPR, &bad);
	rule_end(b, h, list);
}

static void renew_table(struct nft_batch *b)
{
	nft_table_del(b);
	nft_table_add(b, "");
	nft_chain_add(b, CHAIN);
}

/* --- steps -------------------------------------------------------------------------------------- */

/* What a transaction does, one letter each. */
static const char steps[] = "RRBBDDTfb";

static void add_step(struct nft_batch *b, char step, uint32_t id)
{
	switch (step) {
	case 'R': /* a rule with two of them */
		return add_rule(b, 0, 2, false);
	case 'B':
		return add_block(b, id, false);
	case 'D': /* all rules of the chain */
		return rule_flush_chain(b, CHAIN);
	case 'T': /* the table goes, and there is another */
		return renew_table(b);
	case 'f': /* a rule of which the second fails */
		return add_rule(b, 0, 1, true);
	default: /* a rule that fails when its chain is bound to it */
		return add_block(b, id, true);
	}
}

/* The number after these steps. */
static uint32_t expected(const char *what, uint32_t before, bool dry_run)
{
	uint32_t n = before;

	for (const char *s = what; *s; s++)
		n = *s == 'R' ? n + 2 : *s == 'B' ? n + 3 : *s == 'D' || *s == 'T' ? 0 : n;
	return dry_run || strpbrk(what, "fb") ? before : n;
}

static void go(const char *what, bool dry_run)
{
	_cleanup_nft_batch_ struct nft_batch b;
	uint32_t before = references(), want = expected(what, before, dry_run), got;
	char error[200] = "";
	int r;

	nft_batch_init(&b, RULE_TABLE);
	for (uint32_t i = 0; what[i]; i++)
		add_step(&b, what[i], i + 1);
	r = nft_batch_send(&b, &module.nft, dry_run, error, sizeof(error));
	got = references();
	if (r != (strpbrk(what, "fb") ? -ENOENT : 0) || got != want)
		fail_msg("%s%s: %s, %u rules, %u before, expected %u", what,
		         dry_run ? ", not done" : "", r ? error : "taken", got, before, want);
}

static void test_steps(void **state)
{
	static const char *const all[] = {
		"R", "D", "B", "D", "RD", "BD", "f", "b", "Rf", "Bb", "RBDf", "BDb", "BDB", "T",
		"RBT", "BTB", "bDT", "fB", "D",
	};
	static struct policy p;

	module_need();
	p = policy_of(1, 9);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		go(all[i], true);
		go(all[i], false);
	}
	assert_int_equal(references(), 0);
	assert_int_equal(policy_del(&module, 1), 0);
	assert_int_equal(policy_set(&module, &p), 0);
}

static void test_any_steps(void **state)
{
	char what[8];

	module_need();
	seed(5);
	for (unsigned int n = times(3000); n; n--) {
		uint32_t len = 1 + below(sizeof(what) - 1);

		for (uint32_t i = 0; i < len; i++)
			what[i] = steps[below(sizeof(steps) - 1)];
		what[len] = '\0';
		go(what, below(3) == 0);
	}
	go("D", false);
	assert_int_equal(references(), 0);
}

static bool is_released(void)
{
	for (int i = 0; i < 600 && references(); i++)
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	return !references();
}

static void test_owner(void **state)
{
	_cleanup_nft_batch_ struct nft_batch b;
	char error[200];
	struct nl owner;

	module_need();
	assert_int_equal(nl_open(&owner, NETLINK_NETFILTER), 0);
	nft_batch_init(&b, "owned");
	nft_table_add_owned(&b, "");
	nft_chain_add(&b, CHAIN);
	add_rule(&b, 0, 2, false);
	add_block(&b, 1, false);
	assert_int_equal(nft_batch_send(&b, &owner, false, error, sizeof(error)), 0);
	assert_int_equal(references(), 5);
	nl_close(&owner);
	assert_true(is_released());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_any_steps),
		cmocka_unit_test(test_owner),
	};

	return cmocka_run_group_tests(tests, open_all, module_close);
}
