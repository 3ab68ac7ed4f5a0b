/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The routes of this namespace. */
#ifndef NL_ROUTE_H
#define NL_ROUTE_H

#include "core/host.h"
#include "nl/nl.h"

/*
 * Adds to ret->routes the unicast, unreachable (and prohibit, which is shown as unreachable) and
 * blackhole routes of both families, of every table but local and default.  A route with several
 * nexthops becomes one entry for each.  Routes for a TOS are left out; the source prefix of IPv6's
 * source-specific routes is not shown.  0 or -errno; what was added before an error stays.
 */
int route_dump(struct nl *nl, struct host *ret);
/* Only those with this protocol: the kernel leaves out the others, however many (Linux 5.0; older
 * ones tell of all of them, and we leave them out). */
int route_dump_of(struct nl *nl, uint8_t protocol, struct host *ret);

/*
 * Fill a request to add, to put in the place of the one with the same table, destination and
 * metric, or to delete the route.  An add is -EEXIST when there is such a one, whoever made it; a
 * delete is matched with the protocol and is -ESRCH when there is no such route.
 */
void route_fill_add(struct nl_msg *m, const struct route *route);
void route_fill_replace(struct nl_msg *m, const struct route *route);
void route_fill_delete(struct nl_msg *m, const struct route *route);

#endif
