/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tc ingress of links: a DHCP server's reply reaches the link whose client it is for, and only
 * that.  Servers answer to where the request came from, or to whoever won the race for an ARP entry.
 */
#ifndef ASYM_REPLY_H
#define ASYM_REPLY_H

#include "lib/bootp.h"

#ifndef AF_INET
#define AF_INET 2 /* include/linux/socket.h */
#endif
#ifndef PACKET_OTHERHOST
#define PACKET_OTHERHOST 3 /* include/uapi/linux/if_packet.h */
#endif

/* True: the program is to return TC_ACT_REDIRECT.  False: not enough memory, nothing was written. */
ASYM_INLINE bool reply_return(struct __sk_buff *skb, __u32 l2_len, const struct bootp *b,
			      const struct asym_owner *owner)
{
	__be16 proto = bpf_htons(ETH_P_IP);
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, owner->mac, sizeof(mac));
	if (!l2_len && (bpf_skb_change_head(skb, ETH_HLEN, 0) ||
			bpf_skb_store_bytes(skb, 2 * ETH_ALEN, &proto, sizeof(proto), 0)))
		return false;
	if (bpf_skb_store_bytes(skb, 0, mac, sizeof(mac), 0))
		return false;
	skb->mark &= ~b->mark_mask;
	return bpf_redirect(owner->ifindex, BPF_F_INGRESS) == TC_ACT_REDIRECT;
}

/* An offer or the first acknowledgement is sent to an address that the client has not taken yet. */
ASYM_INLINE bool reply_would_leave(struct __sk_buff *skb, const struct bootp *b)
{
	struct bpf_fib_lookup fib = {
		.family = AF_INET,
		.l4_protocol = IPPROTO_UDP,
		.sport = b->udp.source,
		.dport = b->udp.dest,
		.ifindex = skb->ifindex,
		.ipv4_src = b->ip.saddr,
		.ipv4_dst = b->ip.daddr,
	};
	long r = bpf_fib_lookup(skb, &fib, sizeof(fib), 0);

	return r == BPF_FIB_LKUP_RET_SUCCESS || r == BPF_FIB_LKUP_RET_NO_NEIGH;
}

/* Packet sockets get to see it yet, IP does not.  Those of one protocol come after tc ingress
 * (net/core/dev.c, __netif_receive_skb_core), so it must not be dropped. */
ASYM_INLINE void reply_keep(struct __sk_buff *skb, __u32 link)
{
	struct asym_dhcp *d = bootp_counters(link);

	bpf_skb_change_type(skb, PACKET_OTHERHOST);
	if (d)
		__sync_fetch_and_add(&d->kept, 1);
}

ASYM_INLINE void reply_count_returned(__u32 link)
{
	struct asym_dhcp *d = bootp_counters(link);

	if (d)
		__sync_fetch_and_add(&d->returned, 1);
}

/* A reply to this link's client, or to one of ours of which nobody knows whose. */
ASYM_INLINE int reply_here(struct __sk_buff *skb, __u32 l2_len, const struct bootp *b,
			   struct bootp_news *news)
{
	if (skb->tc_index == BOOTP_TAG)
		skb->tc_index = 0; /* it was told where it arrived first */
	else
		bootp_tell(skb, l2_len, b, news);
	if (skb->pkt_type == PACKET_HOST && reply_would_leave(skb, b))
		reply_keep(skb, news->link);
	return TC_ACT_UNSPEC;
}

ASYM_INLINE int reply_elsewhere(struct __sk_buff *skb, __u32 l2_len, const struct bootp *b,
				const struct asym_owner *owner, struct bootp_news *news)
{
	/* what is sent to all reaches the owner by itself */
	if (skb->pkt_type != PACKET_HOST || !reply_return(skb, l2_len, b, owner))
		return TC_ACT_UNSPEC;
	skb->tc_index = BOOTP_TAG;
	news->what = ASYM_BOOTP_RETURNED;
	bootp_tell(skb, ETH_HLEN, b, news);
	reply_count_returned(news->link);
	return TC_ACT_REDIRECT;
}

ASYM_INLINE int reply(struct __sk_buff *skb, __u32 l2_len)
{
	struct bootp_news news = {.what = ASYM_BOOTP_REPLY};
	struct asym_owner *owner;
	struct bootp b = {};

	if (skb->pkt_type == PACKET_OTHERHOST ||
	    !bootp_read(skb, l2_len, BOOTP_CLIENT, BOOTP_REPLY, &b) || !bootp_begin(&b))
		return TC_ACT_UNSPEC;
	owner = owner_by_mac(&b);
	if (!owner)
		return TC_ACT_UNSPEC;
	news.owner = owner->ifindex;
	news.link = news.owner ? owner->link : link_of_device(b.bank, skb->ifindex);
	if (news.owner && news.owner != skb->ifindex)
		return reply_elsewhere(skb, l2_len, &b, owner, &news);
	return reply_here(skb, l2_len, &b, &news);
}

/* Functions of their own: see lib/link.h. */
__noinline int reply_eth(struct __sk_buff *skb)
{
	return reply(skb, ETH_HLEN);
}

__noinline int reply_ip(struct __sk_buff *skb)
{
	return reply(skb, 0);
}

#endif
