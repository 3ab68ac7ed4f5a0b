/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet's headers into a struct asym_flow.  Headers are copied out, from the linear part where
 * they lie there (nearly always) and by helper where they do not; nothing is pulled or written.
 */
#ifndef ASYM_PARSE_H
#define ASYM_PARSE_H

#include "lib/packet.h"
#include "lib/select.h"

enum parse_result {
	PARSE_OK,
	PARSE_NOT_IP,
	PARSE_MALFORMED,
	PARSE_EXT_HEADER,
	PARSE_SCOPE, /* multicast, broadcast, link-local, loopback or no address */
};

/* Ports of the protocols that begin with them; the identifier of an ICMP echo stands in for the
 * source port, so that a ping keeps its link. */
ASYM_INLINE enum parse_result parse_ports(struct __sk_buff *skb, __u32 offset,
					  struct asym_flow *f)
{
	__be16 ports[2] = {};
	__be16 echo[4] = {}; /* type and code, checksum, identifier, sequence */

	if (asym_proto_has_ports(f->proto)) {
		if (parse_copy(skb, offset, ports, sizeof(ports)))
			return PARSE_MALFORMED;
		f->sport = bpf_ntohs(ports[0]);
		f->dport = bpf_ntohs(ports[1]);
		f->has_ports = true;
	} else if (f->proto == (f->family == ASYM_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)) {
		if (parse_copy(skb, offset, echo, sizeof(echo)))
			return PARSE_MALFORMED;
		if (bpf_ntohs(echo[0]) >> 8 == (f->family == ASYM_V4 ? 8 : 128))
			f->sport = bpf_ntohs(echo[2]);
	}
	return PARSE_OK;
}

ASYM_INLINE enum parse_result parse_v4(struct __sk_buff *skb, __u32 offset, struct asym_flow *f)
{
	struct iphdr ip;

	if (parse_copy(skb, offset, &ip, sizeof(ip)))
		return PARSE_MALFORMED;
	if (ip.version != 4 || ip.ihl < 5 || bpf_ntohs(ip.tot_len) < ip.ihl * 4 ||
	    offset + bpf_ntohs(ip.tot_len) > skb->len)
		return PARSE_MALFORMED;
	f->family = ASYM_V4;
	f->src = addr_from_v4(ip.saddr);
	f->dst = addr_from_v4(ip.daddr);
	f->proto = ip.protocol;
	f->dscp = ip.tos >> 2;
	if (scope_v4(ip.daddr))
		return PARSE_SCOPE;
	/* No fragment shows its ports, so that all fragments of a datagram choose alike. */
	if (ip.frag_off & bpf_htons(IP_FRAGMENT))
		return PARSE_OK;
	return parse_ports(skb, offset + ip.ihl * 4, f);
}

/* Hop-by-hop, routing, destination options, mobility, HIP, shim6 (IANA).  ESP and AH are protocols
 * to us, as in IPv4. */
ASYM_INLINE bool is_ext_header(__u8 next)
{
	return next == 0 || next == 43 || next == 60 || next == 135 || next == 139 || next == 140;
}

/* As with IPv4, no fragment shows its ports; all of them name the protocol (RFC 8200, 4.5). */
ASYM_INLINE enum parse_result parse_fragment(struct __sk_buff *skb, __u32 offset,
					     struct asym_flow *f)
{
	__u8 header[8];

	if (parse_copy(skb, offset, header, sizeof(header)))
		return PARSE_MALFORMED;
	f->proto = header[0];
	return is_ext_header(f->proto) ? PARSE_EXT_HEADER : PARSE_OK;
}

ASYM_INLINE enum parse_result parse_v6(struct __sk_buff *skb, __u32 offset, struct asym_flow *f)
{
	struct ipv6hdr ip;

	if (parse_copy(skb, offset, &ip, sizeof(ip)))
		return PARSE_MALFORMED;
	if (ip.version != 6)
		return PARSE_MALFORMED;
	/* A jumbogram or a GSO packet past 64 KiB says 0. */
	if (ip.payload_len && offset + sizeof(ip) + bpf_ntohs(ip.payload_len) > skb->len)
		return PARSE_MALFORMED;
	f->family = ASYM_V6;
	__builtin_memcpy(&f->src, &ip.saddr, sizeof(f->src));
	__builtin_memcpy(&f->dst, &ip.daddr, sizeof(f->dst));
	f->proto = ip.nexthdr;
	f->dscp = (ip.priority << 2) | (ip.flow_lbl[0] >> 6);
	if (scope_v6(&f->dst))
		return PARSE_SCOPE;
	if (is_ext_header(ip.nexthdr))
		return PARSE_EXT_HEADER;
	if (ip.nexthdr == IPPROTO_FRAGMENT)
		return parse_fragment(skb, offset + sizeof(ip), f);
	return parse_ports(skb, offset + sizeof(ip), f);
}

/* l2_len: 14 on Ethernet devices, 0 on devices without a link-layer header. */
ASYM_INLINE enum parse_result parse_flow(struct __sk_buff *skb, __u32 l2_len, struct asym_flow *f)
{
	f->ifindex = skb->ifindex;
	/* A VLAN's frames come by here, their tag off, before they are the VLAN device's own. */
	if (skb->vlan_present && skb->vlan_tci & VLAN_ID)
		return PARSE_NOT_IP;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return parse_v4(skb, l2_len, f);
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return parse_v6(skb, l2_len, f);
	return PARSE_NOT_IP;
}

#endif
