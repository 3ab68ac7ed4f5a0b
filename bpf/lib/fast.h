/* SPDX-License-Identifier: GPL-2.0-only */
/* The fast path: a packet whose entry allows it is rewritten and redirected. */
#ifndef ASYM_FAST_H
#define ASYM_FAST_H

#include "lib/rewrite.h"
#include "lib/scratch.h"

/* Copies the entry's orders.  FLOW_ODD when another CPU changed it meanwhile. */
ASYM_INLINE enum flow_verdict fast_copy(int family, struct asym_flow_state *e, __u32 head, struct rewrite *ret)
{
	__u32 hop = e->hop;

	for (int i = 0; i < tuple_words(family); i++)
		ret->out[i] = entry_out(e, family)[i];
	ret->diff = e->diff;
	read_barrier();
	if (ASYM_ONCE(e->head) != head)
		return FLOW_ODD;
	ret->hop = bpf_map_lookup_elem(&asym_hops, &hop);
	if (!ret->hop || !ret->hop->used)
		return FLOW_ODD;
	return ret->hop->left ? flow_shut(e, ASYM_CACHE_STALE) : FLOW_PASS;
}

ASYM_INLINE enum flow_verdict fast_look_up(struct __sk_buff *skb, int family, __u32 l2_len,
					   struct flow *f)
{
	struct asym_flow_state *e;
	enum flow_verdict verdict;
	struct rewrite r;
	__u32 head;

	f->hash = entry_hash(family, f->in, f->udp);
	e = entry_find(family, f->in, f->udp, f->hash, &head);
	if (!e)
		return FLOW_UNKNOWN;
	verdict = flow_judge(skb, f, e, head);
	if (verdict == FLOW_PASS)
		verdict = fast_copy(family, e, head, &r);
	if (verdict != FLOW_PASS)
		return verdict;
	if (!rewrite(skb, family, l2_len, f, &r))
		return FLOW_ODD;
	e->packets++;
	e->bytes += f->len;
	return FLOW_PASS;
}

/* SYN, FIN and RST end what the cache knows; segments without ACK are for conntrack to judge. */
ASYM_INLINE enum flow_verdict fast_tcp_flags(const struct flow *f)
{
	return f->tcp_flags & TCP_BOUNDARY ? FLOW_END : FLOW_ODD;
}

/* What the slow path has to know. */
ASYM_INLINE void fast_fail(const struct flow *f)
{
	struct scratch *s = scratch();

	if (!s)
		return;
	s->flow = *f;
	s->mode = SCRATCH_MODE_UNKNOWN;
}

ASYM_INLINE enum flow_verdict fast_family(struct __sk_buff *skb, int family, __u32 l2_len)
{
	__u32 zero = 0;
	struct asym_control *control = bpf_map_lookup_elem(&asym_control, &zero);
	struct flow f = {.now = bpf_jiffies64()};
	enum flow_verdict verdict;

	if (!control || !flow_read(skb, family, l2_len, 2, &f))
		return FLOW_ODD;
	f.epoch = control->epoch;
	if ((f.tcp_flags & (TCP_BOUNDARY | TCP_ACK)) == TCP_ACK)
		verdict = fast_look_up(skb, family, l2_len, &f);
	else
		verdict = fast_tcp_flags(&f);
	if (verdict != FLOW_PASS)
		fast_fail(&f);
	return verdict;
}

/* IPv6 apart: its addresses take half of a program's stack. */
__noinline int fast_v6_eth(struct __sk_buff *skb)
{
	return fast_family(skb, ASYM_V6, ETH_HLEN);
}

__noinline int fast_v6_ip(struct __sk_buff *skb)
{
	return fast_family(skb, ASYM_V6, 0);
}

/* Packets that somebody marked or tagged, and those with a VLAN tag (before they are the VLAN device's
 * own), are the stack's. */
ASYM_INLINE bool fast_admits(struct __sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST && !skb->mark && !skb->vlan_present && !skb->tc_index;
}

/* With FLOW_PASS the packet has been rewritten and the program returns TC_ACT_REDIRECT; else nothing
 * of it was written, and scratch's flow is filled unless the verdict is FLOW_ODD. */
ASYM_INLINE enum flow_verdict fast_path(struct __sk_buff *skb, __u32 l2_len)
{
	if (!fast_admits(skb))
		return FLOW_ODD;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return fast_family(skb, ASYM_V4, l2_len);
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return l2_len ? fast_v6_eth(skb) : fast_v6_ip(skb);
	return FLOW_ODD;
}

#endif
