/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes an IPv4 packet out of a device of our choice, whatever the routes say: next hop by the
 * routes of that device (its own table), neighbour by the kernel (asked to resolve where it does
 * not know yet), then AF_PACKET.
 */
#ifndef RUN_COURIER_H
#define RUN_COURIER_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define COURIER_WAITING 64 /* packets that wait for neighbours at once */
#define COURIER_WAIT_MS 1000

struct courier;
/* 0 or -errno. */
int courier_open(uv_loop_t *loop, struct courier **ret);
/* What waits is dropped, its `done` called with -ECANCELED.  NULL is fine. */
void courier_close(struct courier *c);

/* How it went: 0 or -errno (-EHOSTUNREACH: the neighbour does not answer; -ENETUNREACH: no route by
 * this device; -ENETDOWN; -ENOBUFS: COURIER_WAITING wait already). */
typedef void courier_done(void *data, int result);

/*
 * Sends the packet (len bytes from the IP header on, complete with checksums; copied) by this
 * device to its destination.  Devices without neighbours (point-to-point) get it as it is.  done is
 * called once, perhaps before this returns; it may send, too, but not close.
 */
void courier_send(struct courier *c, uint32_t ifindex, const void *packet, size_t len,
		  courier_done *done, void *data);

#endif
