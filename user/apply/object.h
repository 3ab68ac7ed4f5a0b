/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our BPF programs and maps in the kernel: loading them, and finding those that run.  Nothing is
 * pinned: devices and the cgroup tree hold the programs, the programs hold the maps.
 */
#ifndef APPLY_OBJECT_H
#define APPLY_OBJECT_H

#include "bpf/abi.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum object_map {
	MAP_CONTROL,
	MAP_CONFIG,
	MAP_RULES,
	MAP_POLICIES,
	MAP_BUCKETS,
	MAP_DEVICES,
	MAP_SOURCES,
	MAP_SETS,
	MAP_STICKY,
	MAP_COUNTERS,
	MAP_HITS,
	MAP_SOCKETS, /* only with the cgroup programs */
	MAP_MAX
};

enum object_program {
	PROGRAM_LAN_ETH,
	PROGRAM_LAN_IP,
	PROGRAM_LINK_ETH,
	PROGRAM_LINK_IP,
	PROGRAM_CONNECT4,
	PROGRAM_CONNECT6,
	PROGRAM_SENDMSG4,
	PROGRAM_SENDMSG6,
	PROGRAM_RECVMSG4,
	PROGRAM_RECVMSG6,
	PROGRAM_MAX
};
#define PROGRAM_HOST_FIRST PROGRAM_CONNECT4 /* from here on: cgroup programs */

extern const char *const object_map_names[MAP_MAX];

struct object {
	int map[MAP_MAX];	  /* file descriptors, -1 where there is none */
	int program[PROGRAM_MAX]; /* likewise; all -1 in an object that object_find filled */
	bool host;		  /* the kernel took the cgroup programs */
	bool sticky_kept;	  /* entries of the running object live on */
	struct asymbpf_bpf *skel;
};

void object_init(struct object *o);
void object_done(struct object *o);

/*
 * Maps of the programs that serve the network namespace with this cookie.  0; -ENOENT: none runs;
 * -EPERM; -EPROTO: they run, but speak another version of bpf/abi.h (the maps are still filled in).
 */
int object_find(struct object *ret, uint64_t cookie);

/*
 * Loads the programs.  Maps of `running` (NULL or a found object) are used on where they fit, so
 * that sticky entries and counters live on.  error (size bytes) gets the kernel's reason.  0 or
 * -errno.
 */
int object_load(struct object *ret, const struct object *running, uint32_t sticky_entries,
		char *error, size_t size);

/* Whether the program with this id is one of ours, of whatever namespace. */
bool object_identify(uint32_t program_id, enum object_program *ret_which, uint64_t *ret_cookie);

/* The same for the namespace with this cookie alone. */
bool object_owns(uint32_t program_id, uint64_t cookie, enum object_program *ret_which);

#endif
