// SPDX-License-Identifier: GPL-2.0-or-later
/* Directions: every way that is named is there. */
#include "core/mesh_check_int.h"
#include <string.h>

struct list {
	const char *key;
	const struct mesh_paths *paths;
};

static void missing_connection(const struct mesh *m, const struct list *l, uint8_t a, uint8_t b,
			       const char *way, struct findings *f)
{
	check_error(f, &l->paths->place,
		    "%s: \"%s\" needs a connection of \"%s\" and \"%s\", expected "
		    "an endpoint of one of them%s",
		    l->key, way, m->nodes[a].name, m->nodes[b].name,
		    m->n_connects ? " and both in a connect" : "");
}

static void check_via(const struct mesh *m, const struct mesh_pairs *p,
		      const struct mesh_direction *d, const struct list *l, uint8_t via,
		      const char *way, struct findings *f)
{
	if (via == d->from || via == d->to) {
		check_error(f, &l->paths->place,
			    "%s: \"%s\" of direction \"%s\" leads by its own end, "
			    "expected direct or another node",
			    l->key, way, d->name);
		return;
	}
	if (!m->nodes[via].relays)
		check_error(f, &l->paths->place,
			    "%s: \"%s\" of direction \"%s\" leads by a node with relay = no, "
			    "expected direct or another node",
			    l->key, way, d->name);
	if (!mesh_pairs_have(p, d->from, via))
		missing_connection(m, l, d->from, via, way, f);
	if (!mesh_pairs_have(p, via, d->to))
		missing_connection(m, l, via, d->to, way, f);
}

static void check_path(const struct mesh *m, const struct mesh_pairs *p,
		       const struct mesh_direction *d, const struct list *l,
		       const struct mesh_path *path, struct findings *f)
{
	char way[MESH_PATH_TEXT];

	mesh_path_text(m, path, way);
	if (path->way == MESH_VIA)
		check_via(m, p, d, l, path->which, way, f);
	else if (mesh_way_exists(m, p, d->from, d->to, path))
		return;
	else if (path->way == MESH_DIRECT)
		missing_connection(m, l, d->from, d->to, way, f);
	else
		check_error(f, &l->paths->place, "%s: forwarder \"%s\" is not between \"%s\" and "
			    "\"%s\", expected one that is", l->key, way, m->nodes[d->from].name,
			    m->nodes[d->to].name);
}

static void check_weights(const struct list *l, struct findings *f)
{
	size_t n = 0;

	for (size_t i = 0; i < l->paths->n; i++)
		n += !!l->paths->items[i].weight;
	if (n && n < l->paths->n)
		check_error(f, &l->paths->place,
			    "%s: %zu of %zu ways have a weight, expected all or "
			    "none",
			    l->key, n, l->paths->n);
	else if (n && l->paths->automatic)
		check_error(f, &l->paths->place, "%s: weights beside auto, expected one of both",
			    l->key);
}

/* Of both lists together: each way is probed once. */
static size_t count_ways(const struct mesh_direction *d)
{
	size_t n = d->paths.n;

	for (size_t i = 0; i < d->bulk.n; i++) {
		size_t j = 0;

		while (j < d->paths.n && !mesh_path_equal(&d->paths.items[j], &d->bulk.items[i]))
			j++;
		n += j == d->paths.n;
	}
	return n;
}

static void check_ends(const struct mesh *m, size_t i, struct findings *f)
{
	const struct mesh_direction *d = &m->directions[i], *older;

	if (d->from == d->to) {
		check_error(f, &d->place,
			    "to: direction \"%s\" leads from \"%s\" to itself, expected "
			    "two nodes",
			    d->name, m->nodes[d->to].name);
		return;
	}
	older = mesh_direction_find(m, d->from, d->to);
	if (older != d)
		check_error(f, &d->place, "to: direction \"%s\" from \"%s\" to \"%s\" is \"%s\" of "
			    "%s:%d, expected one", d->name, m->nodes[d->from].name,
			    m->nodes[d->to].name, older->name, check_file(&older->place),
			    older->place.line);
}

static void check_direction(const struct mesh *m, const struct mesh_pairs *p,
			    const struct mesh_direction *d, struct findings *f)
{
	const struct list lists[] = { { "paths", &d->paths }, { "bulk", &d->bulk } };

	for (size_t i = 0; i < ARRAY_SIZE(lists) && d->from != d->to; i++) {
		check_weights(&lists[i], f);
		for (size_t j = 0; j < lists[i].paths->n; j++)
			check_path(m, p, d, &lists[i], &lists[i].paths->items[j], f);
	}
	if (count_ways(d) > MESH_MAX_PATHS)
		check_error(f, &d->place,
			    "bulk: direction \"%s\" has %zu ways with those of paths, "
			    "expected at most %d",
			    d->name, count_ways(d), MESH_MAX_PATHS);
}

void mesh_check_directions(const struct mesh *m, const struct mesh_pairs *p, struct findings *f)
{
	for (size_t i = 0; i < m->n_directions; i++) {
		check_ends(m, i, f);
		check_direction(m, p, &m->directions[i], f);
	}
}
