/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs on hooks: tc ingress and egress of devices (tcx since Linux 6.6,
 * else filters of the clsact qdisc) and the root of the cgroup tree.  A hook keeps its program when
 * we end; replacing one is atomic.
 */
#ifndef APPLY_ATTACH_H
#define APPLY_ATTACH_H

#include "apply/hooks.h"
#include "apply/object.h"
#include "core/host.h"
#include "core/plan.h"
#include <stddef.h>

/* What one hook held before we touched it, so that it can be put back. */
struct attach_change {
	uint32_t ifindex; /* 0: cgroup */
	enum object_program which;
	int before; /* descriptor of the program it held, negative: none of ours */
	bool clsact_made;
};

/* Told before each hook: attaching to tcx waits for an RCU grace period, 10 to 20 ms. */
typedef void attach_progress(size_t done, size_t total);

struct attachment {
	uint64_t cookie;
	attach_progress *progress; /* set by the caller after attach_init; NULL: nobody listens */
	int cgroup; /* descriptor of the tree's root, negative: none to be had */
	bool host_refused; /* the cgroup tree takes no program of ours */
	bool use_clsact;
	struct attach_change *changes;
	size_t n;
	uint32_t known[PROGRAM_MAX]; /* ids of programs of ours that were met */
	char error[160]; /* what failed, "tc ingress of eth1" */
};

/* For the namespace with this cookie.  Not having a cgroup tree is no failure: see cgroup. */
void attach_init(struct attachment *a, uint64_t cookie);
void attach_done(struct attachment *a);

/* Of these hooks keeps those that hold no program of ours of their kind, and could; returns how many. */
size_t attach_missing(struct attachment *a, struct hook *hooks, size_t n);
/* Whether a link's device has its guard at egress: a hook that others have claimed (-EBUSY) is passed
 * over by attach_hooks and attach_all, and the shim is to stand in. */
bool attach_has_guard(struct attachment *a, uint32_t ifindex);
/* What the cgroup tree lacks of ours: bits, enum object_program. */
uint32_t attach_host_missing(const struct attachment *a);

/* Whether the cgroup tree has our programs of this namespace: all are there, or none. */
bool attach_host_attached(uint64_t cookie);

/* Puts o's programs on these hooks.  0, or -errno with a->error filled. */
int attach_hooks(struct attachment *a, const struct object *o, const struct hook *hooks, size_t n);

/* Puts those of o's programs (bits) on the cgroup tree, all or none.  0 or -errno. */
int attach_host(struct attachment *a, const struct object *o, uint32_t programs);

/* Puts o's programs on every LAN and link of the plan, those that learn before those that use what
 * was learned (and not on devices that need a route with every packet, see host_device.nbma), and
 * on the cgroup tree if the model wants the router's own traffic; a tree that refuses is no
 * failure, see host_refused.  0, or -errno with a->error filled; attach_undo puts back what was
 * there. */
int attach_all(struct attachment *a, const struct object *o, const struct plan *p);
void attach_undo(struct attachment *a);

/* Takes our programs off where the plan (NULL: none) has none on the host's devices (fastpath:
 * the flow cache stays), and off the cgroup tree unless the plan's model wants the
 * router's own traffic.  Returns how many. */
unsigned int attach_sweep(struct attachment *a, const struct host *h, const struct plan *p,
			  bool fastpath);

#endif
