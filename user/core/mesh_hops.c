// SPDX-License-Identifier: GPL-2.0-or-later
/* The next hops of all nodes: one line for each ordered pair. */
#include "core/mesh_plan.h"
#include <errno.h>

#define ROW "%-*s  %-*s  %-*s  %-*s  %s\n"
#define WIDTH (MESH_NODE - 1)
#define WIDTH_WAY (WIDTH + 4) /* "via " */
#define WIDTH_DEVICE (WIDTH + 2) /* "w-" */

static void hop_add(const struct mesh_target *t, const struct mesh_wish *w, size_t i, struct str *out)
{
	str_add(out, "%s%s%s", out->len ? ", " : "", i == w->n_own ? "else " : "",
		t->ways[w->order[i]].name);
	if (w->weight[i])
		str_add(out, ":%u", w->weight[i]);
}

static void hop_others(const struct mesh_target *t, struct str *out)
{
	if (t->paths.automatic && t->paths.n_own > 1)
		str_add(out, "auto");
	for (size_t i = 1; i < t->paths.n; i++)
		hop_add(t, &t->paths, i, out);
	if (t->bulk.n)
		str_add(out, "%sbulk%s", out->len ? "; " : "", t->bulk.automatic ? " auto:" : ":");
	for (size_t i = 0; i < t->bulk.n_own; i++)
		str_add(out, "%s %s", i ? "," : "", t->ways[t->bulk.order[i]].name);
}

static void hop_row(const struct mesh_plan *p, const struct mesh_target *t, struct str *out)
{
	const struct mesh_choice *first = &t->ways[t->paths.order[0]];
	_cleanup_(str_done) struct str way = {}, others = {};

	hop_add(t, &t->paths, 0, &way);
	hop_others(t, &others);
	str_add(out, ROW, WIDTH, p->mesh->nodes[p->self].name, WIDTH, p->mesh->nodes[t->node].name,
		WIDTH_WAY, way.s ?: "", WIDTH_DEVICE, p->tunnels[first->tunnel].device,
		others.s ?: "");
	if (way.err || others.err)
		out->err = -ENOMEM;
}

static void hop_rows(const struct mesh_plan *p, struct str *out)
{
	for (size_t i = 0; i < p->mesh->n_nodes; i++) {
		const struct mesh_target *t = mesh_plan_target(p, i);

		if (t)
			hop_row(p, t, out);
		else if (i != p->self)
			str_add(out, ROW, WIDTH, p->mesh->nodes[p->self].name, WIDTH,
				p->mesh->nodes[i].name, WIDTH_WAY, "none", WIDTH_DEVICE, "-", "");
	}
}

int mesh_hops_text(const struct mesh *m, struct str *out)
{
	str_add(out, ROW, WIDTH, "FROM", WIDTH, "TO", WIDTH_WAY, "WAY", WIDTH_DEVICE, "DEVICE",
		"OTHERS");
	for (size_t i = 0; i < m->n_nodes; i++) {
		_cleanup_(mesh_plan_done) struct mesh_plan p = {};
		int r = mesh_plan_build(&p, m, m->nodes[i].name);

		if (r)
			return r;
		hop_rows(&p, out);
	}
	return out->err;
}
