/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A check of an entry costs what the stack does.  A CPU with many flows spreads them: so many in a
 * jiffy, but none later than asym_flow_latest.
 */
#ifndef ASYM_PACE_H
#define ASYM_PACE_H

#include "lib/entry.h"

struct pace {
	__u32 jiffy;
	__u32 checks;
};

struct {
	ASYM_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct pace, 1);
} asym_pace SEC(".maps") __weak;

/* age: jiffies since the last check, a period or more. */
ASYM_INLINE bool pace_is_due(__u32 age, __u32 now)
{
	__u32 zero = 0;
	struct pace *pace = bpf_map_lookup_elem(&asym_pace, &zero);

	if (!pace || age >= asym_flow_latest)
		return true;
	if (pace->jiffy != now) {
		pace->jiffy = now;
		pace->checks = 0;
	}
	return pace->checks++ < asym_flow_checks;
}

#endif
