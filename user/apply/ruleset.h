/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nftables table "inet asymbpf" of the caller's network namespace (doc/design.md, "nftables").
 * It is ours when it carries the comment PLAN_NFT_COMMENT; one that does not is never touched.
 * Errors put a line for the operator into error, which is "" on success.
 */
#ifndef APPLY_RULESET_H
#define APPLY_RULESET_H

#include "core/plan.h"

/*
 * Writes the table in one transaction.  Where ours exists already, its rules are replaced, what
 * belongs to links that went is removed, and the counters of the others keep their values.  A dry
 * run lets the kernel judge the transaction and changes nothing.  0; -EEXIST: the table is
 * somebody else's; the kernel's -errno; the table is as before on any failure.
 */
int ruleset_apply(const struct plan *p, bool dry_run, char *error, size_t size);

/* Deletes our table.  0, also when there is none; -EEXIST: it is somebody else's; -errno. */
int ruleset_remove(char *error, size_t size);

/* A number that changes when somebody changes chains or rules of our table, or writes the same again; not
 * with what it counts.  Never 0.  0; -ENOENT: no table of ours; -errno. */
int ruleset_digest(uint64_t *ret);

/* Connections since the table was first written. */
struct ruleset_count {
	uint64_t out; /* first packet left by the link */
	uint64_t in;  /* first packet arrived by the link */
};

/* Fills ret[p->n_links], in the order of p->links; 0 for links that the table does not have.
 * 0; -ENOENT: no table of ours; -errno. */
int ruleset_counters(const struct plan *p, struct ruleset_count *ret);

#endif
