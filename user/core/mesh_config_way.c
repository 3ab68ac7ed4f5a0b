// SPDX-License-Identifier: GPL-2.0-or-later
/* The sections "forwarder", "connect" and "direction". */
#include "base/num.h"
#include "core/mesh_draft.h"
#include <errno.h>
#include <string.h>

/* -------- forwarder */

static void begin_forwarder(struct config *c, const char *title)
{
	const struct mesh *m = c->mesh->mesh;
	int older = mesh_forwarder_find(m, title);
	char name[MODEL_NAME] = "";

	c->mesh->forwarder = (struct mesh_forwarder){
		.from = MESH_NODE_NONE, .to = MESH_NODE_NONE, .place = config_place(c)
	};
	mesh_ref_begin(c, title, name, older >= 0 ? &m->forwarders[older].place : NULL);
	if (!c->drop)
		c->drop = !mesh_config_short_name(c, "forwarder", name) ||
			  str_copy(c->mesh->forwarder.name, MESH_NODE, name);
}

static void set_forwarder_from(struct config *c, const char *key, const char *value)
{
	mesh_ref_add(c, REF_FORWARDER_FROM, c->mesh->mesh->n_forwarders, value);
}

static void set_forwarder_to(struct config *c, const char *key, const char *value)
{
	mesh_ref_add(c, REF_FORWARDER_TO, c->mesh->mesh->n_forwarders, value);
}

static void set_forwarder_endpoint(struct config *c, const char *key, const char *value)
{
	mesh_config_endpoint(c, key, value, &c->mesh->forwarder.endpoint);
}

static void set_forwarder_port(struct config *c, const char *key, const char *value)
{
	uint32_t port;

	if (config_number(c, key, value, 1, UINT16_MAX, &port))
		c->mesh->forwarder.port = port;
}

static void set_forwarder_mtu(struct config *c, const char *key, const char *value)
{
	mesh_config_mtu(c, key, value, &c->mesh->forwarder.mtu);
}

static void set_forwarder_metered(struct config *c, const char *key, const char *value)
{
	config_bool(c, key, value, &c->mesh->forwarder.metered);
}

static void end_forwarder(struct config *c)
{
	struct mesh *m = c->mesh->mesh;
	struct mesh_forwarder *slot = NULL;

	c->line = c->mesh->forwarder.place.line;
	if (!c->drop && mesh_ref_given(c, REF_FORWARDER_FROM) &&
	    mesh_ref_given(c, REF_FORWARDER_TO) &&
	    config_room(c, "forwarder", m->n_forwarders, MESH_MAX_FORWARDERS)) {
		slot = ARRAY_ADD(m->forwarders, m->n_forwarders);
		c->no_memory |= !slot;
	}
	if (slot)
		*slot = c->mesh->forwarder;
	else
		mesh_ref_drop(c);
}

static const struct config_key forwarder_keys[] = {
	{ "from", false, set_forwarder_from },	       { "to", false, set_forwarder_to },
	{ "endpoint", false, set_forwarder_endpoint }, { "port", false, set_forwarder_port },
	{ "mtu", false, set_forwarder_mtu },	       { "metered", false, set_forwarder_metered },
};

const struct config_section mesh_config_forwarder = {
	.name = "forwarder",
	.titled = true,
	.many = true,
	.keys = forwarder_keys,
	.n_keys = ARRAY_SIZE(forwarder_keys),
	.begin = begin_forwarder,
	.end = end_forwarder,
};

/* -------- connect */

static void begin_connect(struct config *c, const char *title)
{
	const struct mesh *m = c->mesh->mesh;
	const struct place *older = NULL;

	for (size_t i = 0; i < m->n_connects; i++)
		if (!strcmp(m->connects[i].name, title))
			older = &m->connects[i].place;
	c->mesh->connect = (struct mesh_connect){ .place = config_place(c) };
	mesh_ref_begin(c, title, c->mesh->connect.name, older);
}

static void set_connect_nodes(struct config *c, const char *key, const char *value)
{
	mesh_ref_add(c, REF_CONNECT, c->mesh->mesh->n_connects, value);
}

static void set_connect_mtu(struct config *c, const char *key, const char *value)
{
	mesh_config_mtu(c, key, value, &c->mesh->connect.mtu);
}

static void end_connect(struct config *c)
{
	struct mesh *m = c->mesh->mesh;
	struct mesh_connect *slot = NULL;

	c->line = c->mesh->connect.place.line;
	if (!c->drop && config_room(c, "connect", m->n_connects, MESH_MAX_CONNECTS)) {
		slot = ARRAY_ADD(m->connects, m->n_connects);
		c->no_memory |= !slot;
	}
	if (slot)
		*slot = c->mesh->connect;
	else
		mesh_ref_drop(c);
}

static const struct config_key connect_keys[] = {
	{ "nodes", true, set_connect_nodes },
	{ "mtu", false, set_connect_mtu },
};

const struct config_section mesh_config_connect = {
	.name = "connect",
	.titled = true,
	.many = true,
	.keys = connect_keys,
	.n_keys = ARRAY_SIZE(connect_keys),
	.begin = begin_connect,
	.end = end_connect,
};

/* -------- direction */

static void begin_direction(struct config *c, const char *title)
{
	const struct mesh *m = c->mesh->mesh;
	const struct place *older = NULL;

	for (size_t i = 0; i < m->n_directions; i++)
		if (!strcmp(m->directions[i].name, title))
			older = &m->directions[i].place;
	c->mesh->direction = (struct mesh_direction){
		.from = MESH_NODE_NONE, .to = MESH_NODE_NONE, .place = config_place(c)
	};
	mesh_ref_begin(c, title, c->mesh->direction.name, older);
}

static void set_direction_from(struct config *c, const char *key, const char *value)
{
	mesh_ref_add(c, REF_DIRECTION_FROM, c->mesh->mesh->n_directions, value);
}

static void set_direction_to(struct config *c, const char *key, const char *value)
{
	mesh_ref_add(c, REF_DIRECTION_TO, c->mesh->mesh->n_directions, value);
}

static void add_path(struct config *c, struct mesh_paths *paths, enum mesh_ref_kind kind,
		     const char *value)
{
	if (c->first)
		paths->place = config_place(c);
	if (!strcmp(value, "auto"))
		paths->automatic = true;
	else
		mesh_ref_add(c, kind, c->mesh->mesh->n_directions, value);
}

static void set_paths(struct config *c, const char *key, const char *value)
{
	add_path(c, &c->mesh->direction.paths, REF_PATH, value);
}

static void set_bulk(struct config *c, const char *key, const char *value)
{
	add_path(c, &c->mesh->direction.bulk, REF_BULK, value);
}

static void set_rate(struct config *c, const char *key, const char *value)
{
	int r = num_parse_bits(value, 8000, 1000000000000, &c->mesh->direction.rate_bps);

	if (r)
		config_error(c, "%s: \"" SHOWN "\" is %s, expected 8kbit to 1000gbit", key, value,
			     r == -ERANGE ? "out of range" : "no rate");
}

static void end_direction(struct config *c)
{
	struct mesh *m = c->mesh->mesh;
	struct mesh_direction *slot = NULL;

	c->line = c->mesh->direction.place.line;
	if (!c->drop && mesh_ref_given(c, REF_DIRECTION_FROM) &&
	    mesh_ref_given(c, REF_DIRECTION_TO) &&
	    config_room(c, "direction", m->n_directions, MESH_MAX_NODES * (MESH_MAX_NODES - 1))) {
		slot = ARRAY_ADD(m->directions, m->n_directions);
		c->no_memory |= !slot;
	}
	if (slot)
		*slot = c->mesh->direction;
	else
		mesh_ref_drop(c);
}

static const struct config_key direction_keys[] = {
	{ "from", false, set_direction_from }, { "to", false, set_direction_to },
	{ "paths", true, set_paths },	       { "bulk", true, set_bulk },
	{ "rate", false, set_rate },
};

const struct config_section mesh_config_direction = {
	.name = "direction",
	.titled = true,
	.many = true,
	.keys = direction_keys,
	.n_keys = ARRAY_SIZE(direction_keys),
	.begin = begin_direction,
	.end = end_direction,
};
