/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries of the flow cache: finding, writing, taking out.  `family` is a constant in every call, so
 * each function is compiled for the size of its entries.
 */
#ifndef ASYM_ENTRY_H
#define ASYM_ENTRY_H

#include "lib/count.h"
#include "lib/tuple.h"

/* Flags that name an entry together with its tuple. */
#define ENTRY_KIND (ASYM_FLOW_LIVE | ASYM_FLOW_UDP | ASYM_FLOW_BUSY)

ASYM_INLINE int tuple_words(int family)
{
	return family == ASYM_V4 ? ASYM_TUPLE_WORDS4 : ASYM_TUPLE_WORDS6;
}

ASYM_INLINE __u32 entry_ways(int family)
{
	return family == ASYM_V4 ? ASYM_WAYS4 : ASYM_WAYS6;
}

ASYM_INLINE __u32 entry_size(int family)
{
	return family == ASYM_V4 ? sizeof(struct asym_entry4) : sizeof(struct asym_entry6);
}

ASYM_INLINE __be32 *entry_in(struct asym_flow_state *e)
{
	return (__be32 *)(e + 1);
}

ASYM_INLINE __be32 *entry_out(struct asym_flow_state *e, int family)
{
	return entry_in(e) + tuple_words(family);
}

ASYM_INLINE __u32 entry_kind(bool udp)
{
	return ASYM_FLOW_LIVE | (udp ? ASYM_FLOW_UDP : 0);
}

ASYM_INLINE void *entry_block(int family, __u32 hash)
{
	__u32 index = hash & (family == ASYM_V4 ? asym_flow_mask4 : asym_flow_mask6);

	if (family == ASYM_V4)
		return bpf_map_lookup_elem(&asym_flows4, &index);
	return bpf_map_lookup_elem(&asym_flows6, &index);
}

ASYM_INLINE struct asym_flow_state *entry_way(int family, void *block, __u32 hash, int nth)
{
	return block + asym_tuple_way(hash, entry_ways(family), nth) * entry_size(family);
}

ASYM_INLINE __u32 entry_hash(int family, const __be32 *in, bool udp)
{
	return asym_tuple_hash(in, tuple_words(family), udp, asym_flow_seed);
}

/* The word of asym_written that holds the bit of this hash. */
ASYM_INLINE __u32 *written_word(__u32 hash)
{
	__u32 word = hash % ASYM_WRITTEN / 32;

	return bpf_map_lookup_elem(&asym_written, &word);
}

ASYM_INLINE bool written_has(__u32 hash)
{
	__u32 *word = written_word(hash);

	return word && ASYM_ONCE(*word) >> hash % 32 & 1;
}

ASYM_INLINE void written_set(__u32 hash)
{
	__u32 *word = written_word(hash);

	if (word && !(ASYM_ONCE(*word) >> hash % 32 & 1))
		__sync_fetch_and_or(word, 1u << hash % 32);
}

/* The live entry of the packets with this tuple, or NULL.  What is read of it is true if its head
 * then still is *ret_head. */
ASYM_INLINE struct asym_flow_state *entry_find(int family, const __be32 *in, bool udp, __u32 hash,
					       __u32 *ret_head)
{
	void *block = written_has(hash) ? entry_block(family, hash) : NULL;

	if (!block)
		return NULL;
	for (__u32 i = 0; i < entry_ways(family); i++) {
		struct asym_flow_state *e = entry_way(family, block, hash, i);
		__u32 head = ASYM_ONCE(e->head);

		if (!(head & ASYM_FLOW_USED))
			return NULL;
		*ret_head = head;
		read_barrier();
		if ((head & ENTRY_KIND) == entry_kind(udp) &&
		    asym_tuple_equal(entry_in(e), in, tuple_words(family)))
			return e;
	}
	return NULL;
}

/* head: as it was when the caller decided to write.  False when another CPU writes or has written
 * since: no way to wait in here, and no need to. */
ASYM_INLINE bool entry_lock(struct asym_flow_state *e, __u32 head)
{
	if (head & ASYM_FLOW_BUSY)
		return false;
	return __sync_val_compare_and_swap(&e->head, head, head | ASYM_FLOW_BUSY) == head;
}

/* head: that of entry_lock, with other flags or another link. */
ASYM_INLINE void entry_unlock(struct asym_flow_state *e, __u32 head)
{
	__sync_lock_test_and_set(&e->head, (head | ASYM_FLOW_USED) + ASYM_FLOW_WRITES);
}

/* What it was stays in it until the way is written again: the daemon looks back. */
ASYM_INLINE void entry_free(struct asym_flow_state *e, __u32 head)
{
	if (entry_lock(e, head))
		entry_unlock(e, head & ~ASYM_FLOW_LIVE);
}

/* 0 for a moment that another CPU saw a tick ahead of us. */
ASYM_INLINE __u32 jiffies_since(__u32 then, __u32 now)
{
	return then - now < asym_flow_period ? 0 : now - then;
}

ASYM_INLINE bool entry_is_current(const struct asym_flow_state *e, __u16 epoch)
{
	return e->epoch == epoch;
}

ASYM_INLINE void copy_words(__be32 *to, const __be32 *from, int words)
{
	for (int i = 0; i < words; i++)
		to[i] = from[i];
}

#endif
