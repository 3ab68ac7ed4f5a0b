/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the endpoints of a plan are.  They are asked for before the lock of the network namespace is
 * taken: without a server that answers, that takes the resolver many seconds.
 */
#ifndef APPLY_OVERLAY_NAMES_H
#define APPLY_OVERLAY_NAMES_H

#include "base/resolve.h"
#include "core/mesh_plan.h"

struct overlay_name {
	char host[MESH_ENDPOINT]; /* a name, or an address, which needs no server */
	struct resolved found;
};

struct overlay_names {
	struct overlay_name *items; /* each host once */
	size_t n;
};

/* Adds those that are not there yet, not found so far.  0 or -ENOMEM. */
int overlay_names_add(struct overlay_names *names, const struct mesh_plan *p);
void overlay_names_done(struct overlay_names *names);
/* Of one that is not there: not found. */
const struct resolved *overlay_names_find(const struct overlay_names *names, const char *host);

#endif
