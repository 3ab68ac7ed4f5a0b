/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of the overlay's programs; user space finds them by their names. */
#ifndef ASYM_OVERLAY_MAPS_H
#define ASYM_OVERLAY_MAPS_H

#include "bpf/overlay_abi.h"
#include "lib/kernel.h"

#define OV_MAP(kind, key_type, value_type, entries)                                                \
	__uint(type, kind);                                                                        \
	__uint(max_entries, entries);                                                              \
	__type(key, key_type);                                                                     \
	__type(value, value_type)

struct {
	OV_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct ov_config, 1);
} ov_config SEC(".maps");

struct {
	OV_MAP(BPF_MAP_TYPE_LPM_TRIE, struct ov_prefix_key, struct ov_prefix, OV_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} ov_prefixes SEC(".maps");

struct {
	OV_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct ov_node, OV_NODES);
} ov_nodes SEC(".maps");

struct {
	OV_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct ov_budget, OV_NODES);
} ov_budget SEC(".maps");

struct {
	OV_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct ov_rule, 2 * OV_RULES);
} ov_rules SEC(".maps");

struct {
	OV_MAP(BPF_MAP_TYPE_LRU_HASH, struct ov_flow_key, struct ov_flow, OV_FLOWS);
} ov_flows SEC(".maps");

struct {
	OV_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, OV_REASON_MAX);
} ov_counters SEC(".maps");

struct {
	OV_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct ov_traffic, OV_NODES * OV_WAYS);
} ov_ways SEC(".maps");

ASYM_INLINE void ov_count(enum ov_reason reason)
{
	__u32 key = reason;
	__u64 *n = bpf_map_lookup_elem(&ov_counters, &key);

	if (n)
		(*n)++;
}

#endif
