/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the overlay's programs (overlay.bpf.c) and user space share.  Addresses as in abi.h: 16
 * bytes, IPv4 mapped.
 *
 * asym_ov_out, tc egress of the overlay device: which node is it for, which way there, redirect to
 * that tunnel.
 * asym_ov_in, tc ingress of the tunnels: for this node: it arrives on the overlay device; else
 * transit: the direct tunnel of its node, TTL less one; what the stack has to answer (TTL, MTU)
 * arrives on the overlay device, too.  What the maps do not know is left to the stack; for a node
 * that is not connected with all bits of the mark set, so that no route by the overlay device sends
 * it in circles.
 */
#ifndef ASYM_OVERLAY_ABI_H
#define ASYM_OVERLAY_ABI_H

#include "bpf/abi.h"

#define OV_ABI 2 /* raised with every change of a map below */
#define OV_NODES 128
#define OV_WAYS 8	/* to a node */
#define OV_SPREAD 64	/* slots among which flows are spread */
#define OV_FLOWS 65536
#define OV_PREFIXES 4096
#define OV_RULES 256

/* Map "ov_config": one entry.  The first three stay where they are in every version. */
struct ov_config {
	__u32 abi;
	__u32 overlay;	   /* ifindex of the overlay device */
	__u64 netns_cookie;
	__u32 mark_mask;   /* of skb->mark; value 0: choose; n: way n - 1; all ones: a tunnel's own
			    * packet, which must not come by here (a loop inside of the node) */
	__u32 mark_shift;
	__u64 split_bytes; /* a flow is thick past so many */
	__u64 split_bps;   /* and faster than so many bytes per second */
	__u64 gap_ns;	   /* of a flowlet: silence after which a flow may move anywhere */
	__u32 rules;	   /* index of the first rule: 0 or OV_RULES */
	__u8 _pad[4];
};

/* Map "ov_prefixes" (LPM): addresses and LANs of the nodes. */
struct ov_prefix_key {
	__u32 prefixlen; /* 0..128; IPv4 counts from 96 */
	struct asym_addr addr;
};
struct ov_prefix {
	__u8 node;
	__u8 self; /* this node's */
	__u8 _pad[2];
};

struct ov_way {
	__u32 ifindex;	/* of its tunnel; 0: there is none */
	__u32 delay_us; /* more than the fastest way; a flow moves to a slower way at once (or to one
			 * as slow that is not metered), to a faster one after a gap */
	__u8 dead;	/* flows leave it at once */
	__u8 metered;
	__u8 _pad[6];
};

/* Map "ov_nodes", index node.  Written by the daemon while packets pass: each word by itself may be
 * new or old. */
struct ov_node {
	__u32 direct;		 /* ifindex that transit takes; 0: none */
	__u8 n_ways;
	__u8 spill;		 /* way of flows that find no budget; OV_WAYS: none, they stay */
	__u8 _pad[2];
	struct ov_way way[OV_WAYS];
	__u8 thin[OV_SPREAD];	 /* way by the flow's hash: thin flows, ACKs, what flows begin with */
	__u8 thick[OV_SPREAD];
	__u64 rate;		 /* bytes per second that metered ways may carry; 0: no limit */
	__u64 burst;		 /* bytes; at least 131072, as GSO packets are charged at once */
};

/* Map "ov_budget", index node: token bucket of its metered ways.  Every packet is charged, from the
 * IP header on; thick flows begin there with tokens left and leave at once when half a burst is
 * owed, thin ones begin until a whole one is. */
struct ov_budget {
	__s64 tokens; /* bytes; negative: owed */
	__u64 ns;
};

/* What becomes of a flow. */
enum ov_class {
	OV_CLASS_NONE,
	OV_CLASS_DEFAULT,     /* thick by what it sends */
	OV_CLASS_INTERACTIVE, /* never thick */
	OV_CLASS_BULK,	      /* always thick */
};

/*
 * Map "ov_rules", from ov_config.rules on: for flows that begin, the first that matches names the
 * class; no other packet asks.  OV_CLASS_NONE ends the list, or that there were OV_RULES.  User
 * space writes the list that is not in use and then changes ov_config.rules: a flow meets all rules
 * of one list.
 */
struct ov_rule {
	struct asym_rule match;	  /* without sets and devices; its policy and such are not used */
	__u32 to[OV_NODES / 32];  /* bit n: what goes to node n */
	__u8 class;		  /* enum ov_class */
	__u8 _pad[7];
};

/* Map "ov_flows" (LRU).  A flow keeps its class until it is forgotten or silent for
 * OV_FLOW_IDLE_NS. */
#define OV_FLOW_IDLE_NS 60000000000ull
struct ov_flow_key {
	struct asym_addr src, dst;
	__be16 sport, dport; /* 0 of what has none */
	__u8 proto;
	__u8 _pad[3];
};
struct ov_flow {
	__u64 seen_ns;	 /* of the last packet, CLOCK_MONOTONIC */
	__u64 bytes;
	__u64 window_ns; /* begin of the second that rate counts */
	__u32 window_bytes;
	__u8 way;
	__u8 thick;
	__u8 class; /* enum ov_class */
	__u8 _pad[1];
};

/* Map "ov_counters" (per CPU), index enum ov_reason.  X(NAME, "name", "help") */
#define OV_REASONS(X)                                                                              \
	X(OUT, "out", "sent by the way of their flow")                                             \
	X(OUT_FORCED, "out_forced", "sent by the way that their mark names: probes")               \
	X(OUT_MOVED, "out_moved", "flows that moved to another way")                               \
	X(OUT_SPILLED, "out_spilled", "flows that found no budget on a metered way")               \
	X(OUT_UNKNOWN, "out_unknown", "for no node, or for one without a way: left to the stack")  \
	X(OUT_LOOP, "out_loop", "a tunnel's own packets, dropped")                                 \
	X(IN_LOCAL, "in_local", "for this node, handed to the overlay device")                     \
	X(IN_TRANSIT, "in_transit", "passed on to another node")                                   \
	X(IN_TTL, "in_ttl", "for another node, at the end of their TTL: to the overlay device")    \
	X(IN_BIG, "in_big", "for another node, too long for its tunnel: to the overlay device")    \
	X(IN_UNKNOWN, "in_unknown", "for no node, or one that is not connected: left to the stack")\
	X(FLOW_DEFAULT, "flow_default", "flows that began, to nodes with several ways")            \
	X(FLOW_INTERACTIVE, "flow_interactive", "likewise, of this class by a rule")               \
	X(FLOW_BULK, "flow_bulk", "likewise")

enum ov_reason {
#define X(name, label, help) OV_##name,
	OV_REASONS(X)
#undef X
	OV_REASON_MAX,
};

/* Map "ov_ways" (per CPU), index node * OV_WAYS + way: what was sent. */
struct ov_traffic {
	__u64 packets;
	__u64 bytes;
};

ASYM_ASSERT_SIZE(struct ov_config, 56);
ASYM_ASSERT_SIZE(struct ov_prefix_key, 20);
ASYM_ASSERT_SIZE(struct ov_way, 16);
ASYM_ASSERT_SIZE(struct ov_node, 280);
ASYM_ASSERT_SIZE(struct ov_rule, 320);
ASYM_ASSERT_SIZE(struct ov_flow_key, 40);
ASYM_ASSERT_SIZE(struct ov_flow, 32);

#endif
