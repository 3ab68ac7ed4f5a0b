/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes of a packet, and addresses. */
#ifndef ASYM_PACKET_H
#define ASYM_PACKET_H

#include "bpf/abi.h"
#include "lib/kernel.h"

/* 0, or negative when the packet ends before. */
ASYM_INLINE int parse_copy(struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	void *from = (void *)(long)skb->data + offset;

	if (from + size > (void *)(long)skb->data_end)
		return bpf_skb_load_bytes(skb, offset, to, size);
	__builtin_memcpy(to, from, size);
	return 0;
}

ASYM_INLINE struct asym_addr addr_from_v4(__be32 v4)
{
	return (struct asym_addr){{0, 0, bpf_htonl(0xffff), v4}};
}

/* 224/4 and 240/4, 127/8, 169.254/16, 0/8 and the subnet's own broadcasts are not for a policy; the
 * last is told by the frame's type (PACKET_BROADCAST). */
ASYM_INLINE bool scope_v4(__be32 dst)
{
	__u32 a = bpf_ntohl(dst);

	return a >> 28 >= 0xe || a >> 24 == 127 || a >> 16 == 0xa9fe || a >> 24 == 0;
}

/* ff00::/8, fe80::/10, :: and ::1. */
ASYM_INLINE bool scope_v6(const struct asym_addr *dst)
{
	__u32 top = bpf_ntohl(dst->w[0]);

	if (top >> 24 == 0xff || top >> 22 == 0xfe80 >> 6)
		return true;
	return !(dst->w[0] | dst->w[1] | dst->w[2]) && bpf_ntohl(dst->w[3]) <= 1;
}

#endif
