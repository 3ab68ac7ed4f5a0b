// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory runs out at each single place: the first allocation of an operation fails, then the
 * second, and so on until none was left to fail (/proc/thread-self/fail-nth, only in kernels made
 * for it, see scripts/vm-kasan).  What fails says so and leaves all as it was; what is forgotten
 * shows in kmemleak.
 */
#include "tests/kmod/rule.h"

#define FAULTS "/sys/kernel/debug/"
#define MOST 2000 /* allocations of one operation */

static const struct rule_how how = {.chain = "plain"};
static struct policy before, after;
static int nth = -1; /* of this thread */

static void fault_set(const char *what, const char *knob, const char *value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), FAULTS "%s/%s", what, knob);
	f = fopen(path, "w");
	if (f) {
		fputs(value, f);
		fclose(f);
	}
}

static int open_all(void **state)
{
	static const char *const kinds[] = {"failslab", "fail_page_alloc"};
	int r = module_open(state);

	if (r || !module_ready)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		fault_set(kinds[i], "ignore-gfp-wait", "N");
		fault_set(kinds[i], "ignore-gfp-highmem", "N");
		fault_set(kinds[i], "min-order", "0");
		fault_set(kinds[i], "verbose", "0");
	}
	nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	before = policy_of(1, 9);
	after = policy_of(1, 5);
	return rule_table(&module, NFPROTO_INET) ?: policy_set(&module, &before);
}

/* Has the n-th allocation from here on fail. */
static void arm(unsigned int n)
{
	char text[16];

	assert_true(pwrite(nth, text, (size_t)snprintf(text, sizeof(text), "%u", n), 0) > 0);
}

/* Whether it has come to that. */
static bool disarm(void)
{
	char text[16] = "";

	assert_true(pread(nth, text, sizeof(text) - 1, 0) > 0);
	assert_int_equal(pwrite(nth, "0", 1, 0), 1);
	return atoi(text) == 0;
}

/* Runs it with ever later failures; undo comes after each success. */
static void everywhere(const char *what, int (*once)(void), void (*check)(int r),
                       void (*undo)(void))
{
	unsigned int n = 1, failed = 0;
	bool fell = true;

	for (; fell && n < MOST; n++) {
		int r;

		arm(n);
		r = once();
		fell = disarm();
		if (r && r != -ENOMEM && r != -ENOBUFS && r != -ECANCELED && r != -EAGAIN &&
		    r != -ENOENT)
			fail_msg("%s, allocation %u: %s", what, n, strerror(-r));
		if (r && !fell)
			fail_msg("%s without a failure: %s", what, strerror(-r));
		failed += !!r;
		check(r);
		if (!r)
			undo();
	}
	print_message("# %s: %u allocations, %u of them needed\n", what, n - 2, failed);
	assert_false(fell);
	assert_true(failed);
}

static void need(void)
{
	module_need();
	if (nth < 0)
		skip(); /* this kernel cannot fail at will */
}

static int replace(void)
{
	return policy_set(&module, &after);
}

/* The answer may be what was lost: then all was done, or nothing. */
static void check_policy(int r)
{
	static struct policy got;

	assert_int_equal(policy_get(&module, 1, &got), 0);
	assert_true(policy_equal(&got, &after) || (r && policy_equal(&got, &before)));
	assert_int_equal(got.references, 0);
	if (r)
		assert_int_equal(policy_set(&module, &before), 0);
}

static void restore_policy(void)
{
	assert_int_equal(policy_set(&module, &before), 0);
}

static void test_policy(void **state)
{
	need();
	everywhere("a policy in place of another", replace, check_policy, restore_policy);
}

static int read_one(void)
{
	static struct policy got;

	return policy_get(&module, 1, &got);
}

static void nothing(void)
{
}

static void any_result(int r)
{
}

static void test_read(void **state)
{
	need();
	everywhere("reading a policy", read_one, any_result, nothing);
}

static int add_rule(void)
{
	static struct attrs l;

	rule_attrs(&l, 1);
	attrs_be32(&l, NFTA_ASYM_STICKY, 60);
	return rule_use(&module, &how, &l);
}

static void check_rule(int r)
{
	static struct policy got;

	assert_int_equal(policy_get(&module, 1, &got), 0);
	assert_true(got.references <= 1);
	if (r)
		assert_int_equal(rule_flush(&module), 0);
}

static void drop_rule(void)
{
	static struct policy got;

	assert_int_equal(rule_flush(&module), 0);
	assert_int_equal(policy_get(&module, 1, &got), 0);
	assert_int_equal(got.references, 0);
}

static void test_rule(void **state)
{
	need();
	everywhere("a rule", add_rule, check_rule, drop_rule);
}

/* Others have other words for it. */
static int add_namespace(void)
{
	return unshare(CLONE_NEWNET) ? -ENOMEM : 0;
}

static void test_namespace(void **state)
{
	_cleanup_close_ int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	need();
	everywhere("a namespace", add_namespace, any_result, nothing);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_namespace),
	};

	return cmocka_run_group_tests(tests, open_all, module_close);
}
