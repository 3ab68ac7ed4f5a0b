/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generic netlink. */
#ifndef NL_GENL_H
#define NL_GENL_H

#include "nl/nl.h"

/* The number of a family, the type of its messages; on a socket of NETLINK_GENERIC.  0; -ENOENT:
 * the kernel has none of that name, even after trying to load its module; -errno. */
int genl_family(struct nl *nl, const char *name, uint16_t *ret);
/* The same, but only among those that are there: no module is loaded, which would start a process each
 * time. */
int genl_family_present(struct nl *nl, const char *name, uint16_t *ret);

/* The multicast group that tells of families that come and go (linux/genetlink.h, GENL_ID_CTRL), and
 * whether a message of it is about this one. */
#define GENL_NOTIFY_GROUP 0x10
bool genl_is_about(const struct nlmsghdr *h, const char *name);

#endif
