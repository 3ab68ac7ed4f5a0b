// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>

#include "cache.h"
#include "user/apply/maps.h"
#include "user/apply/netns.h"

int cache_open(struct object *ret_maps)
{
	uint64_t cookie;
	int r = netns_cookie(&cookie);

	return r < 0 ? r : object_find(ret_maps, cookie);
}

int cache_read(const struct object *maps, struct cache_count *ret_count)
{
	uint64_t counters[ASYM_REASON_MAX];
	int r = maps_counters(maps, counters);

	if (r < 0)
		return r;
	ret_count->passed = counters[ASYM_LAN_FLOW] + counters[ASYM_LINK_FLOW];
	ret_count->shown = counters[ASYM_CACHE_SENT];
	return 0;
}

int cache_forget(const struct object *maps)
{
	struct asym_control control;
	uint32_t zero = 0;
	int r = maps_control(maps, &control);

	if (r < 0)
		return r;
	control.epoch++;
	return bpf_map_update_elem(maps->map[MAP_CONTROL], &zero, &control, BPF_EXIST) ? -errno : 0;
}
