/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet sent the way that its entry says: addresses, ports, checksums, TTL, link-layer header.
 * Nothing in here may refuse: every check has been made before the first byte is written.
 *
 * Checksums.  That of the IPv4 header is always complete.  That of TCP and UDP is, unless
 * skb->ip_summed is CHECKSUM_PARTIAL: then it is the sum of the pseudo header alone, for hardware or
 * the segmentation of a GSO packet to complete.  With CHECKSUM_COMPLETE skb->csum sums up the packet's
 * bytes and must follow (include/linux/skbuff.h, "CHECKSUM").
 */
#ifndef ASYM_REWRITE_H
#define ASYM_REWRITE_H

#include "lib/flow.h"

/* include/linux/skbuff.h */
#define SUMMED_COMPLETE 2
#define SUMMED_PARTIAL 3

struct sk_buff {
	__u8 ip_summed : 2;
} __attribute__((preserve_access_index));

/* kernel/bpf/helpers.c, Linux 6.2: costs nothing, the verifier makes a move of it. */
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

/* uapi/linux/bpf.h of newer kernels: the difference is of IPv6 addresses, so skb->csum stays. */
#define CSUM_F_IPV6 (1ull << 7)

struct rewrite {
	__be32 out[ASYM_TUPLE_MAX];
	__u32 diff; /* checksum difference of the addresses */
	const struct asym_hop *hop;
};

ASYM_INLINE __u16 csum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* A checksum field after what it covers changed by diff (RFC 1624, equation 3). */
ASYM_INLINE __u16 csum_changed(__u16 check, __u32 diff)
{
	return ~csum_fold((__u16)~check + diff);
}

/* Difference of the ports, a sum of four 16-bit words. */
ASYM_INLINE __u32 ports_diff(__be32 from, __be32 to)
{
	return (to & 0xffff) + (to >> 16) + (~from & 0xffff) + (~from >> 16);
}

ASYM_INLINE __u32 check_offset(int family, bool udp)
{
	return flow_ip_len(family) +
	       (udp ? __builtin_offsetof(struct udphdr, check) :
		      __builtin_offsetof(struct tcphdr, check));
}

ASYM_INLINE __u32 rewrite_summed(struct __sk_buff *skb)
{
	struct sk_buff *kernel = bpf_cast_to_kern_ctx(skb);

	return BPF_CORE_READ_BITFIELD(kernel, ip_summed);
}

/* By how much the sum of all bytes changes, for CHECKSUM_COMPLETE: addresses, ports, TTL, and the
 * checksums that make up for them.  IPv4's header makes up for itself. */
ASYM_INLINE __u32 bytes_diff(int family, const struct rewrite *r, __u32 ports, bool has_check)
{
	if (family == ASYM_V4)
		return has_check ? (__u16)~r->diff : ports;
	return (__u16)~bpf_htons(1) + (has_check ? 0 : r->diff + ports);
}

/* In place, knowing what the field holds.  0 in UDP: no checksum. */
ASYM_INLINE void rewrite_check(struct __sk_buff *skb, int family, const struct flow *f,
			       const struct rewrite *r, __u16 *check)
{
	__u32 ports = ports_diff(f->in[tuple_words(family) - 1], r->out[tuple_words(family) - 1]);
	__u32 summed = rewrite_summed(skb);
	bool has_check = !f->udp || *check;

	if (summed == SUMMED_COMPLETE)
		bpf_csum_update(skb, bytes_diff(family, r, ports, has_check));
	if (!has_check)
		return;
	if (summed == SUMMED_PARTIAL) {
		*check = csum_fold(*check + r->diff);
		return;
	}
	*check = csum_changed(*check, r->diff + ports);
	if (f->udp && !*check)
		*check = 0xffff;
}

/* The same by helpers, for kernels that do not let us see ip_summed. */
ASYM_INLINE void rewrite_check_helped(struct __sk_buff *skb, int family, __u32 l2_len,
				      const struct flow *f, const struct rewrite *r)
{
	__u32 offset = l2_len + check_offset(family, f->udp);
	__u64 flags = f->udp ? BPF_F_MARK_MANGLED_0 : 0;
	__be32 from = f->in[tuple_words(family) - 1], to = r->out[tuple_words(family) - 1];

	if (family == ASYM_V4) {
		bpf_l4_csum_replace(skb, offset, 0, r->diff, flags | BPF_F_PSEUDO_HDR);
	} else {
		if (bpf_l4_csum_replace(skb, offset, 0, r->diff,
					flags | BPF_F_PSEUDO_HDR | CSUM_F_IPV6)) {
			bpf_l4_csum_replace(skb, offset, 0, r->diff, flags | BPF_F_PSEUDO_HDR);
			bpf_csum_update(skb, r->diff);
		}
		bpf_csum_update(skb, (__u16)~bpf_htons(1));
	}
	if (from != to)
		bpf_l4_csum_replace(skb, offset, 0, csum_fold(ports_diff(from, to)), flags);
}

ASYM_INLINE void rewrite_v4(struct iphdr *ip, const struct rewrite *r)
{
	__be32 *addr = (__be32 *)&ip->saddr;

	addr[0] = r->out[0];
	addr[1] = r->out[1];
	ip->ttl--;
	/* the word of the TTL went down by one in its upper byte */
	ip->check = csum_changed(ip->check, r->diff + (__u16)~bpf_htons(0x0100));
}

ASYM_INLINE void rewrite_v6(struct ipv6hdr *ip, const struct rewrite *r)
{
	__be32 *addr = (__be32 *)&ip->saddr;

	for (int i = 0; i < 8; i++)
		addr[i] = r->out[i];
	ip->hop_limit--;
}

ASYM_INLINE bool rewrite_headers(struct __sk_buff *skb, int family, __u32 l2_len,
				 const struct flow *f, const struct rewrite *r)
{
	void *ip = flow_ip(skb, l2_len), *l4 = ip + flow_ip_len(family);

	if (l4 + (f->udp ? sizeof(struct udphdr) : sizeof(struct tcphdr)) >
	    (void *)(long)skb->data_end)
		return false;
	if (asym_has_summed)
		rewrite_check(skb, family, f, r, ip + check_offset(family, f->udp));
	if (family == ASYM_V4)
		rewrite_v4(ip, r);
	else
		rewrite_v6(ip, r);
	*(__be32 *)l4 = r->out[tuple_words(family) - 1];
	return true;
}

/* From here on the program returns TC_ACT_REDIRECT. */
ASYM_INLINE void rewrite_packet(struct __sk_buff *skb, int family, __u32 l2_len,
				const struct flow *f, const struct rewrite *r)
{
	struct ethhdr *eth;

	if (!asym_has_summed)
		rewrite_check_helped(skb, family, l2_len, f, r);
	if (!rewrite_headers(skb, family, l2_len, f, r))
		return;
	eth = (void *)(long)skb->data;
	if (r->hop->l2_len && (void *)(eth + 1) <= (void *)(long)skb->data_end) {
		for (int i = 0; i < 3; i++)
			((__u32 *)eth)[i] = r->hop->mac[i];
		eth->h_proto = skb->protocol;
	}
	skb->mark = r->hop->mark;
	skb->priority = r->hop->priority;
	bpf_redirect(r->hop->ifindex, 0);
}

/* To a device with another kind of header.  bpf_redirect() takes an Ethernet header off by itself, but
 * the padding of a short frame would become part of the packet.  False: not enough memory. */
ASYM_INLINE bool rewrite_resize(struct __sk_buff *skb, __u32 l2_len, const struct flow *f,
				const struct asym_hop *hop)
{
	if (!hop->l2_len && skb->len > l2_len + f->len)
		return !bpf_skb_change_tail(skb, l2_len + f->len, 0);
	if (!l2_len && hop->l2_len)
		return !bpf_skb_change_head(skb, ETH_HLEN, 0);
	return true;
}

/* False: nothing was written. */
ASYM_INLINE bool rewrite(struct __sk_buff *skb, int family, __u32 l2_len, const struct flow *f,
			 const struct rewrite *r)
{
	if (!rewrite_resize(skb, l2_len, f, r->hop))
		return false;
	if (!l2_len && r->hop->l2_len)
		rewrite_packet(skb, family, ETH_HLEN, f, r);
	else
		rewrite_packet(skb, family, l2_len, f, r);
	return true;
}

#endif
