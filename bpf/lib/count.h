/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters: one reason for each packet, and hits of each rule. */
#ifndef ASYM_COUNT_H
#define ASYM_COUNT_H

#include "lib/maps.h"

ASYM_INLINE void count_reason(enum asym_reason reason)
{
	__u32 key = reason;
	__u64 *n = bpf_map_lookup_elem(&asym_counters, &key);

	if (n)
		(*n)++;
}

ASYM_INLINE void count_hit(__u32 rule, __u32 bytes)
{
	struct asym_hits *hits = bpf_map_lookup_elem(&asym_hits, &rule);

	if (!hits)
		return;
	hits->packets++;
	hits->bytes += bytes;
}

#endif
