/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses of this namespace's devices. */
#ifndef NL_ADDR_H
#define NL_ADDR_H

#include "core/host.h"
#include "nl/nl.h"

/* Adds every IPv4 and IPv6 address to ret->addrs.  0 or -errno; what was added before an error
 * stays. */
int addr_dump(struct nl *nl, struct host *ret);

/*
 * Fill a request to add, or to delete, an address of a whole length (/32, /128) without a prefix that
 * is on link.  Nobody else has it: duplicates are not looked for.  An add of one that is there is
 * -EEXIST.
 */
void addr_fill_add(struct nl_msg *m, uint32_t ifindex, const struct in6_addr *a);
void addr_fill_delete(struct nl_msg *m, uint32_t ifindex, const struct in6_addr *a);

#endif
