// SPDX-License-Identifier: GPL-2.0-only
/* tc ingress of LAN devices: gives every packet the mark of the link that the rules choose. */
#include "lib/choose.h"
#include "lib/parse.h"

ASYM_INLINE enum asym_reason parse_reason(enum parse_result parsed)
{
	switch (parsed) {
	case PARSE_NOT_IP:
		return ASYM_LAN_NOT_IP;
	case PARSE_EXT_HEADER:
		return ASYM_LAN_EXT_HEADER;
	case PARSE_SCOPE:
		return ASYM_LAN_SCOPE;
	default:
		return ASYM_LAN_MALFORMED;
	}
}

ASYM_INLINE enum asym_reason lan_mark(struct __sk_buff *skb, __u32 l2_len)
{
	struct choice c = {.bytes = skb->len};
	enum choose_result chosen;
	enum parse_result parsed;

	if (skb->pkt_type != PACKET_HOST)
		return ASYM_LAN_NOT_HOST;
	if (!choose_begin(&c))
		return ASYM_LAN_NO_RULE;
	if (skb->mark & c.config->mark_mask)
		return ASYM_LAN_MARKED;
	parsed = parse_flow(skb, l2_len, &c.flow);
	if (parsed != PARSE_OK)
		return parse_reason(parsed);
	chosen = choose_link(&c);
	if (c.link)
		skb->mark |= c.link << c.config->mark_shift;
	return ASYM_LAN_BUCKET + chosen;
}

SEC("tc")
int asym_lan_eth(struct __sk_buff *skb)
{
	count_reason(lan_mark(skb, ETH_HLEN));
	return TC_ACT_UNSPEC;
}

SEC("tc")
int asym_lan_ip(struct __sk_buff *skb)
{
	count_reason(lan_mark(skb, 0));
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
