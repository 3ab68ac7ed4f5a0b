/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a packet of the courier goes, and its last step. */
#ifndef RUN_COURIER_HOP_H
#define RUN_COURIER_HOP_H

#include "nl/neigh.h"
#include "nl/nl.h"
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether packets that leave there need a neighbour's address (Ethernet).  fd: any socket.  0;
 * -ENETDOWN: down, or without carrier; -ENODEV. */
int courier_examine(int fd, uint32_t ifindex, bool *ret_neighbours);

/* The next hop, IPv4 mapped, of a packet that has to leave by this device: a gateway, or the
 * destination itself.  nl: NETLINK_ROUTE.  0; -ENETUNREACH: no route by it; -errno. */
int courier_hop(struct nl *nl, uint32_t ifindex, const struct iphdr *ip, struct in6_addr *ret_hop);

/* packet: from the IP header on.  to: NULL where there are no neighbours' addresses.  fd: AF_PACKET,
 * SOCK_DGRAM.  0 or -errno; does not wait. */
int courier_transmit(int fd, uint32_t ifindex, const struct neigh *to, const void *packet,
		     size_t len);

#endif
