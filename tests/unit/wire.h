/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The far end of a veth pair, in a test's hands: frames that arrive there, and answers to them. */
#ifndef TESTS_UNIT_WIRE_H
#define TESTS_UNIT_WIRE_H

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WIRE_ROOM 2048

/* An Ethernet frame; ip, l4 and what follows point into data.  ip is NULL for what is not IP. */
struct frame {
	uint8_t data[WIRE_ROOM] __attribute__((aligned(4)));
	size_t len;
	struct ethhdr *eth;
	struct iphdr *ip;   /* NULL: none */
	struct ip6_hdr *ip6; /* NULL: none */
	uint8_t proto;
	uint8_t *l4;
	size_t l4_len;
};

/* eth is misaligned by two, so that all behind it is aligned. */
#define WIRE_SKEW 2

static inline void frame_parse(struct frame *f)
{
	uint8_t *l3 = f->data + WIRE_SKEW + ETH_HLEN;

	f->eth = (struct ethhdr *)(f->data + WIRE_SKEW);
	f->ip = NULL;
	f->ip6 = NULL;
	f->proto = 0;
	f->l4 = l3;
	if (f->eth->h_proto == htons(ETH_P_IP)) {
		f->ip = (struct iphdr *)l3;
		f->proto = f->ip->protocol;
		f->l4 = l3 + f->ip->ihl * 4;
		f->l4_len = ntohs(f->ip->tot_len) - f->ip->ihl * 4U;
	} else if (f->eth->h_proto == htons(ETH_P_IPV6)) {
		f->ip6 = (struct ip6_hdr *)l3;
		f->proto = f->ip6->ip6_nxt;
		f->l4 = l3 + sizeof(*f->ip6);
		f->l4_len = ntohs(f->ip6->ip6_plen);
	}
}

static inline int wire_open(const char *device)
{
	struct sockaddr_ll here = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				    .sll_ifindex = (int)if_nametoindex(device) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof(here))) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* The next frame that arrived there; false: there is none. */
static inline bool wire_read(int fd, struct frame *f)
{
	struct sockaddr_ll from;
	socklen_t from_len;
	ssize_t len;

	do {
		from_len = sizeof(from);
		len = recvfrom(fd, f->data + WIRE_SKEW, WIRE_ROOM - WIRE_SKEW, 0,
			       (struct sockaddr *)&from, &from_len);
	} while (len > 0 && from.sll_pkttype == PACKET_OUTGOING);
	if (len < ETH_HLEN)
		return false;
	f->len = (size_t)len;
	frame_parse(f);
	return true;
}

/* The same, but one that is on its way is waited for. */
static inline bool wire_read_soon(int fd, struct frame *f)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 5000) == 1 && wire_read(fd, f);
}

static inline uint32_t wire_sum(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *b = data;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
	return sum;
}

static inline uint16_t wire_fold(uint32_t sum)
{
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return htons((uint16_t)~sum);
}

static inline uint16_t *frame_sum_field(struct frame *f)
{
	switch (f->proto) {
	case IPPROTO_TCP:
		return (uint16_t *)(f->l4 + offsetof(struct tcphdr, check));
	case IPPROTO_UDP:
		return (uint16_t *)(f->l4 + offsetof(struct udphdr, check));
	}
	return (uint16_t *)(f->l4 + offsetof(struct icmphdr, checksum));
}

/* Lengths and checksums are set right from l4_len. */
static inline void frame_seal(struct frame *f)
{
	uint32_t sum = f->proto == IPPROTO_ICMP ? 0 : f->proto + (uint32_t)f->l4_len;
	uint16_t *field = frame_sum_field(f);

	f->len = (size_t)(f->l4 - (uint8_t *)f->eth) + f->l4_len;
	if (f->proto == IPPROTO_UDP)
		*(uint16_t *)(f->l4 + offsetof(struct udphdr, len)) = htons((uint16_t)f->l4_len);
	if (f->ip) {
		f->ip->tot_len = htons((uint16_t)(f->l4_len + f->ip->ihl * 4U));
		f->ip->check = 0;
		f->ip->check = wire_fold(wire_sum(0, f->ip, f->ip->ihl * 4U));
		if (f->proto != IPPROTO_ICMP)
			sum = wire_sum(sum, &f->ip->saddr, 8);
	} else {
		f->ip6->ip6_plen = htons((uint16_t)f->l4_len);
		sum = wire_sum(sum, &f->ip6->ip6_src, 32);
	}
	*field = 0;
	*field = wire_fold(wire_sum(sum, f->l4, f->l4_len));
}

static inline void swap_bytes(void *a, void *b, size_t len)
{
	uint8_t *x = a, *y = b;

	for (size_t i = 0; i < len; i++) {
		uint8_t byte = x[i];

		x[i] = y[i];
		y[i] = byte;
	}
}

/* The way back. */
static inline void frame_turn(struct frame *f)
{
	swap_bytes(f->eth->h_dest, f->eth->h_source, ETH_ALEN);
	if (f->eth->h_source[0] & 1)
		memcpy(f->eth->h_source, "\2\0\0\0\0\1", ETH_ALEN);
	if (f->ip)
		swap_bytes(&f->ip->saddr, &f->ip->daddr, sizeof(f->ip->saddr));
	if (f->ip6)
		swap_bytes(&f->ip6->ip6_src, &f->ip6->ip6_dst, sizeof(f->ip6->ip6_src));
	if (f->proto == IPPROTO_TCP || f->proto == IPPROTO_UDP)
		swap_bytes(f->l4, f->l4 + 2, 2);
}

/* The frame as the payload of an ICMP error about it, from its destination. */
static inline void frame_to_error(struct frame *f, uint8_t type, uint8_t code)
{
	size_t header = f->ip ? sizeof(*f->ip) : sizeof(*f->ip6), quoted = header + f->l4_len;
	uint8_t copy[WIRE_ROOM];

	memcpy(copy, f->l4 - header, quoted);
	frame_turn(f);
	f->proto = f->ip ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	if (f->ip)
		f->ip->protocol = IPPROTO_ICMP;
	else
		f->ip6->ip6_nxt = IPPROTO_ICMPV6;
	memset(f->l4, 0, sizeof(struct icmphdr));
	f->l4[0] = type;
	f->l4[1] = code;
	memcpy(f->l4 + sizeof(struct icmphdr), copy, quoted);
	f->l4_len = sizeof(struct icmphdr) + quoted;
}

static inline void wire_write(int fd, const struct frame *f)
{
	if (write(fd, f->eth, f->len) != (ssize_t)f->len)
		perror("wire_write");
}

#endif
