/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mesh of WireGuard nodes as plain data: who there is, who can reach whom, and by which way each
 * direction is to go.  The description is the same on every node; private keys are apart.
 * mesh_config*.c read it, mesh_check*.c judge it, mesh_plan.c makes of it what one node has to do.
 * asymbpf-mesh(5) describes the language:
 *
 *	mesh corp { port = 51820  mtu = 1420  keepalive = 10s }
 *	node a { address = {"192.168.51.5", "fd51::5"}  public-key = "..."  lan = "10.5.0.0/24" }
 *	node b { address = "192.168.51.1"  public-key = "..."  endpoint = "198.51.100.1" }
 *	node c { address = "192.168.51.2"  public-key = "..."  endpoint = "203.0.113.2" }
 *	forwarder hk { from = a  to = c  endpoint = "192.0.2.9:14967"  port = 27002 }
 *	connect main { nodes = {a, b, c} }
 *	direction up { from = a  to = c  paths = {"via b", direct}  bulk = direct  rate = 50mbit }
 *	direction rest { from = c  to = a  paths = auto }
 *	rule ssh { to = c  proto = tcp  dport = 22  class = interactive }
 */
#ifndef CORE_MESH_H
#define CORE_MESH_H

#include "base/str.h"
#include "core/model.h"

#define MESH_MAX_NODES 128
#define MESH_NODE 10	   /* bytes of a name with its NUL: it becomes part of a device's */
#define MESH_NODE_NONE 0xff /* index of no node */
#define MESH_MAX_LANS 16   /* per node */
#define MESH_MAX_PATHS 8   /* of one direction */
#define MESH_MAX_FORWARDERS 256
#define MESH_MAX_CONNECTS 4096
#define MESH_MAX_RULES 256
#define MESH_KEY 32	   /* bytes of a key */
#define MESH_KEY_TEXT 45   /* of its base64 with the NUL */
#define MESH_ENDPOINT 256  /* host name or address, with its NUL */
#define MESH_MIN_MTU 1280  /* of IPv6, RFC 8200 section 5 */
#define MESH_MTU 1420	   /* 1500 less what WireGuard adds over IPv6 */
#define MESH_MTU_RAISE_MS 600000 /* RFC 8899 section 5.1.1, PMTU_RAISE_TIMER */
#define MESH_MAX_WEIGHT 1000
#define MESH_RESOLVE_MS 60000

struct mesh_endpoint {
	char host[MESH_ENDPOINT]; /* name or address, without brackets; empty: none */
	uint16_t port; /* 0: the port that the other side listens at for this connection */
};

struct mesh_node {
	char name[MESH_NODE];
	struct in6_addr addr[ASYM_FAMILIES]; /* on the overlay device; "::": none; one at least */
	struct prefix lans[MESH_MAX_LANS];   /* behind the node */
	size_t n_lans;
	uint8_t public_key[MESH_KEY];
	struct mesh_endpoint endpoint; /* port: the first of those it listens at, 0: mesh.port */
	bool metered; /* transit through it is dear: moves to it need more reason */
	bool relays;  /* it passes on what others send to one another; default */
	char device[IFNAMSIZ];	       /* of its underlay's link, empty: any */
	struct place place;
};

/* A UDP relay: what `from` sends to endpoint arrives at `to`, at port, and answers come back. */
struct mesh_forwarder {
	char name[MESH_NODE];
	uint8_t from, to; /* index of a node */
	struct mesh_endpoint endpoint;
	uint16_t port; /* that `to` listens at; 0: one of its own, see mesh_forwarder_port */
	uint16_t mtu;  /* of the tunnel; 0: mesh.mtu */
	bool metered;
	struct place place;
};

enum mesh_way { MESH_DIRECT, MESH_VIA, MESH_FORWARDER };

struct mesh_path {
	enum mesh_way way;
	uint8_t which;	 /* index of a node or a forwarder; 0 with MESH_DIRECT */
	uint16_t weight; /* "via b:3": flows are spread by weights; 0: none given */
};

/* All of the paths have a weight, or none has. */
struct mesh_paths {
	struct mesh_path items[MESH_MAX_PATHS]; /* best first */
	size_t n;
	bool automatic; /* "auto": by measurement, over all that there are (or those named) */
	struct place place; /* line 0: not given */
};

/* One direction: what `from` sends to `to`. */
struct mesh_direction {
	char name[MODEL_NAME];
	uint8_t from, to;
	struct mesh_paths paths; /* of everything, and of what `bulk` does not take */
	struct mesh_paths bulk;	 /* not given: as paths.  Flows past split_bytes */
	uint64_t rate_bps;	 /* bits per second that metered ways may carry, 0: no limit */
	struct place place;
};

/* Nodes that are connected pairwise, where one of a pair has an endpoint.  Without any: all. */
struct mesh_connect {
	char name[MODEL_NAME];
	uint8_t nodes[MESH_MAX_NODES];
	size_t n;
	uint16_t mtu; /* of their tunnels; 0: mesh.mtu */
	struct place place;
};

/* What becomes of a flow: by `paths` as long as it is thin, by it always, by `bulk` from the first
 * packet on. */
enum mesh_class {
	MESH_CLASS_NONE, /* not given */
	MESH_CLASS_DEFAULT,
	MESH_CLASS_INTERACTIVE,
	MESH_CLASS_BULK,
	MESH_CLASS_MAX
};
extern const char *const mesh_class_names[MESH_CLASS_MAX];

/* Zero: all nodes. */
struct mesh_nodes {
	uint32_t bits[MESH_MAX_NODES / 32];
	bool given, negated;
};

/* In order: the first that matches names the class; else it is the default. */
struct mesh_rule {
	struct model_rule match; /* name, place, and what of a packet is tested: no sets, no device */
	struct mesh_nodes from, to;
	enum mesh_class class;
};

struct mesh {
	char name[MODEL_NAME]; /* default "mesh" */
	char device[IFNAMSIZ]; /* overlay device, default "ov0" */
	uint16_t port; /* first that nodes listen at, default 51820; probes use the one before */
	uint16_t mtu;	       /* of the tunnels, default MESH_MTU */
	bool mtu_probe;	       /* whether less is looked for where that does not get through; default */
	uint32_t mtu_raise_ms; /* between tries of more than was found, default MESH_MTU_RAISE_MS */
	uint32_t keepalive_s;  /* of nodes without endpoint, 1..65535, default 10 */
	uint32_t probe_ms;     /* as wished for, see mesh_probe_ms; default 100 */
	uint32_t resolve_ms; /* between looks for addresses of names, default MESH_RESOLVE_MS */
	uint64_t split_bytes;  /* default 200000 */
	struct mesh_node *nodes;
	size_t n_nodes;
	struct mesh_forwarder *forwarders;
	size_t n_forwarders;
	struct mesh_direction *directions;
	size_t n_directions;
	struct mesh_connect *connects;
	size_t n_connects;
	struct mesh_rule *rules;
	size_t n_rules;
	char **files; /* names that places point to */
	size_t n_files;
};

void mesh_init(struct mesh *m);
void mesh_done(struct mesh *m);
/* Index of a node or a forwarder, or -1. */
int mesh_node_find(const struct mesh *m, const char *name);
int mesh_forwarder_find(const struct mesh *m, const char *name);
/* Whether the node is among them. */
bool mesh_nodes_have(const struct mesh_nodes *n, uint8_t node);
/* The nth of those given, as written: with its "!".  False: there are no more. */
#define MESH_NODES_VALUE (MESH_NODE + 1)
bool mesh_nodes_value(const struct mesh *m, const struct mesh_nodes *n, size_t nth,
		      char ret[MESH_NODES_VALUE]);
/* What is written for a direction, or NULL. */
const struct mesh_direction *mesh_direction_find(const struct mesh *m, uint8_t from, uint8_t to);

/* Reads a description into m, which the caller has mesh_init()ed; findings as with config_read.  0,
 * -EINVAL, -ENOMEM; m is good for mesh_done only then. */
int mesh_read(struct mesh *m, const char *path, struct findings *f);
int mesh_parse(struct mesh *m, const char *name, const char *text, size_t len, struct findings *f);

/* Judges it as a whole.  Errors: no node; a node without address or key; duplicate addresses, LANs,
 * keys, ports and directions; an endpoint inside of a LAN; a way that needs a connection that is
 * not there, or leads to itself; a node that nobody is connected to; a rule without class, or that
 * contradicts itself.  Warnings: pairs without any way; rules that never match.  0 or -EINVAL;
 * -ENOMEM. */
int mesh_check(const struct mesh *m, struct findings *f);

/* As a description that reads back as an equal one, every value written; keys that older versions do
 * not know only where they are not the default, so that these have the same hash. */
void mesh_print(const struct mesh *m, struct str *out);
/* The same on every node that has the same description, whatever its layout: for probes.  0 when
 * memory is out. */
uint64_t mesh_hash(const struct mesh *m);

/* Ports that a node listens at, in host byte order: one for each other node, connected or not, then
 * one for each of its forwarders, so that those which are added at the end of the description
 * change no other.  Above 65535: mesh_check refuses it. */
uint32_t mesh_port(const struct mesh *m, uint8_t node, uint8_t peer);
uint32_t mesh_forwarder_port(const struct mesh *m, size_t forwarder, uint8_t node);

/* Whether the forwarder is one between these two nodes, either way round. */
bool mesh_forwarder_joins(const struct mesh_forwarder *f, uint8_t a, uint8_t b);

/* "direct", "via b", and a forwarder's name. */
#define MESH_PATH_TEXT 24
void mesh_path_text(const struct mesh *m, const struct mesh_path *p, char ret[MESH_PATH_TEXT]);
/* Not the weight. */
bool mesh_path_equal(const struct mesh_path *a, const struct mesh_path *b);

/* A key as WireGuard writes it: 44 characters of base64.  0 or -EINVAL. */
int mesh_key_parse(const char *text, uint8_t ret[MESH_KEY]);
void mesh_key_text(const uint8_t key[MESH_KEY], char ret[MESH_KEY_TEXT]);

#endif
