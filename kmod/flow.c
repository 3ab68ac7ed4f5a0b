// SPDX-License-Identifier: GPL-2.0-only
/*
 * A packet's headers into a struct asym_flow, by the rules of bpf/lib/parse.h: what BPF does not
 * choose for by its headers, we do not choose for either, and both see the same ports.  But a hook
 * sees what came before it: fragments put together, which show ports, and translated addresses.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <net/ip.h>
#include <net/netfilter/nf_tables.h>

#include "asymbpf.h"

/* The identifier of an ICMP echo stands in for the source port, so that a ping keeps its link. */
static bool flow_ports(const struct sk_buff *skb, int offset, struct asym_flow *f)
{
	bool v4 = f->family == ASYM_V4;
	__be16 buffer[4]; /* of an echo: type and code, checksum, identifier, sequence */
	const __be16 *h;

	if (asym_proto_has_ports(f->proto)) {
		h = skb_header_pointer(skb, offset, 2 * sizeof(*h), buffer);
		if (!h)
			return false;
		f->sport = ntohs(h[0]);
		f->dport = ntohs(h[1]);
	} else if (f->proto == (v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)) {
		h = skb_header_pointer(skb, offset, 4 * sizeof(*h), buffer);
		if (!h)
			return false;
		if (ntohs(h[0]) >> 8 == (v4 ? ICMP_ECHO : ICMPV6_ECHO_REQUEST))
			f->sport = ntohs(h[2]);
	}
	return true;
}

/* As scope_v4 of bpf/lib/packet.h. */
static bool scope_v4(__be32 dst)
{
	u32 a = ntohl(dst);

	return a >> 28 >= 0xe || a >> 24 == 127 || a >> 16 == 0xa9fe || a >> 24 == 0;
}

static bool flow_v4(const struct sk_buff *skb, int offset, struct asym_flow *f)
{
	struct iphdr buffer;
	const struct iphdr *ip = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);

	if (!ip || ip->version != 4 || ip->ihl < 5 || ntohs(ip->tot_len) < ip->ihl * 4 ||
	    offset + ntohs(ip->tot_len) > skb->len || scope_v4(ip->daddr))
		return false;
	f->family = ASYM_V4;
	f->src = (struct asym_addr){{0, 0, htonl(0xffff), ip->saddr}};
	f->dst = (struct asym_addr){{0, 0, htonl(0xffff), ip->daddr}};
	f->proto = ip->protocol;
	/* No fragment shows its ports, so that all fragments of a datagram choose alike. */
	return ip->frag_off & htons(IP_MF | IP_OFFSET) || flow_ports(skb, offset + ip->ihl * 4, f);
}

/* As scope_v6 of bpf/lib/packet.h. */
static bool scope_v6(const struct asym_addr *dst)
{
	u32 top = ntohl(dst->w[0]);

	if (top >> 24 == 0xff || top >> 22 == 0xfe80 >> 6)
		return true;
	return !(dst->w[0] | dst->w[1] | dst->w[2]) && ntohl(dst->w[3]) <= 1;
}

/* As is_ext_header of bpf/lib/parse.h. */
static bool is_ext_header(u8 next)
{
	return next == 0 || next == 43 || next == 60 || next == 135 || next == 139 || next == 140;
}

static bool flow_fragment(const struct sk_buff *skb, int offset, struct asym_flow *f)
{
	u8 buffer[8];
	const u8 *header = skb_header_pointer(skb, offset, sizeof(buffer), buffer);

	if (!header || is_ext_header(header[0]))
		return false;
	f->proto = header[0];
	return true;
}

static bool flow_v6(const struct sk_buff *skb, int offset, struct asym_flow *f)
{
	struct ipv6hdr buffer;
	const struct ipv6hdr *ip = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);

	/* A jumbogram or a GSO packet past 64 KiB says 0. */
	if (!ip || ip->version != 6 ||
	    (ip->payload_len && offset + sizeof(*ip) + ntohs(ip->payload_len) > skb->len))
		return false;
	f->family = ASYM_V6;
	memcpy(&f->src, &ip->saddr, sizeof(f->src));
	memcpy(&f->dst, &ip->daddr, sizeof(f->dst));
	f->proto = ip->nexthdr;
	if (scope_v6(&f->dst) || is_ext_header(ip->nexthdr))
		return false;
	if (ip->nexthdr == IPPROTO_FRAGMENT)
		return flow_fragment(skb, offset + sizeof(*ip), f);
	return flow_ports(skb, offset + sizeof(*ip), f);
}

bool asym_flow_of_packet(const struct nft_pktinfo *pkt, struct asym_flow *ret)
{
	int offset = skb_network_offset(pkt->skb);

	*ret = (struct asym_flow){};
	switch (nft_pf(pkt)) {
	case NFPROTO_IPV4:
		return flow_v4(pkt->skb, offset, ret);
	case NFPROTO_IPV6:
		return flow_v6(pkt->skb, offset, ret);
	default:
		return false;
	}
}
