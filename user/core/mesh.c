// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/mesh.h"
#include <string.h>

const char *const mesh_class_names[MESH_CLASS_MAX] = {
	[MESH_CLASS_DEFAULT] = "default",
	[MESH_CLASS_INTERACTIVE] = "interactive",
	[MESH_CLASS_BULK] = "bulk",
};

void mesh_init(struct mesh *m)
{
	*m = (struct mesh){
		.name = "mesh",
		.device = "ov0",
		.port = 51820,
		.mtu = MESH_MTU,
		.keepalive_s = 10,
		.mtu_probe = true,
		.mtu_raise_ms = MESH_MTU_RAISE_MS,
		.probe_ms = 100,
		.resolve_ms = MESH_RESOLVE_MS,
		.split_bytes = 200000,
	};
}

void mesh_done(struct mesh *m)
{
	for (size_t i = 0; i < m->n_files; i++)
		free(m->files[i]);
	free(m->nodes);
	free(m->forwarders);
	free(m->directions);
	free(m->connects);
	free(m->rules);
	free(m->files);
	*m = (struct mesh){};
}

int mesh_node_find(const struct mesh *m, const char *name)
{
	for (size_t i = 0; i < m->n_nodes; i++)
		if (!strcmp(m->nodes[i].name, name))
			return i;
	return -1;
}

int mesh_forwarder_find(const struct mesh *m, const char *name)
{
	for (size_t i = 0; i < m->n_forwarders; i++)
		if (!strcmp(m->forwarders[i].name, name))
			return i;
	return -1;
}

bool mesh_nodes_have(const struct mesh_nodes *n, uint8_t node)
{
	return !n->given || (n->bits[node / 32] >> node % 32 & 1) != n->negated;
}

bool mesh_nodes_value(const struct mesh *m, const struct mesh_nodes *n, size_t nth,
		      char ret[MESH_NODES_VALUE])
{
	for (size_t i = 0; n->given && i < m->n_nodes; i++) {
		if (mesh_nodes_have(n, i) == n->negated || nth--)
			continue;
		snprintf(ret, MESH_NODES_VALUE, "%s%s", n->negated ? "!" : "", m->nodes[i].name);
		return true;
	}
	return false;
}

const struct mesh_direction *mesh_direction_find(const struct mesh *m, uint8_t from, uint8_t to)
{
	for (size_t i = 0; i < m->n_directions; i++)
		if (m->directions[i].from == from && m->directions[i].to == to)
			return &m->directions[i];
	return NULL;
}

/* -------- ports */

static uint32_t first_port(const struct mesh *m, uint8_t node)
{
	return m->nodes[node].endpoint.port ?: m->port;
}

uint32_t mesh_port(const struct mesh *m, uint8_t node, uint8_t peer)
{
	return first_port(m, node) + peer - (peer > node);
}

uint32_t mesh_forwarder_port(const struct mesh *m, size_t forwarder, uint8_t node)
{
	const struct mesh_forwarder *f = &m->forwarders[forwarder];
	uint32_t port = first_port(m, node) + MESH_MAX_NODES;

	if (f->port && node == f->to)
		return f->port;
	for (size_t i = 0; i < forwarder; i++)
		port += m->forwarders[i].from == node || m->forwarders[i].to == node;
	return port;
}

/* -------- ways */

bool mesh_forwarder_joins(const struct mesh_forwarder *f, uint8_t a, uint8_t b)
{
	return (f->from == a && f->to == b) || (f->from == b && f->to == a);
}

void mesh_path_text(const struct mesh *m, const struct mesh_path *p, char ret[MESH_PATH_TEXT])
{
	if (p->way == MESH_DIRECT)
		snprintf(ret, MESH_PATH_TEXT, "direct");
	else if (p->way == MESH_VIA)
		snprintf(ret, MESH_PATH_TEXT, "via %s", m->nodes[p->which].name);
	else
		snprintf(ret, MESH_PATH_TEXT, "%s", m->forwarders[p->which].name);
}

bool mesh_path_equal(const struct mesh_path *a, const struct mesh_path *b)
{
	return a->way == b->way && a->which == b->which;
}
