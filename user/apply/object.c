// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/object.h"

#include "asymbpf.skel.h"
#include "base/defs.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

const char *const object_map_names[MAP_MAX] = {
	[MAP_CONTROL] = "asym_control",	  [MAP_CONFIG] = "asym_config",
	[MAP_RULES] = "asym_rules",	  [MAP_POLICIES] = "asym_policies",
	[MAP_BUCKETS] = "asym_buckets",	  [MAP_DEVICES] = "asym_devices",
	[MAP_LINKS] = "asym_links",	  [MAP_OWNERS] = "asym_owners",
	[MAP_DHCP] = "asym_dhcp",	  [MAP_BOOTP] = "asym_bootp",
	[MAP_SETS] = "asym_sets",	  [MAP_STICKY] = "asym_sticky",
	[MAP_COUNTERS] = "asym_counters", [MAP_HITS] = "asym_hits",
	[MAP_FLOWS4] = "asym_flows4",	  [MAP_FLOWS6] = "asym_flows6",
	[MAP_HOPS] = "asym_hops",	  [MAP_WRITTEN] = "asym_written",
	[MAP_CLOCK] = "asym_clock",	  [MAP_RODATA] = "asymbpf_.rodata",
	[MAP_SOCKETS] = "asym_sockets",
};

const char *const object_program_names[PROGRAM_MAX] = {
	[PROGRAM_LAN_ETH] = "asym_lan_eth",	[PROGRAM_LAN_IP] = "asym_lan_ip",
	[PROGRAM_LINK_ETH] = "asym_link_eth",	[PROGRAM_LINK_IP] = "asym_link_ip",
	[PROGRAM_LEARN_ETH] = "asym_learn_eth",	[PROGRAM_LEARN_IP] = "asym_learn_ip",
	[PROGRAM_GUARD_ETH] = "asym_guard_eth",	[PROGRAM_GUARD_IP] = "asym_guard_ip",
	[PROGRAM_CONNECT4] = "asym_connect4",	[PROGRAM_CONNECT6] = "asym_connect6",
	[PROGRAM_SENDMSG4] = "asym_sendmsg4",	[PROGRAM_SENDMSG6] = "asym_sendmsg6",
	[PROGRAM_RECVMSG4] = "asym_recvmsg4",	[PROGRAM_RECVMSG6] = "asym_recvmsg6",
};

/* More than any program of ours refers to. */
#define MAX_MAPS_OF_PROGRAM 32

void object_init(struct object *o)
{
	memset(o, 0, sizeof(*o));
	for (int i = 0; i < MAP_MAX; i++)
		o->map[i] = -1;
	for (int i = 0; i < PROGRAM_MAX; i++)
		o->program[i] = -1;
}

void object_release_programs(struct object *o)
{
	for (int i = 0; i < PROGRAM_MAX && !o->skel; i++)
		cleanup_close(&o->program[i]);
}

void object_done(struct object *o)
{
	for (int i = 0; i < MAP_MAX && !o->skel; i++)
		cleanup_close(&o->map[i]);
	object_release_programs(o);
	/* the skeleton owns the descriptors of what it loaded */
	if (o->skel)
		asymbpf_bpf__destroy(o->skel);
	object_init(o);
}

static int name_index(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (!strncmp(name, names[i], BPF_OBJ_NAME_LEN - 1))
			return i;
	return -1;
}

/* Takes over fd as one of o's maps when its name is one of ours. */
static void take_map(struct object *o, int fd)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	int i = -1;

	if (!bpf_obj_get_info_by_fd(fd, &info, &len))
		i = name_index(info.name, object_map_names, MAP_MAX);
	if (i >= 0 && o->map[i] < 0)
		o->map[i] = fd;
	else
		close(fd);
}

static int program_info(uint32_t id, struct bpf_prog_info *ret, uint32_t *maps, uint32_t n_maps)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);
	uint32_t len = sizeof(*ret);

	if (fd < 0)
		return -errno;
	memset(ret, 0, sizeof(*ret));
	ret->nr_map_ids = n_maps;
	ret->map_ids = (uintptr_t)maps;
	return bpf_obj_get_info_by_fd(fd, ret, &len) ? -errno : 0;
}

/* The maps of a program of ours.  -ENOENT when it is not ours. */
static int program_maps(uint32_t id, struct object *ret, enum object_program *ret_which)
{
	uint32_t maps[MAX_MAPS_OF_PROGRAM];
	struct bpf_prog_info info;
	int which, r = program_info(id, &info, maps, MAX_MAPS_OF_PROGRAM);

	if (r)
		return r;
	which = name_index(info.name, object_program_names, PROGRAM_MAX);
	if (which < 0)
		return -ENOENT;
	for (uint32_t i = 0; i < info.nr_map_ids && i < MAX_MAPS_OF_PROGRAM; i++) {
		int fd = bpf_map_get_fd_by_id(maps[i]);

		if (fd >= 0)
			take_map(ret, fd);
	}
	*ret_which = which;
	return 0;
}

static int control_of(const struct object *o, struct asym_control *ret)
{
	uint32_t zero = 0;

	if (o->map[MAP_CONTROL] < 0 || bpf_map_lookup_elem(o->map[MAP_CONTROL], &zero, ret))
		return -ENOENT;
	return 0;
}

bool object_identify(uint32_t program_id, enum object_program *ret_which, uint64_t *ret_cookie)
{
	struct asym_control control;
	struct object o;
	bool ours;

	object_init(&o);
	ours = !program_maps(program_id, &o, ret_which) && !control_of(&o, &control);
	if (ours)
		*ret_cookie = control.netns_cookie;
	object_done(&o);
	return ours;
}

bool object_owns(uint32_t program_id, uint64_t cookie, enum object_program *ret_which)
{
	uint64_t found;

	return object_identify(program_id, ret_which, &found) && found == cookie;
}

/* Programs on the cgroup tree do not hold the tables of the flow cache, see bind_maps in object_load.c. */
static void collect(uint32_t id, uint64_t cookie, struct object *ret)
{
	enum object_program which;
	struct object o;

	if (!object_owns(id, cookie, &which))
		return;
	object_init(&o);
	if (!program_maps(id, &o, &which))
		for (int i = 0; i < MAP_MAX; i++)
			if (ret->map[i] < 0)
				ret->map[i] = TAKE_FD(o.map[i]);
	object_done(&o);
	ret->host |= which >= PROGRAM_HOST_FIRST;
	ret->fastpath |= which >= PROGRAM_LEARN_ETH && which <= PROGRAM_GUARD_IP; /* see read_cache */
}

/* The kernel does not say, but its coarse clock goes by jiffies. */
uint32_t object_hz(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || !tick.tv_nsec)
		return 100;
	return 1000000000 / tick.tv_nsec;
}

/* What object_load told the programs; constants of their own follow.  NULL: nothing, or that of
 * another version. */
static void *read_rodata(const struct object *o)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info), zero = 0;
	void *data;

	if (o->map[MAP_RODATA] < 0 || bpf_obj_get_info_by_fd(o->map[MAP_RODATA], &info, &len) ||
	    info.value_size < sizeof(*o->skel->rodata))
		return NULL;
	data = malloc(info.value_size);
	if (data && bpf_map_lookup_elem(o->map[MAP_RODATA], &zero, data)) {
		free(data);
		return NULL;
	}
	return data;
}

static void read_cache(struct object *o)
{
	const __typeof__(*o->skel->rodata) *told;
	_cleanup_free_ void *data = read_rodata(o);

	told = data;
	o->fastpath &= told && told->asym_has_ct;
	if (!o->fastpath)
		return;
	o->summed = told->asym_has_summed;
	o->flow_blocks[ASYM_V4] = told->asym_flow_mask4 + 1;
	o->flow_blocks[ASYM_V6] = told->asym_flow_mask6 + 1;
	o->flow_seed = told->asym_flow_seed;
	o->revalidate_s = told->asym_flow_period / object_hz();
	o->lease_s = told->asym_flow_lease;
}

bool object_wants_liberal(const struct object *o)
{
	return o->fastpath && !o->lease_s;
}

static int no_message(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

int object_find(struct object *ret, uint64_t cookie)
{
	struct asym_control control;
	uint32_t id = 0;

	object_init(ret);
	/* libbpf would print what is no error to us: a device without the qdisc, say */
	libbpf_set_print(no_message);
	while (!bpf_prog_get_next_id(id, &id))
		collect(id, cookie, ret);
	if (errno != ENOENT)
		return -errno;
	if (control_of(ret, &control))
		return -ENOENT;
	if (control.abi != ASYM_ABI)
		return -EPROTO;
	read_cache(ret);
	return 0;
}
