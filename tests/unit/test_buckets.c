// SPDX-License-Identifier: GPL-2.0-or-later
/* Bucket tables: exact shares, the same every time, and little movement when a link goes. */
#include "core/buckets.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char names[ASYM_MAX_LINKS][16];

static size_t make(struct bucket_share *s, size_t n, const uint32_t *weights)
{
	for (size_t i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "wan%zu", i + 1);
		s[i] = (struct bucket_share){names[i], i + 1, weights ? weights[i] : 1};
	}
	return n;
}

static unsigned int moved(const struct asym_buckets *a, const struct asym_buckets *b)
{
	unsigned int n = 0;

	for (size_t i = 0; i < ASYM_BUCKETS; i++)
		n += a->link[i] != b->link[i];
	return n;
}

/* The least that must change: what each link has too much. */
static unsigned int least_moved(const struct asym_buckets *a, const struct asym_buckets *b)
{
	unsigned int n = 0;

	for (unsigned int id = 1; id <= ASYM_MAX_LINKS; id++) {
		unsigned int before = buckets_count(a, id), after = buckets_count(b, id);

		n += before > after ? before - after : 0;
	}
	return n;
}

static void test_shares(void **state)
{
	static const uint32_t weights[] = {1, 2, 3, 500, 1000};
	struct bucket_share s[5];
	struct asym_buckets b;

	buckets_fill(&b, s, make(s, 5, weights));
	for (size_t i = 0; i < 5; i++) {
		double want = (double)weights[i] * ASYM_BUCKETS / 1506;
		double got = buckets_count(&b, i + 1);

		assert_true(got >= 1);
		/* 0.1 % of all, as doc/design.md promises */
		assert_true(got - want < ASYM_BUCKETS * 0.001 + 1 &&
			    want - got < ASYM_BUCKETS * 0.001 + 1);
	}
	for (size_t i = 0; i < ASYM_BUCKETS; i++)
		assert_in_range(b.link[i], 1, 5);
}

static void test_most_links(void **state)
{
	struct bucket_share s[ASYM_MAX_LINKS];
	struct asym_buckets b;

	buckets_fill(&b, s, make(s, ASYM_MAX_LINKS, NULL));
	for (unsigned int id = 1; id <= ASYM_MAX_LINKS; id++)
		assert_in_range(buckets_count(&b, id), 16, 17);
}

static void test_none(void **state)
{
	struct asym_buckets b;

	buckets_fill(&b, NULL, 0);
	assert_int_equal(buckets_count(&b, 0), ASYM_BUCKETS);
}

static void test_repeatable(void **state)
{
	struct bucket_share s[4];
	struct asym_buckets a, b;

	buckets_fill(&a, s, make(s, 4, NULL));
	buckets_fill(&b, s, 4);
	assert_memory_equal(&a, &b, sizeof(a));
}

/* Every link of a policy of 4, in two sets of weights, goes in turn. */
static void test_removal(void **state)
{
	static const uint32_t sets[][4] = {{1, 1, 1, 1}, {4, 2, 1, 1}};

	for (size_t w = 0; w < 2; w++)
		for (size_t gone = 0; gone < 4; gone++) {
			struct bucket_share s[4], rest[3];
			struct asym_buckets a, b;
			unsigned int share;

			buckets_fill(&a, s, make(s, 4, sets[w]));
			for (size_t i = 0, n = 0; i < 4; i++)
				if (i != gone)
					rest[n++] = s[i];
			buckets_fill(&b, rest, 3);
			share = buckets_count(&a, gone + 1);
			print_message("# weights %u:%u:%u:%u, without %zu: %u buckets moved, share %u\n",
				      sets[w][0], sets[w][1], sets[w][2], sets[w][3], gone + 1,
				      moved(&a, &b), share);
			assert_true(moved(&a, &b) <= share * 1.1);
		}
}

static void test_weight_change(void **state)
{
	static const uint32_t before[] = {4, 2, 1, 1}, after[] = {3, 2, 1, 1};
	struct bucket_share s[4];
	struct asym_buckets a, b;

	buckets_fill(&a, s, make(s, 4, before));
	buckets_fill(&b, s, make(s, 4, after));
	print_message("# 4:2:1:1 to 3:2:1:1: %u moved, at least %u\n", moved(&a, &b),
		      least_moved(&a, &b));
	assert_true(moved(&a, &b) <= least_moved(&a, &b) * 1.1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),	   cmocka_unit_test(test_most_links),
		cmocka_unit_test(test_none),	   cmocka_unit_test(test_repeatable),
		cmocka_unit_test(test_removal),	   cmocka_unit_test(test_weight_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
