/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries off the fast path: found, dropped, written.  The functions that are not inlined are verified
 * once, not once for every way through their callers; so they take and return plain numbers and
 * memory, no pointers into maps.
 */
#ifndef ASYM_SEEK_H
#define ASYM_SEEK_H

#include "lib/entry.h"

#define SEEK_NONE (~0u)

/* A walk through the ways of a block.  in, udp, now and epoch are the caller's. */
struct walk {
	__be32 in[ASYM_TUPLE_MAX];
	__u32 udp;
	__u32 hash;
	__u32 same; /* number of the entry of this tuple, or SEEK_NONE */
	__u32 room; /* number of the one that may go, or SEEK_NONE */
	__u32 head; /* of the former, when it was found */
	__u32 oldest;
	__u32 now;
	__u32 epoch;
};

ASYM_INLINE __u32 entry_number(int family, __u32 hash, int nth)
{
	__u32 index = hash & (family == ASYM_V4 ? asym_flow_mask4 : asym_flow_mask6);
	__u32 ways = entry_ways(family);

	return index * ways + asym_tuple_way(hash, ways, nth);
}

ASYM_INLINE struct asym_flow_state *entry_numbered(int family, __u32 number)
{
	__u32 ways = entry_ways(family);
	void *block = entry_block(family, number / ways);

	return block ? block + number % ways * entry_size(family) : NULL;
}

/* 1 ends the walk. */
ASYM_INLINE long walk_way(int family, struct walk *w, __u32 nth)
{
	__u32 number = entry_number(family, w->hash, nth), head, age;
	struct asym_flow_state *e = entry_numbered(family, number);

	if (!e)
		return 1;
	head = ASYM_ONCE(e->head);
	read_barrier();
	if ((head & ENTRY_KIND) == entry_kind(w->udp) &&
	    asym_tuple_equal(entry_in(e), w->in, tuple_words(family))) {
		w->same = number;
		w->head = head;
		return 1;
	}
	age = head & ASYM_FLOW_LIVE && entry_is_current(e, w->epoch) ?
		      jiffies_since(e->checked, w->now) : ~0u;
	if (age > w->oldest) {
		w->oldest = age;
		w->room = number;
	}
	return !(head & ASYM_FLOW_USED);
}

ASYM_INLINE void walk(int family, struct walk *w)
{
	w->hash = entry_hash(family, w->in, w->udp); /* here for the stack's sake: the callers' are full */
	w->same = SEEK_NONE;
	w->room = SEEK_NONE;
	/* Entries in use are checked within asym_flow_latest. */
	w->oldest = 2 * asym_flow_latest;
	for (__u32 nth = 0; nth < entry_ways(family); nth++)
		if (walk_way(family, w, nth))
			break;
}

__weak __noinline int walk_v4(struct walk *w)
{
	if (w)
		walk(ASYM_V4, w);
	return 0;
}

__weak __noinline int walk_v6(struct walk *w)
{
	if (w)
		walk(ASYM_V6, w);
	return 0;
}

ASYM_INLINE void walk_family(int family, struct walk *w)
{
	if (family == ASYM_V4)
		walk_v4(w);
	else
		walk_v6(w);
}

/* The entry of the packets with this tuple, or NULL. */
ASYM_INLINE struct asym_flow_state *entry_seek(int family, const __be32 *in, bool udp,
					       __u32 *ret_head)
{
	struct walk w = {.udp = udp};

	copy_words(w.in, in, tuple_words(family));
	walk_family(family, &w);
	*ret_head = w.head;
	return w.same == SEEK_NONE ? NULL : entry_numbered(family, w.same);
}

/* The entry of the other direction, or NULL. */
ASYM_INLINE struct asym_flow_state *entry_peer(int family, struct asym_flow_state *e, bool udp,
					       __u32 *ret_head)
{
	__be32 answer[ASYM_TUPLE_MAX];

	asym_tuple_reverse(entry_out(e, family), tuple_words(family), answer);
	return entry_seek(family, answer, udp, ret_head);
}

/* Both directions: half a pair would be refreshed by nobody. */
ASYM_INLINE void drop_pair(int family, __u32 number)
{
	struct asym_flow_state *e = entry_numbered(family, number), *peer;
	__u32 head, peer_head;

	if (!e)
		return;
	head = ASYM_ONCE(e->head);
	peer = entry_peer(family, e, head & ASYM_FLOW_UDP, &peer_head);
	if (peer && !(head & ASYM_FLOW_STATELESS))
		entry_free(peer, peer_head);
	entry_free(e, head);
}

__weak __noinline int drop_v4(__u32 number)
{
	drop_pair(ASYM_V4, number);
	return 0;
}

__weak __noinline int drop_v6(__u32 number)
{
	drop_pair(ASYM_V6, number);
	return 0;
}

ASYM_INLINE void drop_numbered(int family, __u32 number)
{
	if (family == ASYM_V4)
		drop_v4(number);
	else
		drop_v6(number);
}

/* The pair of the packets with this tuple.  False when there is none. */
ASYM_INLINE bool entry_drop(int family, const __be32 *in, bool udp)
{
	struct walk w = {.udp = udp};

	if (!written_has(entry_hash(family, in, udp)))
		return false;
	copy_words(w.in, in, tuple_words(family));
	walk_family(family, &w);
	if (w.same != SEEK_NONE)
		drop_numbered(family, w.same);
	return w.same != SEEK_NONE;
}

struct entry_spec {
	struct walk walk;
	__be32 out[ASYM_TUPLE_MAX];
	__u32 flags; /* enum asym_flow_flag */
	__u32 link;  /* id, 0: none */
};

/* The entry of the same tuple, else one that is free, else the one that was idle for longest: that
 * goes, with its pair.  NULL when all ways are in use. */
ASYM_INLINE struct asym_flow_state *entry_room(int family, struct walk *w)
{
	struct asym_flow_state *e;

	walk_family(family, w);
	if (w->same != SEEK_NONE)
		return entry_numbered(family, w->same);
	if (w->room == SEEK_NONE)
		return NULL;
	e = entry_numbered(family, w->room);
	if (e && ASYM_ONCE(e->head) & ASYM_FLOW_LIVE) {
		count_reason(ASYM_CACHE_EVICTED);
		drop_numbered(family, w->room);
	}
	if (e)
		w->head = ASYM_ONCE(e->head);
	return w->head & ASYM_FLOW_LIVE ? NULL : e;
}

ASYM_INLINE void entry_fill(int family, struct asym_flow_state *e, const struct entry_spec *spec)
{
	e->checked = spec->walk.now;
	e->epoch = spec->walk.epoch;
	e->diff = tuple_diff(spec->walk.in, spec->out, tuple_words(family));
	copy_words(entry_in(e), spec->walk.in, tuple_words(family));
	copy_words(entry_out(e, family), spec->out, tuple_words(family));
}

/* Writes an entry that has not been SENT.  Its counters live on when it was there before. */
ASYM_INLINE bool entry_write(int family, struct entry_spec *spec)
{
	struct asym_flow_state *e = entry_room(family, &spec->walk);
	__u32 head = spec->walk.head;

	if (!e || !entry_lock(e, head))
		return false;
	if (!(head & ASYM_FLOW_LIVE)) {
		e->created = spec->walk.now;
		e->packets = 0;
		e->bytes = 0;
	}
	entry_fill(family, e, spec);
	written_set(spec->walk.hash);
	entry_unlock(e, (head & ~0xffffu) | spec->flags | spec->link << ASYM_FLOW_LINK_SHIFT);
	return true;
}

#endif
