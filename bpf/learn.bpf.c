// SPDX-License-Identifier: GPL-2.0-only
/*
 * tc egress of LAN devices and links: learns from tagged packets how the stack sends them.  A packet
 * here has met the firewall, NAT, routing and its neighbour; if it leaves as its entry says, the
 * entry is good for another period.
 */
#include "lib/flow.h"
#include "lib/hop.h"
#include "lib/seek.h"

/* The entry that a packet belongs to, which leaves with the tuple f->in, and its reverse. */
struct pair {
	struct asym_flow_state *entry, *peer; /* a stateless entry has none */
};

ASYM_INLINE bool find_stateless(int family, const struct flow *f, struct pair *ret)
{
	ret->entry = entry_seek(family, f->in, f->udp);
	ret->peer = NULL;
	return ret->entry && ret->entry->head & ASYM_FLOW_STATELESS;
}

/* The answer's entry is found by the tuple; how it leaves tells how the packet arrived. */
ASYM_INLINE bool find_pair(int family, const struct flow *f, struct pair *ret)
{
	int words = tuple_words(family);
	__be32 t[ASYM_TUPLE_MAX];

	asym_tuple_reverse(f->in, words, t);
	ret->peer = entry_seek(family, t, f->udp);
	if (!ret->peer || !entry_is_current(ret->peer, f->epoch))
		return false;
	asym_tuple_reverse(entry_out(ret->peer, family), words, t);
	ret->entry = entry_seek(family, t, f->udp);
	return ret->entry && asym_tuple_equal(entry_out(ret->entry, family), f->in, words);
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
		__builtin_memcpy(hop.mac, data, sizeof(hop.mac));
	}
	return hop_number(&hop, now);
}

/* The common case, nothing but time has changed, writes two words. */
ASYM_INLINE void refresh(struct asym_flow_state *e, __u32 size, __u32 now)
{
	if (now - e->checked >= asym_flow_period || size > e->size)
		e->size = size;
	e->checked = now;
}

ASYM_INLINE bool write_way(struct asym_flow_state *e, __u32 arrival, __u32 hop, __u32 size,
			   __u32 now)
{
	__u32 head;

	if (!entry_lock(e, &head))
		return false;
	e->arrival = arrival;
	e->hop = hop;
	e->size = size;
	e->checked = now;
	entry_unlock(e, head | ASYM_FLOW_SENT);
	return true;
}

ASYM_INLINE void set_flag(struct asym_flow_state *e, __u32 flag)
{
	__u32 head;

	if (entry_lock(e, &head))
		entry_unlock(e, head & ASYM_FLOW_LIVE ? head | flag : head);
}

/* Both directions have been sent on by now: packets may pass. */
ASYM_INLINE void join(const struct pair *p)
{
	if (ASYM_ONCE(p->entry->head) & ASYM_FLOW_PAIR)
		return;
	if (!p->peer) {
		set_flag(p->entry, ASYM_FLOW_PAIR);
	} else if (ASYM_ONCE(p->peer->head) & ASYM_FLOW_SENT) {
		set_flag(p->entry, ASYM_FLOW_PAIR);
		set_flag(p->peer, ASYM_FLOW_PAIR);
	}
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

ASYM_INLINE enum asym_reason learn_way(struct __sk_buff *skb, __u32 l2_len, const struct flow *f,
				       const struct pair *p)
{
	__u32 size = flow_size(skb, f), hop = hop_of(skb, l2_len, f->now);
	struct asym_flow_state *e = p->entry;

	if (!hop)
		return ASYM_CACHE_FULL;
	if (e->head & ASYM_FLOW_SENT && e->hop == hop && e->arrival == skb->ingress_ifindex)
		refresh(e, size, f->now);
	else if (!write_way(e, skb->ingress_ifindex, hop, size, f->now))
		return ASYM_CACHE_FULL;
	join(p);
	set_clock(f->now);
	return ASYM_CACHE_SENT;
}

ASYM_INLINE void learn_family(struct __sk_buff *skb, int family, __u32 l2_len)
{
	__u32 zero = 0;
	struct asym_control *control = bpf_map_lookup_elem(&asym_control, &zero);
	struct flow f = {.now = bpf_jiffies64()};
	struct pair p;

	if (!control || !flow_read(skb, family, l2_len, 1, &f))
		return;
	f.epoch = control->epoch;
	if (!find_stateless(family, &f, &p) && !find_pair(family, &f, &p))
		return;
	if (entry_is_current(p.entry, f.epoch))
		count_reason(learn_way(skb, l2_len, &f, &p));
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

SEC("tc")
int asym_learn_eth(struct __sk_buff *skb)
{
	return learn(skb, ETH_HLEN);
}

SEC("tc")
int asym_learn_ip(struct __sk_buff *skb)
{
	return learn(skb, 0);
}

char _license[] SEC("license") = "GPL";
