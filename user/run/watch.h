/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells that something of the machine's network configuration has changed: devices, addresses, routes,
 * rules, tc filters, nftables, our kernel module. */
#ifndef RUN_WATCH_H
#define RUN_WATCH_H

#include <stdint.h>
#include <uv.h>

struct watch;

/* changed is told once for all that has been read; it is not said what it was, as events may be lost
 * (ENOBUFS counts as a change).  nftables tells too where the kernel has it.  0 or -errno. */
int watch_open(uv_loop_t *loop, void (*changed)(void *data), void *data, struct watch **ret);
/* What has happened until now is told to nobody. */
void watch_skip(struct watch *w);

/* Routes of ours that come from this netlink port (0: none) are what an update has just put there, and no
 * change. */
void watch_own(struct watch *w, uint32_t port);
void watch_close(struct watch *w);

#endif
