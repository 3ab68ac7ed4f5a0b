/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The overlay's two programs, for packets that begin l2_len bytes into the buffer (tests have
 * Ethernet headers, tunnels have none).  Tests also replace the clock and note where packets go.
 */
#ifndef ASYM_OVERLAY_H
#define ASYM_OVERLAY_H

#include "lib/overlay_flow.h"

#ifndef OV_NOW
#define OV_NOW bpf_ktime_get_ns
#define OV_REDIRECT bpf_redirect
#endif

/* RFC 8200 section 5: what passes every tunnel. */
#define OV_LEAST_MTU 1280

ASYM_INLINE const struct ov_config *ov_configuration(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ov_config, &zero);
}

ASYM_INLINE __u32 ov_mark_values(const struct ov_config *c)
{
	return c->mark_mask >> (c->mark_shift & 31);
}

/* By a register: clang 14 would write the one byte that changes, which Linux does not let pass. */
ASYM_INLINE void ov_set_mark(struct __sk_buff *skb, __u32 mark)
{
	asm volatile("" : "+r"(mark));
	skb->mark = mark;
}

/* -------- out */

ASYM_INLINE void ov_count_way(const struct ov_sending *s, __u32 way, const struct ov_traffic *sent)
{
	__u32 key = s->index * OV_WAYS + way;
	struct ov_traffic *sum = bpf_map_lookup_elem(&ov_ways, &key);

	if (!sum)
		return;
	sum->packets += sent->packets;
	sum->bytes += sent->bytes;
}

ASYM_INLINE int ov_send(struct __sk_buff *skb, const struct ov_sending *s, __u32 way)
{
	struct ov_traffic sent = ov_on_wire(skb, &s->packet);
	const struct ov_way *w = ov_way_at(s->node, way);

	ov_count_way(s, way % OV_WAYS, &sent);
	if (w->metered)
		ov_charge(s->node, s->index, sent.bytes, s->now);
	return OV_REDIRECT(w->ifindex, 0);
}

/* A way that is not there must not be mistaken for another one. */
ASYM_INLINE int ov_force(struct __sk_buff *skb, const struct ov_sending *s, __u32 way)
{
	if (way >= s->node->n_ways || !ov_way_at(s->node, way)->ifindex) {
		ov_count(OV_OUT_UNKNOWN);
		return TC_ACT_SHOT;
	}
	ov_set_mark(skb, skb->mark & ~s->config->mark_mask);
	ov_count(OV_OUT_FORCED);
	return ov_send(skb, s, way);
}

ASYM_INLINE int ov_choose(struct __sk_buff *skb, struct ov_sending *s)
{
	__u32 way = 0;

	s->slot = ov_slot(&s->packet.flow);
	if (s->node->n_ways > 1)
		way = ov_flow_way(s);
	if (!ov_way_at(s->node, way)->ifindex) {
		ov_count(OV_OUT_UNKNOWN);
		return TC_ACT_UNSPEC;
	}
	ov_count(OV_OUT);
	return ov_send(skb, s, way);
}

ASYM_INLINE int ov_to_node(struct __sk_buff *skb, struct ov_sending *s, __u32 forced)
{
	const struct ov_prefix *p = ov_prefix_of(&s->packet.flow.dst);

	s->index = p ? p->node : 0;
	s->node = p ? bpf_map_lookup_elem(&ov_nodes, &s->index) : NULL;
	/* this node itself has none */
	if (!s->node || !s->node->n_ways) {
		ov_count(OV_OUT_UNKNOWN);
		return TC_ACT_UNSPEC;
	}
	s->now = OV_NOW();
	return forced ? ov_force(skb, s, forced - 1) : ov_choose(skb, s);
}

ASYM_INLINE int ov_out(struct __sk_buff *skb, __u32 l2_len)
{
	struct ov_sending s = {.skb = skb, .l2_len = l2_len, .config = ov_configuration()};
	__u32 forced;

	if (!s.config)
		return TC_ACT_UNSPEC;
	forced = (skb->mark & s.config->mark_mask) >> (s.config->mark_shift & 31);
	if (forced && forced == ov_mark_values(s.config)) {
		ov_count(OV_OUT_LOOP);
		return TC_ACT_SHOT;
	}
	if (!ov_read(skb, l2_len, &s.packet)) {
		ov_count(OV_OUT_UNKNOWN);
		return TC_ACT_UNSPEC;
	}
	return ov_to_node(skb, &s, forced);
}

/* -------- in */

enum ov_header { OV_HEADER_NONE, OV_HEADER_V4, OV_HEADER_V6 };

/* Where the packet goes, as far as it goes by the maps. */
struct ov_arrival {
	struct asym_addr dst;
	enum ov_header header;
	__u8 ttl;
};

/* The IP header in the linear part, or NULL. */
ASYM_INLINE void *ov_header(struct __sk_buff *skb, __u32 l2_len, __u32 size)
{
	void *ip = (void *)(long)skb->data + l2_len;

	if (ip + size <= (void *)(long)skb->data_end)
		return ip;
	if (bpf_skb_pull_data(skb, l2_len + size))
		return NULL;
	ip = (void *)(long)skb->data + l2_len;
	return ip + size <= (void *)(long)skb->data_end ? ip : NULL;
}

ASYM_INLINE void ov_arrive_v4(struct __sk_buff *skb, __u32 l2_len, struct ov_arrival *a)
{
	struct iphdr *ip = ov_header(skb, l2_len, sizeof(*ip));

	if (!ip || ip->version != 4 || ip->ihl < 5 || scope_v4(ip->daddr))
		return;
	a->dst = addr_from_v4(ip->daddr);
	a->ttl = ip->ttl;
	a->header = OV_HEADER_V4;
}

ASYM_INLINE void ov_arrive_v6(struct __sk_buff *skb, __u32 l2_len, struct ov_arrival *a)
{
	struct ipv6hdr *ip = ov_header(skb, l2_len, sizeof(*ip));

	if (!ip || ip->version != 6)
		return;
	__builtin_memcpy(&a->dst, &ip->daddr, sizeof(a->dst));
	a->ttl = ip->hop_limit;
	a->header = scope_v6(&a->dst) ? OV_HEADER_NONE : OV_HEADER_V6;
}

/* One hop less.  With CHECKSUM_COMPLETE the sum of all bytes follows: IPv4's header makes up for
 * itself. */
ASYM_INLINE bool ov_lower_ttl(struct __sk_buff *skb, __u32 l2_len, enum ov_header header)
{
	struct iphdr *v4;
	struct ipv6hdr *v6;
	__u32 check;

	if (header == OV_HEADER_V4) {
		v4 = ov_header(skb, l2_len, sizeof(*v4));
		if (!v4)
			return false;
		/* RFC 1141: one off the upper byte of a word is one more there in the sum */
		check = v4->check + bpf_htons(0x0100);
		v4->check = check + (check >= 0xffff);
		v4->ttl--;
		return true;
	}
	v6 = ov_header(skb, l2_len, sizeof(*v6));
	if (!v6)
		return false;
	v6->hop_limit--;
	bpf_csum_update(skb, (__u16)~bpf_htons(1));
	return true;
}

/* Segments of a GSO packet are what counts; no look at what surely fits. */
ASYM_INLINE bool ov_fits(struct __sk_buff *skb, __u32 l2_len, __u32 ifindex)
{
	__u32 mtu = 0;

	if (skb->len - l2_len <= OV_LEAST_MTU)
		return true;
	return !bpf_check_mtu(skb, ifindex, &mtu, -(__s32)l2_len, l2_len ? 0 : BPF_MTU_CHK_SEGS);
}

/* A tunnel's own mark makes sure that the stack, which may have a route by the overlay device, does
 * not send it round in circles. */
ASYM_INLINE enum ov_reason ov_strand(struct __sk_buff *skb)
{
	const struct ov_config *c = ov_configuration();

	if (c)
		ov_set_mark(skb, skb->mark | c->mark_mask);
	return OV_IN_UNKNOWN;
}

ASYM_INLINE enum ov_reason ov_transit(struct __sk_buff *skb, __u32 l2_len,
				      const struct ov_arrival *a, __u32 node, __u32 *ret_ifindex)
{
	const struct ov_node *n = bpf_map_lookup_elem(&ov_nodes, &node);
	__u32 direct = n ? n->direct : 0;

	if (!direct || direct == skb->ifindex)
		return ov_strand(skb);
	if (a->ttl <= 1)
		return OV_IN_TTL;
	if (!ov_fits(skb, l2_len, direct))
		return OV_IN_BIG;
	if (!ov_lower_ttl(skb, l2_len, a->header))
		return OV_IN_UNKNOWN;
	*ret_ifindex = direct;
	return OV_IN_TRANSIT;
}

ASYM_INLINE enum ov_reason ov_arrive(struct __sk_buff *skb, __u32 l2_len, __u32 *ret_ifindex)
{
	struct ov_arrival a = {};
	const struct ov_prefix *p;

	if (skb->protocol == bpf_htons(ETH_P_IP))
		ov_arrive_v4(skb, l2_len, &a);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		ov_arrive_v6(skb, l2_len, &a);
	p = a.header ? ov_prefix_of(&a.dst) : NULL;
	if (!p)
		return OV_IN_UNKNOWN;
	return p->self ? OV_IN_LOCAL : ov_transit(skb, l2_len, &a, p->node, ret_ifindex);
}

/* What only the stack can answer arrives on the overlay device, too: by the tunnel, a strict
 * reverse path filter would drop it unanswered. */
ASYM_INLINE int ov_in(struct __sk_buff *skb, __u32 l2_len)
{
	const struct ov_config *c = ov_configuration();
	__u32 ifindex = 0;
	enum ov_reason reason;

	if (!c || !c->overlay)
		return TC_ACT_UNSPEC;
	reason = ov_arrive(skb, l2_len, &ifindex);
	ov_count(reason);
	if (reason == OV_IN_TRANSIT)
		return OV_REDIRECT(ifindex, 0);
	return reason == OV_IN_UNKNOWN ? TC_ACT_UNSPEC : OV_REDIRECT(c->overlay, BPF_F_INGRESS);
}

#endif
