/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking a flow into the cache: what conntrack knows of it becomes a pair of entries. */
#ifndef ASYM_CACHE_H
#define ASYM_CACHE_H

#include "lib/choose.h"
#include "lib/scratch.h"

/* Whether the cache holds this already, both ways. */
ASYM_INLINE bool cache_has(int family, const struct flow *f, const struct connection *c)
{
	int words = tuple_words(family);
	struct asym_flow_state *e, *peer;
	__be32 back[ASYM_TUPLE_MAX];
	__u32 head;

	e = entry_seek(family, f->in, f->udp, &head);
	if (!e || !entry_is_current(e, f->epoch) || head & ASYM_FLOW_STATELESS ||
	    !asym_tuple_equal(entry_out(e, family), c->out, words))
		return false;
	peer = entry_seek(family, c->answer, f->udp, &head);
	asym_tuple_reverse(f->in, words, back);
	return peer && entry_is_current(peer, f->epoch) &&
	       asym_tuple_equal(entry_out(peer, family), back, words);
}

ASYM_INLINE bool cache_write_pair(int family, const struct flow *f, const struct connection *c,
				  struct entry_spec *spec)
{
	int words = tuple_words(family);

	spec->flags = entry_kind(f->udp) | (c->reply ? 0 : ASYM_FLOW_ORIGINAL);
	copy_words(spec->out, c->out, words);
	if (!entry_write(family, spec))
		return false;
	spec->flags ^= ASYM_FLOW_ORIGINAL;
	copy_words(spec->walk.in, c->answer, words);
	asym_tuple_reverse(f->in, words, spec->out);
	return entry_write(family, spec);
}

ASYM_INLINE void cache_spec(int family, const struct flow *f, struct entry_spec *ret)
{
	copy_words(ret->walk.in, f->in, tuple_words(family));
	ret->walk.udp = f->udp;
	ret->walk.now = f->now;
	ret->walk.epoch = f->epoch;
}

ASYM_INLINE void cache_count(struct __sk_buff *skb, int family, const struct flow *f, bool written)
{
	count_reason(written ? ASYM_CACHE_NEW : ASYM_CACHE_FULL);
	if (written)
		skb->tc_index = FLOW_TAG;
	else
		entry_drop(family, f->in, f->udp);
}

ASYM_INLINE enum asym_fastpath link_fastpath(__u32 bank, __u32 id)
{
	__u32 slot = bank * ASYM_LINK_IDS + (id & (ASYM_LINK_IDS - 1));
	struct asym_link *link = bpf_map_lookup_elem(&asym_links, &slot);

	return link ? link->fastpath : ASYM_FASTPATH_OFF;
}

ASYM_INLINE bool cache_fits(struct __sk_buff *skb, int family, struct scratch *s)
{
	struct connection *c = &s->connection;

	if (!connection_look_up(skb, s->flow.in, tuple_words(family), s->flow.udp, c))
		return false;
	s->spec.link = (c->mark & s->config.mark_mask) >> (s->config.mark_shift & 31);
	return link_fastpath(s->bank, s->spec.link) != ASYM_FASTPATH_OFF;
}

ASYM_INLINE void cache_connection(struct __sk_buff *skb, int family, struct scratch *s)
{
	const struct connection *c = &s->connection;
	const struct flow *f = &s->flow;

	if (!cache_fits(skb, family, s)) {
		count_reason(ASYM_CACHE_UNFIT);
		entry_drop(family, f->in, f->udp);
		return;
	}
	if (cache_has(family, f, c))
		return;
	cache_spec(family, f, &s->spec);
	cache_count(skb, family, f, cache_write_pair(family, f, c, &s->spec));
}

/* One direction, not translated. */
ASYM_INLINE void cache_stateless(struct __sk_buff *skb, int family, struct scratch *s)
{
	cache_spec(family, &s->flow, &s->spec);
	copy_words(s->spec.out, s->flow.in, tuple_words(family));
	s->spec.flags = entry_kind(s->flow.udp) | ASYM_FLOW_ORIGINAL | ASYM_FLOW_STATELESS;
	s->spec.link = 0;
	cache_count(skb, family, &s->flow, entry_write(family, &s->spec));
}

ASYM_INLINE int cache_family(struct __sk_buff *skb, int family)
{
	struct scratch *s = scratch();

	if (!s)
		return -1;
	if (s->mode == ASYM_FASTPATH_STATELESS)
		cache_stateless(skb, family, s);
	else
		cache_connection(skb, family, s);
	return 0;
}

/* Functions of their own: verified once (even if nobody calls them), and off the caller's stack. */
__noinline int cache_v4(struct __sk_buff *skb)
{
	return asym_has_ct ? cache_family(skb, ASYM_V4) : 0;
}

__noinline int cache_v6(struct __sk_buff *skb)
{
	return asym_has_ct ? cache_family(skb, ASYM_V6) : 0;
}

ASYM_INLINE int return_family(struct __sk_buff *skb, int family)
{
	struct scratch *s = scratch();

	if (s)
		connection_return(skb, s->flow.in, tuple_words(family), s->flow.udp);
	return 0;
}

/* Likewise; before conntrack sees how the connection ends. */
__noinline int return_v4(struct __sk_buff *skb)
{
	return asym_flow_lease ? return_family(skb, ASYM_V4) : 0;
}

__noinline int return_v6(struct __sk_buff *skb)
{
	return asym_flow_lease ? return_family(skb, ASYM_V6) : 0;
}

/* What a rule or device says about the flow at hand. */
ASYM_INLINE void cache_allow(const struct choice *c, enum asym_fastpath mode)
{
	struct scratch *s = scratch();

	if (!s)
		return;
	s->config = *c->config;
	s->bank = c->bank;
	s->mode = mode;
}

ASYM_INLINE bool cache_drop(struct __sk_buff *skb, const struct flow *f)
{
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return entry_drop(ASYM_V4, f->in, f->udp);
	return entry_drop(ASYM_V6, f->in, f->udp);
}

ASYM_INLINE void cache_end(struct __sk_buff *skb, const struct flow *f)
{
	if (!cache_drop(skb, f))
		return;
	count_reason(ASYM_CACHE_CLOSED);
	if (asym_flow_lease)
		skb->protocol == bpf_htons(ETH_P_IP) ? return_v4(skb) : return_v6(skb);
}

/* An entry that a rule forbids was made for packets of the other direction, by another rule. */
ASYM_INLINE void cache_show(struct __sk_buff *skb, const struct scratch *s)
{
	if (s->mode == ASYM_FASTPATH_OFF)
		cache_drop(skb, &s->flow);
	else
		skb->tc_index = FLOW_TAG;
}

ASYM_INLINE bool cache_wants(const struct scratch *s)
{
	return (s->mode == ASYM_FASTPATH_ON || s->mode == ASYM_FASTPATH_STATELESS) &&
	       pace_may_ask(s->flow.now);
}

/* A packet that fast_path() did not send, verdict as it gave it. */
ASYM_INLINE void cache_flow(struct __sk_buff *skb, enum flow_verdict verdict)
{
	struct scratch *s = scratch();

	if (skb->tc_index == FLOW_TAG)
		skb->tc_index = 0; /* not ours: tags do not come in from outside */
	if (!s || verdict == FLOW_ODD || verdict == FLOW_PASS)
		return;
	if (verdict == FLOW_END)
		cache_end(skb, &s->flow);
	if (verdict == FLOW_SHOW || verdict == FLOW_DOUBT)
		cache_show(skb, s);
	if ((verdict == FLOW_UNKNOWN || verdict == FLOW_DOUBT) && cache_wants(s))
		skb->protocol == bpf_htons(ETH_P_IP) ? cache_v4(skb) : cache_v6(skb);
}

#endif
