/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One change of the machine, from nothing or from the running configuration to a plan, as a
 * transaction: every step can be taken back, and is, when a later one fails.  The order is such
 * that no packet is given a mark before rules, tables and NAT for it are there:
 *
 *	programs into the kernel, idle bank filled, ruleset tried, rules and routes added, state
 *	saved, sysctls written, ruleset committed, programs attached, bank switched; then what the
 *	new configuration has no use for is swept.
 */
#ifndef APPLY_CHANGE_H
#define APPLY_CHANGE_H

#include "apply/attach.h"
#include "apply/object.h"
#include "apply/routing.h"
#include "apply/state.h"

struct change {
	/* given by the caller, which keeps them */
	uint64_t cookie;
	const struct host *host;
	const struct plan *plan;
	const struct plan *old_plan;	/* NULL: nothing was loaded */
	const struct object *running;	/* NULL: no programs run */
	const struct state *old_state;	/* NULL: nothing was loaded */
	attach_progress *progress;	/* or NULL */
	struct state *state;		/* to be saved: config, path and flags filled in; the rest
					 * is filled in here */
	/* ours */
	struct object object;
	struct attachment attachment;
	struct routing routing;
	struct plan both; /* for change_commit_ruleset: the new links, and old ones it has not */
	uint32_t bank;
	bool sticky_lost; /* the size of the sticky map changed, entries are gone */
	bool host_missing; /* wanted, but the kernel has no cgroup v2 or refused the programs */
	bool fastpath_missing; /* wanted, but the kernel refused the programs of the flow cache */
	char router_error[320]; /* of its own packets, or the kernel module's policies: "what: why"; or "" */
	char error[320];   /* "step: what: why" */
};

/* How the programs are to be loaded for this model; as change_apply does it. */
struct object_options change_options(const struct model *m);

/*
 * Carries it out.  0, or -errno with error filled in and the machine as before.  For tests: with
 * ASYMBPF_FAULT=STEP in the environment that step fails, with STEP:kill the process ends before it, with STEP:stop
 * it waits there for SIGCONT; the latter two also at "policies" and "router", where the kernel module's policies
 * and the table of the router's packets are about to be written.
 */
int change_apply(struct change *c);
void change_done(struct change *c);

#endif
