/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one node of a mesh has to do: its WireGuard devices, its overlay device with addresses and routes, the ways to
 * every other node.  A pure function of description and node, so plans are compared as text, and what a node sends to
 * is what the other listens at without a word between them.
 *
 * A device for each connection: a pair of nodes, or a forwarder.  What a node sends itself goes by the way of the direction; what
 * it passes on goes by the device of the pair, always ("transit goes direct"), so there are no loops.
 */
#ifndef CORE_MESH_PLAN_H
#define CORE_MESH_PLAN_H

#include "core/mesh.h"

#define MESH_MAX_TUNNELS 512 /* devices of one node */
#define MESH_FORWARDER_NONE 0xffff

struct mesh_tunnel {
	char device[IFNAMSIZ];	/* "w-NODE", "w-NODE-2", .. for forwarders */
	uint8_t peer;		/* index of a node */
	uint16_t forwarder;	/* index, or MESH_FORWARDER_NONE */
	uint16_t listen_port;
	struct mesh_endpoint endpoint; /* host empty: the peer comes to us */
	uint16_t keepalive_s;	/* 0: none; set where we have no endpoint of our own, or a forwarder is ours */
	uint16_t mtu;
};

/* A way to a node: the first tunnel decides all. */
struct mesh_choice {
	char name[24];	     /* "direct", "via b", "hk" */
	struct mesh_path path;
	uint16_t tunnel;     /* index */
	bool metered;
};

struct mesh_target {
	uint8_t node;
	struct mesh_choice ways[MESH_MAX_PATHS]; /* of paths and bulk together; ids on the wire: index */
	size_t n;
	uint8_t order[MESH_MAX_PATHS];	/* indices of ways: preference of `paths`, n_order of them */
	size_t n_order;
	uint8_t bulk[MESH_MAX_PATHS];	/* of `bulk`; 0 of them: as order */
	size_t n_bulk;
	bool automatic, bulk_automatic;
	uint64_t rate_bps;
	uint16_t direct;  /* tunnel that transit to this node takes; UINT16_MAX: we pass nothing on to it */
};

struct mesh_plan {
	const struct mesh *mesh; /* outlives the plan */
	uint8_t self;
	uint16_t mtu; /* of the overlay device: the least of its tunnels */
	struct mesh_tunnel *tunnels;
	size_t n_tunnels;
	struct mesh_target *targets; /* every other node that can be reached */
	size_t n_targets;
};

/* 0, -ENOENT: no such node; -ENOMEM; -ENOSPC: more tunnels than MESH_MAX_TUNNELS.  m: checked. */
int mesh_plan_build(struct mesh_plan *ret, const struct mesh *m, const char *node);
void mesh_plan_done(struct mesh_plan *p);

/* For people and golden tests; the table of next hops of all nodes; wg-quick's file of one tunnel (key: 44 characters, or NULL for a
 * place to put it); Graphviz. */
void mesh_plan_text(const struct mesh_plan *p, struct str *out);
int mesh_hops_text(const struct mesh *m, struct str *out);
void mesh_quick_text(const struct mesh_plan *p, const struct mesh_tunnel *t, const char *private_key, struct str *out);
void mesh_dot_text(const struct mesh *m, struct str *out);

#endif
