/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's rules and routes become the plan's, new before old: routing_prepare adds, then what
 * depends on it may be switched over, then routing_finish deletes; or routing_undo takes it back.
 * Only what carries PLAN_RTPROT is deleted or replaced.
 */
#ifndef APPLY_ROUTING_H
#define APPLY_ROUTING_H

#include "core/diff.h"
#include "nl/nl.h"

/* Zero it before use, end with routing_done. */
struct routing {
	struct nl nl;
	struct diff diff;
	size_t steps;	 /* of preparation that are complete */
	bool repair;	 /* set by the caller: what fails does not take back, nor stop, the rest */
	char error[256]; /* the object and the reason: "rule 20600 lookup main: File exists" */
};

/*
 * Adds and replaces what the plan has and the host, a fresh snapshot, has not: routes, then rules
 * from the highest priority number down.  0, or -errno with everything taken back.  -EEXIST: a
 * route of somebody else's has the same table, destination and metric.  With `repair`: the first -errno,
 * after trying all of it.
 */
int routing_prepare(struct routing *r, const struct plan *plan, const struct host *host);

/* Deletes what is ours and not in the plan.  What is gone already is no error.  0, or the first
 * -errno, after trying all of it. */
int routing_finish(struct routing *r);

/* Takes back what routing_prepare did.  0, or the first -errno, after trying all of it. */
int routing_undo(struct routing *r);

void routing_done(struct routing *r);

/* Removes every rule and route of ours from this network namespace.  0, or the first -errno, after
 * trying all of it. */
int routing_remove_all(struct routing *r);

#endif
