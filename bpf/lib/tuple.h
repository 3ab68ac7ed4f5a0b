/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tuples of the flow cache: pure functions, compiled into BPF and into user space, which looks
 * flows up in the same tables.  A tuple is an array of words as in the packet: source address,
 * destination address, ports; `words` is ASYM_TUPLE_WORDS4 or 6, a constant wherever it matters.
 */
#ifndef ASYM_TUPLE_H
#define ASYM_TUPLE_H

#include "bpf/abi.h"

#define ASYM_TUPLE_MAX ASYM_TUPLE_WORDS6

/* Which block holds the tuple: the hash's low bits; in which way to begin: its highest.  Not
 * asym_hash(): this one is paid for by every packet.  Multipliers: golden ratio and pi, odd.  The
 * halves change places as the upper bits of a product are the better mixed ones. */
ASYM_INLINE __u32 asym_tuple_hash(const __be32 *t, int words, bool udp, __u32 seed)
{
	__u64 h = seed + udp;

	for (int i = 0; i + 1 < words; i += 2) {
		h ^= t[i] | (__u64)t[i + 1] << 32;
		h *= 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	h ^= t[words - 1];
	h *= 0x243f6a8885a308d3ull;
	return (h >> 32 & 0xffff) << 16 | h >> 48;
}

ASYM_INLINE __u32 asym_tuple_way(__u32 hash, __u32 ways, int nth)
{
	return ((hash >> 29) + nth) & (ways - 1);
}

ASYM_INLINE bool asym_tuple_equal(const __be32 *a, const __be32 *b, int words)
{
	__u32 differs = 0;

	for (int i = 0; i < words; i++)
		differs |= a[i] ^ b[i];
	return !differs;
}

/* The tuple of an answer. */
ASYM_INLINE void asym_tuple_reverse(const __be32 *t, int words, __be32 *ret)
{
	int half = (words - 1) / 2;

	for (int i = 0; i < half; i++) {
		ret[i] = t[half + i];
		ret[half + i] = t[i];
	}
	ret[words - 1] = t[words - 1] >> 16 | t[words - 1] << 16;
}

/* Difference of two tuples' addresses for the Internet checksum (RFC 1624), folded to 16 bits. */
ASYM_INLINE __u16 tuple_diff(const __be32 *from, const __be32 *to, int words)
{
	__u64 sum = 0;

	for (int i = 0; i < words - 1; i++)
		sum += (__u64)to[i] + (__u32)~from[i];
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

#endif
