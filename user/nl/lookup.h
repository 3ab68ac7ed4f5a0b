/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which way the kernel would send a packet. */
#ifndef NL_LOOKUP_H
#define NL_LOOKUP_H

#include "core/host.h"
#include "nl/nl.h"

struct lookup {
	struct in6_addr src, dst; /* src "::": the kernel chooses */
	uint32_t mark;
	uint32_t iif; /* ifindex it comes in by, 0: made here */
	uint32_t oif; /* ifindex it is to leave by, 0: any */
};

/* Fills *ret with the route, its table included.  0; -ENETUNREACH, -EHOSTUNREACH, -EINVAL
 * (blackhole): no way; -EXDEV: the reverse path check drops it; other -errno.  With oif and no route
 * there, IPv4's answer is that dst is on link, of table 0. */
int lookup_route(struct nl *nl, const struct lookup *l, struct route *ret);

#endif
