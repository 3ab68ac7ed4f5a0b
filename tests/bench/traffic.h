/* SPDX-License-Identifier: GPL-2.0-only */
/* What the traffic programs and their driver share. */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include <linux/types.h>

#define TRAFFIC_DEVICES 256
#define TRAFFIC_FRAME4 60 /* the shortest Ethernet frame, without its checksum */
#define TRAFFIC_FRAME6 80 /* the same payload below an IPv6 header */

/* Written by the driver between two runs only. */
struct traffic_order {
	__u32 first; /* flow numbers first..first+flows-1 in turn */
	__u32 flows;
	__u32 next;  /* which of them the next frame belongs to */
	__u32 lan;   /* ifindexes of the gateway, for the wire programs */
	__u32 wan1;  /* the other links follow it */
	__u32 links;
};

/*
 * Plain counters: all programs run on the one CPU that the driver is pinned to, and none
 * interrupts another there (softirq, or the driver with softirqs off).
 */
struct traffic_count {
	__u64 reflected;  /* frames that reached the Internet host */
	__u64 translated; /* of these, with a source that is not the client's */
	__u64 returned;   /* answers at the client with the client's own addresses */
	__u64 astray;     /* answers that reached the wrong client, or with wrong ports */
	__u64 last_ns;    /* CLOCK_MONOTONIC at the last of these, if asked for */
	__u32 device[TRAFFIC_DEVICES]; /* reflected, by ifindex of the far end, or of the TUN link */
};

#endif
