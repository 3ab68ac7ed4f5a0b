/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BOOTP messages (RFC 951, RFC 2131 section 2) of the router's own DHCP clients: read, looked up,
 * counted, told to the daemon.  Whole datagrams of Ethernet clients only.
 */
#ifndef ASYM_BOOTP_H
#define ASYM_BOOTP_H

#include "lib/maps.h"

#define BOOTP_SERVER 67
#define BOOTP_CLIENT 68
#define BOOTP_REQUEST 1
#define BOOTP_REPLY 2
#define BOOTP_ETHERNET 1 /* htype (RFC 1700, "Number Hardware Type") */
#define BOOTP_FIXED 236	 /* bytes before the options */

/* On a message that was judged, in skb->tc_index: "ag".  It may pass more of our programs: those of
 * the link it is moved to, of the device below a macvlan. */
#define BOOTP_TAG 0x6167

struct bootp_header {
	__u8 op, htype, hlen, hops;
	__be32 xid;
	__be16 secs, flags;
	__be32 ciaddr, yiaddr, siaddr, giaddr;
	__u8 chaddr[ETH_ALEN];
	__u8 _pad[2];
};

struct bootp {
	struct iphdr ip;
	struct udphdr udp;
	struct bootp_header h;
	__u32 len;	 /* from the IP header on */
	__u32 l4;	 /* offset of the UDP header from there */
	__u32 bank;
	__u32 mark_mask; /* our bits of skb->mark */
};

/* Whether it is worth to read on: false for nearly all packets. */
ASYM_INLINE bool bootp_may_be(struct __sk_buff *skb, __u32 l2_len, __u16 port)
{
	struct iphdr *ip = (void *)(long)skb->data + l2_len;
	__be16 *ports = (void *)(ip + 1);

	if (skb->protocol != bpf_htons(ETH_P_IP))
		return false;
	if ((void *)(ports + 2) > (void *)(long)skb->data_end)
		return true;
	return ip->protocol == IPPROTO_UDP && (*(__u8 *)ip != 0x45 || ports[1] == bpf_htons(port));
}

/* A VLAN's frames come by the device below, too. */
ASYM_INLINE bool bootp_read_ip(struct __sk_buff *skb, __u32 l2_len, struct bootp *b)
{
	if (skb->vlan_present && skb->vlan_tci & VLAN_ID)
		return false;
	if (skb->gso_size || bpf_skb_load_bytes(skb, l2_len, &b->ip, sizeof(b->ip)))
		return false;
	b->l4 = b->ip.ihl * 4;
	b->len = bpf_ntohs(b->ip.tot_len);
	return b->ip.version == 4 && b->ip.ihl >= 5 && b->ip.protocol == IPPROTO_UDP &&
	       !(b->ip.frag_off & bpf_htons(IP_FRAGMENT)) && l2_len + b->len <= skb->len;
}

ASYM_INLINE bool bootp_read(struct __sk_buff *skb, __u32 l2_len, __u16 port, __u8 op,
			    struct bootp *b)
{
	__u32 udp_len;

	if (!bootp_read_ip(skb, l2_len, b) ||
	    bpf_skb_load_bytes(skb, l2_len + b->l4, &b->udp, sizeof(b->udp)) ||
	    b->udp.dest != bpf_htons(port))
		return false;
	udp_len = bpf_ntohs(b->udp.len);
	if (udp_len < sizeof(b->udp) + BOOTP_FIXED || b->l4 + udp_len > b->len)
		return false;
	if (bpf_skb_load_bytes(skb, l2_len + b->l4 + sizeof(b->udp), &b->h, sizeof(b->h)))
		return false;
	return b->h.op == op && b->h.htype == BOOTP_ETHERNET && b->h.hlen == ETH_ALEN;
}

/* Which bank is in use. */
ASYM_INLINE bool bootp_begin(struct bootp *b)
{
	__u32 zero = 0;
	struct asym_control *control = bpf_map_lookup_elem(&asym_control, &zero);
	struct asym_config *config;

	if (!control)
		return false;
	b->bank = control->bank & 1;
	config = bpf_map_lookup_elem(&asym_config, &b->bank);
	if (!config)
		return false;
	b->mark_mask = config->mark_mask;
	return true;
}

ASYM_INLINE struct asym_owner *owner_by_mac(const struct bootp *b)
{
	struct asym_owner_key key = {.bank = b->bank, .kind = ASYM_OWNER_MAC};

	__builtin_memcpy(key.value, b->h.chaddr, ETH_ALEN);
	return bpf_map_lookup_elem(&asym_owners, &key);
}

ASYM_INLINE struct asym_owner *owner_by_addr(const struct bootp *b)
{
	struct asym_owner_key key = {.bank = b->bank, .kind = ASYM_OWNER_ADDR};

	__builtin_memcpy(key.value, &b->h.ciaddr, sizeof(b->h.ciaddr));
	return bpf_map_lookup_elem(&asym_owners, &key);
}

/* The link that a device carries, 0: none. */
ASYM_INLINE __u32 link_of_device(__u32 bank, __u32 ifindex)
{
	struct asym_device_key key = {.bank = bank, .ifindex = ifindex};
	struct asym_device *device = bpf_map_lookup_elem(&asym_devices, &key);

	return device ? device->link : 0;
}

/* What is to be said of a message. */
struct bootp_news {
	__u32 owner; /* ifindex, 0: unknown */
	__u32 link;  /* id */
	__u8 what;   /* enum asym_bootp_what */
	__u8 sender; /* enum asym_sender */
};

ASYM_INLINE struct asym_dhcp *bootp_counters(__u32 link)
{
	return bpf_map_lookup_elem(&asym_dhcp, &link);
}

/* Two CPUs may let through one or two too many. */
ASYM_INLINE bool bootp_may_tell(__u32 link, __u64 ns)
{
	struct asym_dhcp *d = bootp_counters(link);
	__u32 second = ns / 1000000000;

	if (!d)
		return false;
	if (d->window != second) {
		d->window = second;
		d->told = 0;
	}
	if (d->told >= ASYM_BOOTP_PER_S)
		return false;
	d->told++;
	return true;
}

ASYM_INLINE void bootp_tell(struct __sk_buff *skb, __u32 l2_len, const struct bootp *b,
			    const struct bootp_news *news)
{
	__u64 ns = bpf_ktime_get_boot_ns();
	struct asym_bootp *e;
	__u32 len = b->len;

	if (!bootp_may_tell(news->link, ns))
		return;
	e = bpf_ringbuf_reserve(&asym_bootp, sizeof(*e), 0);
	if (!e)
		return;
	e->ns = ns;
	e->ifindex = skb->ifindex;
	e->owner = news->owner;
	e->what = news->what;
	e->sender = news->sender;
	e->link = news->link;
	__builtin_memset(e->_pad, 0, sizeof(e->_pad));
	/* clang knows the least length from bootp_read(), the verifier forgets it on the stack (and that
	 * of Linux 6.1 learns nothing from "not 0") */
	asm volatile("" : "+r"(len));
	if (len > ASYM_BOOTP_DATA)
		len = ASYM_BOOTP_DATA;
	e->len = len;
	if (len < BOOTP_FIXED || bpf_skb_load_bytes(skb, l2_len, e->data, len)) {
		bpf_ringbuf_discard(e, 0);
		return;
	}
	bpf_ringbuf_submit(e, 0);
}

#endif
