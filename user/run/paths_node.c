// SPDX-License-Identifier: GPL-2.0-or-later
/* What the overlay's programs are told of a node, by what was measured, and what they have sent. */
#include "apply/overlay_node.h"
#include "apply/overlay_read.h"
#include "base/clock.h"
#include "base/log.h"
#include "run/paths_int.h"
#include <string.h>

/* Delays change all the time; and who applies a mesh writes static preference. */
#define EVERY_NS NS_PER_S

static bool is_weighed(const struct mesh_wish *w)
{
	return w->n_own && w->weight[0];
}

static void spread(const struct mesh_wish *w, uint32_t usable, uint8_t chosen,
                   uint8_t ret[OV_SPREAD])
{
	if (is_weighed(w))
		overlay_spread(w, usable, ret);
	else
		memset(ret, chosen, OV_SPREAD);
}

static void set_delays(const struct choice *c, struct ov_node *n)
{
	for (uint8_t i = 0; i < c->n; i++)
		if (c->ways[i].diff_ns >= 0)
			n->way[i].delay_us = c->ways[i].diff_ns / 1000;
}

static void build(const struct paths *p, const struct path_peer *peer, struct ov_node *ret)
{
	const struct choice *c = &peer->choice;
	const struct mesh_target *t = peer->t;

	overlay_node_of(p->plan, t, p->ifindex, ret);
	spread(&t->paths, c->usable, c->thin, ret->thin);
	spread(t->bulk.n ? &t->bulk : &t->paths, c->usable, c->thick, ret->thick);
	ret->spill = overlay_spill(t, c->usable);
	/* when all are dead, none is better than another */
	for (uint8_t i = 0; i < c->n; i++)
		ret->way[i].dead = c->ways[i].dead && !(c->usable >> i & 1);
	set_delays(c, ret);
}

_Static_assert(OV_WAYS == MESH_MAX_PATHS, "the same ways");

static bool has_same_ways(const struct ov_node *a, const struct ov_node *b)
{
	for (size_t i = 0; i < OV_WAYS; i++)
		if (a->way[i].ifindex != b->way[i].ifindex)
			return false;
	return a->n_ways == b->n_ways;
}

void path_peer_resume(const struct paths *p, struct path_peer *peer)
{
	uint32_t dead = 0, delay_us[OV_WAYS];
	struct ov_node now, ours;

	build(p, peer, &ours);
	if (overlay_read_node(&p->maps, peer->t->node, &now) || !has_same_ways(&now, &ours))
		return;
	for (size_t i = 0; i < OV_WAYS; i++) {
		dead |= now.way[i].dead ? 1u << i : 0;
		delay_us[i] = now.way[i].delay_us;
	}
	/* tables of weights follow from what is dead */
	choice_resume(&peer->choice, now.thin[0], now.thick[0], dead, delay_us);
}

static bool same_but_delays(const struct ov_node *a, const struct ov_node *b)
{
	struct ov_node x = *a;

	for (size_t i = 0; i < OV_WAYS; i++)
		x.way[i].delay_us = b->way[i].delay_us;
	return !memcmp(&x, b, sizeof(x));
}

void path_peer_write(struct paths *p, struct path_peer *peer, bool force, uint64_t now_ns)
{
	struct ov_node n;
	int r;

	if (now_ns < p->held_ns)
		return;
	build(p, peer, &n);
	if (!force && peer->is_written && same_but_delays(&peer->written, &n) &&
	    now_ns - peer->written_ns < EVERY_NS)
		return;
	r = overlay_write_node(&p->maps, peer->t->node, &n);
	if (r && peer->is_written)
		log_err(r, "cannot write the ways to %s", peer->name);
	peer->is_written = !r;
	peer->written = n;
	peer->written_ns = now_ns;
}

void path_peer_load(struct paths *p, struct path_peer *peer, uint64_t now_ns)
{
	uint64_t passed_us = (now_ns - peer->load_ns) / 1000;

	for (uint8_t i = 0; i < peer->choice.n; i++) {
		struct ov_traffic sent;

		if (overlay_read_way(&p->maps, peer->t->node, i, &sent))
			continue;
		if (peer->load_ns && passed_us && sent.bytes > peer->bytes[i])
			choice_load(&peer->choice, i,
			            (sent.bytes - peer->bytes[i]) * 1000000 / passed_us, now_ns);
		peer->bytes[i] = sent.bytes;
	}
	peer->load_ns = now_ns;
}
