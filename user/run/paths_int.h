/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files paths*.c. */
#ifndef RUN_PATHS_INT_H
#define RUN_PATHS_INT_H

#include "base/addr.h"
#include "core/mesh_mtu.h"
#include "core/mesh_wire.h"
#include "run/paths.h"

#define PATHS_SLOTS 4 /* among which nodes are spread, so that not all is sent at once */

#define PATHS_ECHO ASYM_FAMILIES /* of fds: the first of pings */
#define PATHS_SOCKETS (2 * ASYM_FAMILIES)
#define PATHS_DATAGRAM 9000 /* bytes; as large as any MTU */

/* A node that we reach. */
struct path_peer {
	const struct mesh_target *t;
	const char *name;
	union addr_socket addr; /* where probes go, and must come from */
	socklen_t addr_len;
	char ways[MESH_MAX_PATHS][MESH_PATH_TEXT]; /* of its own to us */
	uint8_t n_ways;
	struct choice choice;
	struct choice_arrivals arrivals; /* of its probes; with echoes of replies, by our ways */
	bool echoes;                     /* it is pinged, as nothing else comes from it */
	uint32_t seq;
	/* of what it sends */
	uint64_t session;   /* of its daemon; 0: none yet */
	uint64_t hash;      /* that came with it: another description is another session */
	uint64_t heard_ns;  /* when; 0: never */
	uint64_t echo_ns;   /* the newest sent_ns; 0: none yet */
	uint64_t echoed_ns; /* when that came */
	uint32_t echo_seq;  /* the number it had */
	uint16_t padded[MESH_MAX_PATHS]; /* the last number that came by its ways; 0: none */
	bool differs;       /* it has another description */
	uint64_t refill_ns; /* of the tokens */
	uint32_t tokens;
	/* of what we send */
	uint64_t bytes[MESH_MAX_PATHS]; /* by each way, when load was looked at last */
	uint64_t load_ns;
	struct mtu mtus[MESH_MAX_PATHS]; /* of each way */
	uint16_t mtu;                    /* of all: that of the routes */
	bool knows_padded;               /* it reports the numbers of padded probes */
	struct ov_node written;
	bool is_written;
	uint64_t written_ns;
};

struct paths {
	const struct mesh_plan *plan;
	struct events *events;
	struct overlay_maps maps;
	uint32_t *ifindex; /* of the plan's tunnels */
	struct path_peer *peers;
	size_t n_peers;
	uint64_t session, hash;
	uint32_t probe_ms; /* mesh_probe_ms() */
	uint64_t held_ns; /* nothing is written before; 0: it is */
	unsigned int slot;
	/* of probes by family, then of pings; -1: we have no address of this family, or may not
	 * ping */
	int fds[PATHS_SOCKETS];
	uv_poll_t polls[PATHS_SOCKETS];
	uv_timer_t timer;
	int handles; /* that the loop has not closed yet */
};

static inline const struct mesh *paths_mesh(const struct paths *p)
{
	return p->plan->mesh;
}

uint64_t paths_now(void);

/* paths_socket.c.  0 or -errno. */
int paths_socket(const struct paths *p, enum asym_family family);
/* By a way of ours.  port: host byte order.  0 or -errno. */
int paths_send(int fd, const struct path_peer *peer, uint16_t port, uint8_t way, const void *data,
               size_t len);

/* paths.c.  NULL: there is none. */
struct path_peer *paths_peer(struct paths *p, uint8_t node);
bool paths_is_from(const struct path_peer *peer, const union addr_socket *from, bool port);

/* paths_echo.c */
int paths_echo_socket(const struct paths *p, enum asym_family family);
void paths_echo_take(struct paths *p, const uint8_t *data, size_t len,
                     const union addr_socket *from);
void path_peer_echo(struct paths *p, struct path_peer *peer, uint64_t now_ns);
void path_peer_echo_ends(struct paths *p, struct path_peer *peer);

/* paths_peer.c */
int path_peer_init(const struct paths *p, struct path_peer *peer, const struct mesh_target *t);
void path_peer_tick(struct paths *p, struct path_peer *peer, uint64_t now_ns);
void path_peer_take(struct paths *p, struct path_peer *peer, const struct wire *w, uint64_t now_ns);
/* Judges, tells what has changed and has the programs do it. */
void path_peer_judge(struct paths *p, struct path_peer *peer, uint64_t now_ns);

/* paths_node.c.  Goes on from what the programs do now, if that is of the same ways. */
void path_peer_resume(const struct paths *p, struct path_peer *peer);
/* force: though it is what was written last. */
void path_peer_write(struct paths *p, struct path_peer *peer, bool force, uint64_t now_ns);
void path_peer_load(struct paths *p, struct path_peer *peer, uint64_t now_ns);

/* paths_mtu.c.  Nothing is done where probing is not wished for. */
void paths_mtu_init(struct paths *p);
void path_peer_mtu_restart(struct path_peer *peer);
void path_peer_mtu_tick(const struct paths *p, struct path_peer *peer, uint64_t now_ns);
/* It came before, or a later one did. */
bool path_peer_mtu_is_old(const struct path_peer *peer, const struct wire *w);
void path_peer_mtu_take(struct path_peer *peer, const struct wire *w);
void path_peer_mtu_hear(struct paths *p, struct path_peer *peer, const struct wire *w,
                        uint64_t now_ns);
/* Our underlay is another one. */
void paths_mtu_restart(struct paths *p);
/* Whoever applied the mesh has written the routes anew. */
void paths_mtu_write(struct paths *p);

/* paths_tell.c */
void path_peer_tell_mtu(struct paths *p, const struct path_peer *peer, uint8_t way);
void path_peer_tell(struct paths *p, const struct path_peer *peer, const struct choice *before);
void path_peer_tell_differs(struct paths *p, const struct path_peer *peer);

#endif
