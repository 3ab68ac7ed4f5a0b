/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tc ingress of LAN devices: packets of established connections pass the flow cache; every other gets
 * the mark of the link that the rules choose.
 */
#ifndef ASYM_LAN_H
#define ASYM_LAN_H

#include "lib/cache.h"
#include "lib/choose.h"
#include "lib/fast.h"
#include "lib/parse.h"

ASYM_INLINE enum asym_reason lan_parse_reason(enum parse_result parsed)
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
		return lan_parse_reason(parsed);
	chosen = choose_link(&c);
	if (asym_has_ct)
		cache_allow(&c, c.rule ? c.rule->fastpath : ASYM_FASTPATH_ON);
	if (c.link)
		skb->mark |= c.link << c.config->mark_shift;
	return ASYM_LAN_BUCKET + chosen;
}

/* Functions of their own, so that the ways through the fast path do not multiply what there is to be
 * verified in here. */
__noinline int lan_slow_eth(struct __sk_buff *skb)
{
	return lan_mark(skb, ETH_HLEN);
}

__noinline int lan_slow_ip(struct __sk_buff *skb)
{
	return lan_mark(skb, 0);
}

ASYM_INLINE int lan(struct __sk_buff *skb, __u32 l2_len)
{
	enum flow_verdict verdict = asym_has_ct ? fast_path(skb, l2_len) : FLOW_ODD;

	if (verdict == FLOW_PASS) {
		count_reason(ASYM_LAN_FLOW);
		return TC_ACT_REDIRECT;
	}
	count_reason(l2_len ? lan_slow_eth(skb) : lan_slow_ip(skb));
	if (asym_has_ct)
		cache_flow(skb, verdict);
	return TC_ACT_UNSPEC;
}

#endif
