/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nftables table "inet asymbpf-module" of the caller's network namespace (doc/design.md, "What no
 * program sees"): the router's own packets that no program has seen.  Apart from the other one, because nft
 * cannot write what is in it.  It is ours when it carries the comment PLAN_NFT_COMMENT.
 *
 * Nothing depends on it: without it such packets follow the main table.
 */
#ifndef APPLY_ROUTER_H
#define APPLY_ROUTER_H

#include "core/plan_router.h"

/*
 * Writes the table anew in one transaction, or removes it where the plan wants none.  A kernel that does not
 * take the module's expression gets the hash; one that has not what the latter needs gets no table, and
 * that is no error.  0, or the first -errno with a line in error: -EEXIST: the table is somebody else's.
 * After any other error the hash stands in for the module, and no table for the hash.
 * *ret_kind: what the kernel holds now, if that is known.
 */
int router_apply(const struct plan *p, bool programs, bool dry_run, enum plan_router_kind *ret_kind,
		 char *error, size_t size);

/* Deletes our table.  0, also when there is none or it is somebody else's; -errno. */
int router_remove(char *error, size_t size);

/* What there is and what it is meant to be; either changes when somebody changes that. */
struct router_stamp {
	uint64_t table; /* 0: there is none of ours */
	uint64_t text;	/* 0: unknown */
};

/* 0 or -errno. */
int router_stamp(const struct plan *p, bool programs, struct router_stamp *ret);

/* Writes the table if it is not as *known says, which becomes what it is then.  *ret_touched: somebody else
 * had changed it.  Otherwise like router_apply; but the hash that stands in for a module which refuses is
 * written once. */
int router_update(const struct plan *p, bool programs, struct router_stamp *known, bool *ret_touched,
		  char *error, size_t size);

/* What the kernel holds, and how many rules of ours have the module's expression.  0 or -errno. */
int router_find(enum plan_router_kind *ret_kind, size_t *ret_rules);

#endif
