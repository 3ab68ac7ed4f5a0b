/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bucket table of a policy: which link each hash value names.  Shares are exact to one bucket
 * (largest remainder), places come from Maglev's permutations of the link names (Eisenbud et al.,
 * NSDI 2016, section 3.4), so the table is the same in every run and losing a link moves little
 * more than its share.
 */
#ifndef CORE_BUCKETS_H
#define CORE_BUCKETS_H

#include "bpf/abi.h"
#include <stddef.h>
#include <stdint.h>

struct bucket_share {
	const char *name; /* seeds the permutation */
	uint8_t id;
	uint32_t weight; /* at least 1 */
};

/* Fills ret for n shares (0: all buckets 0, at most ASYM_MAX_LINKS).  Every share gets at least one
 * bucket. */
void buckets_fill(struct asym_buckets *ret, const struct bucket_share *shares, size_t n);

/* How many of the ASYM_BUCKETS buckets hold this id. */
unsigned int buckets_count(const struct asym_buckets *b, uint8_t id);

#endif
