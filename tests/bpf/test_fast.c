// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets that pass the flow cache: every kind of translation, checksum and program, compared byte
 * by byte with what a model makes of them; and where entries are found.
 */
#include "tests/bpf/model.h"
#include <pthread.h>
#include <stdatomic.h>

enum ends { END_NONE, END_SRC, END_DST, END_BOTH };
enum sum { SUM_FULL, SUM_NONE, SUM_BECOMES, SUM_WAS, SUMS };

#define HOP 5

struct kind {
	bool v6, udp;
	unsigned int nat, ports; /* enum ends, and the same of ports */
	enum sum sum;
	uint16_t check; /* that it becomes or was */
	uint32_t payload;
};

static struct pkt_spec spec_of(const struct kind *k)
{
	return (struct pkt_spec){ .v6 = k->v6, .proto = k->udp ? IPPROTO_UDP : IPPROTO_TCP,
				  .payload = k->payload };
}

static struct tuple translated(const struct tuple *in, const struct kind *k)
{
	struct tuple out = *in;

	if (k->nat & END_SRC)
		out.src = pkt_addr(k->v6 ? "2001:db8:ffff:fffe:fdfc::9" : "255.254.253.9", NULL);
	if (k->nat & END_DST)
		out.dst = pkt_addr(k->v6 ? "fd00::a:1" : "10.0.1.10", NULL);
	if (k->ports & END_SRC)
		out.sport = 65535;
	if (k->ports & END_DST)
		out.dport = 8080;
	return out;
}

/* Makes the checksum of TCP or UDP this one, by the last two bytes of the payload. */
static void to_check(struct pkt *p, const struct layers *l, uint16_t check)
{
	uint8_t *word = p->data + p->len - 2;

	put16(p->data + l->check, 0);
	put16(word, 0);
	put16(word, (uint16_t)((2 * 0xffff - check - model_residue(p, l)) % 0xffff));
	model_check(p, l, 0);
}

/* The same, of what the packet will have become. */
static void to_become(struct pkt *p, const struct layers *l, const struct tuple *out,
		      uint16_t check)
{
	struct pkt later = *p;

	model_translate(&later, l, out);
	to_check(&later, l, check);
	memcpy(p->data + p->len - 2, later.data + p->len - 2, 2);
	model_check(p, l, 0);
}

static void set_sum(struct pkt *p, const struct kind *k, const struct tuple *out)
{
	struct layers l = layers_of(p, k->v6, k->udp);

	if (k->sum == SUM_NONE)
		put16(p->data + l.check, 0);
	else if (k->sum == SUM_WAS)
		to_check(p, &l, k->check);
	else if (k->sum == SUM_BECOMES)
		to_become(p, &l, out, k->check);
}

/* Nothing of the entry may change but its counters. */
static bool entry_counted(const struct cached *c, const struct asym_flow_state *before)
{
	struct asym_flow_state want = *before;

	want.packets++;
	want.bytes += c->size;
	return !memcmp(cache_entry(c), &want, sizeof(want));
}

static bool passes(const struct cached *c, const struct pkt *p, struct shot *s)
{
	struct asym_hop hop = cache.hops[c->hop];
	struct pkt want = *p;
	bool link = s->which == PROGRAM_LINK_ETH;
	struct asym_flow_state before;

	cache_put(c);
	before = *cache_entry(c);
	model_forward(&want, c->v6, c->udp, &c->out, &hop);
	counters_begin();
	shoot(s, p);
	return s->verdict == TC_ACT_REDIRECT && pkt_is(&s->p, &want) && s->out.mark == hop.mark &&
	       s->out.priority == hop.priority && entry_counted(c, &before) &&
	       counters_are(link ? ASYM_LINK_FLOW : ASYM_LAN_FLOW, 0);
}

static struct cached cached_for(const struct pkt *p, const struct kind *k, uint32_t arrival)
{
	struct cached c = { .v6 = k->v6, .udp = k->udp, .hop = HOP, .arrival = arrival,
			    .size = p->len - ETH_HLEN, .in = tuple_of(p, k->v6) };

	c.out = translated(&c.in, k);
	return c;
}

static unsigned int kind_fails(const struct kind *k, enum object_program which, bool helped)
{
	uint32_t ifindex = which == PROGRAM_LINK_ETH ? WAN1 : LAN1;
	struct shot s = { .which = which, .helped = helped,
			  .in = { .ifindex = ifindex, .priority = 1 } };
	struct pkt_spec spec = spec_of(k);
	struct pkt p = model_pkt(&spec, ifindex);
	struct cached c = cached_for(&p, k, ifindex);

	set_sum(&p, k, &c.out);
	if (passes(&c, &p, &s))
		return 0;
	print_error("IPv%d %s, nat %u, ports %u, checksum %u, payload %u, %s, %s\n", k->v6 ? 6 : 4,
		    k->udp ? "UDP" : "TCP", k->nat, k->ports, k->sum, k->payload,
		    object_program_names[which], helped ? "helpers" : "as loaded");
	return 1;
}

static unsigned int both_fail(const struct kind *k)
{
	return kind_fails(k, PROGRAM_LAN_ETH, false) + kind_fails(k, PROGRAM_LINK_ETH, false) +
	       kind_fails(k, PROGRAM_LAN_ETH, true) + kind_fails(k, PROGRAM_LINK_ETH, true);
}

/* A checksum of 0 says that there is none in UDP (in IPv6 a tunnel's, RFC 6935), and nothing in TCP. */
static bool has_sum(const struct kind *k)
{
	return k->sum != SUM_NONE || k->udp;
}

static void test_kinds(void **state)
{
	unsigned int bad = 0, n = 0;

	cache_need();
	cache_hop(HOP, WAN2);
	for (unsigned int i = 0; i < 4 * 16 * SUMS; i++) {
		struct kind k = { .v6 = i & 1, .udp = i & 2, .nat = i >> 2 & 3, .ports = i >> 4 & 3,
				  .sum = i >> 6, .payload = 64 };

		if (!has_sum(&k))
			continue;
		cache_clear();
		bad += both_fail(&k);
		n++;
	}
	print_message("# %u kinds, 4 programs each\n", n);
	assert_int_equal(bad, 0);
}

/* Odd lengths, the shortest, and one beyond what fits a page. */
static void test_lengths(void **state)
{
	static const uint32_t payloads[] = { 20, 21, 22, 23, 63, 1459, 1460, 3001 };
	unsigned int bad = 0;

	cache_need();
	cache_hop(HOP, WAN2);
	for (unsigned int i = 0; i < 4 * ARRAY_SIZE(payloads); i++) {
		struct kind k = { .v6 = i & 1, .udp = i & 2, .nat = END_BOTH, .ports = END_BOTH,
				  .payload = payloads[i / 4] };

		cache_clear();
		bad += both_fail(&k);
	}
	assert_int_equal(bad, 0);
}

/* Checksums where a carry of a carry is to be added, on machines of both byte orders. */
static void test_carries(void **state)
{
	unsigned int bad = 0;

	cache_need();
	cache_hop(HOP, WAN2);
	for (unsigned int i = 0; i < 4 * 2 * 2 * 32; i++) {
		uint16_t check = (uint16_t)(0xffef + i / 16);
		struct kind k = { .v6 = i & 1, .udp = i & 2, .nat = END_BOTH, .ports = END_BOTH,
				  .sum = i & 4 ? SUM_WAS : SUM_BECOMES, .payload = 40,
				  .check = i & 8 ? check : __builtin_bswap16(check) };

		cache_clear();
		bad += both_fail(&k);
	}
	assert_int_equal(bad, 0);
}

/* Any translation at all: the difference of addresses and ports carries in every way. */
static void test_random(void **state)
{
	unsigned int bad = 0;

	cache_need();
	cache_hop(HOP, WAN2);
	srandom(1);
	for (unsigned int i = 0; i < 2000; i++) {
		struct kind k = { .v6 = i & 1, .udp = i & 2, .payload = 40 };
		struct shot s = { .which = PROGRAM_LAN_ETH, .helped = i & 4,
				  .in = { .ifindex = LAN1 } };
		struct pkt_spec spec = spec_of(&k);
		struct pkt p = model_pkt(&spec, LAN1);
		struct cached c = cached_for(&p, &k, LAN1);

		for (int j = 0; j < 16; j++) {
			uint32_t kept = k.v6 ? 0 : 12;

			c.out.src.s6_addr[j] = (uint32_t)j < kept ? c.in.src.s6_addr[j] : random();
			c.out.dst.s6_addr[j] = (uint32_t)j < kept ? c.in.dst.s6_addr[j] : random();
		}
		c.out.sport = (uint16_t)random();
		c.out.dport = (uint16_t)random();
		cache_clear();
		bad += !passes(&c, &p, &s);
	}
	assert_int_equal(bad, 0);
}

static bool runs(const struct cached *c, int verdict)
{
	struct pkt_spec spec = { .v6 = c->v6, .proto = c->udp ? IPPROTO_UDP : IPPROTO_TCP };
	struct pkt p = model_pkt(&spec, LAN1);
	struct shot s = { .which = PROGRAM_LAN_ETH, .in = { .ifindex = LAN1 } };

	shoot(&s, &p);
	if (s.verdict == verdict)
		return true;
	print_error("IPv%d %s in way %u: verdict %d\n", c->v6 ? 6 : 4, c->udp ? "UDP" : "TCP",
		    c->nth, s.verdict);
	return false;
}

static struct cached plain(bool v6, bool udp)
{
	struct kind k = { .v6 = v6, .udp = udp };
	struct pkt_spec spec = spec_of(&k);
	struct pkt p = model_pkt(&spec, LAN1);

	return cached_for(&p, &k, LAN1);
}

/* An entry is found in each way of its block, behind ways that are or were used. */
static void test_ways(void **state)
{
	cache_need();
	cache_hop(HOP, WAN2);
	for (unsigned int i = 0; i < 4 * ASYM_WAYS4; i++) {
		struct cached c = plain(i & 1, i & 2);

		c.nth = i / 4;
		if (c.nth >= (c.v6 ? ASYM_WAYS6 : ASYM_WAYS4))
			continue;
		cache_clear();
		cache_put(&c);
		assert_true(runs(&c, TC_ACT_REDIRECT));
		if (c.nth)
			cache_way(&c, c.nth - 1)->head = 0;
		assert_true(runs(&c, c.nth ? TC_ACT_UNSPEC : TC_ACT_REDIRECT));
	}
}

/* One bit of the tuple that differs, or the protocol: another flow. */
static void test_others(void **state)
{
	cache_need();
	cache_hop(HOP, WAN2);
	for (unsigned int i = 0; i < 4; i++) {
		struct cached c = plain(i & 1, i & 2);
		int bits = cache_words(c.v6) * 32;
		uint8_t *in;

		cache_clear();
		cache_put(&c);
		in = (uint8_t *)(cache_entry(&c) + 1);
		for (int bit = 0; bit < bits; bit++) {
			in[bit / 8] ^= 1 << bit % 8;
			assert_true(runs(&c, TC_ACT_UNSPEC));
			in[bit / 8] ^= 1 << bit % 8;
		}
		cache_entry(&c)->head ^= ASYM_FLOW_UDP;
		assert_true(runs(&c, TC_ACT_UNSPEC));
		cache_entry(&c)->head ^= ASYM_FLOW_UDP;
		assert_true(runs(&c, TC_ACT_REDIRECT));
	}
}

/* Flows that share a block do not stand in each other's way. */
static void test_crowd(void **state)
{
	struct cached all[2 * ASYM_WAYS4];
	struct pkt_spec spec = {};
	struct pkt p = model_pkt(&spec, LAN1);
	uint32_t block = 0;
	unsigned int n = 0;

	cache_need();
	cache_hop(HOP, WAN2);
	cache_clear();
	for (uint16_t port = 1; n < ASYM_WAYS4; port++) {
		struct cached c = plain(false, false);

		c.in.sport = c.out.sport = port;
		block = n ? block : cache_hash(&c) % lab.o.flow_blocks[ASYM_V4];
		if (cache_hash(&c) % lab.o.flow_blocks[ASYM_V4] != block)
			continue;
		while (n && cache_entry(&c)->head & ASYM_FLOW_LIVE)
			c.nth++;
		cache_put(&c);
		all[n++] = c;
	}
	for (unsigned int i = 0; i < n; i++) {
		struct shot s = { .which = PROGRAM_LAN_ETH, .in = { .ifindex = LAN1 } };

		put16(p.data + ETH_HLEN + 20, all[i].in.sport);
		model_seal(&p, false, false);
		all[i].out = translated(&all[i].in, &(struct kind){ .nat = 1 + i % 3 });
		assert_true(passes(&all[i], &p, &s));
	}
}

/* --- an entry that is rewritten while packets pass ----------------------------------------------- */

struct rewriter {
	struct cached two[2];
	struct asym_flow_state whole; /* the slow path drops what no connection is behind */
	atomic_uint now;
	atomic_bool ends;
};

/* As the programs do: busy, the contents, free and a count. */
static void rewrite_as(struct rewriter *r, const struct cached *c)
{
	struct asym_flow_state *e = cache_entry(c);
	__be32 *in = (__be32 *)(e + 1), *out = in + cache_words(c->v6);

	__atomic_store_n(&e->head, r->whole.head | ASYM_FLOW_BUSY, __ATOMIC_SEQ_CST);
	cache_tuple_words(&c->out, c->v6, out);
	e->hop = (uint16_t)c->hop;
	e->diff = cache_diff(in, out, cache_words(c->v6));
	e->size = r->whole.size;
	e->checked = r->now;
	r->whole.head += ASYM_FLOW_WRITES;
	__atomic_store_n(&e->head, r->whole.head, __ATOMIC_SEQ_CST);
}

/* The rests are long enough for some packets to find the entry whole, short enough to cut others. */
static void *rewriter(void *arg)
{
	struct rewriter *r = arg;

	for (unsigned int i = 0; !r->ends; i++) {
		rewrite_as(r, &r->two[i & 1]);
		for (unsigned int rest = i % 64 * 16; rest; rest--)
			atomic_signal_fence(memory_order_seq_cst);
	}
	return NULL;
}

/* A packet goes the old way or the new one, never one with a part of the other. */
static void test_torn(void **state)
{
	struct shot s = { .which = PROGRAM_LAN_ETH, .in = { .ifindex = LAN1 } };
	struct rewriter r = { .two = { plain(true, true), plain(true, true) } };
	struct pkt p = model_pkt(&(struct pkt_spec){ .v6 = true, .proto = IPPROTO_UDP }, LAN1);
	struct pkt want[2] = { p, p };
	unsigned int went[3] = { 0 };
	pthread_t thread;

	cache_need();
	cache_clear();
	for (int i = 0; i < 2; i++) {
		struct asym_hop hop = cache_hop(HOP + i, WAN1 + i);

		r.two[i].hop = HOP + i;
		r.two[i].out = translated(&r.two[i].in, &(struct kind){ .v6 = true, .nat = 1 + i });
		cache_put(&r.two[i]);
		model_forward(&want[i], true, true, &r.two[i].out, &hop);
	}
	r.whole = *cache_entry(r.two);
	r.now = r.whole.checked;
	assert_int_equal(pthread_create(&thread, NULL, rewriter, &r), 0);
	for (int i = 0; i < 400000; i++) {
		if (i % 1024 == 0)
			r.now = cache_now();
		shoot(&s, &p);
		if (s.verdict == TC_ACT_UNSPEC)
			went[2] += pkt_equal(&s.p, &p);
		else
			for (int j = 0; j < 2; j++)
				went[j] += pkt_equal(&s.p, &want[j]) &&
					   s.out.mark == cache.hops[HOP + j].mark;
	}
	r.ends = true;
	pthread_join(thread, NULL);
	print_message("# %u one way, %u the other, %u the stack's\n", went[0], went[1], went[2]);
	assert_int_equal(went[0] + went[1] + went[2], 400000);
	assert_true(went[0] > 10 && went[1] > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),  cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_random), cmocka_unit_test(test_carries),
		cmocka_unit_test(test_ways),   cmocka_unit_test(test_others),
		cmocka_unit_test(test_crowd),  cmocka_unit_test(test_torn),
	};

	return cmocka_run_group_tests(tests, cache_open, cache_close);
}
