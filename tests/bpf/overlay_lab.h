/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The overlay's programs in a namespace of the test's own, on node 0 of four:
 *	0  10.77.0.1  fd77::1  10.5.0.0/24
 *	1  10.77.0.2  fd77::2  10.6.0.0/16
 *	2  10.77.0.3  fd77::3  10.6.7.0/24  2001:db8:6::/48
 *	3  10.77.0.4  fd77::4  known, but there is no way to it
 * Somebody says that link-local addresses and groups are at node 1.
 */
#ifndef TESTS_BPF_OVERLAY_LAB_H
#define TESTS_BPF_OVERLAY_LAB_H

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/defs.h"
#include "bpf/overlay_abi.h"
#include "overlay.skel.h"
#include "tests/bpf/overlay_eth.skel.h"
#include "tests/bpf/pkt.h"
#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <netinet/tcp.h>

/* Tunnels exist, as their MTU is asked for: 1420, but that of T4 1300 (less an Ethernet header,
 * which tunnels have not: the kernel adds it). */
enum { T1 = 11, T2 = 12, T3 = 13, T4 = 14, OVERLAY = 21 };

#define MARK_MASK 0x00ff0000u
#define SPLIT_BYTES 20000u
#define SPLIT_BPS 50000u
#define MS 1000000ull
#define GAP (50 * MS)

struct lab_prefix {
	const char *addr;
	uint8_t len, node;
};

static const struct lab_prefix lab_prefixes[] = {
	{ "10.77.0.1", 128, 0 }, { "fd77::1", 128, 0 }, { "10.5.0.0", 120, 0 },
	{ "10.77.0.2", 128, 1 }, { "fd77::2", 128, 1 }, { "10.6.0.0", 112, 1 },
	{ "10.77.0.3", 128, 2 }, { "fd77::3", 128, 2 }, { "10.6.7.0", 120, 2 },
	{ "2001:db8:6::", 48, 2 }, { "10.77.0.4", 128, 3 }, { "fd77::4", 128, 3 },
	{ "224.0.0.0", 100, 1 }, { "169.254.0.0", 112, 1 }, { "fe80::", 8, 1 },
};

static struct {
	struct overlay_eth *skel; /* NULL: without root */
	int config, prefixes, nodes, budget, rules, flows, counters, ways;
	int cpus;
	uint64_t before[OV_REASON_MAX];
} lab;

static inline void lab_need(void)
{
	if (!lab.skel)
		skip();
}

static inline void lab_sum(uint64_t ret[OV_REASON_MAX])
{
	uint64_t each[lab.cpus];

	for (uint32_t i = 0; i < OV_REASON_MAX; i++) {
		assert_int_equal(bpf_map_lookup_elem(lab.counters, &i, each), 0);
		ret[i] = 0;
		for (int c = 0; c < lab.cpus; c++)
			ret[i] += each[c];
	}
}

static inline uint64_t lab_rose(enum ov_reason reason)
{
	uint64_t now[OV_REASON_MAX];

	lab_sum(now);
	return now[reason] - lab.before[reason];
}

static inline struct ov_traffic lab_traffic(uint32_t node, uint32_t way)
{
	struct ov_traffic each[lab.cpus], sum = {};
	uint32_t key = node * OV_WAYS + way;

	assert_int_equal(bpf_map_lookup_elem(lab.ways, &key, each), 0);
	for (int c = 0; c < lab.cpus; c++) {
		sum.packets += each[c].packets;
		sum.bytes += each[c].bytes;
	}
	return sum;
}

static inline void lab_put_node(uint32_t node, const struct ov_node *n)
{
	assert_int_equal(bpf_map_update_elem(lab.nodes, &node, n, BPF_ANY), 0);
}

/* Two ways to nodes 1 and 2: T1 (fast) and T2. */
static inline struct ov_node lab_node(uint32_t direct)
{
	struct ov_node n = { .direct = direct, .n_ways = 2, .spill = OV_WAYS };

	n.way[0].ifindex = T1;
	n.way[1].ifindex = T2;
	n.way[1].delay_us = 1000;
	memset(n.thick, 1, sizeof(n.thick));
	return n;
}

static inline void lab_forget_flows(void)
{
	struct ov_flow_key key;

	while (!bpf_map_get_next_key(lab.flows, NULL, &key))
		bpf_map_delete_elem(lab.flows, &key);
}

static inline void lab_fill_prefixes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(lab_prefixes); i++) {
		const struct lab_prefix *p = &lab_prefixes[i];
		struct ov_prefix value = { .node = p->node, .self = !p->node };
		struct in6_addr a = pkt_addr(p->addr, NULL);
		struct ov_prefix_key key = { .prefixlen = p->len };

		memcpy(&key.addr, &a, sizeof(a));
		assert_int_equal(bpf_map_update_elem(lab.prefixes, &key, &value, BPF_ANY), 0);
	}
}

static inline void lab_write_config(uint32_t overlay)
{
	struct ov_config c = { .abi = OV_ABI, .overlay = overlay, .mark_mask = MARK_MASK,
			       .mark_shift = 16, .split_bytes = SPLIT_BYTES,
			       .split_bps = SPLIT_BPS, .gap_ns = GAP };
	uint32_t zero = 0;

	assert_int_equal(bpf_map_update_elem(lab.config, &zero, &c, BPF_ANY), 0);
}

/* As every test finds it. */
static inline int lab_reset(void **state)
{
	struct ov_budget empty = {};
	struct ov_node n;

	if (!lab.skel)
		return 0;
	lab_write_config(OVERLAY);
	for (uint32_t i = 1; i < 3; i++) {
		n = lab_node(i == 1 ? T3 : T4);
		lab_put_node(i, &n);
		bpf_map_update_elem(lab.budget, &i, &empty, BPF_ANY);
	}
	lab_forget_flows();
	lab.skel->bss->test_now = 1000000 * MS;
	lab_sum(lab.before);
	return 0;
}

static inline int lab_open(void **state)
{
	struct overlay_eth *skel;

	if (geteuid() || unshare(CLONE_NEWNET))
		return 0;
	if (system("set -e; pair() { ip link add t$1 index $1 mtu 1406 type veth "
		   "peer name t$2 index $2 mtu 1406; }; "
		   "pair 11 12; pair 13 14; ip link set t14 mtu 1286"))
		return -1;
	skel = overlay_eth__open_and_load();
	if (!skel)
		return -1;
	lab.config = bpf_map__fd(skel->maps.ov_config);
	lab.prefixes = bpf_map__fd(skel->maps.ov_prefixes);
	lab.nodes = bpf_map__fd(skel->maps.ov_nodes);
	lab.budget = bpf_map__fd(skel->maps.ov_budget);
	lab.rules = bpf_map__fd(skel->maps.ov_rules);
	lab.flows = bpf_map__fd(skel->maps.ov_flows);
	lab.counters = bpf_map__fd(skel->maps.ov_counters);
	lab.ways = bpf_map__fd(skel->maps.ov_ways);
	lab.cpus = libbpf_num_possible_cpus();
	lab.skel = skel;
	lab_fill_prefixes();
	return 0;
}

static inline int lab_close(void **state)
{
	overlay_eth__destroy(lab.skel);
	return 0;
}

#define lab_test(fn) cmocka_unit_test_setup(fn, lab_reset)

/* What became of a packet. */
struct outcome {
	int verdict;
	uint32_t ifindex, flags; /* where it went; 0: nowhere */
	uint32_t mark;
	struct pkt p;
};

struct run {
	bool in; /* asym_ov_in, else asym_ov_out */
	uint32_t ifindex, mark;
	uint32_t gso_size, gso_segs;
};

/* 0, or -errno of the kernel's, which takes no frame that is too short. */
static inline int lab_try(const struct run *r, const struct pkt *p, struct outcome *ret)
{
	struct __sk_buff in = { .mark = r->mark, .ifindex = r->ifindex ?: T1, .priority = 7,
				.gso_size = r->gso_size, .gso_segs = r->gso_segs };
	struct __sk_buff after = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->len,
		    .data_out = ret->p.data, .data_size_out = sizeof(ret->p.data), .ctx_in = &in,
		    .ctx_size_in = sizeof(in), .ctx_out = &after, .ctx_size_out = sizeof(after));
	struct bpf_program *program = r->in ? lab.skel->progs.asym_ov_in_eth :
					      lab.skel->progs.asym_ov_out_eth;

	lab.skel->bss->test_ifindex = 0;
	lab.skel->bss->test_flags = 0;
	if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts))
		return -errno;
	assert_int_equal(after.priority, 7);
	ret->verdict = (int)opts.retval;
	ret->ifindex = lab.skel->bss->test_ifindex;
	ret->flags = (uint32_t)lab.skel->bss->test_flags;
	ret->mark = after.mark;
	ret->p.len = opts.data_size_out;
	return 0;
}

static inline struct outcome lab_run(const struct run *r, const struct pkt *p)
{
	struct outcome o = {};

	assert_int_equal(lab_try(r, p, &o), 0);
	return o;
}

#endif
