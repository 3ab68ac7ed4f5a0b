/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's user API that programs build on, and the words missing from it. */
#ifndef ASYM_KERNEL_H
#define ASYM_KERNEL_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ASYM_INLINE static __always_inline

/* RFC 8200 section 4.5; in glibc's headers, not in the kernel's linux/in.h or in6.h for BPF. */
#define IPPROTO_FRAGMENT 44

/* include/uapi/linux/if_packet.h: the frame's destination MAC is the device's own. */
#ifndef PACKET_HOST
#define PACKET_HOST 0
#endif

/* include/linux/if_vlan.h, VLAN_VID_MASK: 0 is a frame with a priority, but of no VLAN. */
#define VLAN_ID 0x0fff

/* include/net/ip.h: more fragments follow, or an offset: not a whole datagram. */
#define IP_FRAGMENT (0x2000 | 0x1fff)

/* Read or written once, where another CPU may write or read at the same time. */
#define ASYM_ONCE(x) (*(volatile typeof(x) *)&(x))

/*
 * What was read before is not what another CPU wrote after.  x86 loads in order; elsewhere an atomic
 * exchange is a full barrier, as all of the kernel's atomics that return a value are
 * (Documentation/atomic_t.txt).
 */
ASYM_INLINE void read_barrier(void)
{
#ifdef ASYM_ORDERED_LOADS
	asm volatile("" ::: "memory");
#else
	__u32 here = 0;

	__sync_lock_test_and_set(&here, 1);
#endif
}

#endif
