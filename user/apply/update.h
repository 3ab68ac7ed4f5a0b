/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same configuration on a machine that has changed: makes the kernel hold `plan`, in place, while
 * packets pass.  What is as wanted is not written.  In order: programs on devices that came; routes and
 * rules that are missing; maps (buckets first: that is the switch); nftables when it differs; flow
 * cache's epoch when something went; then what is too much goes, and what belonged to links that died:
 * sticky entries, connections.
 *
 * Unlike a change (apply/change.h) it is no transaction: each part is a repair of its own, one that
 * fails is named and does not stop the others, and the next update tries it again.
 */
#ifndef APPLY_UPDATE_H
#define APPLY_UPDATE_H

#include "apply/object.h"
#include "apply/state.h"
#include "core/host.h"
#include "core/plan.h"

/* What was done, or was to be: bits. */
enum update_part {
	UPDATE_PROGRAMS = 1 << 0,
	UPDATE_ROUTING = 1 << 1,
	UPDATE_MAPS = 1 << 2,
	UPDATE_RULESET = 1 << 3,
	UPDATE_SYSCTLS = 1 << 4,
	UPDATE_CONNECTIONS = 1 << 5,
	UPDATE_STATE = 1 << 6,
};

struct update {
	/* the caller's */
	uint64_t cookie;
	struct object *object;	  /* what runs; programs are loaded into it when a device needs one */
	const struct host *host;  /* fresh */
	const struct plan *plan;  /* wanted */
	const struct plan *old;	  /* what the last update or load made; NULL: unknown, all is compared */
	struct state *state;	  /* its ids are as wanted; sysctls and clsact are added; is saved when it changed */
	bool state_changed;	  /* the caller changed ids: to be saved */
	uint64_t ruleset;	  /* digest of our table as we left it; 0: unknown.  Is set */
	/* the result */
	unsigned int done;	  /* enum update_part that differed and were put right */
	unsigned int failed;	  /* enum update_part */
	char error[320];	  /* of the first that failed: "what: why" */
};

/* 0, or the first -errno. */
int update_apply(struct update *u);

/* A number that changes when somebody changes chains or rules of our table.  0; -ENOENT: no table of
 * ours; -errno. */
int ruleset_digest(uint64_t *ret);

#endif
