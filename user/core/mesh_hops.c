// SPDX-License-Identifier: GPL-2.0-or-later
/* The next hops of all nodes: one line for each ordered pair. */
#include "core/mesh_plan.h"
#include <errno.h>

#define WIDTH (MESH_NODE - 1)
#define WIDTH_WAY (WIDTH + 4) /* "via " */
#define WIDTH_DEVICE (WIDTH + 2) /* "w-" */

static void row(const char *from, const char *to, const char *way, const char *device,
		const char *others, struct str *out)
{
	str_add(out, "%-*s  %-*s  %-*s  ", WIDTH, from, WIDTH, to, WIDTH_WAY, way);
	if (*others)
		str_add(out, "%-*s  %s\n", WIDTH_DEVICE, device, others);
	else
		str_add(out, "%s\n", device);
}

static void hop_add(const struct mesh_target *t, const struct mesh_wish *w, size_t i,
		    struct str *out)
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
	row(p->mesh->nodes[p->self].name, p->mesh->nodes[t->node].name, way.s ?: "",
	    p->tunnels[first->tunnel].device, others.s ?: "", out);
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
			row(p->mesh->nodes[p->self].name, p->mesh->nodes[i].name, "none", "-", "",
			    out);
	}
}

int mesh_hops_text(const struct mesh *m, struct str *out)
{
	row("FROM", "TO", "WAY", "DEVICE", "OTHERS", out);
	for (size_t i = 0; i < m->n_nodes; i++) {
		_cleanup_(mesh_plan_done) struct mesh_plan p = {};
		int r = mesh_plan_build(&p, m, m->nodes[i].name);

		if (r)
			return r;
		hop_rows(&p, out);
	}
	return out->err;
}
