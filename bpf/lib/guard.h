/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tc egress of links: a DHCP client's renewal leaves by the link that its address belongs to, from
 * that address, port 68, whatever route, socket or NAT made of it.  Everything else passes as it
 * is, and so does a renewal for which there is no way.
 */
#ifndef ASYM_GUARD_H
#define ASYM_GUARD_H

#include "lib/bootp.h"

/* include/linux/socket.h, include/linux/net.h */
#define AF_INET 2
#define AF_INET6 10
#define AF_PACKET 17
#define SOCK_RAW 3

ASYM_INLINE enum asym_sender guard_sender(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return ASYM_SENDER_UNKNOWN;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return ASYM_SENDER_UNKNOWN;
	if (sk->family == AF_PACKET)
		return ASYM_SENDER_PACKET;
	if (sk->family != AF_INET && sk->family != AF_INET6)
		return ASYM_SENDER_UNKNOWN;
	if (sk->bound_dev_if)
		return ASYM_SENDER_UDP_DEVICE;
	if (sk->type == SOCK_RAW)
		return ASYM_SENDER_RAW;
	return sk->src_ip4 ? ASYM_SENDER_UDP_ADDR : ASYM_SENDER_UDP;
}

/* DISCOVER, INIT-REBOOT and what is sent to all of a network leave by the client's own device. */
ASYM_INLINE bool guard_is_renewal(const struct bootp *b)
{
	__u32 to = bpf_ntohl(b->ip.daddr);

	return b->h.ciaddr && to >> 28 < 0xe && to >> 24 != 127 && to >> 24 != 0;
}

/* The device that the message names by its MAC is believed; else the address decides, which no two
 * links have.  NULL: nobody knows. */
ASYM_INLINE struct asym_owner *guard_owner(const struct bootp *b, __u32 ifindex)
{
	struct asym_owner *by_mac = owner_by_mac(b), *by_addr;

	if (by_mac && by_mac->ifindex == ifindex)
		return by_mac;
	by_addr = b->h.ciaddr ? owner_by_addr(b) : NULL;
	return by_addr ?: by_mac;
}

ASYM_INLINE bool guard_source_is_right(const struct bootp *b)
{
	return b->ip.saddr == b->h.ciaddr && b->udp.source == bpf_htons(BOOTP_CLIENT);
}

/* A checksum that hardware completes covers the pseudo header alone; one of zero stays zero. */
ASYM_INLINE void guard_set_source(struct __sk_buff *skb, __u32 l2_len, const struct bootp *b)
{
	__u32 l4 = l2_len + b->l4, check = l4 + __builtin_offsetof(struct udphdr, check);
	__be32 addr = b->h.ciaddr;
	__be16 port = bpf_htons(BOOTP_CLIENT);

	bpf_l4_csum_replace(skb, check, b->ip.saddr, addr,
			    BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0 | sizeof(addr));
	bpf_l3_csum_replace(skb, l2_len + __builtin_offsetof(struct iphdr, check), b->ip.saddr, addr,
			    sizeof(addr));
	bpf_skb_store_bytes(skb, l2_len + __builtin_offsetof(struct iphdr, saddr), &addr,
			    sizeof(addr), 0);
	bpf_l4_csum_replace(skb, check, b->udp.source, port, BPF_F_MARK_MANGLED_0 | sizeof(port));
	bpf_skb_store_bytes(skb, l4, &port, sizeof(port), 0);
}

/*
 * The owner's own way to the server: its table, by the rules "from" and "oif".  A packet that has
 * to wait for its neighbour would leave with the link-layer header of the route that it came with
 * (net/core/neighbour.c, __neigh_update, dst_neigh_lookup_skb), so the kernel then has to give it
 * another one; likewise where it does not tell as it does not forward.  *ret_known: ret is filled
 * in.
 */
ASYM_INLINE bool guard_next_hop(struct __sk_buff *skb, const struct bootp *b, __u32 owner,
				struct bpf_redir_neigh *ret, bool *ret_known)
{
	struct bpf_fib_lookup fib = {
		.family = AF_INET,
		.l4_protocol = IPPROTO_UDP,
		.sport = bpf_htons(BOOTP_CLIENT),
		.dport = bpf_htons(BOOTP_SERVER),
		.ifindex = owner,
		.ipv4_src = b->h.ciaddr,
		.ipv4_dst = b->ip.daddr,
	};
	long r = bpf_fib_lookup(skb, &fib, sizeof(fib), BPF_FIB_LOOKUP_OUTPUT);

	*ret_known = r == BPF_FIB_LKUP_RET_SUCCESS;
	if ((!*ret_known && r != BPF_FIB_LKUP_RET_NO_NEIGH && r != BPF_FIB_LKUP_RET_FWD_DISABLED) ||
	    fib.ifindex != owner)
		return false;
	/* a route may name an IPv6 gateway (RFC 5549) */
	ret->nh_family = fib.family;
	__builtin_memcpy(ret->ipv6_nh, fib.ipv6_dst, sizeof(ret->ipv6_nh));
	return true;
}

/* bpf_redirect_neigh() replaces the link-layer header, but drops what has none, and groups'. */
ASYM_INLINE bool guard_set_header(struct __sk_buff *skb, __u32 l2_len)
{
	struct ethhdr eth = {.h_proto = bpf_htons(ETH_P_IP)};

	if (!l2_len && bpf_skb_change_head(skb, ETH_HLEN, 0))
		return false;
	return !bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), 0);
}

/* False: there is no way, and nothing was written. */
ASYM_INLINE bool guard_move(struct __sk_buff *skb, __u32 l2_len, const struct bootp *b, __u32 owner)
{
	struct bpf_redir_neigh nh = {};
	bool known;

	if (!guard_next_hop(skb, b, owner, &nh, &known) || !guard_set_header(skb, l2_len))
		return false;
	guard_set_source(skb, ETH_HLEN, b);
	skb->mark &= ~b->mark_mask;
	if (known)
		return bpf_redirect_neigh(owner, &nh, sizeof(nh), 0) == TC_ACT_REDIRECT;
	return bpf_redirect_neigh(owner, NULL, 0, 0) == TC_ACT_REDIRECT;
}

ASYM_INLINE void guard_count(__u32 link, enum asym_bootp_what what)
{
	struct asym_dhcp *d = bootp_counters(link);

	if (!d)
		return;
	if (what == ASYM_BOOTP_RIGHT)
		__sync_fetch_and_add(&d->right, 1);
	else if (what == ASYM_BOOTP_MENDED)
		__sync_fetch_and_add(&d->mended, 1);
	else if (what == ASYM_BOOTP_MOVED)
		__sync_fetch_and_add(&d->moved, 1);
	else
		__sync_fetch_and_add(&d->failed, 1);
}

/* Of a renewal whose owner is known. */
ASYM_INLINE enum asym_bootp_what guard_renewal(struct __sk_buff *skb, __u32 l2_len,
					       const struct bootp *b, const struct asym_owner *owner)
{
	__u32 ifindex = owner->ifindex;
	bool here = ifindex == skb->ifindex;

	if (!ifindex || (here && guard_source_is_right(b)))
		return ASYM_BOOTP_RIGHT;
	if (owner->watch)
		return ASYM_BOOTP_FAILED;
	if (!here)
		return guard_move(skb, l2_len, b, ifindex) ? ASYM_BOOTP_MOVED : ASYM_BOOTP_FAILED;
	guard_set_source(skb, l2_len, b);
	return ASYM_BOOTP_MENDED;
}

ASYM_INLINE int guard_request(struct __sk_buff *skb, __u32 l2_len)
{
	struct bootp_news news = {.what = ASYM_BOOTP_RIGHT};
	struct asym_owner *owner;
	struct bootp b = {};

	if (skb->tc_index == BOOTP_TAG ||
	    !bootp_read(skb, l2_len, BOOTP_SERVER, BOOTP_REQUEST, &b) || b.h.giaddr ||
	    !bootp_begin(&b))
		return TC_ACT_UNSPEC;
	skb->tc_index = BOOTP_TAG;
	news.sender = guard_sender(skb);
	owner = guard_owner(&b, skb->ifindex);
	news.owner = owner ? owner->ifindex : 0;
	news.link = news.owner ? owner->link : link_of_device(b.bank, skb->ifindex);
	if (owner && guard_is_renewal(&b)) {
		news.what = guard_renewal(skb, l2_len, &b, owner);
		guard_count(news.link, news.what);
	}
	bootp_tell(skb, news.what == ASYM_BOOTP_MOVED ? ETH_HLEN : l2_len, &b, &news);
	return news.what == ASYM_BOOTP_MOVED ? TC_ACT_REDIRECT : TC_ACT_UNSPEC;
}

/* Functions of their own: see lib/link.h. */
__noinline int guard_eth(struct __sk_buff *skb)
{
	return guard_request(skb, ETH_HLEN);
}

__noinline int guard_ip(struct __sk_buff *skb)
{
	return guard_request(skb, 0);
}

ASYM_INLINE int guard(struct __sk_buff *skb, __u32 l2_len)
{
	if (!bootp_may_be(skb, l2_len, BOOTP_SERVER))
		return TC_ACT_UNSPEC;
	return l2_len ? guard_eth(skb) : guard_ip(skb);
}

#endif
