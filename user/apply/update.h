/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same configuration on a machine that has changed: makes the kernel hold `plan`, in place, while
 * packets pass.  What is as wanted is not written.  In order: links that died are left (policies and
 * buckets, which is the switch; their connections and sticky entries end, where there is a better link;
 * the flow cache's epoch); routes and rules that are missing, sysctls, nftables when it differs, the maps,
 * by which links that came are used; what is too much goes; programs on devices that lack them come last,
 * as they may have to be loaded (0.1 to 0.5 s).  When a link dies in the moment in which another comes,
 * leaving it waits for the routes of that.
 *
 * Unlike a change (apply/change.h) it is no transaction: each part is a repair of its own, one that
 * fails is named and does not stop the others, and the next update tries it again.
 */
#ifndef APPLY_UPDATE_H
#define APPLY_UPDATE_H

#include "apply/module.h"
#include "apply/object.h"
#include "apply/router.h"
#include "apply/ruleset.h"
#include "apply/state.h"
#include "apply/sticky.h"
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
	UPDATE_MODULE = 1 << 7, /* the kernel module's policies */
	UPDATE_ROUTER = 1 << 8, /* the table of the router's own packets */
};

struct update {
	/* the caller's */
	uint64_t cookie;
	struct object *object;	  /* what runs, by object_find; gets the maps that a device's programs
				   * brought back, and is kept for the next update */
	const struct host *host;  /* fresh */
	const struct plan *plan;  /* wanted; of the configuration that is loaded, sets without prefixes */
	const struct plan *old;	  /* what the last update or load made; NULL: unknown, all is compared.
				   * After a failure the one before, so that the next update tries again */
	struct state *state;	  /* its ids are as wanted; sysctls, clsact, the router's table are filled in; is saved when it changed:
				   * UPDATE_STATE is in `done` then, whether or not it worked */
	struct link_set been_live; /* links that were live since their connections were last ended, by id:
				   * is set, to be handed to the next update, whatever is loaded then */
	bool state_changed;	  /* the caller changed ids: to be saved; false when it was */
	uint64_t ruleset;	  /* our table as an update left it; 0: unknown, it is written to be sure.
				   * Is set, to be handed to the next update */
	/* the result */
	unsigned int done;	  /* enum update_part that differed and were put right */
	unsigned int failed;	  /* enum update_part */
	struct module module;	  /* as it was found */
	uint32_t port;		  /* its requests to rtnetlink came from: notifications name it; 0: none did */
	char error[320];	  /* of the first that failed: "what: why" */
};

/* 0, or the first -errno.  -ENODATA: the user's sets were lost with the last program that held them: the
 * configuration is to be loaded again, by change_apply. */
int update_apply(struct update *u);

/*
 * A better tier of this policy (its index in the model) is back, and its connections are to follow: ends
 * those, and sticky entries, of its links that are in no policy's tier in use; at once with
 * FAILBACK_MOVE, drain_s later, with the plan of then, with FAILBACK_DRAIN.  Links that a policy with
 * FAILBACK_KEEP has too are left alone.  0 or -errno.
 */
int update_move(const struct object *o, const struct plan *p, size_t policy);

#endif
