/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which way a packet of ours goes: that of its flow, which moves only where it cannot overtake
 * itself: off a dead way, to a slower one, and anywhere after a silence.
 */
#ifndef ASYM_OVERLAY_FLOW_H
#define ASYM_OVERLAY_FLOW_H

#include "lib/overlay_budget.h"
#include "lib/overlay_class.h"
#include "lib/overlay_packet.h"

#define OV_SECOND 1000000000ull
/* Of a second: more is no ping, no speech and no typing. */
#define OV_SMALL_BYTES 32768
#define OV_RATE_MAX_MS (1u << 20) /* of a silence, more changes nothing */

/* A packet on its way. */
struct ov_sending {
	struct __sk_buff *skb;
	__u32 l2_len;
	const struct ov_config *config;
	const struct ov_node *node;
	struct ov_packet packet;
	__u64 now;
	__u32 index; /* of the node */
	__u32 slot;  /* of the flow, in the node's tables */
	bool spilled;
};

/* Bob Jenkins's lookup3 would be dearer, and nobody else has to come to the same. */
ASYM_INLINE __u32 ov_slot(const struct ov_flow_key *flow)
{
	const __u32 *word = (const __u32 *)flow;
	__u64 h = flow->proto;

	for (int i = 0; i < 8; i += 2) {
		h ^= word[i] | (__u64)word[i + 1] << 32;
		h *= 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	h ^= word[8];
	h *= 0x243f6a8885a308d3ull;
	return h >> 58;
}
_Static_assert(OV_SPREAD == 64, "ov_slot() has six bits");

ASYM_INLINE const struct ov_way *ov_way_at(const struct ov_node *n, __u32 way)
{
	return &n->way[way % OV_WAYS];
}

ASYM_INLINE bool ov_lives(const struct ov_node *n, __u32 way)
{
	return way < n->n_ways && ov_way_at(n, way)->ifindex && !ov_way_at(n, way)->dead;
}

/* The one that is wanted, else any that lives, until the daemon has written the tables anew; if
 * none does, what is wanted may still be true. */
ASYM_INLINE __u32 ov_living(const struct ov_node *n, __u32 want)
{
	if (ov_lives(n, want))
		return want;
	for (__u32 i = 0; i < OV_WAYS; i++)
		if (ov_lives(n, i))
			return i;
	return want % OV_WAYS;
}

ASYM_INLINE __u32 ov_wanted(const struct ov_sending *s, bool thick)
{
	const __u8 *table = thick ? s->node->thick : s->node->thin;

	return ov_living(s->node, table[s->slot % OV_SPREAD]);
}

/* That way, or the one to spill to when no more than `least` tokens are left on it. */
ASYM_INLINE __u32 ov_afford(struct ov_sending *s, __u32 way, __s64 least)
{
	if (!ov_way_at(s->node, way)->metered || !ov_lives(s->node, s->node->spill) ||
	    ov_tokens(s->node, s->index, s->now) > least)
		return way;
	s->spilled = true;
	return s->node->spill % OV_WAYS;
}

/* Since its last packet.  Another CPU may have seen one that is later than ours. */
ASYM_INLINE __s64 ov_silence(const struct ov_sending *s, const struct ov_flow *f)
{
	return s->now - f->seen_ns;
}

/* Of a flow that begins on it. */
ASYM_INLINE __u32 ov_begin(struct ov_sending *s, __u32 way, bool thick)
{
	return ov_afford(s, way, thick ? 0 : -(__s64)s->node->burst);
}

/* Whether packets sent by `to` now arrive after those sent by `from` before.  Ways of the same
 * delay are taken for that, but a dear one waits for a silence, else flows would go to and fro with
 * the budget. */
ASYM_INLINE bool ov_is_behind(const struct ov_node *n, __u32 to, __u32 from)
{
	const struct ov_way *a = ov_way_at(n, to), *b = ov_way_at(n, from);

	return a->delay_us > b->delay_us || (a->delay_us == b->delay_us && !a->metered);
}

ASYM_INLINE __u32 ov_next_way(struct ov_sending *s, const struct ov_flow *f)
{
	const struct ov_node *n = s->node;
	__u32 here = f->way % OV_WAYS, way = ov_wanted(s, f->thick);
	bool free = !ov_lives(n, here) || ov_silence(s, f) > (__s64)s->config->gap_ns;

	if (free || way != here)
		way = ov_begin(s, way, f->thick);
	if (free || ov_is_behind(n, way, here))
		return way;
	/* the beginnings of many thick flows are as much as they are */
	if (!f->thick && (f->window_bytes < OV_SMALL_BYTES || f->class != OV_CLASS_DEFAULT))
		return here;
	way = ov_afford(s, here, -(__s64)(n->burst / 2));
	return ov_is_behind(n, way, here) ? way : here;
}

/* A second is over: whether it was a fast one. */
ASYM_INLINE void ov_judge(const struct ov_sending *s, struct ov_flow *f)
{
	__s64 ns = s->now - f->window_ns;
	__u64 ms;

	if (ns < (__s64)OV_SECOND)
		return;
	ms = (__u64)ns / 1000000;
	ms = ms < OV_RATE_MAX_MS ? ms : OV_RATE_MAX_MS;
	if (f->class == OV_CLASS_DEFAULT)
		f->thick = f->bytes > s->config->split_bytes &&
			   f->window_bytes * 1000ull >= s->config->split_bps * ms;
	f->window_ns = s->now;
	f->window_bytes = 0;
}

/* Acknowledgements make no flow thick. */
ASYM_INLINE void ov_account(const struct ov_sending *s, struct ov_flow *f)
{
	__u32 sum = f->window_bytes + s->packet.len;

	f->seen_ns = s->now;
	if (s->packet.ack)
		return;
	f->bytes += s->packet.len;
	f->window_bytes = sum < f->window_bytes ? -1 : sum;
	if (f->bytes > s->config->split_bytes && f->window_bytes >= s->config->split_bps &&
	    f->class == OV_CLASS_DEFAULT)
		f->thick = 1;
}

_Static_assert(OV_FLOW_BULK - OV_FLOW_DEFAULT == OV_CLASS_BULK - OV_CLASS_DEFAULT,
	       "order of reasons");

ASYM_INLINE __u32 ov_new_flow(struct ov_sending *s)
{
	struct ov_flow f = {.window_ns = s->now,
			    .class = ov_class_of(s->skb, s->l2_len, ASYM_ONCE(s->config->rules),
						 s->index)};

	f.thick = f.class == OV_CLASS_BULK;
	f.way = ov_begin(s, ov_wanted(s, f.thick), f.thick);
	ov_account(s, &f);
	bpf_map_update_elem(&ov_flows, &s->packet.flow, &f, BPF_ANY);
	ov_count(OV_FLOW_DEFAULT + f.class - OV_CLASS_DEFAULT);
	if (s->spilled)
		ov_count(OV_OUT_SPILLED);
	return f.thick && s->packet.ack ? ov_wanted(s, false) : f.way;
}

ASYM_INLINE __u32 ov_flow_way(struct ov_sending *s)
{
	struct ov_flow *f = bpf_map_lookup_elem(&ov_flows, &s->packet.flow);
	__u32 way;

	if (!f || ov_silence(s, f) > (__s64)OV_FLOW_IDLE_NS)
		return ov_new_flow(s);
	ov_judge(s, f);
	if (f->thick && s->packet.ack)
		return ov_wanted(s, false);
	way = ov_next_way(s, f);
	if (way != f->way) {
		ov_count(s->spilled ? OV_OUT_SPILLED : OV_OUT_MOVED);
		f->way = way;
	}
	ov_account(s, f);
	return way;
}

#endif
