// SPDX-License-Identifier: GPL-2.0-or-later
/* The section "rule" of a mesh: which class a flow is of. */
#include "core/mesh_draft.h"
#include <string.h>

static void begin_rule(struct config *c, const char *title)
{
	const struct mesh *m = c->mesh->mesh;
	const struct place *older = NULL;

	for (size_t i = 0; i < m->n_rules; i++)
		if (!strcmp(m->rules[i].match.name, title))
			older = &m->rules[i].match.place;
	c->rule = (struct model_rule){ .place = config_place(c) };
	c->mesh->rule = (struct mesh_rule){};
	mesh_ref_begin(c, title, c->rule.name, older);
}

static void add_node(struct config *c, const char *key, const char *value, enum mesh_ref_kind kind,
		     struct mesh_nodes *nodes)
{
	const char *name = config_negated(c, key, value, &nodes->negated);

	nodes->given = true;
	if (name)
		mesh_ref_add(c, kind, c->mesh->mesh->n_rules, name);
}

static void set_from(struct config *c, const char *key, const char *value)
{
	add_node(c, key, value, REF_RULE_FROM, &c->mesh->rule.from);
}

static void set_to(struct config *c, const char *key, const char *value)
{
	add_node(c, key, value, REF_RULE_TO, &c->mesh->rule.to);
}

static void set_class(struct config *c, const char *key, const char *value)
{
	unsigned int word;

	if (config_word(c, key, value, mesh_class_names + 1, MESH_CLASS_MAX - 1, &word))
		c->mesh->rule.class = word + 1;
}

static void end_rule(struct config *c)
{
	struct mesh *m = c->mesh->mesh;
	struct mesh_rule *slot = NULL;

	c->line = c->rule.place.line;
	config_narrow_rule(&c->rule);
	c->mesh->rule.match = c->rule;
	if (!c->drop && config_room(c, "rule", m->n_rules, MESH_MAX_RULES)) {
		slot = ARRAY_ADD(m->rules, m->n_rules);
		c->no_memory |= !slot;
	}
	if (slot)
		*slot = c->mesh->rule;
	else
		mesh_ref_drop(c);
}

static const struct config_key rule_keys[] = {
	CONFIG_FIELDS,
	{ "from", true, set_from },
	{ "to", true, set_to },
	{ "class", false, set_class },
};

const struct config_section mesh_config_rule = {
	.name = "rule",
	.titled = true,
	.many = true,
	.keys = rule_keys,
	.n_keys = ARRAY_SIZE(rule_keys),
	.begin = begin_rule,
	.end = end_rule,
};
