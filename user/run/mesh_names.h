/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Endpoints that have names: these are looked up again and again, and when one has another address
 * than the last time, the tunnel's endpoint is set.  Only then: WireGuard follows peers that roam by
 * itself, which a name does not know of.
 *
 * Each resolve_ms of the mesh; sooner where nothing comes through a tunnel, then less and less often.
 */
#ifndef RUN_MESH_NAMES_H
#define RUN_MESH_NAMES_H

#include "apply/overlay_state.h"
#include "run/paths.h"

struct mesh_names;
/* plan and paths outlive it, s is copied from.  0 or -ENOMEM. */
int mesh_names_open(uv_loop_t *loop, uint64_t cookie, const struct mesh_plan *plan,
		    const struct overlay_state *s, const struct paths *paths,
		    struct events *events, struct mesh_names **ret);
/* NULL is fine. */
void mesh_names_close(struct mesh_names *names);
/* The same mesh was applied again: what was set is as s has it. */
void mesh_names_refresh(struct mesh_names *names, const struct overlay_state *s);

#endif
