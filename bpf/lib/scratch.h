/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of the slow path. */
#ifndef ASYM_SCRATCH_H
#define ASYM_SCRATCH_H

#include "lib/conntrack.h"
#include "lib/flow.h"
#include "lib/seek.h"

/*
 * What the fast path hands to the slow one, and the latter's room to work: the stack of a program is
 * 512 bytes.  Two packets of one CPU could only meet in here on a kernel that lets softirqs preempt
 * each other; an entry garbled so would never be confirmed by `learn`.
 */
struct scratch {
	struct flow flow;
	struct asym_config config;
	__u32 bank;
	__u32 mode; /* enum asym_fastpath of the rule or device, or SCRATCH_MODE_UNKNOWN */
	struct connection connection;
	struct entry_spec spec;
};

#define SCRATCH_MODE_UNKNOWN ASYM_FASTPATH_MAX

struct {
	ASYM_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct scratch, 1);
} asym_scratch SEC(".maps") __weak;

ASYM_INLINE struct scratch *scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&asym_scratch, &zero);
}

#endif
