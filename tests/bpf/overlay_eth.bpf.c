// SPDX-License-Identifier: GPL-2.0-only
/* The overlay's programs behind an Ethernet header, as BPF_PROG_TEST_RUN shows no other packets;
 * with a clock that the test may set, and a note of where packets go. */
#include "lib/kernel.h"

__u64 test_now;
__u32 test_ifindex;
__u64 test_flags;

ASYM_INLINE __u64 test_clock(void)
{
	return test_now ?: bpf_ktime_get_ns();
}

ASYM_INLINE long test_redirect(__u32 ifindex, __u64 flags)
{
	test_ifindex = ifindex;
	test_flags = flags;
	return bpf_redirect(ifindex, flags);
}

#define OV_NOW test_clock
#define OV_REDIRECT test_redirect
#include "lib/overlay.h"

SEC("tc")
int asym_ov_out_eth(struct __sk_buff *skb)
{
	return ov_out(skb, ETH_HLEN);
}

SEC("tc")
int asym_ov_in_eth(struct __sk_buff *skb)
{
	return ov_in(skb, ETH_HLEN);
}

char _license[] SEC("license") = "GPL";
