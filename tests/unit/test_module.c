// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel module: whether it is there, and its policies, which are kept equal to a plan's. */
#include "tests/unit/kernel_lab.h"
#include "tests/unit/router_lab.h"

#include "apply/module.h"

#define FIRST "look info list "

static void holds_plan(const struct plan *p, uint32_t n)
{
	for (uint32_t i = 0; i < ASYM_MAX_POLICIES; i++) {
		const struct kmod_policy *got = &kernel.policies[i];

		assert_int_equal(kernel.held[i], i < n);
		if (i >= n)
			continue;
		assert_int_equal(got->seed, p->config.seed);
		assert_int_equal(got->mark_mask, p->config.mark_mask);
		assert_int_equal(got->key, p->policies[i].key);
		assert_int_equal(got->last_resort, p->policies[i].last_resort);
		assert_memory_equal(got->live, p->policies[i].live, sizeof(got->live));
		for (int f = 0; f < ASYM_FAMILIES; f++)
			assert_memory_equal(got->buckets[f], p->buckets[i][f].link, ASYM_BUCKETS);
	}
}

/* -------- whether it is there */

static struct module found(bool load)
{
	struct module m = {.state = 99, .info.features = 99};

	module_find(load, &m);
	return m;
}

static void complaint_is(const struct module *m, const char *want)
{
	char text[256] = "?";

	module_complaint(m, text, sizeof(text));
	assert_string_equal(text, want);
}

static void test_found(void **state)
{
	struct module m = found(false);

	assert_asked("look info ");
	assert_int_equal(m.state, MODULE_USED);
	assert_string_equal(m.info.version, "1.2-3");
	assert_true(module_has_nft(&m));
	complaint_is(&m, "");
	found(true);
	assert_asked("load info ");
	kernel.features = ASYM_FEATURE_OFFLOAD;
	m = found(false);
	assert_false(module_has_nft(&m));
}

static void test_other(void **state)
{
	struct module m;

	kernel.abi = ASYM_KMOD_ABI + 76;
	m = found(true);
	assert_int_equal(m.state, MODULE_OTHER);
	assert_false(module_has_nft(&m));
	complaint_is(&m, "kernel module asymbpf: has ABI 77, expected 1: not used, install the "
			 "module of this version");
}

static void is_absent(void)
{
	struct module m = found(false);

	assert_int_equal(m.state, MODULE_ABSENT);
	assert_int_equal(m.info.abi, 0);
	assert_int_equal(m.info.features, 0);
	assert_false(module_has_nft(&m));
	complaint_is(&m, "");
	kernel_begin(NULL);
}

static void test_absent(void **state)
{
	kernel.there = false;
	is_absent();
	kernel.refuse_command = ASYM_CMD_GET_INFO;
	kernel.refuse = -EPERM;
	is_absent();
	kernel.omit = ASYM_A_ABI;
	is_absent();
	kernel.resize = ASYM_A_FEATURES;
	kernel.resize_to = 2;
	is_absent();
}

/* -------- policies */

static void updates(const struct fixture *f, size_t want_written, const char *want_asked)
{
	struct module m = {.state = 99};
	char error[256] = "?";
	size_t n = 99;

	assert_int_equal(module_update(&f->p, &m, &n, error, sizeof(error)), 0);
	assert_string_equal(error, "");
	assert_int_equal(m.state, MODULE_USED);
	assert_int_equal(n, want_written);
	assert_asked(want_asked);
	holds_plan(&f->p, (uint32_t)f->m.n_policies);
}

static void test_update(void **state)
{
	struct fixture *f = policies_new(3);

	updates(f, 3, FIRST "set 0 set 1 set 2 ");
	updates(f, 0, FIRST);
	router_free(f);
}

/* Whatever differs is seen, in one policy alone where it is of one alone. */
static void test_update_part(void **state)
{
	struct fixture *f = policies_new(3);
	struct plan *p = &f->p;

	updates(f, 3, FIRST "set 0 set 1 set 2 ");
	p->policies[1].key++;
	updates(f, 1, FIRST "set 1 ");
	p->policies[2].last_resort--;
	updates(f, 1, FIRST "set 2 ");
	p->policies[0].live[ASYM_V4][0] ^= 1;
	updates(f, 1, FIRST "set 0 ");
	p->policies[0].live[ASYM_V6][7] ^= 1;
	updates(f, 1, FIRST "set 0 ");
	p->buckets[2][ASYM_V4].link[0]++;
	updates(f, 1, FIRST "set 2 ");
	p->buckets[2][ASYM_V6].link[ASYM_BUCKETS - 1]++;
	updates(f, 1, FIRST "set 2 ");
	p->config.seed++;
	updates(f, 3, FIRST "set 0 set 1 set 2 ");
	p->config.mark_mask <<= 8;
	updates(f, 3, FIRST "set 0 set 1 set 2 ");
	kernel.held[1] = false;
	updates(f, 1, FIRST "set 1 ");
	kernel.policies[0].references = 3;
	updates(f, 0, FIRST);
	router_free(f);
}

/* As many as there may be, and a list that changes while it is read. */
static void test_update_most(void **state)
{
	struct fixture *f = policies_new(ASYM_MAX_POLICIES);
	struct str want = {};

	str_add(&want, FIRST);
	for (int i = 0; i < ASYM_MAX_POLICIES; i++)
		str_add(&want, "set %d ", i);
	updates(f, ASYM_MAX_POLICIES, want.s);
	kernel.torn = 1;
	updates(f, 0, FIRST "list ");
	str_done(&want);
	router_free(f);
}

/* Without a module that is ours nothing is written, and nothing is wrong. */
static void test_update_without(void **state)
{
	struct fixture *f = policies_new(1);
	struct module m;
	char error[256] = "?";
	size_t n = 99;

	kernel.abi++;
	assert_int_equal(module_update(&f->p, &m, &n, error, sizeof(error)), 0);
	assert_int_equal(n, 0);
	assert_string_equal(error, "");
	assert_int_equal(m.state, MODULE_OTHER);
	assert_asked("look info ");
	assert_int_equal(module_trim(&f->p, error, sizeof(error)), 0);
	assert_asked("look info ");
	kernel.there = false;
	assert_int_equal(module_update(&f->p, &m, &n, error, sizeof(error)), 0);
	assert_int_equal(n, 0);
	assert_int_equal(m.state, MODULE_ABSENT);
	assert_string_equal(error, "");
	assert_int_equal(module_trim(NULL, error, sizeof(error)), 0);
	assert_string_equal(error, "");
	assert_asked("look look ");
	router_free(f);
}

static void test_update_refused(void **state)
{
	struct fixture *f = policies_new(3);
	struct module m;
	char error[256];
	size_t n = 99;

	kernel.refuse_command = ASYM_CMD_SET_POLICY;
	kernel.refuse_number = 1;
	kernel.refuse = -ERANGE;
	assert_int_equal(module_update(&f->p, &m, &n, error, sizeof(error)), -ERANGE);
	assert_string_equal(error, "kernel module asymbpf: policies: Numerical result out of "
				   "range: the module's words");
	assert_asked(FIRST "set 0 set 1 set 2 ");
	assert_true(kernel.held[0] && !kernel.held[1] && kernel.held[2]);

	kernel.refuse_command = ASYM_CMD_GET_POLICY;
	kernel.refuse = -EPERM;
	assert_int_equal(module_update(&f->p, &m, &n, error, sizeof(error)), -EPERM);
	assert_string_equal(error, "kernel module asymbpf: policies: Operation not permitted: "
				   "no lists today");
	assert_int_equal(n, 0);
	assert_asked(FIRST);
	assert_int_equal(module_trim(&f->p, error, sizeof(error)), -EPERM);
	assert_asked(FIRST);
	/* it went in between */
	kernel.refuse = -ENOENT;
	assert_int_equal(module_update(&f->p, &m, &n, error, sizeof(error)), 0);
	assert_int_equal(module_trim(&f->p, error, sizeof(error)), 0);
	router_free(f);
}

static void trims(const struct plan *p, const char *want)
{
	char error[256] = "?";

	assert_int_equal(module_trim(p, error, sizeof(error)), 0);
	assert_string_equal(error, "");
	assert_asked(want);
}

static void test_trim(void **state)
{
	struct fixture *f = policies_new(2);

	for (int i = 0; i < 4; i++)
		kernel_hold(&(struct kmod_policy){.number = (uint32_t)i});
	trims(&f->p, FIRST "del 2 del 3 ");
	trims(&f->p, FIRST);
	trims(NULL, FIRST "del 0 del 1 ");
	trims(NULL, FIRST);
	router_free(f);
}

/* The first refusal is told, the others go; what is gone already is none. */
static void test_trim_refused(void **state)
{
	char error[256];

	for (int i = 0; i < 4; i++)
		kernel_hold(&(struct kmod_policy){.number = (uint32_t)i});
	kernel.refuse_command = ASYM_CMD_DEL_POLICY;
	kernel.refuse_number = kernel.refuse_more = 1;
	kernel.refuse = -EBUSY;
	assert_int_equal(module_trim(NULL, error, sizeof(error)), -EBUSY);
	assert_string_equal(error, "kernel module asymbpf: policy 1: Device or resource busy: "
				   "the module's words");
	assert_asked(FIRST "del 0 del 1 del 2 del 3 ");
	assert_true(!kernel.held[0] && kernel.held[1] && kernel.held[2] && !kernel.held[3]);
	kernel.refuse = -ENOENT;
	trims(NULL, FIRST "del 1 del 2 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kernel_test(test_found),
		kernel_test(test_other),
		kernel_test(test_absent),
		kernel_test(test_update),
		kernel_test(test_update_part),
		kernel_test(test_update_most),
		kernel_test(test_update_without),
		kernel_test(test_update_refused),
		kernel_test(test_trim),
		kernel_test(test_trim_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
