// SPDX-License-Identifier: GPL-2.0-only
/*
 * tc ingress of links: marks every packet with the link that is to answer it, the link of arrival
 * unless configured otherwise.  netfilter keeps the mark of a new connection; the mark also lets
 * the reverse path check look into the table of that link.
 */
#include "lib/choose.h"
#include "lib/parse.h"

ASYM_INLINE enum asym_reason parse_reason(enum parse_result parsed)
{
	switch (parsed) {
	case PARSE_NOT_IP:
		return ASYM_LINK_NOT_IP;
	case PARSE_SCOPE:
		return ASYM_LINK_SCOPE;
	default:
		return ASYM_LINK_MALFORMED;
	}
}

/* The id that answers what arrives on this device, or 0. */
ASYM_INLINE __u32 reply_link(struct __sk_buff *skb, __u32 bank)
{
	struct asym_device_key key = {.bank = bank, .ifindex = skb->ifindex};
	struct asym_device *device = bpf_map_lookup_elem(&asym_devices, &key);

	return device ? device->reply : 0;
}

ASYM_INLINE enum asym_reason link_mark(struct __sk_buff *skb, __u32 l2_len)
{
	struct choice c = {};
	enum parse_result parsed;
	__u32 reply;

	if (skb->pkt_type != PACKET_HOST)
		return ASYM_LINK_NOT_HOST;
	if (!choose_begin(&c))
		return ASYM_LINK_UNKNOWN;
	if (skb->mark & c.config->mark_mask)
		return ASYM_LINK_MARKED;
	parsed = parse_flow(skb, l2_len, &c.flow);
	if (parsed != PARSE_OK && parsed != PARSE_EXT_HEADER)
		return parse_reason(parsed);
	reply = reply_link(skb, c.bank);
	if (!reply)
		return ASYM_LINK_UNKNOWN;
	skb->mark |= reply << c.config->mark_shift;
	return ASYM_LINK_IN;
}

SEC("tc")
int asym_link_eth(struct __sk_buff *skb)
{
	count_reason(link_mark(skb, ETH_HLEN));
	return TC_ACT_UNSPEC;
}

SEC("tc")
int asym_link_ip(struct __sk_buff *skb)
{
	count_reason(link_mark(skb, 0));
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
