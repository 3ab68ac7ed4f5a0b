/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP packets of 256 flows from node a to node c, as they come out of a tunnel. */
#ifndef TESTS_BENCH_OVERLAY_PACKETS_H
#define TESTS_BENCH_OVERLAY_PACKETS_H

#include <arpa/inet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS 256
#define PACKET_MAX 1500

struct packets {
	size_t len;
	uint8_t data[PACKETS][PACKET_MAX];
};

static inline uint16_t packet_sum(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t) ~((sum & 0xffff) + (sum >> 16)));
}

static inline void packet_v4(uint8_t *data, size_t len)
{
	struct iphdr ip = {.version = 4,
			   .ihl = 5,
			   .ttl = 64,
			   .protocol = IPPROTO_UDP,
			   .tot_len = htons((uint16_t)len)};

	inet_pton(AF_INET, "10.77.0.1", &ip.saddr);
	inet_pton(AF_INET, "10.77.0.3", &ip.daddr);
	memcpy(data, &ip, sizeof(ip));
	ip.check = packet_sum(data);
	memcpy(data, &ip, sizeof(ip));
}

static inline void packet_v6(uint8_t *data, size_t len)
{
	struct ipv6hdr ip = {.version = 6,
			     .hop_limit = 64,
			     .nexthdr = IPPROTO_UDP,
			     .payload_len = htons((uint16_t)(len - sizeof(ip)))};

	inet_pton(AF_INET6, "fd77::1", &ip.saddr);
	inet_pton(AF_INET6, "fd77::3", &ip.daddr);
	memcpy(data, &ip, sizeof(ip));
}

/* The checksum of UDP is none of a router's business; conntrack would look at it. */
static inline struct packets *packets_new(bool v6, size_t len)
{
	struct packets *p = calloc(1, sizeof(*p));
	size_t header = v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);

	p->len = len;
	for (uint16_t i = 0; i < PACKETS; i++) {
		struct udphdr udp = {htons(1000 + i), htons(2000), htons((uint16_t)(len - header)),
				     0};

		if (v6)
			packet_v6(p->data[i], len);
		else
			packet_v4(p->data[i], len);
		memcpy(p->data[i] + header, &udp, sizeof(udp));
	}
	return p;
}

#endif
