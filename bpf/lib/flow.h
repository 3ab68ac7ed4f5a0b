/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet as the flow cache sees it: read without writing anything, looked up, and judged.  All that
 * is odd is left to the stack.
 */
#ifndef ASYM_FLOW_H
#define ASYM_FLOW_H

#include "lib/pace.h"

/* On a packet that `learn` is to look at, in skb->tc_index: "ay".  Others' values stay. */
#define FLOW_TAG 0x6179

/* TCP's flags, the 14th byte of the header (RFC 9293 section 3.1). */
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10
#define TCP_BOUNDARY (TCP_FIN | TCP_SYN | TCP_RST)

struct flow {
	__be32 in[ASYM_TUPLE_MAX];
	__u32 len;     /* from the IP header on as it says; padding may follow */
	__u32 headers; /* of these, the headers */
	__u32 hash;
	__u32 now;     /* jiffies */
	__u16 epoch;
	bool udp;
	__u8 tcp_flags;
};

/* l2_len: 14 or 0, a constant everywhere. */
ASYM_INLINE void *flow_ip(struct __sk_buff *skb, __u32 l2_len)
{
	return (void *)(long)skb->data + l2_len;
}

ASYM_INLINE int flow_ip_len(int family)
{
	return family == ASYM_V4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/* The data offset of TCP is in the upper half of the 13th byte of its header. */
ASYM_INLINE bool flow_read_ports(void *l4, void *end, int family, __u8 proto, struct flow *f)
{
	f->udp = proto == IPPROTO_UDP;
	if (f->udp) {
		if (l4 + sizeof(struct udphdr) > end)
			return false;
		f->headers = flow_ip_len(family) + sizeof(struct udphdr);
		f->tcp_flags = TCP_ACK; /* as ordinary as a segment with nothing but that */
	} else {
		if (proto != IPPROTO_TCP || l4 + sizeof(struct tcphdr) > end)
			return false;
		f->headers = flow_ip_len(family) + (*(__u8 *)(l4 + 12) >> 4) * 4;
		f->tcp_flags = *(__u8 *)(l4 + 13);
		if (f->headers < flow_ip_len(family) + sizeof(struct tcphdr))
			return false;
	}
	f->in[tuple_words(family) - 1] = *(__be32 *)l4;
	return f->len >= f->headers;
}

/* Nothing may follow what the IP header counts, but what pads a short frame. */
ASYM_INLINE bool flow_len_is_true(struct __sk_buff *skb, __u32 l2_len, const struct flow *f)
{
	__u32 len = l2_len + f->len;

	return len == skb->len || (len < skb->len && skb->len <= ETH_ZLEN);
}

ASYM_INLINE bool flow_read_v4(struct __sk_buff *skb, __u32 l2_len, __u8 min_ttl, struct flow *f)
{
	void *end = (void *)(long)skb->data_end;
	struct iphdr *ip = flow_ip(skb, l2_len);
	__be32 *addr = (__be32 *)&ip->saddr;

	if ((void *)(ip + 1) > end)
		return false;
	if (*(__u8 *)ip != 0x45 || ip->frag_off & bpf_htons(IP_FRAGMENT) || ip->ttl < min_ttl)
		return false;
	f->len = bpf_ntohs(ip->tot_len);
	if (!flow_len_is_true(skb, l2_len, f))
		return false;
	f->in[0] = addr[0];
	f->in[1] = addr[1];
	return flow_read_ports(ip + 1, end, ASYM_V4, ip->protocol, f);
}

ASYM_INLINE bool flow_read_v6(struct __sk_buff *skb, __u32 l2_len, __u8 min_ttl, struct flow *f)
{
	void *end = (void *)(long)skb->data_end;
	struct ipv6hdr *ip = flow_ip(skb, l2_len);
	__be32 *addr = (__be32 *)&ip->saddr;

	if ((void *)(ip + 1) > end)
		return false;
	if (*(__u8 *)ip >> 4 != 6 || ip->hop_limit < min_ttl || !ip->payload_len)
		return false;
	f->len = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	if (!flow_len_is_true(skb, l2_len, f))
		return false;
	for (int i = 0; i < 8; i++)
		f->in[i] = addr[i];
	return flow_read_ports(ip + 1, end, ASYM_V6, ip->nexthdr, f);
}

/* min_ttl: of a packet that may be forwarded 2, of one that was 1.  False: not for the cache. */
ASYM_INLINE bool flow_read(struct __sk_buff *skb, int family, __u32 l2_len, __u8 min_ttl,
			   struct flow *f)
{
	return family == ASYM_V4 ? flow_read_v4(skb, l2_len, min_ttl, f) :
				   flow_read_v6(skb, l2_len, min_ttl, f);
}

/* Bytes from the IP header on of the largest packet that this one is on the wire. */
ASYM_INLINE __u32 flow_size(struct __sk_buff *skb, const struct flow *f)
{
	return skb->gso_size ? f->headers + skb->gso_size : f->len;
}

/* What the cache says to a packet. */
enum flow_verdict {
	FLOW_ODD,     /* not for the cache */
	FLOW_END,     /* SYN, FIN or RST */
	FLOW_UNKNOWN, /* no entry, or one of another epoch */
	FLOW_SHOW,    /* to the stack first */
	FLOW_DOUBT,   /* likewise, and the stack has not sent on what it was shown: ask conntrack */
	FLOW_PASS,
};

ASYM_INLINE enum flow_verdict flow_show(enum asym_reason why)
{
	count_reason(why);
	return FLOW_SHOW;
}

/* No packet passes until the stack has sent on one. */
ASYM_INLINE enum flow_verdict flow_shut(struct asym_flow_state *e, enum asym_reason why)
{
	e->size = 0;
	return flow_show(why);
}

/* The opening direction is checked first, and then has the other one checked (learn.h): what
 * conntrack has forgotten it makes anew only from a packet of the opener. */
ASYM_INLINE __u32 flow_period(__u32 head)
{
	return head & ASYM_FLOW_ORIGINAL ? asym_flow_period - asym_flow_period / 4 : asym_flow_period;
}

ASYM_INLINE enum flow_verdict flow_judge(struct __sk_buff *skb, const struct flow *f,
					 struct asym_flow_state *e, __u32 head)
{
	__u32 age = jiffies_since(e->checked, f->now), size = e->size;

	if (!entry_is_current(e, f->epoch))
		return FLOW_UNKNOWN;
	if (!(head & ASYM_FLOW_SENT) || !size)
		return age < 2 * asym_flow_period ? FLOW_SHOW : FLOW_DOUBT;
	if (age >= flow_period(head) && pace_is_due(age, f->now))
		return flow_shut(e, ASYM_CACHE_STALE);
	if (e->arrival != skb->ifindex)
		return flow_show(ASYM_CACHE_ARRIVAL);
	if (f->len > size && flow_size(skb, f) > size)
		return flow_show(ASYM_CACHE_OVERSIZE);
	return FLOW_PASS;
}

#endif
