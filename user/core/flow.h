/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows of the flow cache as people see them: a connection with both its directions, made of the
 * two entries that bpf/abi.h describes.  Pure: entries, clock and what is asked for go in.
 */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

#include "base/addr.h"
#include "bpf/abi.h"

/* An entry of either family as it was read; words: how many of `in` and `out` are in use. */
struct flow_entry {
	struct asym_flow_state state;
	__be32 in[ASYM_TUPLE_WORDS6];
	__be32 out[ASYM_TUPLE_WORDS6];
	int words;	 /* ASYM_TUPLE_WORDS4 or 6 */
	uint32_t device; /* ifindex that packets leave by; only with ASYM_FLOW_SENT */
};

/* The kernel's jiffies now. */
struct flow_clock {
	uint32_t now; /* the low 32 bits */
	uint32_t hz;
};

struct flow_tuple {
	struct in6_addr src, dst;
	uint16_t sport, dport; /* host byte order */
};

enum flow_direction { FLOW_ORIGINAL, FLOW_REPLY, FLOW_DIRECTIONS };

struct flow_way {
	bool present;	  /* false: the cache has no entry of this direction, the rest is zero */
	uint32_t in, out; /* ifindexes; 0: not known yet */
	uint64_t packets, bytes; /* that passed the cache, from the IP header on */
	uint32_t idle_s;  /* since the stack last sent on a packet of it */
	uint16_t largest; /* bytes from the IP header on */
};

struct flow_info {
	bool udp;  /* else TCP */
	bool fast; /* packets of the original direction pass the cache */
	bool stateless;
	uint8_t link;	/* id, 0: none */
	uint32_t age_s;
	uint32_t idle_s; /* of the direction that was seen last */
	struct flow_tuple sent;	      /* as who opened the connection sent it */
	struct flow_tuple translated; /* as it leaves */
	struct flow_way way[FLOW_DIRECTIONS];
};

/* Of one moment in both clocks: what jiffies are at `ns` of CLOCK_MONOTONIC_COARSE, whose
 * resolution in ns tells HZ. */
struct flow_clock flow_clock_at(const struct asym_clock *c, uint64_t ns, uint64_t resolution);

/* Seconds since `then`, up to what 32 bits of jiffies hold; a moment just ahead, of an entry
 * younger than the clock, is now. */
uint32_t flow_seconds(const struct flow_clock *c, uint32_t then);

/* reply: NULL when the cache has none. */
struct flow_info flow_info(const struct flow_entry *original, const struct flow_entry *reply,
			   const struct flow_clock *c);

/* Which flows are asked for; zero everywhere: all of them. */
struct flow_filter {
	bool has_src, has_dst;
	struct prefix src, dst; /* as sent or as translated */
	uint16_t port;		/* of either end, as sent or as translated */
	uint8_t proto;		/* IPPROTO_TCP, IPPROTO_UDP */
	uint8_t link;
};
bool flow_matches(const struct flow_info *f, const struct flow_filter *filter);

/* What flows are sorted by; the most first. */
enum flow_sort { FLOW_SORT_BYTES, FLOW_SORT_PACKETS, FLOW_SORT_AGE, FLOW_SORT_MAX };
extern const char *const flow_sort_names[FLOW_SORT_MAX];
uint64_t flow_weight(const struct flow_info *f, enum flow_sort by);

#endif
