// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/overlay_find.h"

#include "apply/netns.h"
#include "base/defs.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

const char *const overlay_map_names[OVERLAY_MAP_MAX] = {
	"ov_config", "ov_prefixes", "ov_nodes", "ov_budget", "ov_rules", "ov_flows", "ov_counters",
	"ov_ways",
};

static const char *const program_names[] = {"asym_ov_out", "asym_ov_in"};

/* More than our programs refer to. */
#define MAX_MAPS_OF_PROGRAM 16
/* Bytes; more than that of any version. */
#define MAX_CONFIG 512

static void maps_init(struct overlay_maps *m)
{
	memset(m, -1, sizeof(*m));
}

void overlay_maps_done(struct overlay_maps *m)
{
	for (int i = 0; i < OVERLAY_MAP_MAX; i++)
		cleanup_close((int *)m + i);
}

static void take_map(struct overlay_maps *m, uint32_t id)
{
	_cleanup_close_ int fd = bpf_map_get_fd_by_id(id);
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return;
	for (int i = 0; i < OVERLAY_MAP_MAX; i++)
		if (!strcmp(info.name, overlay_map_names[i]) && ((int *)m)[i] < 0)
			((int *)m)[i] = TAKE_FD(fd);
}

static bool is_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(program_names); i++)
		if (!strcmp(name, program_names[i]))
			return true;
	return false;
}

/* m: initialised.  False: not one of these programs. */
static bool program_maps(uint32_t id, struct overlay_maps *m)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);
	uint32_t maps[MAX_MAPS_OF_PROGRAM];
	struct bpf_prog_info info = {.nr_map_ids = ARRAY_SIZE(maps), .map_ids = (uintptr_t)maps};
	uint32_t len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) || !is_name(info.name))
		return false;
	for (uint32_t i = 0; i < MIN(info.nr_map_ids, (uint32_t)ARRAY_SIZE(maps)); i++)
		take_map(m, maps[i]);
	return true;
}

/* Of another version the first fields alone.  0 or -ENOENT. */
static int config_of(const struct overlay_maps *m, struct ov_config *ret)
{
	uint32_t zero = 0;
	uint64_t value[MAX_CONFIG / sizeof(uint64_t)];
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (m->config < 0 || bpf_obj_get_info_by_fd(m->config, &info, &len) ||
	    info.value_size < offsetof(struct ov_config, mark_mask) ||
	    info.value_size > sizeof(value) || bpf_map_lookup_elem(m->config, &zero, value))
		return -ENOENT;
	*ret = (struct ov_config){};
	memcpy(ret, value, MIN((size_t)info.value_size, sizeof(*ret)));
	return 0;
}

/* ret: those of this program, if it is of this namespace. */
static int find_by(uint32_t id, uint64_t cookie, struct overlay_maps *ret)
{
	struct ov_config c;
	int r = -ENOENT;

	maps_init(ret);
	if (program_maps(id, ret) && !config_of(ret, &c) && c.netns_cookie == cookie)
		r = c.abi == OV_ABI ? 0 : -EPROTO;
	if (r)
		overlay_maps_done(ret);
	return r;
}

bool overlay_owns(uint32_t program_id)
{
	_cleanup_(overlay_maps_done) struct overlay_maps m;
	uint64_t cookie;

	maps_init(&m);
	return !netns_cookie(&cookie) && find_by(program_id, cookie, &m) != -ENOENT;
}

int overlay_maps_find(struct overlay_maps *ret)
{
	uint64_t cookie;
	uint32_t id = 0;
	int r = netns_cookie(&cookie);

	maps_init(ret);
	if (r)
		return r;
	while (!bpf_prog_get_next_id(id, &id)) {
		r = find_by(id, cookie, ret);
		if (r != -ENOENT)
			return r;
	}
	return errno == ENOENT ? -ENOENT : -errno;
}

int overlay_write_node(const struct overlay_maps *m, uint8_t node, const struct ov_node *value)
{
	uint32_t key = node;

	return bpf_map_update_elem(m->nodes, &key, value, BPF_ANY) ? -errno : 0;
}
