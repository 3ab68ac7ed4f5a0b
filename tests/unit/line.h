/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The far end of a cable, played by the test: sees frames, answers ARP.  In a namespace of netns.h. */
#ifndef TESTS_UNIT_LINE_H
#define TESTS_UNIT_LINE_H

#include "base/defs.h"
#include "tests/unit/netns.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

struct line {
	int fd;
	uint8_t mac[ETH_ALEN]; /* what ARP is answered with */
	uint32_t answers;      /* for this address, network byte order; 0: none */
	size_t asked;	       /* ARP requests */
	size_t n;	       /* IPv4 packets to port 67 */
	uint8_t frame[2048];   /* the last of these */
	size_t len;
};

static inline struct line line_open(const char *device)
{
	struct line l = { .fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
			  .mac = { 2, 0, 0, 0, 0, 9 } };
	struct sockaddr_ll here = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				    .sll_ifindex = (int)if_nametoindex(device) };

	assert_true(l.fd >= 0 && here.sll_ifindex);
	assert_int_equal(bind(l.fd, (struct sockaddr *)&here, sizeof(here)), 0);
	return l;
}

static inline const struct ethhdr *line_eth(const struct line *l)
{
	return (const struct ethhdr *)l->frame;
}

static inline const struct iphdr *line_ip(const struct line *l)
{
	return (const struct iphdr *)(l->frame + ETH_HLEN);
}

static inline const struct udphdr *line_udp(const struct line *l)
{
	return (const struct udphdr *)(l->frame + ETH_HLEN + sizeof(struct iphdr));
}

static inline void line_arp(struct line *l, uint8_t *frame)
{
	struct ethhdr *eth = (struct ethhdr *)frame;
	struct arphdr *arp = (struct arphdr *)(eth + 1);
	uint8_t *sender = (uint8_t *)(arp + 1), *target = sender + ETH_ALEN + 4, swapped[4];

	if (arp->ar_op != htons(ARPOP_REQUEST))
		return;
	l->asked++;
	if (!l->answers || memcmp(target + ETH_ALEN, &l->answers, 4))
		return;
	arp->ar_op = htons(ARPOP_REPLY);
	memcpy(swapped, sender + ETH_ALEN, 4);
	memcpy(target, sender, ETH_ALEN);
	memcpy(eth->h_dest, sender, ETH_ALEN);
	memcpy(sender + ETH_ALEN, target + ETH_ALEN, 4);
	memcpy(target + ETH_ALEN, swapped, 4);
	memcpy(sender, l->mac, ETH_ALEN);
	memcpy(eth->h_source, l->mac, ETH_ALEN);
	assert_int_equal(send(l->fd, frame, 42, 0), 42);
}

/* Takes what has arrived. */
static inline bool line_look(struct line *l)
{
	uint8_t frame[2048] __attribute__((aligned(4)));
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(l->fd, frame, sizeof(frame), 0, (void *)&from, &size)) > 0) {
		const struct ethhdr *eth = (const struct ethhdr *)frame;
		const struct iphdr *ip = (const struct iphdr *)(eth + 1);
		const struct udphdr *udp = (const struct udphdr *)(ip + 1);

		if (from.sll_pkttype == PACKET_OUTGOING)
			continue;
		if (n >= 42 && eth->h_proto == htons(ETH_P_ARP))
			line_arp(l, frame);
		if (n < 42 || eth->h_proto != htons(ETH_P_IP) || ip->protocol != IPPROTO_UDP ||
		    udp->dest != htons(67))
			continue;
		l->n++;
		l->len = n;
		memcpy(l->frame, frame, n);
	}
	return true;
}

#endif
