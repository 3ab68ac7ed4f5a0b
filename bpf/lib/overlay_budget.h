/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a node's metered ways may carry: a token bucket that every packet is charged to, but that
 * only flows which begin there (or have been silent) are measured by.  Thick flows begin with
 * tokens left, and leave at once when half a burst is owed, as those do that may become thick; thin
 * ones begin until a whole one is: the rest is theirs.
 */
#ifndef ASYM_OVERLAY_BUDGET_H
#define ASYM_OVERLAY_BUDGET_H

#include "lib/overlay_maps.h"

#define OV_REFILL_US 1000 /* no oftener: two CPUs seldom meet in it */
#define OV_REFILL_MAX_US (1u << 30)
#define OV_RATE_MAX (1ull << 33) /* times OV_REFILL_MAX_US it fits 64 bits */

/* Overlong silences give a full bucket, whatever the rate. */
ASYM_INLINE void ov_refill(struct ov_budget *b, const struct ov_node *n, __u64 now)
{
	__u64 then = ASYM_ONCE(b->ns), us = now > then ? (now - then) / 1000 : 0;
	__u64 rate = n->rate < OV_RATE_MAX ? n->rate : OV_RATE_MAX, add;
	__s64 tokens;

	if (us < OV_REFILL_US)
		return;
	add = us < OV_REFILL_MAX_US ? rate * us / 1000000 : 4 * n->burst;
	if (__sync_val_compare_and_swap(&b->ns, then, then + us * 1000) != then)
		return;
	tokens = ASYM_ONCE(b->tokens);
	if (tokens + (__s64)add > (__s64)n->burst)
		add = n->burst - tokens;
	__sync_fetch_and_add(&b->tokens, add);
}

/* Tokens of the node; without a limit always plenty. */
ASYM_INLINE __s64 ov_tokens(const struct ov_node *n, __u32 index, __u64 now)
{
	struct ov_budget *b = n->rate ? bpf_map_lookup_elem(&ov_budget, &index) : NULL;

	if (!b)
		return ~0ull >> 1;
	ov_refill(b, n, now);
	return ASYM_ONCE(b->tokens);
}

/* Nobody owes more than two bursts: what thin flows sent in excess is not held against them for
 * long. */
ASYM_INLINE void ov_charge(const struct ov_node *n, __u32 index, __u64 bytes, __u64 now)
{
	struct ov_budget *b = n->rate ? bpf_map_lookup_elem(&ov_budget, &index) : NULL;

	if (!b)
		return;
	ov_refill(b, n, now);
	if (ASYM_ONCE(b->tokens) > -2 * (__s64)n->burst)
		__sync_fetch_and_add(&b->tokens, -bytes);
}

#endif
