// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How large packets get through by each way, and what those to a node are cut to: the least of its
 * ways, dead ones too, so that flows may move at any time.  Padded probes are as large as what is
 * asked; the socket ignores the routes' MTU (paths_socket.c), so that more than is in use can be
 * tried.
 */
#include "apply/overlay_mtu.h"
#include "base/clock.h"
#include "base/defs.h"
#include "base/log.h"
#include "run/paths_int.h"
#include <string.h>
#include <sys/socket.h>

/* What is before the padded probe in its IP packet. */
#define HEADERS_V4 (20 + 8)
#define HEADERS_V6 (40 + 8)
#define LOADED_NS (3 * NS_PER_S) /* since, and queues may still be full */

static bool probes(const struct paths *p)
{
	return paths_mesh(p)->mtu_probe;
}

static uint16_t least(const struct path_peer *peer)
{
	uint16_t mtu = peer->mtus[0].use;

	for (size_t i = 1; i < peer->t->n; i++)
		mtu = MIN(mtu, peer->mtus[i].use);
	return mtu;
}

void paths_mtu_init(struct paths *p)
{
	const struct mesh *m = paths_mesh(p);
	uint16_t routes[MESH_MAX_NODES] = {};
	int r = probes(p) ? overlay_mtu_read(p->plan, routes) : 0;

	if (r)
		log_err(r, "cannot read the routes of the mesh");
	for (size_t i = 0; i < p->n_peers; i++) {
		struct path_peer *peer = &p->peers[i];
		uint16_t use = routes[peer->t->node] ?: p->plan->mtu;

		for (size_t k = 0; k < peer->t->n; k++)
			mtu_init(&peer->mtus[k], p->plan->mtu, use, (uint16_t)p->session,
			         p->probe_ms, m->mtu_raise_ms);
		peer->mtu = least(peer);
	}
}

void path_peer_mtu_restart(struct path_peer *peer)
{
	memset(peer->padded, 0, sizeof(peer->padded));
	peer->knows_padded = false;
	for (size_t i = 0; i < peer->t->n; i++)
		mtu_restart(&peer->mtus[i]);
}

/* -------- sending */

static void send_padded(const struct paths *p, const struct path_peer *peer, uint8_t way,
                        uint16_t size)
{
	bool six = peer->addr.sa.sa_family == AF_INET6;
	uint8_t data[PATHS_DATAGRAM] = {};
	struct wire w = {.from = p->plan->self,
	                 .to = peer->t->node,
	                 .way = way,
	                 .hash = p->hash,
	                 .session = p->session,
	                 .sent_ns = paths_now(),
	                 .seq = peer->seq,
	                 .padded = peer->mtus[way].id};

	wire_write(&w, data);
	/* what is too large for the device itself is lost, as it should be */
	paths_send(p->fds[six ? ASYM_V6 : ASYM_V4], peer, paths_mesh(p)->port - 1, way, data,
	           size - (six ? HEADERS_V6 : HEADERS_V4));
}

void path_peer_mtu_tick(const struct paths *p, struct path_peer *peer, uint64_t now_ns)
{
	const struct choice *c = &peer->choice;

	if (!probes(p) || peer->echoes || peer->differs || !choice_talks(c, now_ns))
		return;
	for (uint8_t i = 0; i < c->n; i++) {
		uint16_t size = c->ways[i].dead ? 0 : mtu_next(&peer->mtus[i], peer->seq, now_ns);

		if (size)
			send_padded(p, peer, i, size);
	}
}

/* -------- receiving */

bool path_peer_mtu_is_old(const struct path_peer *peer, const struct wire *w)
{
	uint16_t last = peer->padded[w->way];

	return last && (int16_t)(w->padded - last) <= 0;
}

void path_peer_mtu_take(struct path_peer *peer, const struct wire *w)
{
	peer->padded[w->way] = w->padded;
}

static void write_mtu(struct paths *p, struct path_peer *peer)
{
	int r = overlay_mtu_write(p->plan, peer->t->node, peer->mtu);

	if (r)
		log_err(r, "cannot set the MTU of the routes to %s", peer->name);
}

static void hear(struct paths *p, struct path_peer *peer, uint8_t way, uint16_t id, uint64_t now_ns)
{
	const struct choice_way *c = &peer->choice.ways[way];
	const struct mtu_heard h = {
		.id = id,
		.seq = c->report.seq,
		.many = mtu_many(c->loss_ppm, c->loaded_ns && now_ns - c->loaded_ns < LOADED_NS),
		.speaks = peer->knows_padded,
	};

	if (mtu_hear(&peer->mtus[way], &h, now_ns))
		path_peer_tell_mtu(p, peer, way);
}

void path_peer_mtu_hear(struct paths *p, struct path_peer *peer, const struct wire *w,
                        uint64_t now_ns)
{
	uint8_t n = MIN(w->n, peer->choice.n);

	if (!probes(p))
		return;
	for (uint8_t i = 0; i < n; i++)
		peer->knows_padded |= w->reports[i].padded;
	for (uint8_t i = 0; i < n; i++)
		hear(p, peer, i, w->reports[i].padded, now_ns);
	if (least(peer) == peer->mtu || now_ns < p->held_ns)
		return;
	peer->mtu = least(peer);
	write_mtu(p, peer);
}

/* -------- changes */

void paths_mtu_restart(struct paths *p)
{
	for (size_t i = 0; i < p->n_peers; i++)
		for (size_t k = 0; k < p->peers[i].t->n; k++)
			mtu_restart(&p->peers[i].mtus[k]);
}

void paths_mtu_write(struct paths *p)
{
	for (size_t i = 0; i < p->n_peers && probes(p); i++)
		write_mtu(p, &p->peers[i]);
}
