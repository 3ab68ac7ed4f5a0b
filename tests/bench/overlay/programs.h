/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What asym_ov_out takes by itself: BPF_PROG_TEST_RUN, one flow again and again. */
#ifndef TESTS_BENCH_OVERLAY_PROGRAMS_H
#define TESTS_BENCH_OVERLAY_PROGRAMS_H

#include "lanes.h"
#include "packets.h"
#include "tests/bpf/overlay_eth.skel.h"
#include <linux/if_ether.h>

#define PROGRAM_REPEAT 1000000
#define PROGRAM_RUNS 9

struct program_case {
	const char *name;
	uint8_t n_ways;
	bool metered;
	const char *dst;
	uint64_t rate;
};

static const struct program_case program_cases[] = {
	{"one way", 1, false, "::ffff:10.77.0.3", 0},
	{"two ways, by flow", 2, false, "::ffff:10.77.0.3", 0},
	{"two ways, and a budget", 2, true, "::ffff:10.77.0.3", 1000000000},
	{"for nobody", 1, false, "::ffff:10.77.9.9", 0},
};

static inline void program_fill(struct overlay_eth *skel, const struct program_case *c)
{
	struct ov_config config = {.abi = OV_ABI,
				   .overlay = 1,
				   .mark_mask = 0xff0000,
				   .mark_shift = 16,
				   .split_bytes = 200000,
				   .split_bps = 125000,
				   .gap_ns = 50000000};
	struct ov_node n = {.n_ways = c->n_ways, .spill = 1, .rate = c->rate, .burst = 1 << 20};
	struct ov_prefix_key key = {.prefixlen = 128};
	struct ov_prefix value = {.node = 2};
	uint32_t zero = 0, node = 2;

	inet_pton(AF_INET6, c->dst, &key.addr);
	n.way[0] = (struct ov_way){.ifindex = 1, .metered = c->metered};
	n.way[1] = (struct ov_way){.ifindex = 1, .delay_us = 1};
	if (bpf_map_update_elem(bpf_map__fd(skel->maps.ov_config), &zero, &config, BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(skel->maps.ov_nodes), &node, &n, BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(skel->maps.ov_prefixes), &key, &value, BPF_ANY))
		lane_die("maps");
}

static inline uint32_t program_time(struct overlay_eth *skel, const struct packets *p)
{
	uint8_t frame[ETH_HLEN + PACKET_MAX] = {[12] = 8}; /* ETH_P_IP */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = (uint32_t)(ETH_HLEN + p->len), .repeat = PROGRAM_REPEAT);

	memcpy(frame + ETH_HLEN, p->data[0], p->len);
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.asym_ov_out_eth), &opts))
		lane_die("test run");
	return opts.duration;
}

static inline void programs_report(void)
{
	struct packets *p = packets_new(false, 100);

	printf("\nasym_ov_out alone, least of %d runs; wall ns of a packet\n", PROGRAM_RUNS);
	for (size_t i = 0; i < sizeof(program_cases) / sizeof(program_cases[0]); i++) {
		struct overlay_eth *skel = overlay_eth__open_and_load();
		uint32_t least = UINT32_MAX, ns;

		if (!skel)
			lane_die("programs");
		program_fill(skel, &program_cases[i]);
		for (int r = 0; r < PROGRAM_RUNS; r++) {
			ns = program_time(skel, p);
			least = ns < least ? ns : least;
		}
		printf("%-24s %4u\n", program_cases[i].name, least);
		overlay_eth__destroy(skel);
	}
	free(p);
}

#endif
