// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/mesh_plan.h"
#include "core/mesh_pairs.h"
#include <errno.h>
#include <string.h>

_Static_assert(MESH_MAX_NODES - 1 + MESH_MAX_FORWARDERS <= MESH_MAX_TUNNELS,
	       "one for each pair and each forwarder");

struct build {
	struct mesh_plan *p;
	const struct mesh *m;
	const struct mesh_pairs *pairs;
	uint8_t self;
};

/* -------- tunnels */

/* WireGuard's own port of the other side, unless the endpoint is that of a forwarder's. */
static void set_endpoint(struct mesh_tunnel *t, const struct mesh_endpoint *e, uint16_t port)
{
	t->endpoint = *e;
	t->endpoint.port = *e->host ? port : 0;
}

static int add_pair(struct build *b, uint8_t peer)
{
	const struct mesh_node *node = &b->m->nodes[peer];
	struct mesh_tunnel *t = ARRAY_ADD(b->p->tunnels, b->p->n_tunnels);

	if (!t)
		return -ENOMEM;
	snprintf(t->device, sizeof(t->device), "w-%s", node->name);
	t->peer = peer;
	t->forwarder = MESH_FORWARDER_NONE;
	t->listen_port = mesh_port(b->m, b->self, peer);
	set_endpoint(t, &node->endpoint, mesh_port(b->m, peer, b->self));
	t->keepalive_s = *b->m->nodes[b->self].endpoint.host ? 0 : b->m->keepalive_s;
	t->mtu = b->pairs->mtu[b->self][peer];
	return 0;
}

static int add_forwarder(struct build *b, size_t i)
{
	const struct mesh_forwarder *f = &b->m->forwarders[i];
	struct mesh_tunnel *t;

	if (f->from != b->self && f->to != b->self)
		return 0;
	t = ARRAY_ADD(b->p->tunnels, b->p->n_tunnels);
	if (!t)
		return -ENOMEM;
	snprintf(t->device, sizeof(t->device), "f-%s", f->name);
	t->peer = f->from == b->self ? f->to : f->from;
	t->forwarder = i;
	t->listen_port = mesh_forwarder_port(b->m, i, b->self);
	t->mtu = mesh_forwarder_mtu(b->m, f);
	if (f->from == b->self) {
		set_endpoint(t, &f->endpoint,
			     f->endpoint.port ?: mesh_forwarder_port(b->m, i, f->to));
		t->keepalive_s = b->m->keepalive_s;
	}
	return 0;
}

static int add_tunnels(struct build *b)
{
	int r = 0;

	for (size_t i = 0; i < b->m->n_nodes && !r; i++)
		if (mesh_pairs_have(b->pairs, b->self, i))
			r = add_pair(b, i);
	for (size_t i = 0; i < b->m->n_forwarders && !r; i++)
		r = add_forwarder(b, i);
	return r;
}

static uint16_t pair_tunnel(const struct build *b, uint8_t peer)
{
	for (size_t i = 0; i < b->p->n_tunnels; i++)
		if (b->p->tunnels[i].peer == peer &&
		    b->p->tunnels[i].forwarder == MESH_FORWARDER_NONE)
			return i;
	return MESH_TUNNEL_NONE;
}

static uint16_t forwarder_tunnel(const struct build *b, uint16_t forwarder)
{
	for (size_t i = 0; i < b->p->n_tunnels; i++)
		if (b->p->tunnels[i].forwarder == forwarder)
			return i;
	return MESH_TUNNEL_NONE;
}

/* -------- ways */

static uint16_t first_tunnel(const struct build *b, uint8_t to, const struct mesh_path *p)
{
	if (p->way == MESH_FORWARDER)
		return forwarder_tunnel(b, p->which);
	return pair_tunnel(b, p->way == MESH_VIA ? p->which : to);
}

/* The overlay's packets must fit what comes behind the first tunnel, too. */
static void lower_mtu(struct build *b, uint8_t to, const struct mesh_choice *c)
{
	uint16_t mtu = b->p->tunnels[c->tunnel].mtu;

	if (c->path.way == MESH_VIA)
		mtu = MIN(mtu, b->pairs->mtu[c->path.which][to]);
	b->p->mtu = MIN(b->p->mtu, mtu);
}

/* Index of the way, a new one if need be; MESH_MAX_PATHS: no room. */
static size_t put_way(struct build *b, struct mesh_target *t, const struct mesh_path *p)
{
	struct mesh_choice *c = &t->ways[t->n];

	for (size_t i = 0; i < t->n; i++)
		if (mesh_path_equal(&t->ways[i].path, p))
			return i;
	if (t->n == MESH_MAX_PATHS)
		return MESH_MAX_PATHS;
	c->path = (struct mesh_path){ .way = p->way, .which = p->which };
	mesh_path_text(b->m, p, c->name);
	c->tunnel = first_tunnel(b, t->node, p);
	c->metered = mesh_way_metered(b->m, p);
	lower_mtu(b, t->node, c);
	return t->n++;
}

static void wish_for(struct mesh_wish *w, size_t way, uint16_t weight)
{
	if (way == MESH_MAX_PATHS || memchr(w->order, way, w->n))
		return;
	w->weight[w->n] = weight;
	w->order[w->n++] = way;
}

static void put_named(struct build *b, struct mesh_target *t, const struct mesh_paths *paths,
		      struct mesh_wish *w)
{
	for (size_t i = 0; i < paths->n; i++)
		wish_for(w, put_way(b, t, &paths->items[i]), paths->items[i].weight);
	w->automatic = paths->automatic;
	w->n_own = w->n;
}

static void put_all(struct build *b, struct mesh_target *t, struct mesh_wish *w)
{
	struct mesh_way_state state = {};
	struct mesh_path path;

	while (mesh_way_next(b->m, b->pairs, b->self, t->node, &state, &path))
		wish_for(w, put_way(b, t, &path), 0);
	w->n_own = w->n;
}

/* What is left when all that was wished for is dead. */
static void put_fallbacks(struct build *b, struct mesh_target *t)
{
	static const struct mesh_path direct = { .way = MESH_DIRECT };
	bool there = pair_tunnel(b, t->node) != MESH_TUNNEL_NONE;
	size_t way = there ? put_way(b, t, &direct) : MESH_MAX_PATHS;

	if (t->paths.n_own)
		wish_for(&t->paths, way, 0);
	if (t->bulk.n_own)
		wish_for(&t->bulk, way, 0);
}

/* What is named comes first, so that the limit cuts nothing of it. */
static void fill_ways(struct build *b, struct mesh_target *t)
{
	static const struct mesh_direction unwritten = { .paths.automatic = true };
	const struct mesh_direction *d = mesh_direction_find(b->m, b->self, t->node) ?: &unwritten;

	put_named(b, t, &d->paths, &t->paths);
	put_named(b, t, &d->bulk, &t->bulk);
	put_fallbacks(b, t);
	if (!t->paths.n_own)
		put_all(b, t, &t->paths);
	if (d->bulk.automatic && !t->bulk.n_own)
		put_all(b, t, &t->bulk);
	t->paths.automatic |= !d->paths.n;
	for (size_t i = 0; t->bulk.n && i < t->paths.n; i++)
		wish_for(&t->bulk, t->paths.order[i], 0);
	t->rate_bps = d->rate_bps;
	for (size_t i = 0; i < t->paths.n_own; i++)
		t->ways[t->paths.order[i]].path.weight = t->paths.weight[i];
}

static int add_target(struct build *b, uint8_t node)
{
	struct mesh_target t = { .node = node, .direct = MESH_TUNNEL_NONE }, *slot;

	if (b->m->nodes[b->self].relays)
		t.direct = pair_tunnel(b, node);
	fill_ways(b, &t);
	if (!t.n)
		return 0;
	slot = ARRAY_ADD(b->p->targets, b->p->n_targets);
	if (!slot)
		return -ENOMEM;
	*slot = t;
	return 0;
}

const struct mesh_target *mesh_plan_target(const struct mesh_plan *p, uint8_t node)
{
	for (size_t i = 0; i < p->n_targets; i++)
		if (p->targets[i].node == node)
			return &p->targets[i];
	return NULL;
}

/* -------- routes */

/* Whether anything here could send to an address of that family. */
static bool speaks(const struct mesh_node *n, enum asym_family family)
{
	for (size_t i = 0; i < n->n_lans; i++)
		if (addr_is_v4(&n->lans[i].addr) == (family == ASYM_V4))
			return true;
	return !addr_is_zero(&n->addr[family]);
}

static int add_route(struct build *b, uint8_t node, const struct prefix *to)
{
	enum asym_family family = addr_is_v4(&to->addr) ? ASYM_V4 : ASYM_V6;
	struct mesh_route *r;

	if (!speaks(&b->m->nodes[b->self], family))
		return 0;
	r = ARRAY_ADD(b->p->routes, b->p->n_routes);
	if (!r)
		return -ENOMEM;
	*r = (struct mesh_route){ *to, node, b->m->nodes[b->self].addr[family] };
	return 0;
}

static int add_routes(struct build *b, uint8_t node)
{
	const struct mesh_node *n = &b->m->nodes[node];
	int r = 0;

	for (int i = 0; i < ASYM_FAMILIES && !r; i++) {
		const struct prefix host = { n->addr[i], 128 };

		if (!addr_is_zero(&n->addr[i]))
			r = add_route(b, node, &host);
	}
	for (size_t i = 0; i < n->n_lans && !r; i++)
		r = add_route(b, node, &n->lans[i]);
	return r;
}

/* -------- all of it */

static int fill(struct build *b)
{
	int r = add_tunnels(b);

	for (size_t i = 0; i < b->m->n_nodes && !r; i++)
		if (i != b->self)
			r = add_target(b, i);
	for (size_t i = 0; i < b->p->n_targets && !r; i++)
		r = add_routes(b, b->p->targets[i].node);
	if (b->p->mtu == UINT16_MAX)
		b->p->mtu = b->m->mtu;
	return r;
}

int mesh_plan_build(struct mesh_plan *ret, const struct mesh *m, const char *node)
{
	_cleanup_free_ struct mesh_pairs *pairs = mesh_pairs_new(m);
	int self = mesh_node_find(m, node);
	struct mesh_plan p = { .mesh = m, .self = self, .mtu = UINT16_MAX };
	struct build b = { &p, m, pairs, self };
	int r;

	if (self < 0)
		return -ENOENT;
	r = pairs ? fill(&b) : -ENOMEM;
	if (r)
		mesh_plan_done(&p);
	else
		*ret = p;
	return r;
}

void mesh_plan_done(struct mesh_plan *p)
{
	free(p->tunnels);
	free(p->targets);
	free(p->routes);
	*p = (struct mesh_plan){};
}
