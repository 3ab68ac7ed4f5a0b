/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses of this namespace's devices. */
#ifndef NL_ADDR_H
#define NL_ADDR_H

#include "core/host.h"
#include "nl/nl.h"

/* Adds every IPv4 and IPv6 address to ret->addrs.  0 or -errno; what was added before an error
 * stays. */
int addr_dump(struct nl *nl, struct host *ret);

#endif
