// SPDX-License-Identifier: GPL-2.0-or-later
/* A graph for Graphviz's dot.  Names have no quotes in them. */
#include "core/mesh_pairs.h"
#include "core/mesh_plan.h"
#include <errno.h>

static void dot_nodes(const struct mesh *m, struct str *out)
{
	char buf[ADDR_STRLEN];

	for (size_t i = 0; i < m->n_nodes; i++) {
		const struct mesh_node *n = &m->nodes[i];
		enum asym_family family = addr_is_zero(&n->addr[ASYM_V4]) ? ASYM_V6 : ASYM_V4;

		str_add(out, "\t\"%s\" [label=\"%s\\n%s\"%s%s]\n", n->name, n->name,
			addr_str(&n->addr[family], buf), *n->endpoint.host ? "" : ", style=dashed",
			n->metered ? ", color=red" : "");
	}
}

static void dot_connections(const struct mesh *m, const struct mesh_pairs *p, struct str *out)
{
	for (size_t a = 0; a < m->n_nodes; a++)
		for (size_t b = a + 1; b < m->n_nodes; b++)
			if (mesh_pairs_have(p, a, b))
				str_add(out, "\t\"%s\" -> \"%s\" [dir=none, color=gray]\n",
					m->nodes[a].name, m->nodes[b].name);
	for (size_t i = 0; i < m->n_forwarders; i++)
		str_add(out, "\t\"%s\" -> \"%s\" [dir=none, style=dashed, label=\"%s\"%s]\n",
			m->nodes[m->forwarders[i].from].name, m->nodes[m->forwarders[i].to].name,
			m->forwarders[i].name, m->forwarders[i].metered ? ", color=red" : "");
}

static void dot_list(const struct mesh *m, const struct mesh_paths *p, const char *noun,
		     struct str *out)
{
	char text[MESH_PATH_TEXT];

	str_add(out, "%s%s", noun, p->automatic ? "auto" : "");
	for (size_t i = 0; i < p->n; i++) {
		mesh_path_text(m, &p->items[i], text);
		str_add(out, "%s%s", i || p->automatic ? ", " : "", text);
	}
}

static void dot_directions(const struct mesh *m, struct str *out)
{
	for (size_t i = 0; i < m->n_directions; i++) {
		const struct mesh_direction *d = &m->directions[i];

		str_add(out, "\t\"%s\" -> \"%s\" [color=blue, label=\"", m->nodes[d->from].name,
			m->nodes[d->to].name);
		dot_list(m, &d->paths, d->paths.place.line ? "" : "auto", out);
		if (d->bulk.place.line)
			dot_list(m, &d->bulk, "\\nbulk: ", out);
		if (d->rate_bps)
			str_add(out, "\\n%llu kbit/s", (unsigned long long)d->rate_bps / 1000);
		str_add(out, "\"]\n");
	}
}

int mesh_dot_text(const struct mesh *m, struct str *out)
{
	_cleanup_free_ struct mesh_pairs *p = mesh_pairs_new(m);

	if (!p)
		return -ENOMEM;
	str_add(out, "digraph \"%s\" {\n", m->name);
	dot_nodes(m, out);
	dot_connections(m, p, out);
	dot_directions(m, out);
	str_add(out, "}\n");
	return out->err;
}
