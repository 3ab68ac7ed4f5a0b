// SPDX-License-Identifier: GPL-2.0-or-later
/* One node: what is sent to it, and what comes from it. */
#include "base/clock.h"
#include "base/defs.h"
#include "run/paths_int.h"
#include <errno.h>
#include <string.h>

#define NS_PER_MS 1000000ull
#define RESTART_MS 500 /* of silence, and more than an interval, before another session is believed */
#define EARLY_MS 3000  /* against the one before: more delay than ways ever lose at once */
#define LATE_MS 10000
#define AHEAD 64 /* numbers, besides twice those of the time that has passed */
#define LOAD_EVERY 5   /* probes */
#define BURST 4        /* times what comes in one interval */

uint64_t paths_now(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

/* -------- what there is to know beforehand */

/* A family that both have; probes of one tell of both. */
static int set_address(const struct paths *p, struct path_peer *peer)
{
	const struct mesh *m = paths_mesh(p);

	for (int f = 0; f < ASYM_FAMILIES; f++) {
		const struct in6_addr *to = &m->nodes[peer->t->node].addr[f];

		if (addr_is_zero(to) || addr_is_zero(&m->nodes[p->plan->self].addr[f]))
			continue;
		peer->addr_len = addr_socket(to, m->port - 1, 0, &peer->addr);
		return 0;
	}
	return -EAFNOSUPPORT;
}

static int set_ways(const struct paths *p, struct path_peer *peer)
{
	_cleanup_(mesh_plan_done) struct mesh_plan plan = {};
	const struct mesh_target *back;
	int r = mesh_plan_build(&plan, paths_mesh(p), peer->name);

	if (r)
		return r;
	back = mesh_plan_target(&plan, p->plan->self);
	peer->n_ways = back ? back->n : 0;
	for (size_t i = 0; i < peer->n_ways; i++)
		memcpy(peer->ways[i], back->ways[i].name, sizeof(peer->ways[i]));
	return 0;
}

int path_peer_init(const struct paths *p, struct path_peer *peer, const struct mesh_target *t)
{
	int r;

	*peer = (struct path_peer){.t = t, .name = paths_mesh(p)->nodes[t->node].name};
	choice_init(&peer->choice, t, p->probe_ms);
	choice_arrivals_init(&peer->arrivals, p->probe_ms);
	r = set_ways(p, peer) ?: set_address(p, peer);
	if (!r)
		path_peer_resume(p, peer);
	return r;
}

/* -------- sending */

static void fill(const struct paths *p, struct path_peer *peer, struct wire *w, uint64_t now_ns)
{
	uint64_t age_us = (now_ns - peer->echoed_ns) / 1000;
	struct choice_arrivals none;

	choice_arrivals_init(&none, p->probe_ms);
	*w = (struct wire){.from = p->plan->self,
	                   .to = peer->t->node,
	                   .hash = p->hash,
	                   .session = p->session,
	                   .seq = peer->seq,
	                   .n = peer->n_ways};
	for (uint8_t i = 0; i < peer->n_ways; i++) {
		choice_report(peer->echoes ? &none : &peer->arrivals, i, now_ns, &w->reports[i]);
		w->reports[i].padded = peer->padded[i];
	}
	if (peer->echo_ns && age_us <= UINT32_MAX) {
		w->echo_ns = peer->echo_ns;
		w->echo_age_us = age_us;
	}
}

static void send_all(const struct paths *p, struct path_peer *peer, uint64_t now_ns)
{
	int fd = p->fds[peer->addr.sa.sa_family == AF_INET6 ? ASYM_V6 : ASYM_V4];
	uint8_t data[WIRE_MAX];
	struct wire w;

	fill(p, peer, &w, now_ns);
	for (uint8_t i = 0; i < peer->t->n; i++) {
		w.way = i;
		w.sent_ns = paths_now();
		/* what does not leave is missed at the far end */
		paths_send(fd, peer, paths_mesh(p)->port - 1, i, data, wire_write(&w, data));
	}
}

void path_peer_tick(struct paths *p, struct path_peer *peer, uint64_t now_ns)
{
	choice_sent(&peer->choice, ++peer->seq);
	send_all(p, peer, now_ns);
	path_peer_mtu_tick(p, peer, now_ns);
	path_peer_echo(p, peer, now_ns);
	if (peer->seq % LOAD_EVERY == 0)
		path_peer_load(p, peer, now_ns);
	path_peer_judge(p, peer, now_ns);
}

/* -------- receiving */

/* Twice what one daemon sends. */
static bool may_pass(struct paths *p, struct path_peer *peer, uint64_t now_ns)
{
	uint64_t interval_ns = p->probe_ms * NS_PER_MS;
	uint32_t each = 2u * peer->n_ways, most = BURST * each;
	uint64_t intervals = (now_ns - peer->refill_ns) / interval_ns;

	if (!peer->refill_ns || intervals > BURST) {
		peer->tokens = most;
		peer->refill_ns = now_ns;
	} else if (intervals) {
		peer->tokens = MIN(peer->tokens + (uint32_t)intervals * each, most);
		peer->refill_ns += intervals * interval_ns;
	}
	if (!peer->tokens)
		return false;
	peer->tokens--;
	return true;
}

static uint64_t restart_ns(const struct paths *p)
{
	return MAX((uint64_t)RESTART_MS, p->probe_ms * 5ull / 4) * NS_PER_MS;
}

/* Its clock and its numbers go on as ours do.  One datagram that is far ahead would make all that
 * come after it late. */
static bool goes_on(const struct paths *p, const struct path_peer *peer, const struct wire *w,
                    uint64_t now_ns)
{
	uint32_t probe_ms = p->probe_ms;
	uint64_t passed_ns = now_ns - peer->echoed_ns;
	int64_t early_ns = (int64_t)(w->sent_ns - peer->echo_ns - passed_ns);
	int64_t ahead = (int32_t)(w->seq - peer->echo_seq);

	if (!peer->echo_ns || w->hash != p->hash)
		return true;
	if (early_ns > (int64_t)(EARLY_MS * NS_PER_MS) ||
	    early_ns < -(int64_t)(LATE_MS * NS_PER_MS))
		return false;
	return ahead <= (int64_t)(2 * passed_ns / NS_PER_MS / probe_ms + AHEAD) &&
	       ahead >= -(int64_t)(LATE_MS / probe_ms + AHEAD);
}

/* Who does not see what goes through the tunnels cannot know the session.  Another one is believed
 * when nothing comes of the one that we know: the daemon has begun again, or its clock has jumped.
 */
static bool is_known(const struct paths *p, const struct path_peer *peer, const struct wire *w,
                     uint64_t now_ns)
{
	return w->session == peer->session && w->hash == peer->hash && goes_on(p, peer, w, now_ns);
}

static bool may_begin(const struct paths *p, const struct path_peer *peer, uint64_t now_ns)
{
	return !peer->session || now_ns - peer->heard_ns >= restart_ns(p);
}

static void begin_session(struct paths *p, struct path_peer *peer, const struct wire *w)
{
	peer->session = w->session;
	peer->hash = w->hash;
	peer->echo_ns = 0;
	choice_arrivals_init(&peer->arrivals, p->probe_ms);
	choice_restarted(&peer->choice);
	path_peer_mtu_restart(peer);
}

/* Indices mean something else there. */
static bool take_hash(struct paths *p, struct path_peer *peer, uint64_t hash)
{
	bool differs = hash != p->hash;

	if (differs != peer->differs) {
		peer->differs = differs;
		path_peer_tell_differs(p, peer);
	}
	return !differs;
}

static void take_echo(struct path_peer *peer, const struct wire *w, uint64_t now_ns)
{
	uint64_t back_ns = w->echo_ns + w->echo_age_us * 1000ull;

	if (w->sent_ns > peer->echo_ns) {
		peer->echo_ns = w->sent_ns;
		peer->echoed_ns = now_ns;
		peer->echo_seq = w->seq;
	}
	if (w->echo_ns && w->echo_ns < now_ns && back_ns < now_ns)
		choice_rtt(&peer->choice, now_ns - back_ns, now_ns);
}

static bool is_old(const struct path_peer *peer, const struct wire *w)
{
	if (w->padded)
		return path_peer_mtu_is_old(peer, w);
	return choice_is_old(&peer->arrivals, w->way, w->seq);
}

/* What is forged without knowing the session, or sent a second time, takes no tokens of what is
 * not. */
static bool is_welcome(struct paths *p, struct path_peer *peer, const struct wire *w,
                       uint64_t now_ns)
{
	bool known = is_known(p, peer, w, now_ns);

	if (!known && !may_begin(p, peer, now_ns))
		return false;
	/* while it is pinged, numbers are those of pings */
	if (known && !peer->echoes && w->hash == p->hash && is_old(peer, w))
		return false;
	if (!may_pass(p, peer, now_ns))
		return false;
	if (!known)
		begin_session(p, peer, w);
	return true;
}

void path_peer_take(struct paths *p, struct path_peer *peer, const struct wire *w, uint64_t now_ns)
{
	if (!is_welcome(p, peer, w, now_ns))
		return;
	peer->heard_ns = now_ns;
	if (!take_hash(p, peer, w->hash) || w->way >= peer->n_ways)
		return;
	path_peer_echo_ends(p, peer);
	if (w->padded) {
		path_peer_mtu_take(peer, w);
		return;
	}
	choice_arrived(&peer->arrivals, w->way, w->seq, w->sent_ns, now_ns);
	take_echo(peer, w, now_ns);
	choice_reports(&peer->choice, w->reports, w->n, w->sent_ns, now_ns);
	path_peer_mtu_hear(p, peer, w, now_ns);
	path_peer_judge(p, peer, now_ns);
}

void path_peer_judge(struct paths *p, struct path_peer *peer, uint64_t now_ns)
{
	struct choice before = peer->choice;

	if (choice_judge(&peer->choice, peer->t, now_ns))
		path_peer_tell(p, peer, &before);
	path_peer_write(p, peer, false, now_ns);
}
