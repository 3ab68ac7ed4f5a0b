/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps that user space knows.  __weak: each program's object defines them all and bpftool's linker makes them one.
 * Map names are cut to 15 bytes by the kernel; user space finds them by these names.
 */
#ifndef ASYM_MAPS_H
#define ASYM_MAPS_H

#include "bpf/abi.h"
#include "lib/kernel.h"

#define ASYM_MAP(kind, key_type, value_type, entries)                                              \
	__uint(type, kind);                                                                        \
	__uint(max_entries, entries);                                                              \
	__type(key, key_type);                                                                     \
	__type(value, value_type)

/* Which bank is in use. */
struct {
	ASYM_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct asym_control, 1);
} asym_control SEC(".maps") __weak;

struct {
	ASYM_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct asym_config, ASYM_BANKS);
} asym_config SEC(".maps") __weak;

struct {
	ASYM_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct asym_rule, ASYM_BANKS * ASYM_MAX_RULES);
} asym_rules SEC(".maps") __weak;

struct {
	ASYM_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct asym_policy, ASYM_BANKS * ASYM_MAX_POLICIES);
} asym_policies SEC(".maps") __weak;

struct {
	ASYM_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct asym_buckets,
		 ASYM_BANKS * ASYM_MAX_POLICIES * ASYM_FAMILIES);
} asym_buckets SEC(".maps") __weak;

/* Devices of links and LANs, by bank and ifindex. */
struct {
	ASYM_MAP(BPF_MAP_TYPE_HASH, struct asym_device_key, struct asym_device, ASYM_BANKS * 512);
} asym_devices SEC(".maps") __weak;

struct {
	ASYM_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct asym_link, ASYM_BANKS * ASYM_LINK_IDS);
} asym_links SEC(".maps") __weak;

/* Whose link a DHCP client's addresses are. */
struct {
	ASYM_MAP(BPF_MAP_TYPE_HASH, struct asym_owner_key, struct asym_owner, ASYM_OWNERS);
} asym_owners SEC(".maps") __weak;

struct {
	ASYM_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct asym_dhcp, ASYM_LINK_IDS);
} asym_dhcp SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, ASYM_BOOTP_RING);
} asym_bootp SEC(".maps") __weak;

/* Address sets, all in one trie: the set's number is the first 32 bits of the key.  Memory is used
 * only for the prefixes there are. */
struct {
	ASYM_MAP(BPF_MAP_TYPE_LPM_TRIE, struct asym_set_key, __u8,
		 ASYM_BANKS * ASYM_SETS * ASYM_MAX_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} asym_sets SEC(".maps") __weak;

/* Which link a source holds on to.  Least recently used entries make room; sized by user space. */
struct {
	ASYM_MAP(BPF_MAP_TYPE_LRU_HASH, struct asym_sticky_key, struct asym_sticky, 65536);
} asym_sticky SEC(".maps") __weak;

/* The flow cache.  User space sizes both tables, in powers of two.  Mappable: that puts entries on
 * cache lines of their own (kernel/bpf/arraymap.c, array_map_alloc) and lets user space read. */
struct {
	ASYM_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct asym_block4, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
} asym_flows4 SEC(".maps") __weak;

struct {
	ASYM_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct asym_block6, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
} asym_flows6 SEC(".maps") __weak;

/* Which places of the tables were ever written: a bit for all blocks whose hashes end alike.  It stays
 * in a CPU's cache, so that a packet of a new flow need not fetch a block from memory to find nothing. */
struct {
	ASYM_MAP(BPF_MAP_TYPE_ARRAY, __u32, __u32, ASYM_WRITTEN / 32);
} asym_written SEC(".maps") __weak;

struct {
	ASYM_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct asym_hop, ASYM_HOPS);
	__uint(map_flags, BPF_F_MMAPABLE);
} asym_hops SEC(".maps") __weak;

struct {
	ASYM_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct asym_clock, 1);
} asym_clock SEC(".maps") __weak;

struct {
	ASYM_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, ASYM_REASON_MAX);
} asym_counters SEC(".maps") __weak;

struct {
	ASYM_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct asym_hits, ASYM_BANKS * ASYM_MAX_RULES);
} asym_hits SEC(".maps") __weak;

/* Set by user space before it loads the programs; what cannot be reached goes. */
const volatile __u32 asym_has_ct __weak = 0;     /* the flow cache is on: bpf_skb_ct_lookup is there */
const volatile __u32 asym_has_summed __weak = 0; /* bpf_cast_to_kern_ctx is there */
const volatile __u32 asym_has_xfrm __weak = 0;   /* bpf_skb_get_xfrm_state is there */
const volatile __u32 asym_flow_mask4 __weak = 0; /* blocks of asym_flows4, less one */
const volatile __u32 asym_flow_mask6 __weak = 0;
const volatile __u32 asym_flow_seed __weak = 0;
const volatile __u32 asym_flow_period __weak = 0; /* jiffies between checks of an entry */
const volatile __u32 asym_flow_latest __weak = 0; /* jiffies that a busy CPU may put one off */
const volatile __u32 asym_flow_checks __weak = 0; /* checks that a CPU makes in a jiffy */
const volatile __u32 asym_flow_questions __weak = 0; /* to conntrack, of a CPU in a jiffy */
const volatile __u32 asym_flow_lease __weak = 0; /* seconds that a check keeps a connection handed over, see
						   * kmod/ct_offload.c; 0: that module is not there */

#endif
