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
	MAP_LINKS,
	MAP_OWNERS,
	MAP_DHCP,
	MAP_BOOTP, /* a ring buffer */
	MAP_SETS,
	MAP_STICKY,
	MAP_COUNTERS,
	MAP_HITS,
	MAP_FLOWS4, /* one block each without flow cache, likewise hops */
	MAP_FLOWS6,
	MAP_HOPS,
	MAP_WRITTEN,
	MAP_CLOCK,
	MAP_RODATA,  /* what object_load told the programs: the end of bpf/lib/maps.h */
	MAP_SOCKETS, /* only with the cgroup programs */
	MAP_MAX
};

enum object_program {
	PROGRAM_LAN_ETH,
	PROGRAM_LAN_IP,
	PROGRAM_LINK_ETH,
	PROGRAM_LINK_IP,
	PROGRAM_LEARN_ETH, /* tc egress; only with the flow cache */
	PROGRAM_LEARN_IP,
	PROGRAM_GUARD_ETH, /* tc egress of links; learns, too, with the flow cache */
	PROGRAM_GUARD_IP,
	PROGRAM_CONNECT4,
	PROGRAM_CONNECT6,
	PROGRAM_SENDMSG4,
	PROGRAM_SENDMSG6,
	PROGRAM_RECVMSG4,
	PROGRAM_RECVMSG6,
	PROGRAM_MAX
};
#define PROGRAM_HOST_FIRST PROGRAM_CONNECT4 /* from here on: cgroup programs */

/* As the kernel keeps them: 15 bytes. */
extern const char *const object_map_names[MAP_MAX];
extern const char *const object_program_names[PROGRAM_MAX];

struct object {
	int map[MAP_MAX];	  /* file descriptors, -1 where there is none */
	int program[PROGRAM_MAX]; /* likewise; all -1 in an object that object_find filled, before
				   * object_need */
	bool host;		  /* the kernel took the cgroup programs, or they run */
	bool fastpath;		  /* likewise the flow cache */
	bool summed;		  /* the flow cache writes checksums by itself */
	bool sticky_kept;	  /* entries of the running object live on */
	uint32_t flow_blocks[ASYM_FAMILIES]; /* with fastpath: of each table, a power of two */
	uint32_t flow_seed;	  /* with fastpath: of asym_tuple_hash */
	uint32_t revalidate_s;	  /* with fastpath: between checks of a flow */
	uint32_t lease_s;	  /* with fastpath: see apply/handover.h; 0: no hand-over */
	struct asymbpf_bpf *skel;
};

struct object_options {
	uint32_t sticky_entries;
	bool fastpath;	      /* wanted, where the kernel can */
	uint32_t flow_pairs;  /* connections that the cache has room for; 0: see apply/room.h */
	uint32_t revalidate_s; /* at least 1 */
	uint32_t programs;     /* bits, enum object_program: these alone; 0: all */
	bool as_running;       /* what the running ones have in common goes before all this; -EPROTO when
				* a map of theirs does not fit */
};

void object_init(struct object *o);
void object_done(struct object *o);

/*
 * Maps of the programs that serve the network namespace with this cookie.  0; -ENOENT: none runs;
 * -EPERM; -EPROTO: they run, but speak another version of bpf/abi.h (the maps are still filled in).
 */
int object_find(struct object *ret, uint64_t cookie);

/*
 * Loads the programs.  Cgroup programs and flow cache are left out where the kernel refuses them.
 * Maps of `running` (NULL or a found object) are used on where they fit, so that sticky entries,
 * flows and counters live on.  error (size bytes) gets the kernel's reason.  0 or -errno.
 */
int object_load(struct object *ret, const struct object *running,
		const struct object_options *options, char *error, size_t size);

/*
 * Sees to it that an object that object_find filled has every map, and these programs (bits, enum
 * object_program): those that run somewhere are taken, the others loaded over the same maps, which takes
 * some 0.1 s.  Maps that nobody held any more are made anew, empty.  0; -EPROTO: what runs was loaded by another version;
 * -errno, and error (size bytes) the kernel's reason or "".
 */
int object_need(struct object *o, uint64_t cookie, uint32_t programs,
		const struct object_options *options, char *error, size_t size);
/* Whether it has every map that programs on devices may refer to. */
bool object_is_whole(const struct object *o);
/* Whether conntrack as a whole has to take TCP segments and resets that it has no reason to expect:
 * there is a flow cache, and nothing tells conntrack which connections pass it. */
bool object_wants_liberal(const struct object *o);
/* Lets go of the programs. */
void object_release_programs(struct object *o);

/* How many jiffies the kernel counts in a second. */
uint32_t object_hz(void);

/* Whether the program with this id is one of ours, of whatever namespace. */
bool object_identify(uint32_t program_id, enum object_program *ret_which, uint64_t *ret_cookie);

/* The same for the namespace with this cookie alone. */
bool object_owns(uint32_t program_id, uint64_t cookie, enum object_program *ret_which);

#endif
