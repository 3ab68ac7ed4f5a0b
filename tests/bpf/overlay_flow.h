/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows to node 1, and where their packets go. */
#ifndef TESTS_BPF_OVERLAY_FLOW_H
#define TESTS_BPF_OVERLAY_FLOW_H

#include "tests/bpf/overlay_lab.h"

/* A flow: a packet that is sent again and again. */
struct flow {
	struct pkt p;
	struct run run;
};

static inline void pass(uint64_t ns)
{
	lab.skel->bss->test_now += ns;
}

static inline struct flow udp(uint16_t sport, uint32_t size)
{
	struct pkt_spec s = {.dst = "10.77.0.2", .proto = 17, .sport = sport, .payload = size - 20};

	return (struct flow){.p = pkt_make(&s)};
}

/* payload 0: a pure acknowledgement. */
static inline struct flow tcp(uint16_t sport, uint32_t payload, uint8_t flags)
{
	struct pkt_spec s = {.dst = "10.77.0.2", .sport = sport, .payload = 32 + payload};
	struct flow f = {.p = pkt_make(&s)};

	f.p.data[ETH_HLEN + 20 + 12] = 8 << 4;
	f.p.data[ETH_HLEN + 20 + 13] = flags;
	return f;
}

/* The device that the next packet takes. */
static inline uint32_t way(const struct flow *f)
{
	return lab_run(&f->run, &f->p).ifindex;
}

/* Packets of the flow, ns between them; true: all of them went by that device. */
static inline bool go(const struct flow *f, unsigned int n, uint64_t ns, uint32_t ifindex)
{
	for (; n; n--) {
		uint32_t went = way(f);

		pass(ns);
		if (went != ifindex) {
			print_error("went by %u, not %u, %u before the end\n", went, ifindex, n);
			return false;
		}
	}
	return true;
}

#endif
