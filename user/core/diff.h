/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to be done to the machine's rules and routes to make them the plan's.  Only what carries
 * our protocol (PLAN_RTPROT) is ever listed for removal or replacement.
 */
#ifndef CORE_DIFF_H
#define CORE_DIFF_H

#include "core/plan.h"

struct diff_replace {
	struct route old, new; /* the same table, destination and metric */
};

/* Owned by the diff; in the order in which the steps are to be taken. */
struct diff {
	struct route *add_routes;
	size_t n_add_routes;
	struct diff_replace *replace_routes;
	size_t n_replace_routes;
	struct rule *add_rules; /* highest number first: a goto comes after what it jumps to */
	size_t n_add_rules;
	struct rule *delete_rules; /* lowest first */
	size_t n_delete_rules;
	struct route *delete_routes;
	size_t n_delete_routes;
};

/* plan NULL: nothing is wanted any more.  0 or -ENOMEM. */
int diff_build(struct diff *ret, const struct plan *plan, const struct host *host);
void diff_done(struct diff *d);

/* Equal in all that the kernel keeps: IPv6's metric 0 is 1024, a route to nowhere has no device,
 * the mark of a rule without a mask does not count. */
bool diff_rule_equal(const struct rule *a, const struct rule *b);
bool diff_route_equal(const struct route *a, const struct route *b);

#endif
