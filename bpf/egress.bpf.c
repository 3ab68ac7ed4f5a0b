// SPDX-License-Identifier: GPL-2.0-only
/* tc egress.  Of every program there are two, as at ingress. */
#include "lib/guard.h"
#include "lib/learn.h"

SEC("tc")
int asym_learn_eth(struct __sk_buff *skb)
{
	return learn(skb, ETH_HLEN);
}

SEC("tc")
int asym_learn_ip(struct __sk_buff *skb)
{
	return learn(skb, 0);
}

/* Of links: what is forwarded was not made here, what was made here is nothing for the flow cache. */
SEC("tc")
int asym_guard_eth(struct __sk_buff *skb)
{
	if (!skb->ingress_ifindex)
		return guard(skb, ETH_HLEN);
	return asym_has_ct ? learn(skb, ETH_HLEN) : TC_ACT_UNSPEC;
}

SEC("tc")
int asym_guard_ip(struct __sk_buff *skb)
{
	if (!skb->ingress_ifindex)
		return guard(skb, 0);
	return asym_has_ct ? learn(skb, 0) : TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
