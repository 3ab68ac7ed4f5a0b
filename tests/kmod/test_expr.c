// SPDX-License-Identifier: GPL-2.0-or-later
/* The expression in rules: what it takes, whom it holds on to, what marks come of it. */
#include "tests/kmod/capture.h"

static const struct rule_how plain = {.chain = "plain", .alone = true};
static struct attrs list;

static uint32_t references(uint32_t number)
{
	static struct policy p;
	int r = policy_get(&module, number, &p);

	if (r)
		fail_msg("policy %u: %s", number, strerror(-r));
	return p.references;
}

static int open_all(void **state)
{
	static struct policy p;
	int r = module_open(state);

	if (r || !module_ready)
		return r;
	p = policy_of(1, 9);
	r = rule_table(&module, NFPROTO_INET) ?: policy_set(&module, &p);
	p = policy_of(63, 4);
	return r ?: policy_set(&module, &p);
}

static void taken(const char *what)
{
	int r = rule_use(&module, &plain, &list);

	if (r)
		fail_msg("%s: %s", what, strerror(-r));
	assert_int_equal(rule_flush(&module), 0);
}

/* expect: 0 for any error that tells of wrong attributes. */
static void refused(const char *what, int expect)
{
	int r = rule_use(&module, &plain, &list);
	bool good = expect ? r == expect : r == -EINVAL || r == -ERANGE || r == -EOPNOTSUPP;

	if (!good)
		fail_msg("%s: %s", what, r ? strerror(-r) : "taken");
}

struct value {
	const char *what;
	uint16_t type;
	uint32_t value;
	int expect;
};

static void test_values(void **state)
{
	static const struct value bad[] = {
		{"the verdict's register", NFTA_ASYM_DREG, NFT_REG_VERDICT, 0},
		{"one past the registers", NFTA_ASYM_DREG, NFT_REG32_15 + 1, 0},
		{"between the kinds", NFTA_ASYM_DREG, NFT_REG_4 + 1, 0},
		{"no register", NFTA_ASYM_DREG, UINT32_MAX, 0},
		{"a policy that is not", NFTA_ASYM_POLICY, 2, -ENOENT},
		{"one past the policies", NFTA_ASYM_POLICY, ASYM_MAX_POLICIES, -1},
		{"far past the policies", NFTA_ASYM_POLICY, UINT32_MAX, -1},
		{"a number cut to a byte", NFTA_ASYM_POLICY, 257, -1},
		{"no key", NFTA_ASYM_KEY, ASYM_KEY_MAX, 0},
		{"a key cut to a byte", NFTA_ASYM_KEY, 256, 0},
		{"no time", NFTA_ASYM_STICKY, 0, 0},
		{"too long a time", NFTA_ASYM_STICKY, 0x80000000, 0},
		{"sticky by flow", NFTA_ASYM_STICKY_KEY, ASYM_KEY_FLOW, 0},
		{"sticky by nothing", NFTA_ASYM_STICKY_KEY, ASYM_KEY_MAX, 0},
	};
	static const struct value good[] = {
		{"the last register", NFTA_ASYM_DREG, NFT_REG32_15, 0},
		{"the first small register", NFTA_ASYM_DREG, NFT_REG32_00, 0},
		{"the last large register", NFTA_ASYM_DREG, NFT_REG_4, 0},
		{"the last policy", NFTA_ASYM_POLICY, ASYM_MAX_POLICIES - 1, 0},
		{"the last key", NFTA_ASYM_KEY, ASYM_KEY_MAX - 1, 0},
		{"a second", NFTA_ASYM_STICKY, 1, 0},
		{"the longest time", NFTA_ASYM_STICKY, INT32_MAX, 0},
	};

	module_need();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint32_t be = htonl(bad[i].value);
		int r;

		rule_attrs(&list, 1);
		if (bad[i].type == NFTA_ASYM_STICKY_KEY)
			attrs_be32(&list, NFTA_ASYM_STICKY, 60);
		attrs_set(&list, bad[i].type, &be, sizeof(be));
		if (bad[i].expect != -1) {
			refused(bad[i].what, bad[i].expect);
			continue;
		}
		r = rule_use(&module, &plain, &list);
		if (r != -ENOENT && r != -EINVAL && r != -ERANGE)
			fail_msg("%s: %s", bad[i].what, r ? strerror(-r) : "taken");
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		uint32_t be = htonl(good[i].value);

		rule_attrs(&list, 1);
		attrs_set(&list, good[i].type, &be, sizeof(be));
		taken(good[i].what);
	}
	assert_int_equal(references(1), 0);
}

/* nf_tables has its attributes checked as ever: longer ones pass, shorter ones do not. */
static void test_sizes(void **state)
{
	module_need();
	for (uint16_t type = NFTA_ASYM_DREG; type < NFTA_ASYM_MAX; type++)
		for (uint16_t len = 0; len < 4; len++) {
			rule_attrs(&list, 1);
			attrs_set(&list, type, &(uint32_t){htonl(1)}, 4);
			list.a[attrs_find(&list, type)].len = len;
			refused("short", 0);
		}
	for (uint16_t type = NFTA_ASYM_DREG; type <= NFTA_ASYM_POLICY; type++) {
		rule_attrs(&list, 1);
		attrs_drop(&list, type);
		refused("left out", 0);
	}
	list.n = 0;
	refused("empty", 0);
	assert_int_equal(references(1), 0);
}

static void test_families(void **state)
{
	static const struct {
		uint8_t family;
		bool good;
	} kinds[] = {{NFPROTO_IPV4, true},
	             {NFPROTO_IPV6, true},
	             {NFPROTO_BRIDGE, false},
	             {NFPROTO_ARP, false}};

	module_need();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_nft_batch_ struct nft_batch b;
		char error[200];
		int r;

		nft_batch_init(&b, RULE_TABLE);
		b.family = kinds[i].family;
		nft_table_add(&b, "");
		nft_chain_add(&b, "plain");
		rule_attrs(&list, 1);
		rule_asym(&b, &plain, &list);
		r = nft_batch_send(&b, &module.nft, true, error, sizeof(error));
		if (!r != kinds[i].good)
			fail_msg("family %u: %s", kinds[i].family, r ? error : "taken");
	}
	assert_int_equal(references(1), 0);
}

static void test_references(void **state)
{
	module_need();
	assert_int_equal(rule_policy(&module, &plain, 1), 0);
	assert_int_equal(references(1), 1);
	assert_int_equal(policy_del(&module, 1), -EBUSY);
	assert_int_equal(references(1), 1);
	assert_int_equal(rule_policy(&module, &plain, 63), 0); /* in its place */
	assert_int_equal(references(1), 0);
	assert_int_equal(references(63), 1);
	assert_int_equal(rule_policy(&module, &plain, 2), -ENOENT); /* and what was there stays */
	assert_int_equal(references(63), 1);
	assert_int_equal(rule_flush(&module), 0);
	assert_int_equal(references(63), 0);
}

/* Batches that do not end, with rules that were made already. */
static void test_aborted(void **state)
{
	unsigned int n = times(1000);

	module_need();
	for (unsigned int i = 0; i < n; i++) {
		_cleanup_nft_batch_ struct nft_batch b;
		char error[200];

		nft_batch_init(&b, RULE_TABLE);
		rule_attrs(&list, 1);
		rule_asym(&b, &plain, &list);
		rule_attrs(&list, i & 1 ? 63 : 2);
		rule_asym(&b, &plain, &list);
		assert_int_equal(nft_batch_send(&b, &module.nft, true, error, sizeof(error)),
		                 i & 1 ? 0 : -ENOENT);
	}
	assert_int_equal(references(1), 0);
	assert_int_equal(references(63), 0);
}

static void test_fuzz(void **state)
{
	unsigned int n = times(3000), good = 0;

	module_need();
	seed(11);
	for (unsigned int i = 0; i < n; i++) {
		rule_attrs(&list, below(8) ? 1 : below(70));
		for (uint32_t k = below(4); k; k--)
			attrs_be32(&list, (uint16_t)(NFTA_ASYM_KEY + below(5)),
			           below(3) ? below(4) : any());
		if (!below(3))
			list.a[below((uint32_t)list.n)].len = (uint16_t)below(12);
		if (!below(4))
			list.a[below((uint32_t)list.n)].data[below(4)] = (uint8_t)any();
		if (!below(6))
			list.a[below((uint32_t)list.n)].type = (uint16_t)any();
		good += !rule_use(&module, &plain, &list);
	}
	print_message("# %u of %u taken\n", good, n);
	assert_true(good > n / 20 && good < n - n / 20);
	assert_int_equal(rule_flush(&module), 0);
	assert_int_equal(references(1), 0);
}

/* What rule_how has before the expression is kept but for the policy's bits. */
static void test_marks(void **state)
{
	static const struct {
		uint32_t mask, before, after; /* by link 3 */
	} rows[] = {
		{0xff00, 0, 0x300},          {0xff00, 0xffffffff, 0xffff03ff},
		{3, 0x80000000, 0x80000003}, {0xc0000000, 1, 0xc0000001},
		{0xffffffff, 0x12345678, 3}, {0x1fe0, 0x10000010, 0x10000070},
	};
	/* an IPv4 datagram from 10.0.0.2 to 10.0.0.1, port 1 to 2, with the checksum that it has */
	static const uint8_t packet[] = {0x45, 0, 0,  28, 0, 0, 0, 0, 64, 17, 0x66, 0xcf, 10, 0,
	                                 0,    2, 10, 0,  0, 1, 0, 1, 0,  2,  0,    8,    0,  0};
	static struct policy p;
	struct capture c;

	module_need();
	if (capture_open(&c))
		skip(); /* no TUN devices */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct rule_how how = {"prerouting", rows[i].before, .log = true,
		                             .drop = true};
		uint32_t mark = 0;

		p = policy_of(1, 3);
		p.mask = rows[i].mask;
		p.p.last_resort = 1;
		assert_int_equal(policy_set(&module, &p), 0);
		assert_int_equal(rule_policy(&module, &how, 1), 0);
		assert_int_equal(capture_mark(&c, packet, sizeof(packet), &mark), 0);
		assert_int_equal(mark, rows[i].after);
	}
	p = policy_of(1, 0); /* nobody lives: the rule stays, the policy changes */
	assert_int_equal(policy_set(&module, &p), 0);
	assert_int_equal(rule_policy(&module,
	                             &(struct rule_how){"prerouting", .log = true, .drop = true},
	                             1),
	                 0);
	for (uint8_t resort = 1; resort; resort++) {
		uint32_t mark = 0;

		p.p.last_resort = resort;
		assert_int_equal(policy_set(&module, &p), 0);
		assert_int_equal(capture_mark(&c, packet, sizeof(packet), &mark), 0);
		assert_int_equal(mark, (uint32_t)resort << 8);
	}
	assert_int_equal(rule_flush(&module), 0);
	capture_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),   cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_families), cmocka_unit_test(test_references),
		cmocka_unit_test(test_aborted),  cmocka_unit_test(test_fuzz),
		cmocka_unit_test(test_marks),
	};

	return cmocka_run_group_tests(tests, open_all, module_close);
}
