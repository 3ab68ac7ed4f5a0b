/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tc egress of LAN devices and links: learns from tagged packets how the stack sends them.  A packet
 * here has met the firewall, NAT, routing and its neighbour; if it leaves as its entry says, the
 * entry is good for another period.
 */
#ifndef ASYM_LEARN_H
#define ASYM_LEARN_H

#include "lib/flow.h"
#include "lib/hop.h"
#include "lib/seek.h"

/* The entry of a packet that leaves with the tuple f->in, or NULL. */
ASYM_INLINE struct asym_flow_state *find_stateless(int family, const struct flow *f,
						   __u32 *ret_head)
{
	struct asym_flow_state *e = entry_seek(family, f->in, f->udp, ret_head);

	return e && *ret_head & ASYM_FLOW_STATELESS ? e : NULL;
}

/* The answer's entry is found by the tuple; how answers leave tells how the packet arrived. */
ASYM_INLINE struct asym_flow_state *find_connection(int family, const struct flow *f,
						    __u32 *ret_head)
{
	int words = tuple_words(family);
	struct asym_flow_state *e, *peer;
	__be32 t[ASYM_TUPLE_MAX];

	asym_tuple_reverse(f->in, words, t);
	peer = entry_seek(family, t, f->udp, ret_head);
	if (!peer || !entry_is_current(peer, f->epoch))
		return NULL;
	asym_tuple_reverse(entry_out(peer, family), words, t);
	e = entry_seek(family, t, f->udp, ret_head);
	if (!e || !asym_tuple_equal(entry_out(e, family), f->in, words))
		return NULL;
	if (*ret_head & ASYM_FLOW_ORIGINAL &&
	    jiffies_since(peer->checked, f->now) >= asym_flow_period / 2)
		peer->size = 0; /* see flow_period() */
	return e;
}

ASYM_INLINE __u32 hop_of(struct __sk_buff *skb, __u32 l2_len, __u32 now)
{
	struct asym_hop hop = {
		.ifindex = skb->ifindex,
		.mark = skb->mark,
		.priority = skb->priority,
		.l2_len = l2_len,
	};
	void *data = (void *)(long)skb->data;

	if (l2_len) {
		if (data + ETH_HLEN > (void *)(long)skb->data_end)
			return 0;
		for (int i = 0; i < 3; i++)
			hop.mac[i] = ((__u32 *)data)[i];
	}
	return hop_number(&hop, now);
}

/* The common case, nothing but time has changed, writes two words. */
ASYM_INLINE void refresh(struct asym_flow_state *e, __u32 size, __u32 now)
{
	if (jiffies_since(e->checked, now) >= asym_flow_period || size > e->size)
		e->size = size;
	e->checked = now;
}

ASYM_INLINE bool write_way(struct asym_flow_state *e, __u32 head, __u32 arrival, __u32 hop,
			   __u32 size, __u32 now)
{
	if (!entry_lock(e, head))
		return false;
	if (head & ASYM_FLOW_SENT && e->hop != hop)
		hop_leave(e->hop, hop);
	e->arrival = arrival;
	e->hop = hop;
	e->size = size;
	e->checked = now;
	entry_unlock(e, head | ASYM_FLOW_SENT);
	return true;
}

ASYM_INLINE void set_clock(__u32 now)
{
	__u32 zero = 0;
	struct asym_clock *clock = bpf_map_lookup_elem(&asym_clock, &zero);

	if (!clock || clock->jiffies == now)
		return;
	clock->ns = bpf_ktime_get_coarse_ns();
	clock->jiffies = now;
}

/* kmod/ct_offload.c; not to be reached without asym_flow_lease. */
extern int asym_ct_renew(struct __sk_buff *skb, __u32 lease_s) __ksym __weak;

/* Conntrack knows that it misses packets of this connection until the lease is over, which is later than
 * any of them passes without a check. */
ASYM_INLINE bool is_handed_over(struct __sk_buff *skb, __u32 head)
{
	if (!asym_flow_lease || head & ASYM_FLOW_STATELESS)
		return true;
	return !asym_ct_renew(skb, asym_flow_lease);
}

ASYM_INLINE enum asym_reason learn_way(struct __sk_buff *skb, __u32 l2_len, const struct flow *f,
				       struct asym_flow_state *e, __u32 head)
{
	__u32 size = flow_size(skb, f), hop = hop_of(skb, l2_len, f->now);

	if (!hop)
		return ASYM_CACHE_FULL;
	if (!is_handed_over(skb, head))
		return ASYM_CACHE_UNFIT;
	if (head & ASYM_FLOW_SENT && e->hop == hop && e->arrival == skb->ingress_ifindex)
		refresh(e, size, f->now);
	else if (!write_way(e, head, skb->ingress_ifindex, hop, size, f->now))
		return ASYM_CACHE_FULL;
	set_clock(f->now);
	return ASYM_CACHE_SENT;
}

/* What came out of IPsec must not pass the cache: the next packet of its tuple may be a forgery in clear,
 * which the stack would refuse (net/ipv4/ip_forward.c, xfrm4_policy_check).  What goes into IPsec leaves
 * as another packet, so nothing of it is ever learned. */
ASYM_INLINE bool was_encrypted(struct __sk_buff *skb)
{
	struct bpf_xfrm_state state;

	return asym_has_xfrm && !bpf_skb_get_xfrm_state(skb, 0, &state, sizeof(state), 0);
}

/* Where others filter what arrives, they are to see all of it. */
ASYM_INLINE bool may_bypass(struct __sk_buff *skb, __u32 bank)
{
	struct asym_device_key key = {.bank = bank & 1, .ifindex = skb->ingress_ifindex};
	struct asym_device *device = bpf_map_lookup_elem(&asym_devices, &key);

	return device && device->fastpath != ASYM_FASTPATH_OFF;
}

ASYM_INLINE void learn_family(struct __sk_buff *skb, int family, __u32 l2_len)
{
	__u32 zero = 0;
	struct asym_control *control = bpf_map_lookup_elem(&asym_control, &zero);
	struct flow f = {.now = bpf_jiffies64()};
	struct asym_flow_state *e;
	__u32 head;

	if (!control || !flow_read(skb, family, l2_len, 1, &f) || was_encrypted(skb) ||
	    !may_bypass(skb, control->bank))
		return;
	f.epoch = control->epoch;
	e = find_stateless(family, &f, &head) ?: find_connection(family, &f, &head);
	if (e && entry_is_current(e, f.epoch))
		count_reason(learn_way(skb, l2_len, &f, e, head));
}

ASYM_INLINE int learn(struct __sk_buff *skb, __u32 l2_len)
{
	if (skb->tc_index != FLOW_TAG)
		return TC_ACT_UNSPEC;
	skb->tc_index = 0;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		learn_family(skb, ASYM_V4, l2_len);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		learn_family(skb, ASYM_V6, l2_len);
	return TC_ACT_UNSPEC;
}

#endif
