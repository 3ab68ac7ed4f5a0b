/* SPDX-License-Identifier: GPL-2.0-only */
/* What a CPU may spend in a jiffy on keeping the flow cache. */
#ifndef ASYM_PACE_H
#define ASYM_PACE_H

#include "lib/entry.h"

struct pace {
	__u32 jiffy;
	__u32 checks;
	__u32 questions;
};

struct {
	ASYM_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct pace, 1);
} asym_pace SEC(".maps") __weak;

ASYM_INLINE struct pace *pace_now(__u32 now)
{
	__u32 zero = 0;
	struct pace *pace = bpf_map_lookup_elem(&asym_pace, &zero);

	if (pace && pace->jiffy != now) {
		pace->jiffy = now;
		pace->checks = 0;
		pace->questions = 0;
	}
	return pace;
}

/* A check costs what the stack does: a CPU with many flows spreads them, but puts none off for longer
 * than asym_flow_latest.  age: jiffies since the last one, a period or more. */
ASYM_INLINE bool pace_is_due(__u32 age, __u32 now)
{
	struct pace *pace = pace_now(now);

	return !pace || age >= asym_flow_latest || pace->checks++ < asym_flow_checks;
}

/* Conntrack is asked about every packet that might be a flow's: in a flood most of them are not. */
ASYM_INLINE bool pace_may_ask(__u32 now)
{
	struct pace *pace = pace_now(now);

	return pace && pace->questions++ < asym_flow_questions;
}

#endif
