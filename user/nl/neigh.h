/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Neighbours (ARP's entries), one at a time. */
#ifndef NL_NEIGH_H
#define NL_NEIGH_H

#include "nl/nl.h"

#define NEIGH_MAC_MAX 8 /* as in struct sockaddr_ll */

struct neigh {
	uint32_t ifindex;
	struct in6_addr addr;
	uint16_t state; /* NUD_* */
	uint8_t mac[NEIGH_MAC_MAX];
	uint8_t mac_len; /* 0: not known, or longer */
};

/* Whether packets may be sent to this MAC address now; it may be about to be confirmed. */
bool neigh_is_valid(const struct neigh *n);
/* The kernel has asked in vain, and asks no more. */
bool neigh_has_failed(const struct neigh *n);

/* What an RTM_NEWNEIGH says of a neighbour, from an answer or to a listener of RTNLGRP_NEIGH.  0;
 * -ENOENT: it is about something else (a bridge's port); -EBADMSG. */
int neigh_parse(const struct nlmsghdr *h, struct neigh *ret);

/* 0; -ENOENT: the kernel knows nothing of it; other -errno. */
int neigh_get(struct nl *nl, uint32_t ifindex, const struct in6_addr *addr, struct neigh *ret);

/* Has the kernel find out the MAC address, or confirm it, as a packet to it would.  Not for entries
 * that somebody made by hand (NUD_PERMANENT), which would lose that.  0 or -errno. */
int neigh_use(struct nl *nl, uint32_t ifindex, const struct in6_addr *addr);

#endif
