/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's frames and the addresses that belong to a flow number.
 *
 * Source ports never repeat towards one host, so what a NAT spends on resolving clashes of ports
 * is not measured.  02:..:01 is every device of the gateway, 02:..:02 every device beyond it.
 */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define MAGIC bpf_htonl(0x61737962)
#define PORT bpf_htons(4433)
#define PORTS 60000
#define FIRST_PORT 1024
#define CLIENTS 250
#define HOSTS 256

/* Two bytes of zero follow, which make the IPv4 frame one of 60 bytes. */
struct payload {
	__be32 magic;
	__be32 flow;
	__be32 zero[2];
};

#define UDP_SUMMED (sizeof(struct udphdr) + sizeof(struct payload))
#define UDP_LEN (UDP_SUMMED + 2)
#define FRAME4 (sizeof(struct ethhdr) + sizeof(struct iphdr) + UDP_LEN)
#define FRAME6 (sizeof(struct ethhdr) + sizeof(struct ipv6hdr) + UDP_LEN)

/* Pointers into a frame; one of v4 and v6 is set.  No packed struct: it costs byte-wise access. */
struct frame {
	struct ethhdr *eth; /* NULL on devices without link-layer header */
	struct iphdr *v4;
	struct ipv6hdr *v6;
	struct udphdr *udp;
	struct payload *data;
};

/* l2_len: ETH_HLEN, or 0 where the IP header comes first. */
static __always_inline bool frame_at(void *start, void *end, bool six, __u32 l2_len,
                                     struct frame *ret_frame)
{
	void *ip = start + l2_len;
	void *udp = ip + (six ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));

	if (udp + UDP_LEN > end)
		return false;
	*ret_frame = (struct frame){.eth = l2_len ? start : NULL,
	                            .v4 = six ? NULL : ip,
	                            .v6 = six ? ip : NULL,
	                            .udp = udp,
	                            .data = udp + sizeof(struct udphdr)};
	return true;
}

static __always_inline bool frame_is_ours(const struct frame *f)
{
	return (f->v6 ? f->v6->version == 6 : f->v4->version == 4) && f->data->magic == MAGIC;
}

static __always_inline __be32 client4(__u32 flow)
{
	return bpf_htonl(0x0a000002 + flow % CLIENTS); /* 10.0.0.2.. */
}

/* Other hosts when the ports are used up. */
static __always_inline __u32 host(__u32 flow)
{
	return (flow / PORTS % 256 << 8) + flow / CLIENTS % HOSTS;
}

static __always_inline __be32 host4(__u32 flow)
{
	return bpf_htonl(0xc6120000 + host(flow)); /* 198.18.0.0/16, RFC 2544 */
}

static __always_inline struct in6_addr client6(__u32 flow)
{
	struct in6_addr a = {};

	a.s6_addr32[0] = bpf_htonl(0xfd000000);
	a.s6_addr32[3] = bpf_htonl(2 + flow % CLIENTS); /* fd00::2.. */
	return a;
}

static __always_inline struct in6_addr host6(__u32 flow)
{
	struct in6_addr a = {};

	a.s6_addr32[0] = bpf_htonl(0x20010002); /* 2001:2::/48, RFC 5180 */
	a.s6_addr32[3] = bpf_htonl(host(flow));
	return a;
}

static __always_inline __be16 client_port(__u32 flow)
{
	return bpf_htons(FIRST_PORT + flow % PORTS);
}

static __always_inline bool same6(const struct in6_addr *a, const struct in6_addr *b)
{
	return a->s6_addr32[0] == b->s6_addr32[0] && a->s6_addr32[1] == b->s6_addr32[1] &&
	       a->s6_addr32[2] == b->s6_addr32[2] && a->s6_addr32[3] == b->s6_addr32[3];
}

static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline __u16 udp_sum(void *addresses, __u32 len, void *udp)
{
	__u32 sum = bpf_htons(IPPROTO_UDP) + bpf_htons(UDP_LEN);
	__u16 folded;

	sum = bpf_csum_diff(NULL, 0, addresses, len, sum);
	folded = fold(bpf_csum_diff(NULL, 0, udp, UDP_SUMMED, sum));
	return folded ? folded : 0xffff;
}

#endif
