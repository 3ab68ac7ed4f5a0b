/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mesh of WireGuard nodes as plain data: who there is, who can reach whom, and by which way each direction is to
 * go.  The description is the same on every node; private keys are apart.  mesh_config.c reads it, mesh_check.c
 * judges it, mesh_plan.c makes of it what one node has to do.
 *
 *	mesh corp { port = 51820  mtu = 1420  keepalive = 10s }
 *	node a { address = {"192.168.51.5", "fd51::5"}  public-key = "..."  lan = "10.5.0.0/24" }	# behind a NAT
 *	node b { address = "192.168.51.1"  public-key = "..."  endpoint = "198.51.100.1" }
 *	node c { address = "192.168.51.2"  public-key = "..."  endpoint = "203.0.113.2" }
 *	forwarder hk { from = a  to = c  endpoint = "192.0.2.9:14967"  port = 27002 }
 *	connect main { nodes = {a, b, c} }		# without any: every pair of which one has an endpoint
 *	direction up { from = a  to = c  paths = {"via b", direct}  bulk = {direct}  rate = 50mbit }
 *	direction rest { from = c  to = a  paths = auto }
 */
#ifndef CORE_MESH_H
#define CORE_MESH_H

#include "core/model.h"

#define MESH_MAX_NODES 128
#define MESH_NODE 10	   /* bytes of a node's name with its NUL: it becomes part of a device's */
#define MESH_MAX_LANS 16   /* per node */
#define MESH_MAX_PATHS 8   /* of one direction */
#define MESH_MAX_FORWARDERS 256
#define MESH_KEY 32	   /* bytes of a key */
#define MESH_ENDPOINT 256  /* host name or address, with its NUL */

struct mesh_endpoint {
	char host[MESH_ENDPOINT]; /* empty: none */
	uint16_t port;		  /* 0: the port that the other side listens at for this connection */
};

struct mesh_node {
	char name[MESH_NODE];
	struct in6_addr addr[ASYM_FAMILIES]; /* on the overlay device; "::": none; one at least */
	struct prefix lans[MESH_MAX_LANS];   /* behind the node */
	size_t n_lans;
	uint8_t public_key[MESH_KEY];
	struct mesh_endpoint endpoint; /* port: the first of those it listens at, 0: mesh.port */
	bool metered;		       /* transit through it is dear: moves towards it need more reason */
	char device[IFNAMSIZ];	       /* of its underlay's link, empty: any */
	struct place place;
};

/* A UDP relay: what `from` sends to endpoint arrives at `to`, at port. */
struct mesh_forwarder {
	char name[MESH_NODE];
	uint8_t from, to; /* index of a node; answers go back to `from` the same way */
	struct mesh_endpoint endpoint;
	uint16_t port; /* that `to` listens at; 0: the next free one of its ports */
	bool metered;
	struct place place;
};

enum mesh_way { MESH_DIRECT, MESH_VIA, MESH_FORWARDER };

struct mesh_path {
	enum mesh_way way;
	uint8_t which; /* index of a node or a forwarder */
	uint16_t weight; /* "via b:3": flows are spread by weights; 0: none given */
};

struct mesh_paths {
	struct mesh_path items[MESH_MAX_PATHS]; /* best first */
	size_t n;
	bool automatic; /* "auto": by measurement, over all that there are (or those named) */
};

/* One direction: what `from` sends to `to`. */
struct mesh_direction {
	char name[MODEL_NAME];
	uint8_t from, to;
	struct mesh_paths paths; /* of everything, and of what `bulk` does not take */
	struct mesh_paths bulk;	 /* n 0: as paths.  Long, thick flows: past split_bytes and split_rate */
	uint64_t rate_bps;	 /* bits per second that metered ways may carry, 0: no limit */
	struct place place;
};

/* Nodes that are connected pairwise. */
struct mesh_connect {
	uint8_t nodes[MESH_MAX_NODES];
	size_t n;
	struct place place;
};

struct mesh {
	char name[MODEL_NAME];
	char device[IFNAMSIZ]; /* overlay device, default "ov0" */
	uint16_t port;	       /* first that nodes listen at, default 51820 */
	uint16_t mtu;	       /* of the tunnels, 0: 1420 */
	uint32_t keepalive_s;  /* of nodes without endpoint, default 10 */
	uint32_t probe_ms;     /* between probes of a path, default 100 */
	uint64_t split_bytes;  /* default 200000 */
	struct mesh_node *nodes;
	size_t n_nodes;
	struct mesh_forwarder *forwarders;
	size_t n_forwarders;
	struct mesh_direction *directions;
	size_t n_directions;
	struct mesh_connect *connects;
	size_t n_connects;
	char **files;
	size_t n_files;
};

void mesh_init(struct mesh *m);
void mesh_done(struct mesh *m);
/* Index of a node, or -1. */
int mesh_node_find(const struct mesh *m, const char *name);

/* Reads a description; findings as with config_read.  0, -EINVAL, -ENOMEM. */
int mesh_read(struct mesh *m, const char *path, struct findings *f);
int mesh_parse(struct mesh *m, const char *name, const char *text, size_t len, struct findings *f);

/* Judges it as a whole: unreachable pairs, a way that needs a connection that is not there, loops, duplicate addresses,
 * prefixes, keys and ports, more than MESH_MAX_PATHS.  0 or -EINVAL with findings. */
int mesh_check(const struct mesh *m, struct findings *f);

/* The same on every node that has the same description, whatever its layout: for probes. */
uint64_t mesh_hash(const struct mesh *m);

/* A key as WireGuard writes it: 44 characters of base64.  0 or -EINVAL. */
int mesh_key_parse(const char *text, uint8_t ret[MESH_KEY]);
void mesh_key_text(const uint8_t key[MESH_KEY], char ret[45]);

#endif
