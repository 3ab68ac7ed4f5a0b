// SPDX-License-Identifier: GPL-2.0-only
/* tc programs of a mesh: egress of its overlay device, ingress of its tunnels.  See
 * bpf/overlay_abi.h. */
#include "lib/overlay.h"

SEC("tc")
int asym_ov_out(struct __sk_buff *skb)
{
	return ov_out(skb, 0);
}

SEC("tc")
int asym_ov_in(struct __sk_buff *skb)
{
	return ov_in(skb, 0);
}

char _license[] SEC("license") = "GPL";
