// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random meshes: a packet from every node to every other by every way, over the plans of all nodes,
 * arrives by exactly that way.  Ports of both ends agree, none is taken twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/mesh_lab.h"

#define MESHES 400
#define MAX_NODES 12

/* -------- a description */

static void add_nodes(struct str *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		str_add(s, "node n%u { address = 10.0.0.%u public-key = $%c", i, i + 1, 'a' + i);
		if (!i || random_below(3)) /* one at least can be reached */
			str_add(s, " endpoint = 'n%u.example:%u'", i, 1000 * (i + 1));
		str_add(s, "%s }\n", random_below(4) ? "" : " metered = yes");
	}
}

static void add_forwarders(struct str *s, uint32_t n)
{
	uint32_t count = random_below(4);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t from = random_below(n), to = (from + 1 + random_below(n - 1)) % n;

		str_add(s, "forwarder f%u { from = n%u to = n%u endpoint = f%u.example", i, from, to, i);
		if (random_below(2))
			str_add(s, " port = %u", 40000 + i);
		str_add(s, "%s }\n", random_below(3) ? "" : " metered = yes");
	}
}

/* A ring, or a star, or all; node 0 has an endpoint, so a star always holds. */
static void add_connects(struct str *s, uint32_t n)
{
	if (random_below(2))
		return;
	for (uint32_t i = 1; i < n; i++)
		str_add(s, "connect s%u { nodes = {n0, n%u} mtu = %u }\n", i, i,
			1280 + random_below(200));
	for (uint32_t i = 0; i < random_below(4) && n > 3; i++)
		str_add(s, "connect g%u { nodes = {n0, n%u, n%u} }\n", i, 1 + random_below(n / 2 - 1),
			n / 2 + random_below(n - n / 2));
}

/* Some of all ways between two, of the plan without any direction. */
static void add_list(struct str *s, const char *key, const struct mesh_target *t)
{
	const char *before = random_below(4) ? "" : "auto, ";
	uint32_t mask = 1 + random_below((1u << t->n) - 1);

	str_add(s, " %s = {", key);
	for (size_t i = 0; i < t->n; i++) {
		if (!(mask >> i & 1))
			continue;
		str_add(s, "%s\"%s\"", before, t->ways[i].name);
		before = ", ";
	}
	str_add(s, "}");
}

static void add_directions(struct str *s, const struct mesh *m)
{
	for (size_t i = 0; i < m->n_nodes; i++) {
		PLAN p = plan_of(m, m->nodes[i].name);

		for (size_t j = 0; j < p.n_targets; j++) {
			const struct mesh_target *t = &p.targets[j];

			if (!random_below(3))
				continue;
			str_add(s, "direction d%zu-%zu { from = n%zu to = n%u", i, j, i, t->node);
			add_list(s, "paths", t);
			if (!random_below(3))
				add_list(s, "bulk", t);
			str_add(s, " }\n");
		}
	}
}

static struct meshed random_mesh(void)
{
	_cleanup_(str_done) struct str s = {};
	uint32_t n = 2 + random_below(MAX_NODES - 1);
	struct meshed bare, full;

	add_nodes(&s, n);
	add_forwarders(&s, n);
	add_connects(&s, n);
	bare = good_mesh(s.s);
	add_directions(&s, &bare.m);
	meshed_done(&bare);
	full = good_mesh(s.s);
	return full;
}

/* -------- its plans */

struct world {
	const struct mesh *m;
	struct mesh_plan plans[MAX_NODES];
};

/* The other end of a tunnel; it is the only one. */
static const struct mesh_tunnel *other_end(const struct world *w, uint8_t node,
					   const struct mesh_tunnel *t)
{
	const struct mesh_plan *p = &w->plans[t->peer];
	const struct mesh_tunnel *found = NULL;

	for (size_t i = 0; i < p->n_tunnels; i++) {
		if (p->tunnels[i].peer != node || p->tunnels[i].forwarder != t->forwarder)
			continue;
		assert_null(found);
		found = &p->tunnels[i];
	}
	assert_non_null(found);
	return found;
}

static void check_ends(const struct world *w, uint8_t node, const struct mesh_tunnel *t)
{
	const struct mesh_tunnel *o = other_end(w, node, t);

	assert_int_equal(t->mtu, o->mtu);
	assert_true(*t->endpoint.host || *o->endpoint.host);
	assert_true(*o->endpoint.host || t->keepalive_s); /* nobody else keeps the NAT open */
	if (*t->endpoint.host)
		assert_int_equal(t->endpoint.port, o->listen_port);
}

static void check_ports(const struct world *w, uint8_t node)
{
	const struct mesh_plan *p = &w->plans[node];

	for (size_t i = 0; i < p->n_tunnels; i++) {
		check_ends(w, node, &p->tunnels[i]);
		assert_true(p->mtu <= p->tunnels[i].mtu || p->n_tunnels > 1);
		for (size_t j = 0; j < i; j++) {
			assert_int_not_equal(p->tunnels[i].listen_port, p->tunnels[j].listen_port);
			assert_string_not_equal(p->tunnels[i].device, p->tunnels[j].device);
		}
	}
}

/* -------- packets */

struct walk {
	uint8_t at;
	unsigned int hops;
	uint8_t passed[8]; /* nodes, the first one too */
	uint16_t first_forwarder, mtu;
};

static void step(const struct world *w, struct walk *k, const struct mesh_tunnel *t)
{
	assert_true(k->hops < ARRAY_SIZE(k->passed));
	other_end(w, k->at, t);
	k->passed[k->hops++] = k->at;
	k->mtu = MIN(k->mtu, t->mtu);
	k->at = t->peer;
}

/* Its sender chooses, all others pass it on by the direct tunnel. */
static struct walk walk(const struct world *w, uint8_t from, const struct mesh_target *target,
			const struct mesh_choice *way)
{
	struct walk k = { .at = from, .mtu = UINT16_MAX };
	const struct mesh_tunnel *t = &w->plans[from].tunnels[way->tunnel];

	k.first_forwarder = t->forwarder;
	step(w, &k, t);
	while (k.at != target->node && k.hops < 3) {
		const struct mesh_plan *here = &w->plans[k.at];
		const struct mesh_target *next = mesh_plan_target(here, target->node);

		assert_non_null(next);
		assert_int_not_equal(next->direct, MESH_TUNNEL_NONE);
		step(w, &k, &here->tunnels[next->direct]);
	}
	return k;
}

static void check_way(const struct world *w, uint8_t from, const struct mesh_target *t,
		      const struct mesh_choice *way)
{
	struct walk k = walk(w, from, t, way);

	assert_int_equal(k.at, t->node);
	assert_int_equal(k.hops, way->path.way == MESH_VIA ? 2 : 1);
	if (way->path.way == MESH_VIA)
		assert_int_equal(k.passed[1], way->path.which);
	assert_int_equal(k.first_forwarder,
			 way->path.way == MESH_FORWARDER ? way->path.which : MESH_FORWARDER_NONE);
	assert_true(k.mtu >= w->plans[from].mtu);
}

/* Every wish is of ways that are there, each once; the wishes of the description come first. */
static void check_wish(const struct mesh_target *t, const struct mesh_wish *w,
		       const struct mesh_paths *written)
{
	unsigned int seen = 0;

	assert_true(w->n_own <= w->n && w->n <= t->n);
	for (size_t i = 0; i < w->n; i++) {
		assert_true(w->order[i] < t->n);
		assert_false(seen >> w->order[i] & 1);
		seen |= 1u << w->order[i];
	}
	if (!written || !written->n)
		return;
	assert_int_equal(w->n_own, written->n);
	for (size_t i = 0; i < written->n; i++)
		assert_true(mesh_path_equal(&t->ways[w->order[i]].path, &written->items[i]));
}

static void check_target(const struct world *w, uint8_t from, const struct mesh_target *t)
{
	const struct mesh_direction *d = mesh_direction_find(w->m, from, t->node);

	assert_true(t->n && t->paths.n);
	for (size_t i = 0; i < t->n; i++)
		check_way(w, from, t, &t->ways[i]);
	check_wish(t, &t->paths, d ? &d->paths : NULL);
	check_wish(t, &t->bulk, d ? &d->bulk : NULL);
}

static void check_mesh(const struct mesh *m)
{
	struct world w = { .m = m };

	for (size_t i = 0; i < m->n_nodes; i++)
		w.plans[i] = plan_of(m, m->nodes[i].name);
	for (size_t i = 0; i < m->n_nodes; i++) {
		check_ports(&w, i);
		for (size_t j = 0; j < w.plans[i].n_targets; j++)
			check_target(&w, i, &w.plans[i].targets[j]);
	}
	for (size_t i = 0; i < m->n_nodes; i++)
		mesh_plan_done(&w.plans[i]);
}

static void test_walks(void **state)
{
	for (int i = 0; i < MESHES; i++) {
		MESHED p = random_mesh();

		check_mesh(&p.m);
	}
}

/* Printed and read again, every node's plan is the same. */
static void test_print(void **state)
{
	for (int i = 0; i < 50; i++) {
		_cleanup_(str_done) struct str text = {}, before = {}, after = {};
		MESHED p = random_mesh();
		struct meshed q;

		mesh_print(&p.m, &text);
		q = good_mesh(text.s);
		assert_int_equal(mesh_hash(&p.m), mesh_hash(&q.m));
		for (size_t n = 0; n < p.m.n_nodes; n++) {
			PLAN a = plan_of(&p.m, p.m.nodes[n].name), b = plan_of(&q.m, p.m.nodes[n].name);

			mesh_plan_text(&a, &before);
			mesh_plan_text(&b, &after);
		}
		assert_string_equal(before.s, after.s);
		meshed_done(&q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walks),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests_name("mesh_walk", tests, NULL, NULL);
}
