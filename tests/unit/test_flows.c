// SPDX-License-Identifier: GPL-2.0-or-later
/* The flow cache as it is read: pairs and halves, entries to leave out, NAT, clocks, filters. */
#include "apply/flows.h"
#include "base/defs.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/addr.h"

#define TICKS 250
#define EPOCH 7
#define BLOCKS 16
#define TCP_PAIR (ASYM_FLOW_USED | ASYM_FLOW_LIVE | ASYM_FLOW_SENT)

struct cache {
	struct asym_block4 v4[BLOCKS];
	struct asym_block6 v6[BLOCKS];
	struct asym_hop hops[8];
	struct flows f;
};

static int setup(void **state)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (!c)
		return -1;
	c->hops[1].ifindex = 11;
	c->hops[2].ifindex = 12;
	c->f = (struct flows){
		.table = {{.ways = c->v4, .n = BLOCKS * ASYM_WAYS4},
			  {.ways = c->v6, .n = BLOCKS * ASYM_WAYS6}},
		.hops = c->hops, .n_hops = 8,
		/* of a later cycle of the epoch, whose high bits entries do not have */
		.epoch = (uint16_t)(0x50000 + EPOCH),
		.clock = {.now = 100000, .hz = TICKS},
		.seed = 42,
	};
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct cache *c = *state;

	free(c->f.index);
	free(c);
	return 0;
}

/* A tuple: "src dst sport dport". */
static void words(const char *text, __be32 *ret)
{
	char src[64], dst[64];
	struct in6_addr a, b;
	unsigned int sport, dport;
	uint16_t ports[2];
	size_t len;
	const void *wire;

	assert_int_equal(sscanf(text, "%63s %63s %u %u", src, dst, &sport, &dport), 4);
	assert_int_equal(addr_parse(src, &a), 0);
	assert_int_equal(addr_parse(dst, &b), 0);
	wire = addr_wire(&a, &len);
	memcpy(ret, wire, len);
	wire = addr_wire(&b, &len);
	memcpy(ret + len / 4, wire, len);
	ports[0] = htons(sport);
	ports[1] = htons(dport);
	memcpy(ret + len / 2, ports, sizeof(ports));
}

static struct asym_flow_state state_of(uint32_t flags, unsigned int link, unsigned int n)
{
	return (struct asym_flow_state){
		.head = 0x30000 | link << ASYM_FLOW_LINK_SHIFT | flags,
		.created = 100000 - 60 * TICKS,
		.checked = 100000 - 2 * TICKS,
		.arrival = 20 + n,
		.epoch = EPOCH,
		.hop = n,
		.size = 1000 * n,
		.packets = 10 * n,
		.bytes = 1000 * n,
	};
}

static struct asym_entry4 *put4(struct cache *c, int block, int way, uint32_t flags, unsigned int n,
				const char *in, const char *out)
{
	struct asym_entry4 *e = &c->v4[block].way[way];

	e->state = state_of(flags, 3, n);
	words(in, e->in);
	words(out, e->out);
	return e;
}

static struct asym_entry6 *put6(struct cache *c, int block, int way, uint32_t flags, unsigned int n,
				const char *in, const char *out)
{
	struct asym_entry6 *e = &c->v6[block].way[way];

	e->state = state_of(flags, 4, n);
	words(in, e->in);
	words(out, e->out);
	return e;
}

/* Both directions of a connection with source NAT. */
static void put_pair(struct cache *c, uint32_t flags)
{
	put4(c, 2, 5, flags | ASYM_FLOW_ORIGINAL, 1, "10.0.0.2 198.51.100.7 40000 443",
	     "100.64.1.2 198.51.100.7 50000 443");
	put4(c, 9, 0, flags, 2, "198.51.100.7 100.64.1.2 443 50000",
	     "198.51.100.7 10.0.0.2 443 40000");
}

/* Indexes, and gives the flows that there are: at most 8. */
static size_t list(struct cache *c, struct flow_info *ret)
{
	size_t n = 0;

	free(c->f.index);
	assert_int_equal(flows_index(&c->f), 0);
	for (uint32_t i = 0; i < flows_size(&c->f); i++)
		if (flows_get(&c->f, i, &ret[n])) {
			n++;
			assert_true(n < 8);
		}
	return n;
}

static void assert_tuple(const struct flow_tuple *t, const char *want)
{
	char src[ADDR_STRLEN], dst[ADDR_STRLEN], got[160];

	snprintf(got, sizeof(got), "%s %s %u %u", addr_str(&t->src, src), addr_str(&t->dst, dst),
		 t->sport, t->dport);
	assert_string_equal(got, want);
}

static void test_pair(void **state)
{
	struct cache *c = *state;
	struct flow_info f[8];

	put_pair(c, TCP_PAIR);
	c->v4[9].way[0].state.checked -= TICKS;
	assert_int_equal(list(c, f), 1);
	assert_tuple(&f->sent, "10.0.0.2 198.51.100.7 40000 443");
	assert_tuple(&f->translated, "100.64.1.2 198.51.100.7 50000 443");
	assert_true(f->fast && !f->udp && !f->stateless);
	assert_int_equal(f->link, 3);
	assert_int_equal(f->age_s, 60);
	assert_int_equal(f->idle_s, 2);
	for (unsigned int i = 0; i < FLOW_DIRECTIONS; i++) {
		const struct flow_way *w = &f->way[i];

		assert_true(w->present);
		assert_int_equal(w->in, 21 + i);
		assert_int_equal(w->out, 11 + i);
		assert_int_equal(w->packets, 10 * (i + 1));
		assert_int_equal(w->bytes, 1000 * (i + 1));
		assert_int_equal(w->idle_s, 2 + i);
		assert_int_equal(w->largest, 1000 * (i + 1));
	}
}

static void test_destination_nat(void **state)
{
	struct cache *c = *state;
	struct flow_info f[8];

	put4(c, 0, 0, TCP_PAIR | ASYM_FLOW_ORIGINAL, 1, "203.0.113.9 100.64.1.2 5000 80",
	     "203.0.113.9 10.0.0.5 5000 8080");
	put4(c, 1, 0, TCP_PAIR, 2, "10.0.0.5 203.0.113.9 8080 5000",
	     "100.64.1.2 203.0.113.9 80 5000");
	assert_int_equal(list(c, f), 1);
	assert_tuple(&f->translated, "203.0.113.9 10.0.0.5 5000 8080");
	assert_int_equal(f->way[FLOW_REPLY].packets, 20);
}

static void test_both_nat(void **state)
{
	struct cache *c = *state;
	struct flow_info f[8];

	put4(c, 0, 0, TCP_PAIR | ASYM_FLOW_ORIGINAL, 1, "10.0.0.2 100.64.1.2 5000 80",
	     "10.0.0.1 10.0.0.5 6000 8080");
	put4(c, 1, 0, TCP_PAIR, 2, "10.0.0.5 10.0.0.1 8080 6000", "100.64.1.2 10.0.0.2 80 5000");
	assert_int_equal(list(c, f), 1);
	assert_tuple(&f->sent, "10.0.0.2 100.64.1.2 5000 80");
	assert_tuple(&f->translated, "10.0.0.1 10.0.0.5 6000 8080");
	assert_int_equal(f->way[FLOW_REPLY].packets, 20);
}

static void test_v6(void **state)
{
	struct cache *c = *state;
	struct flow_info f[8];

	put6(c, 15, 3, TCP_PAIR | ASYM_FLOW_UDP | ASYM_FLOW_ORIGINAL, 1,
	     "fd00:1::2 2001:db8:ffff::7 40000 53", "2001:db8:1::2 2001:db8:ffff::7 40000 53");
	put6(c, 0, 0, TCP_PAIR | ASYM_FLOW_UDP, 2, "2001:db8:ffff::7 2001:db8:1::2 53 40000",
	     "2001:db8:ffff::7 fd00:1::2 53 40000");
	put_pair(c, TCP_PAIR);
	assert_int_equal(list(c, f), 2);
	assert_tuple(&f[1].sent, "fd00:1::2 2001:db8:ffff::7 40000 53");
	assert_tuple(&f[1].translated, "2001:db8:1::2 2001:db8:ffff::7 40000 53");
	assert_true(f[1].udp);
	assert_int_equal(f[1].link, 4);
	assert_int_equal(f[1].way[FLOW_REPLY].packets, 20);
}

/* The same tuple in TCP and UDP: neither is given the other's reply. */
static void test_protocols_apart(void **state)
{
	struct cache *c = *state;
	struct flow_info f[8];

	put_pair(c, TCP_PAIR);
	put4(c, 3, 0, TCP_PAIR | ASYM_FLOW_UDP | ASYM_FLOW_ORIGINAL, 3,
	     "10.0.0.2 198.51.100.7 40000 443", "100.64.1.2 198.51.100.7 50000 443");
	assert_int_equal(list(c, f), 2);
	assert_true(f[0].way[FLOW_REPLY].present);
	assert_true(f[1].udp && !f[1].way[FLOW_REPLY].present);
}

static void test_halves(void **state)
{
	uint32_t learning = ASYM_FLOW_USED | ASYM_FLOW_LIVE;
	struct cache *c = *state;
	struct flow_info f[8];

	/* not sent on yet: a hop and an arrival of an earlier flow mean nothing */
	put_pair(c, learning);
	assert_int_equal(list(c, f), 1);
	assert_false(f->fast);
	assert_int_equal(f->way[FLOW_ORIGINAL].in, 0);
	assert_int_equal(f->way[FLOW_ORIGINAL].out, 0);
	/* no reply */
	c->v4[9].way[0].state.head = ASYM_FLOW_USED;
	assert_int_equal(list(c, f), 1);
	assert_false(f->way[FLOW_REPLY].present);
	/* no original */
	put_pair(c, TCP_PAIR);
	c->v4[2].way[5].state.head = ASYM_FLOW_USED;
	assert_int_equal(list(c, f), 0);
}

static void test_stateless(void **state)
{
	struct cache *c = *state;
	struct flow_info f[8];

	put4(c, 4, 1, TCP_PAIR | ASYM_FLOW_STATELESS, 1, "10.0.0.2 198.51.100.7 1 2",
	     "10.0.0.2 198.51.100.7 1 2");
	put4(c, 4, 2, TCP_PAIR | ASYM_FLOW_STATELESS, 2, "198.51.100.7 10.0.0.2 2 1",
	     "198.51.100.7 10.0.0.2 2 1");
	assert_int_equal(list(c, f), 2);
	assert_true(f[0].stateless && f[1].stateless);
	assert_false(f[0].way[FLOW_REPLY].present || f[1].way[FLOW_REPLY].present);
	/* nor a reply that conntrack knows */
	c->v4[4].way[2].state.head = TCP_PAIR;
	assert_int_equal(list(c, f), 1);
	assert_false(f->way[FLOW_REPLY].present);
}

static void test_not_shown(void **state)
{
	struct cache *c = *state;
	struct asym_flow_state *s = &c->v4[2].way[5].state;
	struct flow_info f[8];

	put_pair(c, TCP_PAIR);
	s->head |= ASYM_FLOW_BUSY;
	assert_int_equal(list(c, f), 0);
	put_pair(c, TCP_PAIR);
	s->epoch = EPOCH - 1;
	assert_int_equal(list(c, f), 0);
	put_pair(c, TCP_PAIR);
	c->v4[9].way[0].state.epoch = EPOCH + 1;
	assert_int_equal(list(c, f), 1);
	assert_false(f->way[FLOW_REPLY].present);
	/* a hop out of bounds */
	put_pair(c, TCP_PAIR);
	s->hop = 8;
	assert_int_equal(list(c, f), 1);
	assert_int_equal(f->way[FLOW_ORIGINAL].out, 0);
}

/* What was indexed has made room since: the way holds another flow's reply. */
static void test_reply_replaced(void **state)
{
	struct cache *c = *state;
	struct flow_info f;

	put_pair(c, TCP_PAIR);
	assert_int_equal(flows_index(&c->f), 0);
	assert_true(flows_get(&c->f, 2 * ASYM_WAYS4 + 5, &f));
	assert_true(f.way[FLOW_REPLY].present);
	for (int i = 0; i < 3; i++) {
		struct asym_entry4 *e = &c->v4[9].way[0];

		put_pair(c, TCP_PAIR);
		if (i == 0)
			words("198.51.100.8 100.64.1.2 443 50000", e->in);
		else
			e->state.head |= i == 1 ? ASYM_FLOW_UDP : ASYM_FLOW_ORIGINAL;
		assert_true(flows_get(&c->f, 2 * ASYM_WAYS4 + 5, &f));
		assert_false(f.way[FLOW_REPLY].present);
	}
}

/* As many pairs as there are ways, so that the index has collisions and has to grow. */
static void test_full(void **state)
{
	enum { PAIRS = 40000 };
	struct asym_entry4 *e = calloc(2 * PAIRS, sizeof(*e));
	struct cache *c = *state;
	struct flow_info f;

	assert_non_null(e);
	for (uint32_t i = 0; i < PAIRS; i++) {
		__be32 client = htonl(0x0a000000 + i), host = htonl(0xc6336407), ports = htonl(i);

		e[i].state = state_of(TCP_PAIR | ASYM_FLOW_ORIGINAL, 1, 1);
		memcpy(e[i].in, (__be32[]){client, host, ports}, sizeof(e[i].in));
		memcpy(e[i].out, e[i].in, sizeof(e[i].out));
		e[PAIRS + i].state = state_of(TCP_PAIR, 1, 2);
		e[PAIRS + i].state.packets = i;
		ports = ports >> 16 | ports << 16;
		memcpy(e[PAIRS + i].in, (__be32[]){host, client, ports}, sizeof(e->in));
	}
	c->f.table[ASYM_V4] = (struct flows_table){.ways = e, .n = 2 * PAIRS};
	assert_int_equal(flows_index(&c->f), 0);
	for (uint32_t i = 0; i < PAIRS; i++) {
		assert_true(flows_get(&c->f, i, &f));
		assert_true(f.way[FLOW_REPLY].present);
		assert_int_equal(f.way[FLOW_REPLY].packets, i);
	}
	free(e);
}

static void test_clock(void **state)
{
	struct asym_clock at = {.ns = 5000000000, .jiffies = 0xffffff00};
	struct flow_clock c = flow_clock_at(&at, 9000000000, 4000000);

	assert_int_equal(c.hz, 250);
	assert_int_equal(c.now, 1000 - 0x100); /* jiffies have wrapped */
	assert_int_equal(flow_seconds(&c, 0xffffff00), 4);
	assert_int_equal(flow_seconds(&c, c.now), 0);
	assert_int_equal(flow_seconds(&c, c.now + 5), 0);
	/* a long time is not taken for the future */
	assert_int_equal(flow_seconds(&c, c.now + 0x70000000), (0u - 0x70000000) / 250);
	/* a resolution that is no whole number, and a clock that was written after we read ours */
	c = flow_clock_at(&at, 4990000000, 3333333);
	assert_int_equal(c.hz, 300);
	assert_int_equal(c.now, 0xffffff00 - 3);
	assert_int_equal(flow_clock_at(&at, 5000000000, 976563).hz, 1024);
}

static void check(const struct flow_info *f, struct flow_filter filter, bool want)
{
	assert_int_equal(flow_matches(f, &filter), want);
}

static void test_filter(void **state)
{
	static const struct {
		const char *prefix;
		bool src, dst;
	} rows[] = {
		{"10.0.0.0/8", true, false},   {"10.0.0.3", false, false},
		{"100.64.1.2", true, false},   {"198.51.100.0/24", false, true},
		{"0.0.0.0/0", true, true},     {"::/0", false, false},
	};
	struct cache *c = *state;
	struct flow_info f[8];

	put_pair(c, TCP_PAIR);
	assert_int_equal(list(c, f), 1);
	check(f, (struct flow_filter){}, true);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix p = prefix(rows[i].prefix);

		check(f, (struct flow_filter){.has_src = true, .src = p}, rows[i].src);
		check(f, (struct flow_filter){.has_dst = true, .dst = p}, rows[i].dst);
	}
	check(f, (struct flow_filter){.proto = IPPROTO_TCP}, true);
	check(f, (struct flow_filter){.proto = IPPROTO_UDP}, false);
	check(f, (struct flow_filter){.link = 3}, true);
	check(f, (struct flow_filter){.link = 4}, false);
	check(f, (struct flow_filter){.port = 443}, true);
	check(f, (struct flow_filter){.port = 40000}, true);
	check(f, (struct flow_filter){.port = 50000}, true);
	check(f, (struct flow_filter){.port = 44}, false);
	check(f, (struct flow_filter){.port = 443, .link = 4}, false);
}

static void test_weight(void **state)
{
	struct flow_info f = {.age_s = 9, .way = {{.packets = 2, .bytes = 30},
						  {.packets = 5, .bytes = 700}}};

	assert_int_equal(flow_weight(&f, FLOW_SORT_BYTES), 730);
	assert_int_equal(flow_weight(&f, FLOW_SORT_PACKETS), 7);
	assert_int_equal(flow_weight(&f, FLOW_SORT_AGE), 9);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_pair), TEST(test_destination_nat), TEST(test_both_nat), TEST(test_v6),
		TEST(test_protocols_apart), TEST(test_halves), TEST(test_stateless),
		TEST(test_not_shown), TEST(test_reply_replaced), TEST(test_full), TEST(test_filter),
		cmocka_unit_test(test_clock), cmocka_unit_test(test_weight),
	};

	return cmocka_run_group_tests_name("flows", tests, NULL, NULL);
}
