/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside mesh*.c only: which nodes are connected, and which ways there are between two. */
#ifndef CORE_MESH_PAIRS_H
#define CORE_MESH_PAIRS_H

#include "core/mesh.h"

/* 32 KiB: on the heap. */
struct mesh_pairs {
	uint16_t mtu[MESH_MAX_NODES][MESH_MAX_NODES]; /* of the tunnel of both; 0: not connected */
};

/* To be freed by the caller; NULL: no memory. */
struct mesh_pairs *mesh_pairs_new(const struct mesh *m);
bool mesh_pairs_have(const struct mesh_pairs *p, uint8_t a, uint8_t b);
uint16_t mesh_forwarder_mtu(const struct mesh *m, const struct mesh_forwarder *f);

/* Whether packets of `from` can go that way to `to`. */
bool mesh_way_exists(const struct mesh *m, const struct mesh_pairs *p, uint8_t from, uint8_t to,
		     const struct mesh_path *way);
/* Someone pays for what is passed on there. */
bool mesh_way_metered(const struct mesh *m, const struct mesh_path *way);
/* The n-th way of all there are: direct, forwarders, relays, what is metered last.  False: there
 * are not so many.  Begin with *state zero. */
struct mesh_way_state {
	unsigned int round;
	size_t next;
};
bool mesh_way_next(const struct mesh *m, const struct mesh_pairs *p, uint8_t from, uint8_t to,
		   struct mesh_way_state *state, struct mesh_path *ret);

#endif
