// SPDX-License-Identifier: GPL-2.0-or-later
/* What `learn` makes of tagged packets that the stack has sent on: the entries by which others follow. */
#include "tests/bpf/tagged.h"

#define MARK 0x12340100
#define PRIORITY 0x70001

static struct {
	int learn; /* tags and learns */
	int other; /* the same with somebody else's tag */
} programs;

/* A connection: the packet that the stack got, the one that it sent, and the pair of entries. */
struct scene {
	struct pkt in, out;
	struct cached entry, answer;
	struct __sk_buff ctx;
};

static const uint8_t macs[12] = { 2, 0xa, 0xb, 0xc, 0xd, 0xe, 2, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e };

static struct scene scene_make(bool v6, bool udp, uint32_t payload)
{
	struct pkt_spec spec = { .v6 = v6, .proto = udp ? IPPROTO_UDP : IPPROTO_TCP,
				 .payload = payload };
	struct scene s = { .in = model_pkt(&spec, LAN1) };
	struct asym_hop hop = { .l2_len = ETH_HLEN };

	s.entry = (struct cached){ .v6 = v6, .udp = udp, .without = ASYM_FLOW_SENT,
				   .in = tuple_of(&s.in, v6) };
	s.entry.out = s.entry.in;
	s.entry.out.src = pkt_addr(v6 ? "2001:db8:2::9" : "192.0.2.9", NULL);
	s.entry.out.sport = 3333;
	s.answer = cache_answer(&s.entry);
	s.out = s.in;
	memcpy(hop.mac, macs, sizeof(macs));
	model_forward(&s.out, v6, udp, &s.entry.out, &hop);
	s.ctx = (struct __sk_buff){ .ifindex = WAN1, .ingress_ifindex = LAN1, .mark = MARK,
				    .priority = PRIORITY };
	return s;
}

/* Both entries, in a way of their own. */
static void scene_put(struct scene *s)
{
	cache_clear();
	memset(cache.hops, 0, ASYM_HOPS * sizeof(*cache.hops));
	cache_put(&s->entry);
	cache_put_beside(&s->answer);
}

/* Runs a program on what the stack sent, which counts one reason, or ASYM_REASON_MAX: nothing. */
static void show(const struct scene *s, int program, enum asym_reason counted)
{
	struct pkt after = s->out;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = s->out.data, .data_size_in = s->out.len,
		    .data_out = after.data, .data_size_out = sizeof(after.data),
		    .ctx_in = &s->ctx, .ctx_size_in = sizeof(s->ctx));

	counters_begin();
	assert_int_equal(bpf_prog_test_run_opts(program, &opts), 0);
	assert_true(counters_are(counted, 0));
	assert_int_equal((int)opts.retval, TC_ACT_UNSPEC);
	assert_true(pkt_is(&after, &s->out));
}

static void learned(const struct scene *s)
{
	show(s, programs.learn, ASYM_CACHE_SENT);
}

static void not_learned(const struct scene *s)
{
	struct asym_flow_state before = *cache_entry(&s->entry);

	show(s, programs.learn, ASYM_REASON_MAX);
	assert_memory_equal(cache_entry(&s->entry), &before, sizeof(before));
}

/* What the stack got now goes the same way without it, and comes out the same. */
static void assert_repeated(const struct scene *s)
{
	struct shot shot = { .which = PROGRAM_LAN_ETH, .in = { .ifindex = LAN1 } };

	shoot(&shot, &s->in);
	assert_int_equal(shot.verdict, TC_ACT_REDIRECT);
	assert_true(pkt_is(&shot.p, &s->out));
	assert_int_equal(shot.out.mark, s->ctx.mark);
	assert_int_equal(shot.out.priority, s->ctx.priority);
	assert_int_equal(cache.hops[cache_entry(&s->entry)->hop].ifindex, s->ctx.ifindex);
}

static struct scene scene_new(int kind)
{
	struct scene s;

	cache_need();
	s = scene_make(kind & 1, kind & 2, 100);
	scene_put(&s);
	return s;
}

static void test_repeat(void **state)
{
	for (int kind = 0; kind < 4; kind++) {
		struct scene s = scene_new(kind);
		const struct asym_flow_state *e = cache_entry(&s.entry);
		struct asym_clock clock;
		uint32_t zero = 0;

		learned(&s);
		assert_true(e->head & ASYM_FLOW_SENT && e->head & ASYM_FLOW_USED);
		assert_false(e->head & ASYM_FLOW_BUSY);
		assert_int_equal(e->arrival, LAN1);
		assert_int_equal(e->size, s.out.len - ETH_HLEN);
		assert_true(cache_now() - e->checked < cache.period);
		assert_false(cache_entry(&s.answer)->head & ASYM_FLOW_SENT);
		assert_repeated(&s);
		assert_int_equal(bpf_map_lookup_elem(lab.o.map[MAP_CLOCK], &zero, &clock), 0);
		assert_int_equal(clock.jiffies, e->checked);
	}
}

/* Only time changes when a packet is sent the same way: nobody who reads has to begin anew. */
static void test_refresh(void **state)
{
	for (int kind = 0; kind < 4; kind++) {
		struct scene s = scene_new(kind);
		struct asym_flow_state *e = cache_entry(&s.entry), before;

		learned(&s);
		e->checked -= cache.period / 2;
		before = *e;
		learned(&s);
		assert_true(cache_now() - e->checked < cache.period / 4);
		before.checked = e->checked;
		assert_memory_equal(e, &before, sizeof(before));
	}
}

/* The largest within a period counts; after it, what was sent last. */
static void test_size(void **state)
{
	struct scene s = scene_new(0), large = scene_make(false, false, 1000);
	struct asym_flow_state *e = cache_entry(&s.entry);

	learned(&s);
	learned(&large);
	assert_int_equal(e->size, 1020);
	learned(&s);
	assert_int_equal(e->size, 1020);
	e->checked -= cache.period;
	learned(&s);
	assert_int_equal(e->size, 120);
	/* a GSO packet counts by its segments */
	large.ctx.gso_size = 500;
	learned(&large);
	assert_int_equal(e->size, 540);
	e->size = 0;
	learned(&s);
	assert_int_equal(e->size, 120);
}

/* Another device, mark, priority or MAC is another hop; the same are the same. */
static void test_hops(void **state)
{
	struct scene s = scene_new(1), was = s;
	const struct asym_flow_state *e = cache_entry(&s.entry);
	uint16_t seen[6];

	for (int i = 0; i < 6; i++) {
		s.ctx.ifindex = i == 1 ? WAN2 : WAN1;
		s.ctx.mark = MARK + (i == 2);
		s.ctx.priority = PRIORITY + (i == 3);
		s.out.data[5] = macs[5] + (i == 4);
		s.out.data[11] = macs[11] + (i == 5);
		learned(&s);
		seen[i] = e->hop;
		assert_true(e->hop > 0);
		assert_repeated(&s);
		for (int j = 0; j < i; j++)
			assert_int_not_equal(seen[i], seen[j]);
	}
	learned(&was);
	assert_int_equal(e->hop, seen[0]);
}

/* Hops that differ in one thing are not the one that is looked for, wherever the hash leads. */
static void test_alike(void **state)
{
	struct scene s = scene_new(0);
	struct asym_hop hop;

	learned(&s);
	hop = cache.hops[cache_entry(&s.entry)->hop];
	for (int i = 0; i < 6; i++) {
		struct asym_hop alike = hop;

		alike.ifindex += i == 0;
		alike.mark += i == 1;
		alike.priority += i == 2;
		alike.l2_len = i == 3 ? 0 : ETH_HLEN;
		((uint8_t *)alike.mac)[5] += i == 4;
		((uint8_t *)alike.mac)[11] += i == 5;
		scene_put(&s);
		for (int n = 0; n < ASYM_HOPS; n++)
			cache.hops[n] = alike;
		show(&s, programs.learn, ASYM_CACHE_FULL);
	}
}

/* A gateway's new MAC is news to who still uses the old one; another mark is not. */
static void test_left(void **state)
{
	struct scene s = scene_new(0);
	const struct asym_flow_state *e = cache_entry(&s.entry);
	uint16_t first, second;

	learned(&s);
	first = e->hop;
	s.ctx.mark++;
	learned(&s);
	assert_false(cache.hops[first].left);
	second = e->hop;
	s.out.data[3]++;
	learned(&s);
	assert_true(cache.hops[second].left);
	assert_false(cache.hops[first].left || cache.hops[e->hop].left);
	/* back again: it is in use, as ever */
	s.out.data[3]--;
	learned(&s);
	assert_int_equal(e->hop, second);
	assert_false(cache.hops[second].left);
}

/* No hop is taken from others who used it lately. */
static void test_hops_full(void **state)
{
	struct scene s = scene_new(0);
	uint32_t now = cache_now();

	for (int i = 0; i < ASYM_HOPS; i++)
		cache.hops[i] = (struct asym_hop){ .used = now - 3 * cache.latest,
						   .ifindex = 1 };
	show(&s, programs.learn, ASYM_CACHE_FULL);
	assert_false(cache_entry(&s.entry)->head & ASYM_FLOW_SENT);
	for (int i = 0; i < ASYM_HOPS; i++)
		cache.hops[i].used = ASYM_HOP_BUSY;
	show(&s, programs.learn, ASYM_CACHE_FULL);
	for (int i = 0; i < ASYM_HOPS; i++)
		cache.hops[i].used = now - 4 * cache.latest;
	learned(&s);
	assert_repeated(&s);
}

/* Without tag, or with another's; what is not as the entries say. */
static void test_strangers(void **state)
{
	for (int kind = 0; kind < 4; kind++) {
		struct scene s = scene_new(kind), other;

		show(&s, cache_program(PROGRAM_LEARN_ETH, false), ASYM_REASON_MAX);
		show(&s, programs.other, ASYM_REASON_MAX);
		/* translated otherwise than conntrack said */
		other = s;
		model_forward(&other.out, kind & 1, kind & 2, &s.entry.in,
			      &(struct asym_hop){ .l2_len = ETH_HLEN });
		not_learned(&other);
		/* half a pair */
		cache_entry(&s.answer)->head &= ~(uint32_t)ASYM_FLOW_LIVE;
		not_learned(&s);
		cache_entry(&s.answer)->head |= ASYM_FLOW_LIVE;
		cache_entry(&s.answer)->head ^= ASYM_FLOW_UDP;
		not_learned(&s);
		cache_entry(&s.answer)->head ^= ASYM_FLOW_UDP;
		/* of another epoch */
		cache_entry(&s.answer)->epoch--;
		not_learned(&s);
		cache_entry(&s.answer)->epoch++;
		cache_entry(&s.entry)->epoch--;
		not_learned(&s);
		cache_entry(&s.entry)->epoch++;
		cache_entry(&s.entry)->head |= ASYM_FLOW_BUSY;
		not_learned(&s);
		cache_entry(&s.entry)->head &= ~(uint32_t)ASYM_FLOW_BUSY;
		/* the entry leads elsewhere by now */
		((__be32 *)(cache_entry(&s.entry) + 1))[2 * cache_words(kind & 1) - 1]++;
		not_learned(&s);
		((__be32 *)(cache_entry(&s.entry) + 1))[2 * cache_words(kind & 1) - 1]--;
		learned(&s);
	}
}

/* One direction alone, not translated. */
static void test_stateless(void **state)
{
	for (int kind = 0; kind < 4; kind++) {
		struct scene s = scene_new(kind);

		s.entry.out = s.entry.in;
		s.entry.with = ASYM_FLOW_STATELESS;
		s.out = s.in;
		model_forward(&s.out, kind & 1, kind & 2, &s.entry.out,
			      &(struct asym_hop){ .l2_len = ETH_HLEN });
		cache_clear();
		cache_put(&s.entry);
		learned(&s);
		assert_repeated(&s);
		cache_entry(&s.entry)->epoch--;
		not_learned(&s);
	}
}

static int learn_open(void **state)
{
	int r = cache_open(state);

	if (r || !lab.o.fastpath)
		return r;
	programs.learn = tagged_program(cache_program(PROGRAM_LEARN_ETH, false), TAG);
	programs.other = tagged_program(cache_program(PROGRAM_LEARN_ETH, false), TAG + 1);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repeat),	  cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_size),	  cmocka_unit_test(test_hops),
		cmocka_unit_test(test_alike),	  cmocka_unit_test(test_left),
		cmocka_unit_test(test_hops_full),
		cmocka_unit_test(test_strangers), cmocka_unit_test(test_stateless),
	};

	return cmocka_run_group_tests(tests, learn_open, cache_close);
}
