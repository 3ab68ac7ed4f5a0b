/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flow cache with entries and hops that the test writes, by mapping the tables.  Programs are
 * there twice, over the same maps: as object_load chose, and with checksums left to the helpers of
 * the kernel, as before Linux 6.2.
 */
#ifndef TESTS_BPF_CACHE_H
#define TESTS_BPF_CACHE_H

#include "tests/bpf/run.h"
#include <sys/mman.h>

#define ASYM_INLINE static inline
#include "asymbpf.skel.h"
#include "bpf/lib/tuple.h"

#define CACHE_PERIOD_S 20 /* no entry is used for so long: what is fresh stays so */
#define CACHE_CONF LAB_WANS "link tap {} link tun {}\n" LAB_POLICIES "rule all { policy = to1 }\n"

static struct {
	struct asym_block4 *v4;
	struct asym_block6 *v6;
	struct asym_hop *hops;
	struct asymbpf_bpf *helped;
	int clock; /* a program that returns the jiffies of now */
	uint32_t period, latest; /* jiffies, asym_flow_period and _latest */
} cache;

/* Addresses as in6_addr, IPv4 mapped. */
struct tuple {
	struct in6_addr src, dst;
	uint16_t sport, dport;
};

/* One direction of a connection, as an entry is to hold it.  What is 0: in use, SENT, now. */
struct cached {
	bool v6, udp;
	struct tuple in, out;
	uint32_t without; /* flags that it lacks */
	uint32_t with;	  /* more flags */
	uint32_t age;	  /* jiffies since it was checked */
	uint32_t epochs;  /* since it was written */
	uint32_t arrival, hop, size;
	uint32_t nth; /* way, counted from where the hash begins */
};

static inline void *cache_map(int fd, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

static inline int cache_load_helped(void)
{
	struct bpf_program *program;

	cache.helped = asymbpf_bpf__open();
	if (!cache.helped)
		return -1;
	memcpy(cache.helped->rodata, lab.o.skel->rodata, sizeof(*cache.helped->rodata));
	cache.helped->rodata->asym_has_summed = 0;
	for (int i = 0; i < MAP_MAX; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(cache.helped->obj,
								   object_map_names[i]);

		if (i != MAP_RODATA && lab.o.map[i] >= 0 && map &&
		    bpf_map__reuse_fd(map, lab.o.map[i]))
			return -1;
	}
	for (int i = 0; i < PROGRAM_MAX; i++) {
		program = bpf_object__find_program_by_name(cache.helped->obj,
							   object_program_names[i]);
		bpf_program__set_autoload(program, i < PROGRAM_HOST_FIRST);
	}
	return asymbpf_bpf__load(cache.helped);
}

static inline int cache_clock_program(void)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "clock", "GPL", code, ARRAY_SIZE(code), NULL);
}

static inline int cache_open(void **state)
{
	const struct object_options options = { .sticky_entries = 1024, .fastpath = true,
						.flow_pairs = 64, .revalidate_s = CACHE_PERIOD_S };
	const uint32_t *blocks = lab.o.flow_blocks;
	int r = lab_open_with(&options);

	if (r || !lab.ready || !lab.o.fastpath)
		return r;
	cache.period = lab.o.skel->rodata->asym_flow_period;
	cache.latest = lab.o.skel->rodata->asym_flow_latest;
	cache.clock = cache_clock_program();
	cache.v4 = cache_map(lab.o.map[MAP_FLOWS4], blocks[ASYM_V4] * sizeof(*cache.v4));
	cache.v6 = cache_map(lab.o.map[MAP_FLOWS6], blocks[ASYM_V6] * sizeof(*cache.v6));
	cache.hops = cache_map(lab.o.map[MAP_HOPS], ASYM_HOPS * sizeof(*cache.hops));
	if (cache.clock < 0 || !cache.v4 || !cache.v6 || !cache.hops || cache_load_helped())
		return -1;
	lab_load(CACHE_CONF);
	return 0;
}

static inline int cache_close(void **state)
{
	if (cache.helped)
		asymbpf_bpf__destroy(cache.helped);
	return lab_close(state);
}

static inline void cache_need(void)
{
	lab_need();
	if (lab.o.fastpath)
		return;
	/* said of kernels that are known to take the programs */
	if (getenv("ASYM_TEST_CACHE"))
		fail_msg("this kernel refuses the programs of the flow cache");
	skip();
}

static inline int cache_program(enum object_program which, bool helped)
{
	struct bpf_program *program;

	if (!helped)
		return lab.o.program[which];
	program = bpf_object__find_program_by_name(cache.helped->obj, object_program_names[which]);
	return bpf_program__fd(program);
}

static inline uint32_t cache_now(void)
{
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));

	assert_int_equal(bpf_prog_test_run_opts(cache.clock, &opts), 0);
	return opts.retval;
}

static inline int cache_words(bool v6)
{
	return v6 ? ASYM_TUPLE_WORDS6 : ASYM_TUPLE_WORDS4;
}

static inline void cache_tuple_words(const struct tuple *t, bool v6, __be32 *ret)
{
	__be16 ports[2] = { htons(t->sport), htons(t->dport) };
	int half = v6 ? 4 : 1;

	memcpy(ret, &t->src.s6_addr32[4 - half], half * 4u);
	memcpy(ret + half, &t->dst.s6_addr32[4 - half], half * 4u);
	memcpy(ret + 2 * half, ports, sizeof(ports));
}

static inline struct tuple tuple_reversed(const struct tuple *t)
{
	return (struct tuple){ t->dst, t->src, t->dport, t->sport };
}

/* Internet checksum arithmetic in the slow and plain way: sums modulo 0xffff. */
static inline uint16_t cache_diff(const __be32 *in, const __be32 *out, int words)
{
	const uint16_t *from = (const uint16_t *)in, *to = (const uint16_t *)out;
	int32_t sum = 0;

	for (int i = 0; i < 2 * (words - 1); i++)
		sum += to[i] - from[i];
	sum = (sum % 0xffff + 0xffff) % 0xffff;
	return (uint16_t)(sum ? sum : 0xffff);
}

static inline uint32_t cache_hash(const struct cached *c)
{
	__be32 in[ASYM_TUPLE_MAX];

	cache_tuple_words(&c->in, c->v6, in);
	return asym_tuple_hash(in, cache_words(c->v6), c->udp, lab.o.flow_seed);
}

/* Way nth of the entry's block. */
static inline struct asym_flow_state *cache_way(const struct cached *c, uint32_t nth)
{
	uint32_t hash = cache_hash(c), block = hash & (lab.o.flow_blocks[c->v6] - 1);

	if (c->v6)
		return &cache.v6[block].way[asym_tuple_way(hash, ASYM_WAYS6, (int)nth)].state;
	return &cache.v4[block].way[asym_tuple_way(hash, ASYM_WAYS4, (int)nth)].state;
}

static inline struct asym_flow_state *cache_entry(const struct cached *c)
{
	return cache_way(c, c->nth);
}

static inline uint32_t cache_head(const struct cached *c)
{
	uint32_t head = ASYM_FLOW_USED | ASYM_FLOW_LIVE | ASYM_FLOW_SENT;

	head |= c->udp ? ASYM_FLOW_UDP : 0;
	return ((head & ~c->without) | c->with) + 5 * ASYM_FLOW_WRITES;
}

static inline void cache_fill(const struct cached *c, struct asym_flow_state *e)
{
	__be32 *in = (__be32 *)(e + 1), *out = in + cache_words(c->v6);
	struct asym_control control;

	assert_int_equal(maps_control(&lab.o, &control), 0);
	cache_tuple_words(&c->in, c->v6, in);
	cache_tuple_words(&c->out, c->v6, out);
	*e = (struct asym_flow_state){
		.head = cache_head(c),
		.checked = cache_now() - c->age,
		.arrival = c->arrival,
		.epoch = (uint16_t)(control.epoch - c->epochs),
		.hop = (uint16_t)c->hop,
		.size = (uint16_t)c->size,
		.diff = cache_diff(in, out, cache_words(c->v6)),
	};
}

/* That something was written at this hash. */
static inline void cache_note_written(const struct cached *c)
{
	uint32_t hash = cache_hash(c), word = hash % ASYM_WRITTEN / 32, bits;

	assert_int_equal(bpf_map_lookup_elem(lab.o.map[MAP_WRITTEN], &word, &bits), 0);
	bits |= 1u << hash % 32;
	assert_int_equal(bpf_map_update_elem(lab.o.map[MAP_WRITTEN], &word, &bits, 0), 0);
}

static inline void cache_put(const struct cached *c)
{
	for (uint32_t i = 0; i < c->nth; i++)
		cache_way(c, i)->head |= ASYM_FLOW_USED;
	cache_fill(c, cache_entry(c));
	cache_note_written(c);
}

/* In the first way that no other entry has: which it is hangs on the seed. */
static inline void cache_put_beside(struct cached *c)
{
	while (cache_way(c, c->nth)->head & ASYM_FLOW_LIVE)
		c->nth++;
	cache_put(c);
}

/* The answer's direction: arrives where packets leave. */
static inline struct cached cache_answer(const struct cached *c)
{
	struct cached answer = *c;

	answer.in = tuple_reversed(&c->out);
	answer.out = tuple_reversed(&c->in);
	return answer;
}

static inline void cache_clear(void)
{
	memset(cache.v4, 0, lab.o.flow_blocks[ASYM_V4] * sizeof(*cache.v4));
	memset(cache.v6, 0, lab.o.flow_blocks[ASYM_V6] * sizeof(*cache.v6));
}

/* What a hop of Ethernet looks like; every byte tells where it came from. */
static inline struct asym_hop cache_hop(uint32_t n, uint32_t ifindex)
{
	struct asym_hop hop = { .used = cache_now() ?: 1, .ifindex = ifindex, .l2_len = ETH_HLEN,
				.mark = 0xa5000000 | n << 8, .priority = 0x50000 | n };
	uint8_t macs[12] = { 2, 0xd0, 0xd1, 0xd2, 0xd3, (uint8_t)n,
			     2, 0xe0, 0xe1, 0xe2, 0xe3, (uint8_t)n };

	memcpy(hop.mac, macs, sizeof(macs));
	cache.hops[n] = hop;
	return hop;
}

/* The tuple of a frame without anything between IP header and ports. */
static inline struct tuple tuple_of(const struct pkt *p, bool v6)
{
	const uint8_t *ip = p->data + ETH_HLEN, *l4 = ip + (v6 ? 40 : 20);
	struct tuple t = { 0 };

	if (v6) {
		memcpy(&t.src, ip + 8, 16);
		memcpy(&t.dst, ip + 24, 16);
	} else {
		t.src = addr_from_wire(AF_INET, ip + 12);
		t.dst = addr_from_wire(AF_INET, ip + 16);
	}
	t.sport = (uint16_t)(l4[0] << 8 | l4[1]);
	t.dport = (uint16_t)(l4[2] << 8 | l4[3]);
	return t;
}

#endif
