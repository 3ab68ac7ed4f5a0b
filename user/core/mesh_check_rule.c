// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/mesh_check_int.h"

static void check_rule(const struct mesh_rule *r, struct findings *f)
{
	if (r->class == MESH_CLASS_NONE)
		check_error(f, &r->match.place, "class: rule \"%s\" has none, expected interactive, "
			    "bulk or default", r->match.name);
	check_match(&r->match, f);
}

static bool nodes_cover(const struct mesh *m, const struct mesh_nodes *outer,
			const struct mesh_nodes *inner)
{
	for (size_t i = 0; i < m->n_nodes; i++)
		if (mesh_nodes_have(inner, i) && !mesh_nodes_have(outer, i))
			return false;
	return true;
}

static bool covers(const struct mesh *m, const struct mesh_rule *e, const struct mesh_rule *l)
{
	static const struct model no_sets;

	return nodes_cover(m, &e->from, &l->from) && nodes_cover(m, &e->to, &l->to) &&
	       check_rule_covers(&no_sets, &e->match, &l->match);
}

static void check_shadow(const struct mesh *m, size_t i, struct findings *f)
{
	const struct model_rule *l = &m->rules[i].match;

	for (size_t j = 0; j < i; j++) {
		const struct model_rule *e = &m->rules[j].match;

		if (!covers(m, &m->rules[j], &m->rules[i]))
			continue;
		check_warn(f, &l->place, "rule: \"%s\" never matches, rule \"%s\" (%s:%d) takes all "
			   "it could", l->name, e->name, check_file(&e->place), e->place.line);
		return;
	}
}

void mesh_check_rules(const struct mesh *m, struct findings *f)
{
	for (size_t i = 0; i < m->n_rules; i++) {
		check_rule(&m->rules[i], f);
		check_shadow(m, i, f);
	}
}
