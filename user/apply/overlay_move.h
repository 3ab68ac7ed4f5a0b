/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The name of a tunnel's endpoint has another address. */
#ifndef APPLY_OVERLAY_MOVE_H
#define APPLY_OVERLAY_MOVE_H

#include "apply/overlay_endpoint.h"
#include "core/mesh_plan.h"

struct overlay_moved {
	char before[OVERLAY_ENDPOINT], now[OVERLAY_ENDPOINT];
};

/*
 * Sets the endpoint of a tunnel of ours, if the address that was set last is none of those that its
 * name has now; where the peer has roamed to meanwhile does not count.  Takes the lock of the network
 * namespace for that.  0: nothing to do; 1: done, with ret; -EWOULDBLOCK: somebody has the lock;
 * -errno.
 */
int overlay_move(uint64_t cookie, const struct mesh_tunnel *t, const struct resolved *found,
		 struct overlay_moved *ret);

#endif
