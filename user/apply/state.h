/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no kernel object can tell: the configuration as loaded, the ids given, and what sysctls were
 * before us.  One JSON file for each network namespace, /run/asymbpf/COOKIE.json, replaced in one
 * step.
 */
#ifndef APPLY_STATE_H
#define APPLY_STATE_H

#include "apply/router.h"
#include "apply/sysctl.h"
#include "core/plan.h"
#include <stdbool.h>

#define STATE_ROOT "/run/asymbpf"

/* A device that is or was a link's, under the name that the link's configuration has. */
struct state_device {
	uint32_t ifindex;
	char name[IFNAMSIZ];
};

/* A policy's connections are to follow to a better tier that is back. */
struct state_drain {
	char policy[MODEL_NAME];
	int64_t at_ns; /* CLOCK_BOOTTIME */
};

struct state {
	char *config;	   /* text of the configuration as loaded, flags included */
	char *config_path; /* file it came from, NULL: flags alone */
	char **flags;	   /* "--iface", "wan:2", ...: as given to load */
	size_t n_flags;
	struct plan_id *ids; /* every id ever given since the first load */
	size_t n_ids;
	struct sysctl_list sysctls;
	uint32_t *clsact; /* ifindexes of devices whose clsact qdisc we made */
	size_t n_clsact;
	struct state_device *devices; /* one for each ifindex that there is still */
	size_t n_devices;
	struct state_drain *drains;
	size_t n_drains;
	struct router_stamp router; /* the table as it was last written; text 0: unknown */
	uint32_t mark_mask; /* 0: unknown */
	uint64_t netns;    /* netns_inode(), 0: unknown */
	int64_t loaded_at; /* seconds since 1970 */
};

/* 0; -ENOENT: not loaded here; -EBADMSG: the file is damaged; another -errno.  Free with
 * state_done. */
int state_read(struct state *ret, uint64_t cookie);
/* 0, or -errno with the old file still there. */
int state_write(const struct state *s, uint64_t cookie);
/* Which file it is: another one after each state_write. */
struct state_stamp {
	uint64_t inode;
	int64_t changed_ns;
};
/* 0; -ENOENT: there is none; -errno. */
int state_stamp(uint64_t cookie, struct state_stamp *ret);
/* Removes the file, those that go with it, and the directory when it is empty. */
void state_remove(uint64_t cookie);

/* A file that goes with it: STATE_ROOT/COOKIE and the suffix. */
#define STATE_LEASES ".leases" /* run/leases_file.h */
#define STATE_PATH 80
void state_path(uint64_t cookie, const char *suffix, char ret[static STATE_PATH]);

void state_done(struct state *s);

/* 0 or -ENOMEM. */
int state_add_drain(struct state *s, const char *policy, int64_t at_ns);

/* Adds the links' devices of now, whose names are those of the plan, and forgets what the machine has not
 * any more.  *ret_changed: the state is to be saved, even after an error.  0 or -ENOMEM. */
int state_note_devices(struct state *s, const struct plan *p, const struct host *h,
		       bool *ret_changed);
int state_add_device(struct state *s, uint32_t ifindex, const char *name);
/* Fills in what devices were, for a plan. */
void state_mark_devices(const struct state *s, struct host *h);

/*
 * Removes the files of namespaces that were deleted without unload, as far as one can tell: their inode
 * number is now that of the namespace with this cookie.  The kernel gives the lowest one that is free, so
 * there are no more such files than there ever were namespaces at a time.
 */
void state_remove_orphans(uint64_t netns, uint64_t cookie);

/* Takes the lock of a network namespace that load, reload and unload hold: a file beside the state,
 * which only root reaches, and which is there only while it is held.  A descriptor, to be given back
 * by state_unlock (-1: nothing to give back); -EWOULDBLOCK: somebody has it; another -errno. */
int state_lock(uint64_t cookie);
void state_unlock(uint64_t cookie, int fd);

#endif
