/* SPDX-License-Identifier: GPL-2.0-only */
/* What the overlay's programs look at in a packet. */
#ifndef ASYM_OVERLAY_PACKET_H
#define ASYM_OVERLAY_PACKET_H

#include "lib/overlay_maps.h"
#include "lib/packet.h"

struct ov_packet {
	struct ov_flow_key flow;
	__u32 len;     /* from the IP header on */
	__u32 headers; /* IP and transport */
	bool ack;      /* TCP, nothing but an acknowledgement */
};

/* The flags of the 13th byte, RFC 9293 section 3.1, that take a sequence number or end all. */
#define OV_TCP_FLAGS 13
#define OV_TCP_FIN_SYN_RST 0x07

ASYM_INLINE void ov_read_tcp(struct __sk_buff *skb, __u32 offset, struct ov_packet *p)
{
	__u8 tcp[OV_TCP_FLAGS + 1];

	if (parse_copy(skb, offset, tcp, sizeof(tcp)))
		return;
	__builtin_memcpy(&p->flow.sport, tcp, 4);
	p->headers += tcp[12] >> 4 << 2;
	p->ack = !(tcp[OV_TCP_FLAGS] & OV_TCP_FIN_SYN_RST) && p->headers == p->len;
}

/* What ends too soon has no ports. */
ASYM_INLINE void ov_read_transport(struct __sk_buff *skb, __u32 offset, struct ov_packet *p)
{
	if (p->flow.proto == IPPROTO_TCP) {
		ov_read_tcp(skb, offset, p);
	} else if (p->flow.proto == IPPROTO_UDP) {
		if (!parse_copy(skb, offset, &p->flow.sport, 4))
			p->headers += sizeof(struct udphdr);
	}
}

/* No fragment shows its ports, so that all fragments of a datagram go the same way. */
ASYM_INLINE bool ov_read_v4(struct __sk_buff *skb, __u32 l2_len, struct ov_packet *p)
{
	struct iphdr ip;

	if (parse_copy(skb, l2_len, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5 ||
	    scope_v4(ip.daddr))
		return false;
	p->flow.src = addr_from_v4(ip.saddr);
	p->flow.dst = addr_from_v4(ip.daddr);
	p->flow.proto = ip.protocol;
	p->headers = ip.ihl * 4;
	if (!(ip.frag_off & bpf_htons(IP_FRAGMENT)))
		ov_read_transport(skb, l2_len + ip.ihl * 4, p);
	return true;
}

/* Behind extension headers nothing is looked for. */
ASYM_INLINE bool ov_read_v6(struct __sk_buff *skb, __u32 l2_len, struct ov_packet *p)
{
	struct ipv6hdr ip;

	if (parse_copy(skb, l2_len, &ip, sizeof(ip)) || ip.version != 6)
		return false;
	__builtin_memcpy(&p->flow.src, &ip.saddr, sizeof(p->flow.src));
	__builtin_memcpy(&p->flow.dst, &ip.daddr, sizeof(p->flow.dst));
	if (scope_v6(&p->flow.dst))
		return false;
	p->flow.proto = ip.nexthdr;
	p->headers = sizeof(ip);
	ov_read_transport(skb, l2_len + sizeof(ip), p);
	return true;
}

/* ret: zeroed.  False: not IP, no header, or for no node whatever the prefixes say. */
ASYM_INLINE bool ov_read(struct __sk_buff *skb, __u32 l2_len, struct ov_packet *ret)
{
	ret->len = skb->len - l2_len;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return ov_read_v4(skb, l2_len, ret);
	return skb->protocol == bpf_htons(ETH_P_IPV6) && ov_read_v6(skb, l2_len, ret);
}

ASYM_INLINE const struct ov_prefix *ov_prefix_of(const struct asym_addr *dst)
{
	struct ov_prefix_key key = {.prefixlen = 128, .addr = *dst};
	const struct ov_prefix *p = bpf_map_lookup_elem(&ov_prefixes, &key);

	return p && p->node < OV_NODES ? p : NULL;
}

/* How many packets a GSO packet becomes, each with all headers. */
ASYM_INLINE struct ov_traffic ov_on_wire(struct __sk_buff *skb, const struct ov_packet *p)
{
	__u32 segment = skb->gso_size;
	__u64 segments = 1;

	if (segment && p->len > p->headers)
		segments = (p->len - p->headers + segment - 1) / segment;
	return (struct ov_traffic){segments, p->len + (segments - 1) * p->headers};
}

#endif
