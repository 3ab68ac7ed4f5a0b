// SPDX-License-Identifier: GPL-2.0-or-later
/* Tuples of the flow cache: what programs and user space share. */
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

#include <cmocka.h>

/* As user space sizes the table for IPv4: four ways a connection, which needs two. */
#define BLOCKS 32768
#define TUPLES (BLOCKS * 4)

/* Connections as a gateway sees them; n is the number of one. */
struct traffic {
	const char *name;
	void (*make)(uint32_t n, int words, __be32 *ret);
};

static void put_addr(__be32 *at, int words, uint32_t prefix, uint32_t host)
{
	if (words == ASYM_TUPLE_WORDS6) {
		at[0] = htonl(0x20010db8);
		at[1] = htonl(prefix);
		at[2] = 0;
		at[3] = htonl(host);
	} else {
		at[0] = htonl(prefix + host);
	}
}

static void put_ports(__be32 *at, uint32_t sport, uint32_t dport)
{
	*at = htonl(sport << 16 | dport);
}

/* One client and one server, ports that count up. */
static void one_pair(uint32_t n, int words, __be32 *ret)
{
	int half = (words - 1) / 2;

	put_addr(ret, words, 0x0a000000, 2);
	put_addr(ret + half, words, 0xc6336400, 7 + n / 50000);
	put_ports(ret + words - 1, 10000 + n % 50000, 443);
}

/* Many clients of few servers: what comes back is told apart by the clients alone. */
static void many_clients(uint32_t n, int words, __be32 *ret)
{
	int half = (words - 1) / 2;

	put_addr(ret, words, 0xc6336400, 1 + n % 4);
	put_addr(ret + half, words, 0x0a000000, 2 + n / 4);
	put_ports(ret + words - 1, 443, 40000);
}

/* One client, servers all over the world, the same ports (a VoIP server, a DNS resolver). */
static void many_servers(uint32_t n, int words, __be32 *ret)
{
	int half = (words - 1) / 2;

	put_addr(ret, words, 0x0a000000, 2);
	put_addr(ret + half, words, n << 13, n >> 19);
	put_ports(ret + words - 1, 53, 53);
}

/* Answers to a translated address: only the port of the gateway tells them apart. */
static void behind_nat(uint32_t n, int words, __be32 *ret)
{
	int half = (words - 1) / 2;

	put_addr(ret, words, 0x01010100, n / 60000);
	put_addr(ret + half, words, 0xc0000200, 1);
	put_ports(ret + words - 1, 443, 1024 + n % 60000);
}

/* Ports that count up on both sides by turns, as a torrent's. */
static void both_ports(uint32_t n, int words, __be32 *ret)
{
	int half = (words - 1) / 2;

	put_addr(ret, words, 0x0a000000, 2 + n % 7);
	put_addr(ret + half, words, 0x05050000, n % 11);
	put_ports(ret + words - 1, 1024 + n / 300, 6881 + n % 300);
}

static const struct traffic traffics[] = {
	{ "one pair", one_pair },	  { "many clients", many_clients },
	{ "many servers", many_servers }, { "behind NAT", behind_nat },
	{ "both ports", both_ports },
};

/* The part of them that finds its block full; 0.85 % if blocks were drawn by lot. */
static double refused(const uint32_t *count)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < BLOCKS; i++)
		n += count[i] > ASYM_WAYS4 ? count[i] - ASYM_WAYS4 : 0;
	return (double)n / TUPLES;
}

/* Low bits name the block, high bits the way to begin with. */
static unsigned int spread_fails(const struct traffic *t, int words, uint32_t seed)
{
	static uint32_t block[BLOCKS];
	uint32_t ways = words == ASYM_TUPLE_WORDS4 ? ASYM_WAYS4 : ASYM_WAYS6, way[ASYM_WAYS4] = { 0 };
	unsigned int bad;

	memset(block, 0, sizeof(block));
	for (uint32_t n = 0; n < TUPLES; n++) {
		__be32 tuple[ASYM_TUPLE_MAX];
		uint32_t hash;

		t->make(n, words, tuple);
		hash = asym_tuple_hash(tuple, words, false, seed);
		block[hash % BLOCKS]++;
		way[asym_tuple_way(hash, ways, 0)]++;
	}
	bad = refused(block) > 0.02;
	for (uint32_t i = 0; i < ways; i++)
		bad += way[i] < TUPLES / ways * 3 / 4 || way[i] > TUPLES / ways * 5 / 4;
	if (bad)
		print_error("%s, %d words, seed 0x%x: %.2f %% refused\n", t->name, words, seed,
			    refused(block) * 100);
	return bad;
}

static void test_spread(void **state)
{
	unsigned int bad = 0;

	for (size_t i = 0; i < sizeof(traffics) / sizeof(traffics[0]); i++)
		for (uint32_t s = 0; s < 8; s++) {
			bad += spread_fails(&traffics[i], ASYM_TUPLE_WORDS4, s * 0x9e3779b9);
			bad += spread_fails(&traffics[i], ASYM_TUPLE_WORDS6, s * 0x9e3779b9);
		}
	assert_int_equal(bad, 0);
}

static void random_words(__be32 *ret, int words)
{
	for (int i = 0; i < words; i++)
		ret[i] = (__be32)random() << 16 ^ (__be32)random();
}

/* Every bit of the tuple, the protocol and the seed change about half of the hash's bits. */
static void avalanche(int words)
{
	__be32 t[ASYM_TUPLE_MAX];

	for (int bit = 0; bit < words * 32 + 33; bit++) {
		int changed = 0;

		for (int i = 0; i < 200; i++) {
			uint32_t hash, seed = (uint32_t)random(), other = seed;
			bool udp = false;

			random_words(t, words);
			hash = asym_tuple_hash(t, words, false, seed);
			if (bit < words * 32)
				t[bit / 32] ^= 1u << bit % 32;
			else if (bit < words * 32 + 32)
				other ^= 1u << bit % 32;
			else
				udp = true;
			changed += __builtin_popcount(hash ^ asym_tuple_hash(t, words, udp, other));
		}
		if (changed < 200 * 13 || changed > 200 * 19)
			fail_msg("bit %d of %d words changes %.1f bits", bit, words,
				 changed / 200.0);
	}
}

static void test_avalanche(void **state)
{
	srandom(1);
	avalanche(ASYM_TUPLE_WORDS4);
	avalanche(ASYM_TUPLE_WORDS6);
}

/* Another hash is another ASYM_ABI: a reload keeps the maps, and finds entries by it. */
static void test_known(void **state)
{
	__be32 t[ASYM_TUPLE_MAX];

	for (int i = 0; i < ASYM_TUPLE_MAX; i++)
		t[i] = 0x01010101u * (i + 1);
	assert_int_equal(asym_tuple_hash(t, 3, false, 42), 0x2a6fbaa9);
	assert_int_equal(asym_tuple_hash(t, 9, true, 42), 0x92aa0e61);
}

/* From each beginning, every way once. */
static void test_ways(void **state)
{
	for (uint32_t ways = ASYM_WAYS6; ways <= ASYM_WAYS4; ways *= 2)
		for (uint32_t top = 0; top < 8; top++) {
			uint32_t seen = 0;

			for (uint32_t nth = 0; nth < ways; nth++)
				seen |= 1u << asym_tuple_way(top << 29 | 0x1234567, ways, nth);
			assert_int_equal(seen, (1u << ways) - 1);
			assert_int_equal(asym_tuple_way(top << 29, ways, 0), top % ways);
		}
}

static void reverse_twice(int words)
{
	__be32 t[ASYM_TUPLE_MAX], once[ASYM_TUPLE_MAX], twice[ASYM_TUPLE_MAX];

	for (int i = 0; i < 1000; i++) {
		random_words(t, words);
		asym_tuple_reverse(t, words, once);
		asym_tuple_reverse(once, words, twice);
		assert_true(asym_tuple_equal(t, twice, words));
		assert_false(asym_tuple_equal(t, once, words));
	}
}

static void test_reverse(void **state)
{
	__be32 v4[] = { 1, 2, htonl(0x1234abcd) }, v6[] = { 1, 2, 3, 4, 5, 6, 7, 8, htonl(0x10002) };
	const __be32 v4_back[] = { 2, 1, htonl(0xabcd1234) };
	const __be32 v6_back[] = { 5, 6, 7, 8, 1, 2, 3, 4, htonl(0x20001) };
	__be32 back[ASYM_TUPLE_MAX];

	srandom(2);
	reverse_twice(ASYM_TUPLE_WORDS4);
	reverse_twice(ASYM_TUPLE_WORDS6);
	asym_tuple_reverse(v4, ASYM_TUPLE_WORDS4, back);
	assert_memory_equal(back, v4_back, sizeof(v4_back));
	asym_tuple_reverse(v6, ASYM_TUPLE_WORDS6, back);
	assert_memory_equal(back, v6_back, sizeof(v6_back));
}

/* Any bit that differs is seen; what lies behind the tuple is not. */
static void test_equal(void **state)
{
	__be32 a[ASYM_TUPLE_MAX], b[ASYM_TUPLE_MAX];

	srandom(3);
	random_words(a, ASYM_TUPLE_MAX);
	for (int words = ASYM_TUPLE_WORDS4; words <= ASYM_TUPLE_WORDS6; words += 6)
		for (int bit = 0; bit < ASYM_TUPLE_MAX * 32; bit++) {
			memcpy(b, a, sizeof(b));
			b[bit / 32] ^= 1u << bit % 32;
			assert_int_equal(asym_tuple_equal(a, b, words), bit >= words * 32);
		}
}

/* Out minus in of the addresses, by halfwords and modulo 0xffff. */
static uint32_t plain_diff(const __be32 *from, const __be32 *to, int words)
{
	const uint16_t *a = (const uint16_t *)from, *b = (const uint16_t *)to;
	int64_t sum = 0;

	for (int i = 0; i < 2 * (words - 1); i++)
		sum += (int64_t)b[i] - a[i];
	return (uint32_t)((sum % 0xffff + 0xffff) % 0xffff);
}

static void diff_of(const __be32 *from, const __be32 *to, int words)
{
	uint16_t diff = tuple_diff(from, to, words);

	assert_int_equal(diff % 0xffff, plain_diff(from, to, words));
}

static void test_diff(void **state)
{
	static const __be32 odd[] = { 0, 1, 0xffff, 0x10000, 0xffff0000, 0xfffffffe, 0xffffffff,
				      0x80000000, 0x7fffffff };
	__be32 a[ASYM_TUPLE_MAX], b[ASYM_TUPLE_MAX];

	srandom(4);
	for (int i = 0; i < 200000; i++) {
		int words = i & 1 ? ASYM_TUPLE_WORDS4 : ASYM_TUPLE_WORDS6;

		random_words(a, words);
		random_words(b, words);
		for (int j = 0; j < words && i & 2; j++) {
			a[j] = odd[random() % 9];
			b[j] = odd[random() % 9];
		}
		diff_of(a, b, words);
		diff_of(a, a, words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spread), cmocka_unit_test(test_avalanche),
		cmocka_unit_test(test_known),  cmocka_unit_test(test_ways),
		cmocka_unit_test(test_reverse), cmocka_unit_test(test_equal),
		cmocka_unit_test(test_diff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
