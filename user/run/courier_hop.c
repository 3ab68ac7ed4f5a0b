// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/courier_hop.h"

#include "nl/lookup.h"
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int courier_examine(int fd, uint32_t ifindex, bool *ret_neighbours)
{
	struct ifreq ifr = { .ifr_ifindex = (int)ifindex };

	if (ioctl(fd, SIOCGIFNAME, &ifr) || ioctl(fd, SIOCGIFFLAGS, &ifr))
		return -errno;
	if (!(ifr.ifr_flags & IFF_UP) || !(ifr.ifr_flags & IFF_RUNNING))
		return -ENETDOWN;
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		return -errno;
	*ret_neighbours = ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER;
	return 0;
}

static int route(struct nl *nl, const struct lookup *l, struct in6_addr *ret_hop)
{
	struct route found;
	int r = lookup_route(nl, l, &found);

	if (r)
		return r;
	if (!found.table || found.ifindex != l->oif)
		return -ENETUNREACH;
	*ret_hop = addr_is_zero(&found.gateway) ? l->dst : found.gateway;
	return 0;
}

/* The kernel looks nothing up for a source that no device has. */
int courier_hop(struct nl *nl, uint32_t ifindex, const struct iphdr *ip, struct in6_addr *ret_hop)
{
	struct lookup l = { .src = addr_from_wire(AF_INET, &ip->saddr),
			    .dst = addr_from_wire(AF_INET, &ip->daddr), .oif = ifindex };
	int r = route(nl, &l, ret_hop);

	if (r == -EINVAL || r == -ENETUNREACH) {
		l.src = in6addr_any;
		r = route(nl, &l, ret_hop);
	}
	return r == -EHOSTUNREACH || r == -EINVAL || r == -EACCES ? -ENETUNREACH : r;
}

int courier_transmit(int fd, uint32_t ifindex, const struct neigh *to, const void *packet,
		     size_t len)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
				  .sll_ifindex = (int)ifindex };

	if (to) {
		ll.sll_halen = to->mac_len;
		memcpy(ll.sll_addr, to->mac, to->mac_len);
	}
	if (sendto(fd, packet, len, MSG_DONTWAIT, (const struct sockaddr *)&ll, sizeof(ll)) < 0)
		return -errno;
	return 0;
}
