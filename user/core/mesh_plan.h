/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one node of a mesh has to do: its WireGuard devices, its overlay device with addresses and
 * routes, the ways to every other node.  A pure function of description and node, so plans are
 * compared as text, and what a node sends to is what the other listens at without a word between
 * them.
 *
 * A device for each connection: a pair of nodes, or a forwarder.  What a node sends itself goes by
 * the way of the direction; what it passes on goes by the device of the pair, always ("transit goes
 * direct"), so there are no loops.
 */
#ifndef CORE_MESH_PLAN_H
#define CORE_MESH_PLAN_H

#include "core/mesh.h"

#define MESH_MAX_TUNNELS 512 /* devices of one node */
#define MESH_FORWARDER_NONE 0xffff
#define MESH_TUNNEL_NONE UINT16_MAX

struct mesh_tunnel {
	char device[IFNAMSIZ]; /* "w-NODE" of a pair, "f-NAME" of a forwarder */
	uint8_t peer;	       /* index of a node */
	uint16_t forwarder;    /* index, or MESH_FORWARDER_NONE */
	uint16_t listen_port;  /* host byte order */
	struct mesh_endpoint endpoint; /* complete; host empty: the peer comes to us */
	uint16_t keepalive_s; /* 0: none; set where nobody can come to us: no endpoint of our own,
			       * or a forwarder that leads away from us */
	uint16_t mtu;
};

/* A way to a node: the first tunnel decides all. */
struct mesh_choice {
	char name[MESH_PATH_TEXT]; /* "direct", "via b", "hk" */
	struct mesh_path path;	   /* weight: that of `paths`, see mesh_wish */
	uint16_t tunnel;	   /* index */
	bool metered;
};

/* What is wished for a class of packets. */
struct mesh_wish {
	uint8_t order[MESH_MAX_PATHS]; /* indices of ways, best first */
	uint16_t weight[MESH_MAX_PATHS]; /* of the same; 0: not spread */
	size_t n;
	size_t n_own;	/* of them from the front: wished for; the others when these are dead */
	bool automatic; /* the best of these n_own is found by measurement */
};

struct mesh_target {
	uint8_t node;
	struct mesh_choice ways[MESH_MAX_PATHS]; /* of both wishes; ids on the wire: index */
	size_t n;
	struct mesh_wish paths; /* of everything */
	struct mesh_wish bulk;	/* of thick flows; n 0: as paths */
	uint64_t rate_bps;	/* bits per second that metered ways may carry; 0: no limit */
	uint16_t direct; /* tunnel of transit to this node; MESH_TUNNEL_NONE: we pass none on */
};

/* Of the overlay device: an address or a LAN of another node that is reached, of a family that we
 * or our LANs have. */
struct mesh_route {
	struct prefix to;
	uint8_t node;
	struct in6_addr src; /* our address of that family; "::": we have none */
};

struct mesh_plan {
	const struct mesh *mesh; /* outlives the plan */
	uint8_t self;
	uint16_t mtu; /* of the overlay device: the least of all tunnels on its ways, relays' too */
	struct mesh_tunnel *tunnels;
	size_t n_tunnels;
	struct mesh_target *targets; /* every other node that can be reached, in order */
	size_t n_targets;
	struct mesh_route *routes;
	size_t n_routes;
};

/* 0, -ENOENT: no such node; -ENOMEM.  m: checked. */
int mesh_plan_build(struct mesh_plan *ret, const struct mesh *m, const char *node);
void mesh_plan_done(struct mesh_plan *p);
/* NULL: it cannot be reached. */
const struct mesh_target *mesh_plan_target(const struct mesh_plan *p, uint8_t node);

/*
 * Between probes of a way: as the description has it, or longer, so that no node sends more than
 * MESH_PROBES_PER_S.  All nodes have the same, whatever each of them sends, as what is late for one
 * must be late for the other.  0 or -ENOMEM.  m: checked; it takes as long as all plans.
 */
#define MESH_PROBES_PER_S 1000
int mesh_probe_ms(const struct mesh *m, uint32_t *ret);

/* For people and golden tests. */
void mesh_plan_text(const struct mesh_plan *p, struct str *out);
/* The table of next hops of all nodes.  0 or -ENOMEM. */
int mesh_hops_text(const struct mesh *m, struct str *out);
/* wg-quick's file of one tunnel: with routes by preference, for machines without asymbpf.
 * private_key: as text, or NULL for a place to put it. */
void mesh_quick_text(const struct mesh_plan *p, const struct mesh_tunnel *t,
		     const char *private_key, struct str *out);
/* Graphviz: connections, and ways that are wished for. */
int mesh_dot_text(const struct mesh *m, struct str *out);

#endif
