/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which rule a packet meets and which bucket it falls into: pure functions, compiled into BPF and
 * into user space, so that `explain` and the data path cannot differ.
 *
 * The includer provides the look-up of an address in a set, because only that needs the outside:
 *	static bool asym_set_has(__u32 set, const struct asym_addr *a, void *ctx)
 * and ASYM_INLINE ("static __always_inline" in BPF).
 */
#ifndef ASYM_SELECT_H
#define ASYM_SELECT_H

#include "bpf/abi.h"

/* Protocols whose headers begin with a source and a destination port: TCP, UDP, DCCP, SCTP,
 * UDP-Lite (IANA protocol numbers). */
ASYM_INLINE bool asym_proto_has_ports(__u8 proto)
{
	return proto == 6 || proto == 17 || proto == 33 || proto == 132 || proto == 136;
}

/* Hashes take an address as it lies in the packet; sparse, which sees this in the kernel module, is
 * told that this is meant. */
#ifndef __force
#define __force
#endif
#define ASYM_RAW(x) ((__force __u32)(x))

ASYM_INLINE __u32 asym_rotl(__u32 x, int k)
{
	return (x << k) | (x >> (32 - k));
}

/* Bob Jenkins's lookup3 (public domain, 2006): the mixing of three words and the last mixing. */
#define ASYM_MIX(a, b, c)                                                                          \
	do {                                                                                       \
		a -= c, a ^= asym_rotl(c, 4), c += b;                                              \
		b -= a, b ^= asym_rotl(a, 6), a += c;                                              \
		c -= b, c ^= asym_rotl(b, 8), b += a;                                              \
		a -= c, a ^= asym_rotl(c, 16), c += b;                                             \
		b -= a, b ^= asym_rotl(a, 19), a += c;                                             \
		c -= b, c ^= asym_rotl(b, 4), b += a;                                              \
	} while (0)
#define ASYM_FINAL(a, b, c)                                                                        \
	do {                                                                                       \
		c ^= b, c -= asym_rotl(b, 14);                                                     \
		a ^= c, a -= asym_rotl(c, 11);                                                     \
		b ^= a, b -= asym_rotl(a, 25);                                                     \
		c ^= b, c -= asym_rotl(b, 16);                                                     \
		a ^= c, a -= asym_rotl(c, 4);                                                      \
		b ^= a, b -= asym_rotl(a, 14);                                                     \
		c ^= b, c -= asym_rotl(b, 24);                                                     \
	} while (0)

/* Hash of the fields that a policy's key names.  The same on every machine and in every run. */
ASYM_INLINE __u32 asym_hash(const struct asym_flow *f, __u8 key, __u32 seed)
{
	__u32 a = seed + ASYM_RAW(f->src.w[0]), b = seed + ASYM_RAW(f->src.w[1]);
	__u32 c = seed + ASYM_RAW(f->src.w[2]);

	ASYM_MIX(a, b, c);
	a += ASYM_RAW(f->src.w[3]);
	if (key != ASYM_KEY_SRC) {
		b += ASYM_RAW(f->dst.w[0]);
		c += ASYM_RAW(f->dst.w[1]);
		ASYM_MIX(a, b, c);
		a += ASYM_RAW(f->dst.w[2]);
		b += ASYM_RAW(f->dst.w[3]);
	}
	if (key == ASYM_KEY_FLOW)
		c += ((__u32)f->sport << 16 | f->dport) + asym_rotl(f->proto, 13);
	ASYM_FINAL(a, b, c);
	return c;
}

/* Spreads a hash evenly over the buckets: 0..ASYM_BUCKETS-1. */
ASYM_INLINE __u32 asym_bucket(__u32 hash)
{
	return ((__u64)hash * ASYM_BUCKETS) >> 32;
}

ASYM_INLINE bool asym_prefix_has(const struct asym_addr *net, const struct asym_addr *mask,
				 const struct asym_addr *a)
{
	return !(((a->w[0] & mask->w[0]) ^ net->w[0]) | ((a->w[1] & mask->w[1]) ^ net->w[1]) |
		 ((a->w[2] & mask->w[2]) ^ net->w[2]) | ((a->w[3] & mask->w[3]) ^ net->w[3]));
}

ASYM_INLINE bool asym_ports_have(const struct asym_ports *ranges, __u8 n, __u16 port)
{
	for (int i = 0; i < ASYM_MAX_PORTS && i < n; i++)
		if (port >= ranges[i].lo && port <= ranges[i].hi)
			return true;
	return false;
}

ASYM_INLINE bool asym_devices_have(const struct asym_rule *r, __u32 ifindex)
{
	for (int i = 0; i < ASYM_MAX_DEVICES && i < r->devices; i++)
		if (r->device[i] == ifindex)
			return true;
	return false;
}

/* The tests that failed and were not negated, or matched and were: 0 when the rule matches. */
ASYM_INLINE __u32 asym_rule_misses(const struct asym_rule *r, const struct asym_flow *f, void *ctx)
{
	__u32 want = r->match, hit = 0;

	if (want & ASYM_MATCH_FAMILY)
		hit |= f->family == r->family ? ASYM_MATCH_FAMILY : 0;
	if (want & ASYM_MATCH_PROTO)
		hit |= r->proto[(f->proto >> 5) & 7] >> (f->proto & 31) & 1 ? ASYM_MATCH_PROTO : 0;
	if (want & ASYM_MATCH_SRC)
		hit |= asym_prefix_has(&r->src, &r->src_mask, &f->src) ? ASYM_MATCH_SRC : 0;
	if (want & ASYM_MATCH_DST)
		hit |= asym_prefix_has(&r->dst, &r->dst_mask, &f->dst) ? ASYM_MATCH_DST : 0;
	if (want & ASYM_MATCH_SPORT)
		hit |= asym_ports_have(r->sport, r->sports, f->sport) ? ASYM_MATCH_SPORT : 0;
	if (want & ASYM_MATCH_DPORT)
		hit |= asym_ports_have(r->dport, r->dports, f->dport) ? ASYM_MATCH_DPORT : 0;
	if (want & ASYM_MATCH_DSCP)
		hit |= r->dscp >> (f->dscp & 63) & 1 ? ASYM_MATCH_DSCP : 0;
	if (want & ASYM_MATCH_DEVICE)
		hit |= asym_devices_have(r, f->ifindex) ? ASYM_MATCH_DEVICE : 0;
	if (want & ASYM_MATCH_SRC_SET)
		hit |= asym_set_has(r->src_set, &f->src, ctx) ? ASYM_MATCH_SRC_SET : 0;
	if (want & ASYM_MATCH_DST_SET)
		hit |= asym_set_has(r->dst_set, &f->dst, ctx) ? ASYM_MATCH_DST_SET : 0;
	return (hit ^ want ^ r->negate) & want;
}

/* A rule that tests ports, negated or not, meets only packets that show their ports. */
ASYM_INLINE bool asym_rule_matches(const struct asym_rule *r, const struct asym_flow *f, void *ctx)
{
	if ((r->match & (ASYM_MATCH_SPORT | ASYM_MATCH_DPORT)) && !f->has_ports)
		return false;
	return !asym_rule_misses(r, f, ctx);
}

ASYM_INLINE bool asym_policy_lives(const struct asym_policy *p, __u8 family, __u32 link)
{
	return p->live[family & 1][(link >> 5) & 7] >> (link & 31) & 1;
}

#endif
