// SPDX-License-Identifier: GPL-2.0-or-later
/* The module's genetlink family: policies in and out, all that is wrong with them, and who may. */
#include "tests/kmod/rule.h"
#include <sys/wait.h>

static struct attrs list; /* the message that a test spoils */

static int set_list(void)
{
	return module_ask(&module, ASYM_CMD_SET_POLICY, &list, NULL, NULL);
}

struct info {
	uint32_t abi, features, sticky;
	bool version;
};

static int take_info(const struct nlmsghdr *h, void *data)
{
	const struct nlattr *tb[ASYM_A_MAX];
	struct info *i = data;
	int r = attr_parse(h, sizeof(struct genlmsghdr), module_sizes, ASYM_A_MAX, tb);

	*i = (struct info){attr_u32(tb[ASYM_A_ABI], 0), attr_u32(tb[ASYM_A_FEATURES], 0),
	                   attr_u32(tb[ASYM_A_STICKY_USED], ~0u), tb[ASYM_A_VERSION]};
	return r;
}

static void test_info(void **state)
{
	struct info i = {0};

	module_need();
	list.n = 0;
	assert_int_equal(module_ask(&module, ASYM_CMD_GET_INFO, &list, take_info, &i), 0);
	assert_int_equal(i.abi, ASYM_KMOD_ABI);
	assert_true(i.features & ASYM_FEATURE_NFT);
	assert_true(i.version);
	assert_int_equal(i.sticky, 0);
}

/* Each part of it has a value of its own. */
static struct policy full_policy(uint32_t number)
{
	struct policy p = {.number = number,
	                   .seed = 0xdeadbeef - number,
	                   .mask = 0x3fc000,
	                   .p = {.key = (uint8_t)(number % ASYM_KEY_MAX), .last_resort = 255}};

	for (int f = 0; f < ASYM_FAMILIES; f++)
		for (uint32_t i = 0; i < ASYM_BUCKETS; i++) {
			uint8_t id = (uint8_t)(1 + (i * 7 + (uint32_t)f + number) % ASYM_MAX_LINKS);

			p.b[f].link[i] = id;
			p.p.live[f][id >> 5] |= 1u << (id & 31);
		}
	return p;
}

static void expect_policy(const struct policy *want)
{
	static struct policy got;

	assert_int_equal(policy_get(&module, want->number, &got), 0);
	assert_true(policy_equal(&got, want));
	assert_int_equal(got.references, 0);
}

struct dumped {
	uint64_t seen;
	unsigned int n, wrong;
};

static int take_dumped(const struct nlmsghdr *h, void *data)
{
	static struct policy got, want;
	struct dumped *d = data;
	int r = policy_take(h, &got);

	if (r)
		return r;
	want = full_policy(got.number);
	d->wrong += !policy_equal(&got, &want);
	d->seen |= UINT64_C(1) << (got.number & 63);
	d->n++;
	return 0;
}

static void forget(void *data)
{
	*(struct dumped *)data = (struct dumped){0};
}

static struct dumped dump(void)
{
	const struct genlmsghdr header = {.cmd = ASYM_CMD_GET_POLICY, .version = ASYM_KMOD_ABI};
	struct dumped d = {0};
	struct nl_msg m;

	nl_begin(&m, module.family, 0, &header, sizeof(header));
	assert_int_equal(nl_dump(&module.genl, &m, take_dumped, forget, &d), 0);
	return d;
}

static void test_round_trip(void **state)
{
	static struct policy p;
	struct dumped d;

	module_need();
	for (uint32_t n = 0; n < ASYM_MAX_POLICIES; n++) {
		assert_int_equal(policy_get(&module, n, &p), -ENOENT);
		p = full_policy(n);
		assert_int_equal(policy_set(&module, &p), 0);
	}
	p = full_policy(17);
	expect_policy(&p);
	d = dump();
	assert_int_equal(d.n, ASYM_MAX_POLICIES);
	assert_int_equal(d.wrong, 0);
	assert_true(d.seen == UINT64_MAX);
	p = policy_of(17, 9);
	assert_int_equal(policy_set(&module, &p), 0);
	expect_policy(&p);
	for (uint32_t n = 0; n < ASYM_MAX_POLICIES; n++)
		assert_int_equal(policy_del(&module, n), 0);
	assert_int_equal(policy_del(&module, 17), -ENOENT);
	assert_int_equal(dump().n, 0);
	assert_int_equal(policy_get(&module, ASYM_MAX_POLICIES, &p) < 0, 1);
	assert_int_equal(policy_del(&module, UINT32_MAX) < 0, 1);
}

/* Refused, and the policy of before is there as it was. */
static void refused(const char *what, uint16_t type, const struct policy *there)
{
	int r = set_list();

	if (!r)
		fail_msg("attribute %u: %s was taken", type, what);
	if (r != -EINVAL && r != -ERANGE && r != -EOPNOTSUPP && r != -EMSGSIZE)
		fail_msg("attribute %u: %s: %s", type, what, strerror(-r));
	expect_policy(there);
}

static void test_sizes(void **state)
{
	static struct policy p;

	module_need();
	p = full_policy(3);
	assert_int_equal(policy_set(&module, &p), 0);
	for (size_t i = 0; policy_attrs(&list, &p), i < list.n; i++) {
		uint16_t type = list.a[i].type, len = list.a[i].len;

		attrs_drop(&list, type);
		refused("left out", type, &p);
		for (int add = -3; add <= 3; add++) {
			if (!add || len + add < 0)
				continue;
			policy_attrs(&list, &p);
			list.a[i].len = (uint16_t)(len + add);
			refused(add < 0 ? "short" : "long", type, &p);
		}
		policy_attrs(&list, &p);
		list.a[i].len = 0;
		refused("empty", type, &p);
	}
	assert_int_equal(policy_del(&module, 3), 0);
}

/* A value in place of the right one. */
struct value {
	const char *what;
	uint16_t type;
	uint32_t value;
};

static void put_value(const struct value *v)
{
	bool byte = v->type == ASYM_A_KEY || v->type == ASYM_A_LAST_RESORT;

	attrs_set(&list, v->type, byte ? (const void *)&(uint8_t){(uint8_t)v->value} : &v->value,
	          byte ? 1 : 4);
}

static void test_values(void **state)
{
	static const struct value values[] = {
		{"one too many", ASYM_A_POLICY, ASYM_MAX_POLICIES},
		{"255", ASYM_A_POLICY, 255},
		{"256", ASYM_A_POLICY, 256},
		{"all bits", ASYM_A_POLICY, UINT32_MAX},
		{"of a number's sign", ASYM_A_POLICY, 0x80000003},
		{"no key", ASYM_A_KEY, ASYM_KEY_MAX},
		{"255", ASYM_A_KEY, 255},
		{"no bit", ASYM_A_MARK_MASK, 0},
		{"one bit", ASYM_A_MARK_MASK, 1},
		{"the highest bit", ASYM_A_MARK_MASK, 0x80000000},
		{"a hole", ASYM_A_MARK_MASK, 0x3fb000},
		{"two parts", ASYM_A_MARK_MASK, 0xff0000ff},
		{"too narrow for the ids", ASYM_A_MARK_MASK, 0x7f00},
		{"two bits", ASYM_A_MARK_MASK, 0xc0000000},
	};
	static struct policy p;

	module_need();
	p = full_policy(3);
	assert_int_equal(policy_set(&module, &p), 0);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		policy_attrs(&list, &p);
		put_value(&values[i]);
		refused(values[i].what, values[i].type, &p);
	}
	policy_attrs(&list, &p);
	list.a[attrs_find(&list, ASYM_A_MARK_MASK)].type |= NLA_F_NESTED;
	refused("a nest", ASYM_A_MARK_MASK, &p);
	assert_int_equal(policy_del(&module, 3), 0);
}

/* What nobody has given a meaning yet: once it were taken, it could not be given one. */
static int ask_info(uint16_t flags, uint16_t reserved)
{
	struct genlmsghdr header = {
		.cmd = ASYM_CMD_GET_INFO, .version = ASYM_KMOD_ABI, .reserved = reserved};
	struct nl_msg m;

	nl_begin(&m, module.family, flags, &header, sizeof(header));
	return nl_ask(&module.genl, &m, NULL, NULL);
}

static void test_header(void **state)
{
	module_need();
	assert_int_equal(ask_info(0, 0), 0);
	assert_int_equal(ask_info(0, 1), -EINVAL);
	assert_int_equal(ask_info(NLM_F_CREATE, 0), -EINVAL);
}

/* In a mask of two bits ids are 0 to 3; what is outside of it is refused wherever it stands. */
static void test_mask_edges(void **state)
{
	static const uint32_t masks[] = {3, 0xc0000000, 0xff, 0xffffffff, 0xfffffffe};
	static struct policy p;

	module_need();
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		p = policy_of(5, 3);
		p.mask = masks[i];
		p.p.last_resort = 3;
		assert_int_equal(policy_set(&module, &p), 0);
		expect_policy(&p);
	}
	p.mask = 0xc000;
	assert_int_equal(policy_set(&module, &p), 0);
	policy_attrs(&list, &p);
	put_value(&(struct value){"", ASYM_A_LAST_RESORT, 4});
	refused("outside of the mask", ASYM_A_LAST_RESORT, &p);
	for (uint16_t type = ASYM_A_BUCKETS4; type <= ASYM_A_BUCKETS6; type++) {
		static const uint32_t places[] = {0, 4000, ASYM_BUCKETS - 1};

		for (size_t k = 0; k < ARRAY_SIZE(places); k++) {
			policy_attrs(&list, &p);
			list.a[attrs_find(&list, type)].data[places[k]] = 4;
			refused("a bucket outside of the mask", type, &p);
		}
	}
	assert_int_equal(policy_del(&module, 5), 0);
}

/* Whatever is taken, is right. */
static void expect_right(uint32_t n)
{
	static struct policy p;

	if (policy_get(&module, n, &p))
		return;
	assert_true(p.number < ASYM_MAX_POLICIES && p.p.key < ASYM_KEY_MAX);
	uint32_t ids = p.mask ? p.mask >> __builtin_ctz(p.mask) : 0;
	assert_true(ids >= 3 && !(ids & (ids + 1)));
	assert_true(p.p.last_resort <= ids);
	for (int f = 0; f < ASYM_FAMILIES; f++)
		for (uint32_t i = 0; i < ASYM_BUCKETS; i++)
			assert_true(p.b[f].link[i] <= ids);
}

static void spoil_one(void)
{
	size_t i = below((uint32_t)list.n);

	switch (below(5)) {
	case 0:
		list.a[i].type = (uint16_t)(below(4) ? below(ASYM_A_MAX + 2) : any());
		break;
	case 1:
		list.a[i].len = (uint16_t)below(below(2) ? 40 : ATTRS_DATA);
		break;
	case 2:
		for (uint32_t n = below(40); n; n--)
			list.a[i].data[below(list.a[i].len + 1)] = (uint8_t)any();
		break;
	case 3: /* twice, with another value */
		list.a[list.n] = list.a[i];
		list.a[list.n++].data[below(4)] = (uint8_t)any();
		break;
	default:
		list.a[i] = list.a[--list.n];
	}
}

static void test_fuzz(void **state)
{
	unsigned int taken = 0, n;
	static struct policy p;

	module_need();
	seed(7);
	n = times(3000);
	for (unsigned int i = 0; i < n; i++) {
		static const uint8_t cmds[] = {ASYM_CMD_SET_POLICY, ASYM_CMD_SET_POLICY,
		                               ASYM_CMD_SET_POLICY, ASYM_CMD_GET_POLICY,
		                               ASYM_CMD_DEL_POLICY, ASYM_CMD_GET_INFO};
		uint8_t cmd = below(50) ? cmds[below(ARRAY_SIZE(cmds))] : (uint8_t)any();

		p = full_policy(below(4));
		policy_attrs(&list, &p);
		for (uint32_t k = below(4); k && list.n && list.n < ATTRS_MAX; k--)
			spoil_one();
		taken += !module_ask(&module, cmd, &list, NULL, NULL) && cmd == ASYM_CMD_SET_POLICY;
		if (i % 8 == 0)
			expect_right(below(4));
	}
	print_message("# %u of %u taken\n", taken, n);
	assert_true(taken > n / 20 && taken < n / 2);
	for (uint32_t k = 0; k < ASYM_MAX_POLICIES; k++)
		policy_del(&module, k);
	assert_int_equal(dump().n, 0);
}

/* Each namespace has its own, and forgets it. */
static void test_namespaces(void **state)
{
	_cleanup_close_ int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	static struct policy p, got;
	struct module other;

	module_need();
	p = policy_of(1, 9);
	assert_int_equal(policy_set(&module, &p), 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(module_init(&other), 0);
	assert_int_equal(policy_get(&other, 1, &got), -ENOENT);
	p = policy_of(1, 5);
	assert_int_equal(policy_set(&other, &p), 0);
	assert_int_equal(policy_get(&module, 1, &got), 0);
	assert_int_equal(got.b[0].link[0], 9);
	module_done(&other);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	assert_int_equal(policy_del(&module, 1), 0);
}

/* What a process that is not root gets: 100 + n for -n. */
static int as_nobody(int flags)
{
	static struct policy p;
	struct module m;
	int status;
	pid_t pid = fork();

	if (!pid) {
		p = policy_of(2, 7);
		if (setgid(65534) || setuid(65534) || (flags && unshare(flags)))
			_exit(77);
		status = module_init(&m);
		_exit(status ? 78 : policy_set(&m, &p) ? 100 - policy_set(&m, &p) : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void test_who_may(void **state)
{
	static struct policy p;
	int r;

	module_need();
	assert_int_equal(as_nobody(0), 100 + EPERM);
	r = as_nobody(CLONE_NEWUSER);
	if (r == 77)
		skip(); /* this kernel keeps user namespaces for root */
	assert_int_equal(r, 100 + EPERM);
	assert_int_equal(as_nobody(CLONE_NEWUSER | CLONE_NEWNET), 0);
	assert_int_equal(policy_get(&module, 2, &p), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_info),       cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_sizes),      cmocka_unit_test(test_values),
		cmocka_unit_test(test_mask_edges), cmocka_unit_test(test_fuzz),
		cmocka_unit_test(test_namespaces), cmocka_unit_test(test_who_may),
		cmocka_unit_test(test_header),
	};

	return cmocka_run_group_tests(tests, module_open, module_close);
}
