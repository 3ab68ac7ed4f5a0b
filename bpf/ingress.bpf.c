// SPDX-License-Identifier: GPL-2.0-only
/*
 * tc ingress.  Of every program there are two: for devices with an Ethernet header, and without a
 * link-layer header.  All in one object: bpftool's linker refuses a kfunc that two objects name.
 */
#include "lib/lan.h"
#include "lib/link.h"

SEC("tc")
int asym_lan_eth(struct __sk_buff *skb)
{
	return lan(skb, ETH_HLEN);
}

SEC("tc")
int asym_lan_ip(struct __sk_buff *skb)
{
	return lan(skb, 0);
}

SEC("tc")
int asym_link_eth(struct __sk_buff *skb)
{
	return link(skb, ETH_HLEN);
}

SEC("tc")
int asym_link_ip(struct __sk_buff *skb)
{
	return link(skb, 0);
}

char _license[] SEC("license") = "GPL";
