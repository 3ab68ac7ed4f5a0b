// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/mesh_pairs.h"

/* One of both must know where to send to. */
static bool can_meet(const struct mesh *m, uint8_t a, uint8_t b)
{
	return a != b && (*m->nodes[a].endpoint.host || *m->nodes[b].endpoint.host);
}

/* Where more than one connect names a pair, the least MTU holds. */
static void join(struct mesh_pairs *p, uint8_t a, uint8_t b, uint16_t mtu)
{
	uint16_t old = p->mtu[a][b];

	p->mtu[a][b] = p->mtu[b][a] = old ? MIN(old, mtu) : mtu;
}

static void join_all(struct mesh_pairs *p, const struct mesh *m)
{
	for (size_t a = 0; a < m->n_nodes; a++)
		for (size_t b = 0; b < a; b++)
			if (can_meet(m, a, b))
				join(p, a, b, m->mtu);
}

static void join_group(struct mesh_pairs *p, const struct mesh *m, const struct mesh_connect *c)
{
	for (size_t i = 0; i < c->n; i++)
		for (size_t j = 0; j < i; j++)
			if (can_meet(m, c->nodes[i], c->nodes[j]))
				join(p, c->nodes[i], c->nodes[j], c->mtu ?: m->mtu);
}

struct mesh_pairs *mesh_pairs_new(const struct mesh *m)
{
	struct mesh_pairs *p = calloc(1, sizeof(*p));

	if (p && !m->n_connects)
		join_all(p, m);
	for (size_t i = 0; p && i < m->n_connects; i++)
		join_group(p, m, &m->connects[i]);
	return p;
}

bool mesh_pairs_have(const struct mesh_pairs *p, uint8_t a, uint8_t b)
{
	return p->mtu[a][b];
}

uint16_t mesh_forwarder_mtu(const struct mesh *m, const struct mesh_forwarder *f)
{
	return f->mtu ?: m->mtu;
}

/* -------- ways */

bool mesh_way_exists(const struct mesh *m, const struct mesh_pairs *p, uint8_t from, uint8_t to,
		     const struct mesh_path *way)
{
	switch (way->way) {
	case MESH_DIRECT:
		return mesh_pairs_have(p, from, to);
	case MESH_VIA:
		return way->which != from && way->which != to && m->nodes[way->which].relays &&
		       mesh_pairs_have(p, from, way->which) && mesh_pairs_have(p, way->which, to);
	case MESH_FORWARDER:
		return mesh_forwarder_joins(&m->forwarders[way->which], from, to);
	}
	return false;
}

bool mesh_way_metered(const struct mesh *m, const struct mesh_path *way)
{
	if (way->way == MESH_VIA)
		return m->nodes[way->which].metered;
	return way->way == MESH_FORWARDER && m->forwarders[way->which].metered;
}

/* What can come in a round: its kind, and whether it is metered. */
static const struct {
	enum mesh_way way;
	bool metered;
} rounds[] = {
	{ MESH_DIRECT, false },	   { MESH_FORWARDER, false }, { MESH_VIA, false },
	{ MESH_FORWARDER, true },  { MESH_VIA, true },
};

static size_t round_size(const struct mesh *m, enum mesh_way way)
{
	return way == MESH_DIRECT ? 1 : way == MESH_VIA ? m->n_nodes : m->n_forwarders;
}

bool mesh_way_next(const struct mesh *m, const struct mesh_pairs *p, uint8_t from, uint8_t to,
		   struct mesh_way_state *state, struct mesh_path *ret)
{
	for (; state->round < ARRAY_SIZE(rounds); state->round++, state->next = 0) {
		enum mesh_way kind = rounds[state->round].way;

		while (state->next < round_size(m, kind)) {
			struct mesh_path way = { .way = kind, .which = state->next++ };

			if (mesh_way_metered(m, &way) != rounds[state->round].metered ||
			    !mesh_way_exists(m, p, from, to, &way))
				continue;
			*ret = way;
			return true;
		}
	}
	return false;
}
