/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of the router's own packets that no program has seen: what its writer (apply/router.c) and
 * its text must agree on.
 *
 * Marks come behind main's specific routes, so what is for these is marked and stays where it was.
 */
#ifndef CORE_PLAN_ROUTER_H
#define CORE_PLAN_ROUTER_H

#include "core/plan.h"
#include <stdbool.h>

/* How it is to be written; NONE: no table at all. */
enum plan_router_kind { PLAN_ROUTER_NONE, PLAN_ROUTER_MODULE, PLAN_ROUTER_HASH, PLAN_ROUTER_KINDS };
/* "are spread by a hash of nftables": what becomes of the packets. */
extern const char *const plan_router_words[PLAN_ROUTER_KINDS];

/* What the kernel ought to take; HASH where it does not. */
enum plan_router_kind plan_router_kind(const struct plan *p);

/* Chains: the base chain, what it leads to, what that leads to unless the packet is to be left alone, one for
 * each family. */
#define PLAN_ROUTER_OUTPUT "output"
#define PLAN_ROUTER_CHAIN "router"
#define PLAN_ROUTER_CHOICE "choice"
extern const char *const plan_router_families[ASYM_FAMILIES];
/* The chain that gives a link's mark or a last resort's; of no use outside of HASH. */
#define PLAN_ROUTER_NAME (MODEL_NAME + 8)
void plan_router_mark_name(const struct plan *p, uint8_t id, char ret[static PLAN_ROUTER_NAME]);

/* The policy's index and key: a rule that is sticky is kept by its own. */
uint8_t plan_router_policy(const struct plan *p, enum asym_family f);
enum asym_key plan_router_key(const struct plan *p, enum asym_family f);

/* The hash's values in order of the links: from which on is whose.  The last ends at ASYM_BUCKETS.  ret
 * has room for PLAN_ROUTER_RANGES.  Returns how many. */
struct plan_router_range {
	uint32_t from;
	uint8_t id;
};
size_t plan_router_ranges(const struct plan *p, enum asym_family f, struct plan_router_range *ret);

/* The ids that any of the ranges has, each once.  Room and result likewise. */
size_t plan_router_marks(const struct plan *p, uint8_t *ret);
#define PLAN_ROUTER_RANGES (ASYM_MAX_LINKS + PLAN_RESERVED_MAX)

/* As nft prints it, with the module's expression in words that nft does not know.  programs: those on
 * the cgroup tree see TCP and UDP. */
struct str;
void plan_router_text(const struct plan *p, enum plan_router_kind kind, bool programs, struct str *out);

#endif
