// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/object.h"

#include "asymbpf.skel.h"
#include "base/defs.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* Names as the kernel keeps them: 15 bytes. */
const char *const object_map_names[MAP_MAX] = {
	[MAP_CONTROL] = "asym_control",	  [MAP_CONFIG] = "asym_config",
	[MAP_RULES] = "asym_rules",	  [MAP_POLICIES] = "asym_policies",
	[MAP_BUCKETS] = "asym_buckets",	  [MAP_DEVICES] = "asym_devices",
	[MAP_SOURCES] = "asym_sources",
	[MAP_SETS] = "asym_sets",	  [MAP_STICKY] = "asym_sticky",
	[MAP_COUNTERS] = "asym_counters", [MAP_HITS] = "asym_hits",
	[MAP_SOCKETS] = "asym_sockets",
};

static const char *const program_names[PROGRAM_MAX] = {
	[PROGRAM_LAN_ETH] = "asym_lan_eth",	[PROGRAM_LAN_IP] = "asym_lan_ip",
	[PROGRAM_LINK_ETH] = "asym_link_eth",	[PROGRAM_LINK_IP] = "asym_link_ip",
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

void object_done(struct object *o)
{
	for (int i = 0; i < MAP_MAX && !o->skel; i++)
		cleanup_close(&o->map[i]);
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
	which = name_index(info.name, program_names, PROGRAM_MAX);
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

/* No program refers to every map: only link has the devices, only host sources and sockets. */
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
}

/* libbpf's messages of one load, kept for the error text instead of printed. */
static __thread struct {
	char *text;
	size_t size;
} load_log;

static int keep_message(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level == LIBBPF_WARN && load_log.size && !*load_log.text)
		vsnprintf(load_log.text, load_log.size, fmt, args);
	return 0;
}

int object_find(struct object *ret, uint64_t cookie)
{
	struct asym_control control;
	uint32_t id = 0;

	object_init(ret);
	/* libbpf would print what is no error to us: a device without the qdisc, say */
	libbpf_set_print(keep_message);
	while (!bpf_prog_get_next_id(id, &id))
		collect(id, cookie, ret);
	if (errno != ENOENT)
		return -errno;
	if (control_of(ret, &control))
		return -ENOENT;
	return control.abi == ASYM_ABI ? 0 : -EPROTO;
}

static bool map_fits(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == bpf_map__type(map) &&
	       info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map);
}

static int reuse_maps(struct object *o, const struct object *running)
{
	for (int i = 0; i < MAP_MAX; i++) {
		struct bpf_map *map =
			bpf_object__find_map_by_name(o->skel->obj, object_map_names[i]);

		if (running->map[i] < 0 || !map_fits(map, running->map[i]))
			continue;
		if (bpf_map__reuse_fd(map, running->map[i]))
			return -errno;
		o->sticky_kept |= i == MAP_STICKY;
	}
	return 0;
}

static struct bpf_program *program_of(const struct object *o, int i)
{
	return bpf_object__find_program_by_name(o->skel->obj, program_names[i]);
}

static int open_and_load(struct object *o, const struct object *running, uint32_t sticky_entries,
			 bool host)
{
	int r;

	o->skel = asymbpf_bpf__open();
	if (!o->skel)
		return -errno;
	bpf_map__set_max_entries(o->skel->maps.asym_sticky, sticky_entries);
	for (int i = PROGRAM_HOST_FIRST; i < PROGRAM_MAX; i++)
		bpf_program__set_autoload(program_of(o, i), host);
	r = running ? reuse_maps(o, running) : 0;
	return r ?: asymbpf_bpf__load(o->skel);
}

static void fill_fds(struct object *o, bool host)
{
	for (int i = 0; i < MAP_MAX; i++)
		o->map[i] = bpf_object__find_map_fd_by_name(o->skel->obj, object_map_names[i]);
	for (int i = 0; i < (host ? PROGRAM_MAX : PROGRAM_HOST_FIRST); i++)
		o->program[i] = bpf_program__fd(program_of(o, i));
	o->host = host;
}

/* A kernel that refuses the cgroup programs still balances the LAN. */
int object_load(struct object *ret, const struct object *running, uint32_t sticky_entries,
		char *error, size_t size)
{
	bool host = true;
	int r;

	*error = '\0';
	load_log.text = error;
	load_log.size = size;
	libbpf_set_print(keep_message);
	object_init(ret);
	r = open_and_load(ret, running, sticky_entries, host);
	if (r && r != -EPERM && r != -ENOMEM) {
		object_done(ret);
		host = false;
		r = open_and_load(ret, running, sticky_entries, host);
	}
	load_log.size = 0;
	if (r)
		object_done(ret);
	else
		fill_fds(ret, host);
	error[strcspn(error, "\n")] = '\0';
	return r;
}
