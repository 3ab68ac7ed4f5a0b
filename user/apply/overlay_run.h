/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One overlay_apply or overlay_remove, in steps; for overlay*.c alone. */
#ifndef APPLY_OVERLAY_RUN_H
#define APPLY_OVERLAY_RUN_H

#include "apply/overlay.h"
#include "apply/overlay_state.h"
#include "core/host.h"
#include "nl/nl.h"
#include "nl/wireguard.h"

/* Of our routes (rtm_protocol).  Not PLAN_RTPROT: what carries that and is not in the gateway's plan
 * is removed by its load, reload and daemon. */
#define OVERLAY_RTPROT 172

struct overlay_tunnel {
	const struct mesh_tunnel *t;
	struct overlay_device *now;
	const struct overlay_device *was; /* NULL: not ours before */
	struct wireguard want, before;	  /* secret */
	uint32_t mtu_before;
	bool set_endpoint;
	bool made, changed; /* in this run */
};

struct overlay_run {
	const struct mesh_plan *p;
	const struct overlay_options *o;
	uint64_t cookie;
	struct nl nl; /* NETLINK_ROUTE */
	struct overlay_state was, now;
	struct overlay_tunnel *tunnels; /* of p->tunnels */
	struct host before;		/* its routes: ours */
	uint32_t mtu_before;		/* of the overlay device; 0: not ours */
	bool made, addressed, routed, programmed, clamped; /* the overlay device, in this run */
	char *error;
	size_t size;
};

/* Writes "TEXT: reason of r" (r -EMEDIUMTYPE: the text alone) unless there is an error text already, and
 * returns r. */
int overlay_fail(struct overlay_run *run, int r, const char *fmt, ...) PRINTF(3, 4);

/* Whose the devices are, where the peers are, whether ports are free; fills run->tunnels and run->now
 * and changes nothing. */
int overlay_check(struct overlay_run *run);

int overlay_tunnels_apply(struct overlay_run *run);
void overlay_tunnels_undo(struct overlay_run *run);
/* Takes away a device that we made, if it is still that one. */
int overlay_device_remove(struct overlay_run *run, const struct overlay_device *d, bool tunnel);

/* -EMEDIUMTYPE: a setting of the machine makes it useless. */
int overlay_device_check(struct overlay_run *run);
/* The overlay device with its addresses (those of run->was stay for now). */
int overlay_device_apply(struct overlay_run *run);
void overlay_device_undo(struct overlay_run *run);
/* Addresses of `from` that `keep` has not. */
int overlay_addresses_remove(struct overlay_run *run, const struct overlay_state *from,
			     const struct overlay_state *keep);

/* Our routes to ret->routes. */
int overlay_routes_take(struct overlay_run *run, struct host *ret);
int overlay_routes_apply(struct overlay_run *run);
/* Makes these all the routes that are ours. */
int overlay_routes_set(struct overlay_run *run, const struct route *want, size_t n);

#endif
