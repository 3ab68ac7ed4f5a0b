// SPDX-License-Identifier: GPL-2.0-or-later
/* Room in the flow cache: the tables hold as many connections as they are said to, and not many more. */
#include <stdbool.h>

#define ASYM_INLINE static inline
#include "bpf/lib/tuple.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply/room.h"
#include <cmocka.h>

#define SEEDS 4

/* A table of which only the number of entries in each block matters. */
struct table {
	uint8_t *used;
	uint32_t mask, ways, seed;
	int words;
};

static struct table table_new(const uint32_t blocks[ASYM_FAMILIES], enum asym_family f, uint32_t seed)
{
	struct table t = {
		.used = test_calloc(blocks[f], 1),
		.mask = blocks[f] - 1,
		.ways = f == ASYM_V4 ? ASYM_WAYS4 : ASYM_WAYS6,
		.seed = seed * 0x9e3779b9,
		.words = f == ASYM_V4 ? ASYM_TUPLE_WORDS4 : ASYM_TUPLE_WORDS6,
	};

	return t;
}

/* One of a LAN's 250 clients behind NAT, with anybody: what it sends, and what is answered. */
static void connection(int words, __be32 *ret_in, __be32 *ret_answer)
{
	int half = (words - 1) / 2;
	__be32 out[ASYM_TUPLE_MAX];

	memset(ret_in, 0, ASYM_TUPLE_MAX * sizeof(*ret_in));
	ret_in[half - 1] = htonl(0x0a000002 + random() % 250);
	ret_in[2 * half - 1] = (__be32)random();
	ret_in[words - 1] = htonl((uint32_t)(1024 + random() % 60000) << 16 | 443);
	memcpy(out, ret_in, sizeof(out));
	out[half - 1] = htonl(0xc0000201 + random() % 2);
	asym_tuple_reverse(out, words, ret_answer);
}

static uint8_t *block(const struct table *t, const __be32 *tuple)
{
	return &t->used[asym_tuple_hash(tuple, t->words, true, t->seed) & t->mask];
}

/* As the programs do: both directions or none. */
static bool add(struct table *t)
{
	__be32 in[ASYM_TUPLE_MAX], answer[ASYM_TUPLE_MAX];
	uint8_t *there, *back;

	connection(t->words, in, answer);
	there = block(t, in);
	back = block(t, answer);
	if (*there == t->ways || *back == t->ways || (there == back && *there + 2u > t->ways))
		return false;
	++*there;
	++*back;
	return true;
}

/* The part of so many connections that is in the table, in thousandths. */
static uint32_t held(uint32_t pairs, enum asym_family f, uint32_t n)
{
	uint32_t blocks[ASYM_FAMILIES], in = 0;

	srandom(1);
	room_blocks(pairs, blocks);
	for (uint32_t seed = 0; seed < SEEDS; seed++) {
		struct table t = table_new(blocks, f, seed);

		for (uint32_t i = 0; i < n; i++)
			in += add(&t);
		test_free(t.used);
	}
	return in * 1000ull / n / SEEDS;
}

static uint32_t room(uint32_t pairs, enum asym_family f)
{
	uint32_t blocks[ASYM_FAMILIES];

	room_blocks(pairs, blocks);
	return room_pairs(blocks, f);
}

static const uint32_t sizes[] = { 1024, 1500, 4096, 65536, 262144 };

/* 98 of 100 are in, whatever size is asked for. */
static void test_room(void **state)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (enum asym_family f = 0; f < ASYM_FAMILIES; f++) {
			uint32_t thousandths = held(sizes[i], f, room(sizes[i], f));

			if (thousandths < 977)
				fail_msg("flow-pairs %u, family %d: %u of 1000", sizes[i], f, thousandths);
		}
}

/* Nor is there room for a quarter more: what is said is not less than what is. */
static void test_no_more(void **state)
{
	for (enum asym_family f = 0; f < ASYM_FAMILIES; f++)
		assert_in_range(held(65536, f, room(65536, f) * 5 / 4), 900, 970);
}

/* At least what is asked for, less than twice of it; IPv6 has as many bytes, and room for half of them. */
static void test_asked(void **state)
{
	for (uint32_t pairs = 1024; pairs <= 4194304; pairs += pairs / 7) {
		assert_in_range(room(pairs, ASYM_V4), pairs, 2 * pairs - 1);
		assert_in_range(room(pairs, ASYM_V6), pairs / 2, pairs - 1);
	}
	assert_int_equal(room(1024, ASYM_V4), 1024);
	assert_int_equal(room(1025, ASYM_V4), 2048);
	assert_int_equal(room(4194304, ASYM_V4), 4194304);
}

static void test_bytes(void **state)
{
	uint32_t blocks[ASYM_FAMILIES];

	room_blocks(ROOM_PAIRS, blocks);
	assert_int_equal(room_bytes(blocks), 128 << 20);
	room_blocks(1024, blocks);
	assert_int_equal(room_bytes(blocks), 1024 * 512);
	room_blocks(4194304, blocks);
	assert_true(room_bytes(blocks) == 2ull << 30);
}

/* Nobody asked: the same, or what a small machine can do with. */
static void test_automatic(void **state)
{
	uint32_t blocks[ASYM_FAMILIES];

	room_blocks(0, blocks);
	assert_in_range(room_pairs(blocks, ASYM_V4), 32, ROOM_PAIRS);
	assert_int_equal(ROOM_PAIRS % room_pairs(blocks, ASYM_V4), 0);
}

/* The bench's scenario ipv6-60k. */
static void test_many_ipv6(void **state)
{
	assert_in_range(held(ROOM_PAIRS, ASYM_V6, 60000), 999, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_room),  cmocka_unit_test(test_no_more),
		cmocka_unit_test(test_asked), cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_automatic), cmocka_unit_test(test_many_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
