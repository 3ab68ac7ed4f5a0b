/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generic netlink. */
#ifndef NL_GENL_H
#define NL_GENL_H

#include "nl/nl.h"

/* The number of a family, the type of its messages; on a socket of NETLINK_GENERIC.  0; -ENOENT:
 * the kernel has none of that name, even after trying to load its module; -errno. */
int genl_family(struct nl *nl, const char *name, uint16_t *ret);

#endif
