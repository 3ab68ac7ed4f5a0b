// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of nodes and forwarders, which may be used before they are written. */
#include "core/mesh_draft.h"
#include <string.h>

static const char *const ref_keys[REF_MAX] = {
	[REF_FORWARDER_FROM] = "from", [REF_FORWARDER_TO] = "to", [REF_DIRECTION_FROM] = "from",
	[REF_DIRECTION_TO] = "to",     [REF_PATH] = "paths",	  [REF_BULK] = "bulk",
	[REF_CONNECT] = "nodes",      [REF_RULE_FROM] = "from",	  [REF_RULE_TO] = "to",
};

void mesh_ref_begin(struct config *c, const char *title, char *ret_name, const struct place *older)
{
	c->mesh->own = c->mesh->n_refs;
	c->mesh->given = 0;
	config_title(c, title, ret_name, older);
}

void mesh_ref_add(struct config *c, enum mesh_ref_kind kind, size_t item, const char *value)
{
	struct mesh_draft *d = c->mesh;
	struct mesh_ref *ref = ARRAY_ADD(d->refs, d->n_refs);

	d->given |= 1u << kind;
	if (ref)
		*ref = (struct mesh_ref){ kind, item, strdup(value), config_place(c) };
	c->no_memory |= !ref || !ref->value;
}

bool mesh_ref_given(struct config *c, enum mesh_ref_kind kind)
{
	if (c->mesh->given >> kind & 1)
		return true;
	config_error(c, "%s: there is no \"%s\", expected the name of a node",
		     c->stack[c->depth]->name, ref_keys[kind]);
	return false;
}

void mesh_ref_drop(struct config *c)
{
	struct mesh_draft *d = c->mesh;

	while (d->n_refs > d->own)
		free(d->refs[--d->n_refs].value);
}

void mesh_draft_done(struct mesh_draft *d)
{
	d->own = 0;
	while (d->n_refs)
		free(d->refs[--d->n_refs].value);
	free(d->refs);
}

static void unknown_node(struct config *c, const char *key, const char *name)
{
	const struct mesh *m = c->mesh->mesh;
	const char *names[MESH_MAX_NODES], *near;

	for (size_t i = 0; i < m->n_nodes; i++)
		names[i] = m->nodes[i].name;
	near = str_nearest(name, names, m->n_nodes);
	config_error(c, "%s: there is no node \"" SHOWN "\"%s%s%s", key, name,
		     near ? ", did you mean \"" : ", expected the name of one", near ? near : "",
		     near ? "\"?" : "");
}

static void resolve_node(struct config *c, const struct mesh_ref *ref, uint8_t *ret)
{
	int node = mesh_node_find(c->mesh->mesh, ref->value);

	if (node < 0)
		unknown_node(c, ref_keys[ref->kind], ref->value);
	else
		*ret = node;
}

static void resolve_member(struct config *c, const struct mesh_ref *ref, struct mesh_connect *to)
{
	uint8_t node = MESH_NODE_NONE;

	resolve_node(c, ref, &node);
	if (node == MESH_NODE_NONE)
		return;
	if (memchr(to->nodes, node, to->n))
		config_error(c, "nodes: \"%s\" is given twice, expected once", ref->value);
	else
		to->nodes[to->n++] = node;
}

static void resolve_bit(struct config *c, const struct mesh_ref *ref, struct mesh_nodes *to)
{
	uint8_t node = MESH_NODE_NONE;

	resolve_node(c, ref, &node);
	if (node == MESH_NODE_NONE)
		return;
	if (to->bits[node / 32] >> node % 32 & 1)
		config_error(c, "%s: \"%s\" is given twice, expected once", ref_keys[ref->kind],
			     ref->value);
	to->bits[node / 32] |= 1u << node % 32;
}

static void resolve_path(struct config *c, const struct mesh_ref *ref, struct mesh_paths *to)
{
	const char *key = ref_keys[ref->kind];
	struct mesh_path p;

	if (!mesh_config_path(c, key, ref->value, &p))
		return;
	for (size_t i = 0; i < to->n; i++) {
		if (!mesh_path_equal(&to->items[i], &p))
			continue;
		config_error(c, "%s: \"" SHOWN "\" is given twice, expected once", key, ref->value);
		return;
	}
	if (to->n > MESH_MAX_PATHS - 1) {
		config_error(c, "%s: \"" SHOWN "\" is one more than the limit, expected at most %d",
			     key, ref->value, MESH_MAX_PATHS);
		return;
	}
	to->items[to->n++] = p;
}

static void resolve(struct config *c, const struct mesh_ref *ref)
{
	struct mesh *m = c->mesh->mesh;

	switch (ref->kind) {
	case REF_FORWARDER_FROM:
		return resolve_node(c, ref, &m->forwarders[ref->item].from);
	case REF_FORWARDER_TO:
		return resolve_node(c, ref, &m->forwarders[ref->item].to);
	case REF_DIRECTION_FROM:
		return resolve_node(c, ref, &m->directions[ref->item].from);
	case REF_DIRECTION_TO:
		return resolve_node(c, ref, &m->directions[ref->item].to);
	case REF_PATH:
		return resolve_path(c, ref, &m->directions[ref->item].paths);
	case REF_BULK:
		return resolve_path(c, ref, &m->directions[ref->item].bulk);
	case REF_CONNECT:
		return resolve_member(c, ref, &m->connects[ref->item]);
	case REF_RULE_FROM:
		return resolve_bit(c, ref, &m->rules[ref->item].from);
	case REF_RULE_TO:
		return resolve_bit(c, ref, &m->rules[ref->item].to);
	case REF_MAX:
		return;
	}
}

void mesh_ref_resolve(struct config *c)
{
	for (size_t i = 0; i < c->mesh->n_refs && !c->no_memory; i++) {
		c->file = c->mesh->refs[i].place.file;
		c->line = c->mesh->refs[i].place.line;
		resolve(c, &c->mesh->refs[i]);
	}
}
