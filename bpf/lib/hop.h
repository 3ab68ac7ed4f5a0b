/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hops: the ways by which packets leave.  A hop is found by its content and never changes while it is
 * in use, so that who holds its number needs no lock.
 */
#ifndef ASYM_HOP_H
#define ASYM_HOP_H

#include "lib/entry.h"

#define HOP_TRIES 8
ASYM_INLINE __u32 hop_hash(const struct asym_hop *h)
{
	const __u32 *w = (const __u32 *)h;
	__u64 sum = 0;

	/* all but the time and what is not content: ifindex to MACs */
	for (int i = 1; i < 7; i++)
		sum = (sum ^ w[i]) * 0x9e3779b97f4a7c15ull;
	return sum >> 40;
}

ASYM_INLINE bool hop_mac_equal(const struct asym_hop *a, const struct asym_hop *b)
{
	return !((a->mac[0] ^ b->mac[0]) | (a->mac[1] ^ b->mac[1]) | (a->mac[2] ^ b->mac[2]));
}

ASYM_INLINE bool hop_equal(const struct asym_hop *a, const struct asym_hop *b)
{
	return a->ifindex == b->ifindex && a->mark == b->mark && a->priority == b->priority &&
	       a->l2_len == b->l2_len && hop_mac_equal(a, b);
}

/* A time that means neither free nor busy. */
ASYM_INLINE __u32 hop_time(__u32 now)
{
	return now && now != ASYM_HOP_BUSY ? now : 1;
}

/* Whether the hop, seen in use at time `used`, is still this one and now has the time of today. */
ASYM_INLINE bool hop_touch(struct asym_hop *h, __u32 used, __u32 now)
{
	if (jiffies_since(used, now) < asym_flow_period)
		return true;
	return __sync_val_compare_and_swap(&h->used, used, hop_time(now)) == used;
}

/* Entries that refer to a hop are checked within asym_flow_latest, and touch it then. */
ASYM_INLINE bool hop_is_idle(__u32 used, __u32 now)
{
	return jiffies_since(used, now) >= 4 * asym_flow_latest;
}

ASYM_INLINE bool hop_claim(struct asym_hop *h, __u32 used, const struct asym_hop *want, __u32 now)
{
	if (__sync_val_compare_and_swap(&h->used, used, ASYM_HOP_BUSY) != used)
		return false;
	h->ifindex = want->ifindex;
	h->mark = want->mark;
	h->priority = want->priority;
	for (int i = 0; i < 3; i++)
		h->mac[i] = want->mac[i];
	h->l2_len = want->l2_len;
	h->left = 0;
	__sync_lock_test_and_set(&h->used, hop_time(now));
	return true;
}

/* The number of a hop like `want`, or 0 when there is no room. */
ASYM_INLINE __u32 hop_number(const struct asym_hop *want, __u32 now)
{
	__u32 hash = hop_hash(want), room = 0, room_used = 0;
	struct asym_hop *h;

	for (int i = 0; i < HOP_TRIES; i++) {
		__u32 n = (hash + i) & (ASYM_HOPS - 1), used;

		h = bpf_map_lookup_elem(&asym_hops, &n);
		if (!h || !n)
			continue;
		used = ASYM_ONCE(h->used);
		if (used == ASYM_HOP_BUSY)
			continue;
		if (used && hop_equal(h, want) && hop_touch(h, used, now)) {
			if (h->left)
				h->left = 0;
			return n;
		}
		if (!room && (!used || hop_is_idle(used, now))) {
			room = n;
			room_used = used;
		}
	}
	h = room ? bpf_map_lookup_elem(&asym_hops, &room) : NULL;
	return h && hop_claim(h, room_used, want, now) ? room : 0;
}

/* A flow has left hop `from` for hop `to`.  If the MAC changed, the gateway is another machine now, or
 * has another card: all other flows had better ask, too. */
ASYM_INLINE void hop_leave(__u32 from, __u32 to)
{
	struct asym_hop *a = bpf_map_lookup_elem(&asym_hops, &from);
	struct asym_hop *b = bpf_map_lookup_elem(&asym_hops, &to);

	if (a && b && a->ifindex == b->ifindex && !hop_mac_equal(a, b))
		a->left = 1;
}

#endif
