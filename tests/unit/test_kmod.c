// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel module's netlink family: what is asked, and what becomes of answers, good and bad. */
#include "tests/unit/kernel_lab.h"

#define NOT_TOUCHED 0xabcd
#define DIGITS "0123456789012345678901234567890123456789"

static struct kmod opened(void)
{
	struct kmod k;

	str_done(&kernel.log);
	assert_int_equal(kmod_open(&k, false), 0);
	assert_int_equal(k.family, KERNEL_FAMILY);
	assert_asked("look ");
	return k;
}

/* Each field and each bucket with a value of its own. */
static struct kmod_policy some_policy(uint32_t number)
{
	struct kmod_policy p = {
		.number = number,
		.seed = 0x01020304 + number,
		.mark_mask = 0xff0000,
		.key = ASYM_KEY_SRC_DST,
		.last_resort = 253,
	};

	for (int f = 0; f < ASYM_FAMILIES; f++) {
		for (int i = 0; i < ASYM_BUCKETS; i++)
			p.buckets[f][i] = (uint8_t)(i * 3 + f + number);
		for (int i = 0; i < 8; i++)
			p.live[f][i] = 0x10000000u * (f + 1) + i + number;
	}
	return p;
}

static void hold(uint32_t number)
{
	struct kmod_policy p = some_policy(number);

	p.references = number + 5;
	kernel_hold(&p);
}

/* -------- open */

static void test_open(void **state)
{
	struct kmod k;

	k = opened();
	kmod_close(&k);
	kmod_close(&k);
	assert_int_equal(kernel.open, 0);

	kernel.there = false;
	assert_int_equal(kmod_open(&k, false), -ENOENT);
	assert_asked("look ");
	assert_null(k.nl.sock);
	assert_int_equal(kmod_open(&k, true), -ENOENT);
	assert_asked("load ");
	assert_null(k.nl.sock);
	kernel.there = true;
	kernel.leaving = 2;
	assert_int_equal(kmod_open(&k, false), -ENOENT);
	assert_asked("look look look ");
	kernel.on_disk = true;
	assert_int_equal(kmod_open(&k, false), -ENOENT);
	assert_asked("look ");
	assert_int_equal(kmod_open(&k, true), 0);
	assert_int_equal(k.family, KERNEL_FAMILY);
	assert_asked("load ");
	kmod_close(&k);
	kernel.nameless = true;
	assert_int_equal(kmod_open(&k, true), -ENOENT);
	assert_int_equal(kmod_open(&k, false), -ENOENT);
}

/* -------- info */

static int info_of(struct kmod_info *ret)
{
	struct kmod k = opened();
	int r;

	*ret = (struct kmod_info){.abi = NOT_TOUCHED};
	r = kmod_info(&k, ret);
	assert_asked("info ");
	kmod_close(&k);
	return r;
}

static void test_info(void **state)
{
	struct kmod_info i;

	assert_int_equal(info_of(&i), 0);
	assert_int_equal(i.abi, ASYM_KMOD_ABI);
	assert_int_equal(i.features, ASYM_FEATURE_NFT | ASYM_FEATURE_OFFLOAD);
	assert_int_equal(i.offloaded, 41);
	assert_int_equal(i.sticky_used, 42);
	assert_string_equal(i.version, "1.2-3");
	kernel.stray = kernel.forged = true;
	kernel.interrupted = 3;
	assert_int_equal(info_of(&i), 0);
	assert_int_equal(i.abi, ASYM_KMOD_ABI);
	assert_int_equal(i.sticky_used, 42);
}

static void info_is_bad(int want)
{
	struct kmod_info i;

	assert_int_equal(info_of(&i), want);
	assert_int_equal(i.abi, NOT_TOUCHED);
	kernel_begin(NULL);
}

static void test_info_bad(void **state)
{
	static const uint16_t u32s[] = {ASYM_A_ABI, ASYM_A_FEATURES, ASYM_A_OFFLOADED,
					ASYM_A_STICKY_USED};

	for (size_t i = 0; i < ARRAY_SIZE(u32s); i++)
		for (uint16_t len = 0; len < 9; len++) {
			if (len == 4)
				continue;
			kernel.resize = u32s[i];
			kernel.resize_to = len;
			info_is_bad(-EBADMSG);
		}
	kernel.omit = ASYM_A_ABI;
	info_is_bad(-EBADMSG);
	kernel.abi = 0;
	info_is_bad(-EBADMSG);
	kernel.silent = true;
	info_is_bad(-EBADMSG);
	for (int len = 0; len < 12; len++) { /* within its header, or the first attribute */
		kernel.cut = len;
		info_is_bad(-EBADMSG);
	}
	kernel.broken = true;
	info_is_bad(-EBADMSG);
	kernel.version = DIGITS "012345678901234567890123";
	info_is_bad(-EBADMSG);
	kernel.version = DIGITS "012345678901234567890123";
	kernel.resize = ASYM_A_VERSION;
	kernel.resize_to = 64;
	info_is_bad(-EBADMSG);
	kernel.huge = true;
	info_is_bad(-EMSGSIZE);
	kernel.lost = 1;
	info_is_bad(-ENOBUFS);
	kernel.refuse_command = ASYM_CMD_GET_INFO;
	kernel.refuse = -EPERM;
	info_is_bad(-EPERM);
}

/* Of a version with 63 bytes, and without its NUL. */
static void test_version(void **state)
{
	static const char most[] = DIGITS "01234567890123456789012";
	struct kmod_info i;

	kernel.version = most;
	assert_int_equal(info_of(&i), 0);
	assert_string_equal(i.version, most);
	kernel.resize = ASYM_A_VERSION;
	kernel.resize_to = sizeof(most) - 1;
	assert_int_equal(info_of(&i), 0);
	assert_string_equal(i.version, most);
	kernel.omit = ASYM_A_VERSION;
	assert_int_equal(info_of(&i), 0);
	assert_string_equal(i.version, "");
}

/* Nothing but the number has to be as we know it. */
static void test_info_other(void **state)
{
	static const char most[] = DIGITS "012345678901234567890123";
	struct kmod_info i;

	kernel.abi = ASYM_KMOD_ABI + 1;
	kernel.resize = ASYM_A_FEATURES;
	kernel.resize_to = 8;
	assert_int_equal(info_of(&i), 0);
	assert_int_equal(i.abi, ASYM_KMOD_ABI + 1);
	kernel.resize = ASYM_A_VERSION;
	kernel.resize_to = sizeof(most) - 1;
	kernel.version = most;
	assert_int_equal(info_of(&i), 0);
	assert_int_equal(i.abi, ASYM_KMOD_ABI + 1);
}

/* -------- set, delete */

static void is_policy(const struct kmod_policy *a, const struct kmod_policy *b)
{
	assert_int_equal(a->number, b->number);
	assert_int_equal(a->seed, b->seed);
	assert_int_equal(a->mark_mask, b->mark_mask);
	assert_int_equal(a->key, b->key);
	assert_int_equal(a->last_resort, b->last_resort);
	assert_memory_equal(a->buckets, b->buckets, sizeof(a->buckets));
	assert_memory_equal(a->live, b->live, sizeof(a->live));
	assert_int_equal(a->references, b->references);
}

/* More than one datagram holds. */
static void test_set(void **state)
{
	struct kmod_policy *p = calloc(ASYM_MAX_POLICIES, sizeof(*p));
	struct kmod k = opened();

	assert_non_null(p);
	for (uint32_t i = 0; i < ASYM_MAX_POLICIES; i++)
		p[i] = some_policy(i);
	assert_int_equal(kmod_set(&k, p, ASYM_MAX_POLICIES), 0);
	for (uint32_t i = 0; i < ASYM_MAX_POLICIES; i++) {
		assert_true(kernel.held[i]);
		is_policy(&kernel.policies[i], &p[i]);
	}
	str_done(&kernel.log);
	assert_int_equal(kmod_set(&k, p, 0), 0);
	assert_asked("");
	kmod_close(&k);
	free(p);
}

static void test_set_refused(void **state)
{
	struct kmod_policy p[3] = {some_policy(1), some_policy(0), some_policy(63)};
	struct kmod k = opened();

	kernel.refuse_command = ASYM_CMD_SET_POLICY;
	kernel.refuse_number = 0;
	kernel.refuse = -ERANGE;
	assert_int_equal(kmod_set(&k, p, 3), -ERANGE);
	assert_string_equal(k.nl.error, "the module's words");
	assert_asked("set 1 set 0 set 63 ");
	assert_true(kernel.held[1] && !kernel.held[0] && kernel.held[63]);
	kernel.echoes = true;
	kernel.refuse_number = 63;
	kernel.refused = 0;
	assert_int_equal(kmod_set(&k, p, 3), -ERANGE);
	assert_string_equal(k.nl.error, "the module's words");
	kernel.refuse_number = kernel.refused = 0;
	kernel.refuse_more = 1;
	assert_int_equal(kmod_set(&k, p, 3), -ERANGE);
	assert_int_equal(kernel.refused, 2);
	assert_string_equal(k.nl.error, "the module's words");
	kernel.refuse_number = 9;
	assert_int_equal(kmod_set(&k, p, 3), 0);
	assert_string_equal(k.nl.error, "");
	kernel.lost = 1;
	assert_int_equal(kmod_set(&k, p, 3), -ENOBUFS);
	kernel.mute = true;
	assert_int_equal(kmod_set(&k, p, 3), -ECANCELED);
	kmod_close(&k);
}

static void test_delete(void **state)
{
	struct kmod k = opened();

	hold(5);
	hold(6);
	assert_int_equal(kmod_delete(&k, 5), 0);
	assert_true(!kernel.held[5] && kernel.held[6]);
	assert_int_equal(kmod_delete(&k, 5), -ENOENT);
	kernel.refuse_command = ASYM_CMD_DEL_POLICY;
	kernel.refuse_number = 6;
	kernel.refuse = -EBUSY;
	assert_int_equal(kmod_delete(&k, 6), -EBUSY);
	assert_string_equal(k.nl.error, "more words");
	kmod_close(&k);
}

/* -------- list */

static int list_of(struct kmod_list *ret)
{
	struct kmod k = opened();
	int r = kmod_list(&k, ret);

	assert_string_equal(k.nl.error, kernel.dump_err		? "so far and no further"
					: kernel.refuse_command ? "no lists today"
								: "");
	kmod_close(&k);
	return r;
}

static void list_has(const uint32_t *numbers, size_t n)
{
	struct kmod_list list = {};

	assert_int_equal(list_of(&list), 0);
	assert_int_equal(list.n, n);
	for (size_t i = 0; i < n; i++) {
		struct kmod_policy want = some_policy(numbers[i]);

		want.references = numbers[i] + 5;
		is_policy(&list.items[i], &want);
	}
	kmod_list_done(&list);
	assert_int_equal(list.n, 0);
}

static void test_list(void **state)
{
	static const uint32_t numbers[] = {0, 3, 31, 32, 63};

	list_has(NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		hold(numbers[i]);
	list_has(numbers, ARRAY_SIZE(numbers));
	assert_asked("list ");
	kernel.torn = 1;
	list_has(numbers, ARRAY_SIZE(numbers));
	assert_asked("list list ");
	kernel.torn = 5;
	list_has(numbers, ARRAY_SIZE(numbers));
	kernel.lost = 2;
	list_has(numbers, ARRAY_SIZE(numbers));
	assert_asked("list list list ");
	kernel.interrupted = 2;
	kernel.stray = kernel.forged = true;
	list_has(numbers, ARRAY_SIZE(numbers));
	assert_asked("list ");
}

static void list_is_bad(int want)
{
	struct kmod_policy untouched;
	struct kmod_list list = {.items = &untouched, .n = 1};

	hold(1);
	hold(40);
	assert_int_equal(list_of(&list), want);
	assert_ptr_equal(list.items, &untouched);
	kernel_begin(NULL);
}

static void test_list_bad(void **state)
{
	for (uint16_t a = ASYM_A_POLICY; a < ASYM_A_MAX; a++)
		for (uint16_t len = 0; len < 36; len += 3) {
			kernel.resize = a;
			kernel.resize_to = len;
			list_is_bad(-EBADMSG);
		}
	for (uint16_t a = ASYM_A_BUCKETS4; a <= ASYM_A_BUCKETS6; a++)
		for (int by = -1; by <= 1; by += 2) {
			kernel.resize = a;
			kernel.resize_to = (uint16_t)(ASYM_BUCKETS + by);
			list_is_bad(-EBADMSG);
		}
	kernel.omit = ASYM_A_POLICY;
	list_is_bad(-EBADMSG);
	kernel.cut = 3;
	list_is_bad(-EBADMSG);
	kernel.broken = true;
	list_is_bad(-EBADMSG);
	kernel.huge = true;
	list_is_bad(-EMSGSIZE);
	kernel.dump_err = -EPERM;
	list_is_bad(-EPERM);
	kernel.torn = 6;
	list_is_bad(-EINTR);
	kernel.lost = 100;
	list_is_bad(-EINTR);
	kernel.refuse_command = ASYM_CMD_GET_POLICY;
	kernel.refuse = -EPERM;
	list_is_bad(-EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kernel_test(test_open),
		kernel_test(test_info),
		kernel_test(test_info_bad),
		kernel_test(test_version),
		kernel_test(test_info_other),
		kernel_test(test_set),
		kernel_test(test_set_refused),
		kernel_test(test_delete),
		kernel_test(test_list),
		kernel_test(test_list_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
