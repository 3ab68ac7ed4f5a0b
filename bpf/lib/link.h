/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tc ingress of links: packets of established connections pass the flow cache; every other is marked with the link that is to answer it, the link of arrival
 * unless configured otherwise.  netfilter keeps the mark of a new connection; the mark also lets
 * the reverse path check look into the table of that link.
 */
#ifndef ASYM_LINK_H
#define ASYM_LINK_H

#include "lib/cache.h"
#include "lib/choose.h"
#include "lib/fast.h"
#include "lib/parse.h"
#include "lib/reply.h"

ASYM_INLINE enum asym_reason link_parse_reason(enum parse_result parsed)
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

ASYM_INLINE const struct asym_device *arrival_device(struct __sk_buff *skb, __u32 bank)
{
	struct asym_device_key key = {.bank = bank, .ifindex = skb->ifindex};

	return bpf_map_lookup_elem(&asym_devices, &key);
}

ASYM_INLINE enum asym_reason link_mark(struct __sk_buff *skb, __u32 l2_len)
{
	const struct asym_device *device;
	struct choice c = {};
	enum parse_result parsed;

	if (skb->pkt_type != PACKET_HOST)
		return ASYM_LINK_NOT_HOST;
	if (!choose_begin(&c))
		return ASYM_LINK_UNKNOWN;
	if (skb->mark & c.config->mark_mask)
		return ASYM_LINK_MARKED;
	parsed = parse_flow(skb, l2_len, &c.flow);
	if (parsed != PARSE_OK && parsed != PARSE_EXT_HEADER)
		return link_parse_reason(parsed);
	device = arrival_device(skb, c.bank);
	if (!device || !device->link)
		return ASYM_LINK_UNKNOWN;
	if (asym_has_ct && link_fastpath(c.bank, device->link) == ASYM_FASTPATH_STATELESS)
		cache_allow(&c, ASYM_FASTPATH_STATELESS);
	skb->mark |= device->reply << c.config->mark_shift;
	return ASYM_LINK_IN;
}

/* Functions of their own, so that the ways through the fast path do not multiply what there is to be
 * verified in here. */
__noinline int link_slow_eth(struct __sk_buff *skb)
{
	return link_mark(skb, ETH_HLEN);
}

__noinline int link_slow_ip(struct __sk_buff *skb)
{
	return link_mark(skb, 0);
}

ASYM_INLINE int link(struct __sk_buff *skb, __u32 l2_len)
{
	enum flow_verdict verdict = asym_has_ct ? fast_path(skb, l2_len) : FLOW_ODD;

	if (verdict == FLOW_PASS) {
		count_reason(ASYM_LINK_FLOW);
		return TC_ACT_REDIRECT;
	}
	count_reason(l2_len ? link_slow_eth(skb) : link_slow_ip(skb));
	if (bootp_may_be(skb, l2_len, BOOTP_CLIENT))
		return l2_len ? reply_eth(skb) : reply_ip(skb);
	if (asym_has_ct)
		cache_flow(skb, verdict);
	return TC_ACT_UNSPEC;
}

#endif
