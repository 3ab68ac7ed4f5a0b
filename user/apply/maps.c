// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/maps.h"

#include "base/clock.h"
#include "base/defs.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

int maps_control(const struct object *o, struct asym_control *ret)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(o->map[MAP_CONTROL], &zero, ret) ? -errno : 0;
}

uint32_t maps_idle_bank(const struct object *o)
{
	struct asym_control control;

	if (maps_control(o, &control) || !control.abi)
		return 0;
	return !control.bank;
}

int maps_switch(const struct object *o, uint64_t cookie, uint32_t bank)
{
	struct asym_control control = {.abi = ASYM_ABI, .bank = bank, .netns_cookie = cookie};
	struct asym_control old;
	uint32_t zero = 0;

	control.epoch = maps_control(o, &old) ? 1 : old.epoch + 1;
	return bpf_map_update_elem(o->map[MAP_CONTROL], &zero, &control, BPF_ANY) ? -errno : 0;
}

int maps_bump(const struct object *o)
{
	struct asym_control control;
	uint32_t zero = 0;
	int r = maps_control(o, &control);

	if (r)
		return r;
	control.epoch++;
	return bpf_map_update_elem(o->map[MAP_CONTROL], &zero, &control, BPF_ANY) ? -errno : 0;
}

bool maps_caches(const struct object *o, uint32_t bank, uint32_t ifindex)
{
	struct asym_device_key key = {bank, ifindex};
	struct asym_device value;

	return !bpf_map_lookup_elem(o->map[MAP_DEVICES], &key, &value) &&
	       value.fastpath == ASYM_FASTPATH_ON;
}

int maps_policies(const struct object *o, uint32_t bank, struct asym_policy *ret, size_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t slot = bank * ASYM_MAX_POLICIES + i;

		if (bpf_map_lookup_elem(o->map[MAP_POLICIES], &slot, &ret[i]))
			return -errno;
	}
	return 0;
}

int maps_buckets(const struct object *o, uint32_t bank, uint32_t policy, enum asym_family f,
		 struct asym_buckets *ret)
{
	uint32_t slot = (bank * ASYM_MAX_POLICIES + policy) * ASYM_FAMILIES + f;

	return bpf_map_lookup_elem(o->map[MAP_BUCKETS], &slot, ret) ? -errno : 0;
}

int maps_counters(const struct object *o, uint64_t *ret)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *values = calloc(MAX(cpus, 1), sizeof(*values));

	if (!values)
		return -ENOMEM;
	for (uint32_t i = 0; i < ASYM_REASON_MAX; i++) {
		if (bpf_map_lookup_elem(o->map[MAP_COUNTERS], &i, values))
			return -errno;
		ret[i] = 0;
		for (int cpu = 0; cpu < cpus; cpu++)
			ret[i] += values[cpu];
	}
	return 0;
}

int maps_hits(const struct object *o, uint32_t bank, struct asym_hits *ret)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct asym_hits *values = calloc(MAX(cpus, 1), sizeof(*values));

	if (!values)
		return -ENOMEM;
	for (uint32_t i = 0; i < ASYM_MAX_RULES; i++) {
		uint32_t slot = bank * ASYM_MAX_RULES + i;

		if (bpf_map_lookup_elem(o->map[MAP_HITS], &slot, values))
			return -errno;
		ret[i] = (struct asym_hits){0};
		for (int cpu = 0; cpu < cpus; cpu++) {
			ret[i].packets += values[cpu].packets;
			ret[i].bytes += values[cpu].bytes;
		}
	}
	return 0;
}

int maps_dhcp(const struct object *o, uint8_t link, struct asym_dhcp *ret)
{
	uint32_t slot = link;

	return bpf_map_lookup_elem(o->map[MAP_DHCP], &slot, ret) ? -errno : 0;
}

int maps_sticky(const struct object *o, const struct asym_sticky_key *key, struct asym_sticky *ret)
{
	if (bpf_map_lookup_elem(o->map[MAP_STICKY], key, ret))
		return -errno;
	if (clock_ns(CLOCK_MONOTONIC) - ret->seen_ns > ret->timeout_s * NS_PER_S)
		return -ENOENT;
	return 0;
}

size_t maps_sticky_count(const struct object *o)
{
	struct asym_sticky_key key, *last = NULL;
	size_t n = 0;

	while (!bpf_map_get_next_key(o->map[MAP_STICKY], last, &key)) {
		last = &key;
		n++;
	}
	return n;
}
