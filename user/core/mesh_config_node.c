// SPDX-License-Identifier: GPL-2.0-or-later
/* The section "node". */
#include "core/mesh_draft.h"
#include <string.h>

#define KEY_TEXT "expected 44 characters of base64, as asymbpf wg genkey prints them"

static void begin_node(struct config *c, const char *title)
{
	const struct mesh *m = c->mesh->mesh;
	int older = mesh_node_find(m, title);
	char name[MODEL_NAME] = "";

	c->mesh->node = (struct mesh_node){ .relays = true, .place = config_place(c) };
	config_title(c, title, name, older >= 0 ? &m->nodes[older].place : NULL);
	if (!c->drop)
		c->drop = !mesh_config_short_name(c, "node", name) ||
			  str_copy(c->mesh->node.name, MESH_NODE, name);
}

static void set_address(struct config *c, const char *key, const char *value)
{
	struct in6_addr addr, *slot;

	if (addr_parse(value, &addr)) {
		config_error(c, "%s: \"" SHOWN "\" is no address, expected one", key, value);
		return;
	}
	if (!config_is_host(&addr)) {
		config_error(c, "%s: \"" SHOWN "\" is no host, expected an address of one", key,
			     value);
		return;
	}
	slot = &c->mesh->node.addr[addr_is_v4(&addr) ? ASYM_V4 : ASYM_V6];
	if (addr_is_zero(slot))
		*slot = addr;
	else
		config_error(c, "%s: \"" SHOWN "\" is the second of its family, expected one", key,
			     value);
}

static void set_public_key(struct config *c, const char *key, const char *value)
{
	static const uint8_t zero[MESH_KEY];
	uint8_t *to = c->mesh->node.public_key;

	if (mesh_key_parse(value, to))
		config_error(c, "%s: \"" SHOWN "\" is no key, " KEY_TEXT, key, value);
	else if (!memcmp(to, zero, MESH_KEY))
		config_error(c, "%s: \"" SHOWN "\" is the key of nobody, " KEY_TEXT, key, value);
}

static void set_endpoint(struct config *c, const char *key, const char *value)
{
	mesh_config_endpoint(c, key, value, &c->mesh->node.endpoint);
}

/* A default route into the tunnels would carry the tunnels too. */
static void set_lan(struct config *c, const char *key, const char *value)
{
	struct mesh_node *n = &c->mesh->node;
	struct prefix p;

	if (!config_prefix(c, key, value, &p) || !config_room(c, key, n->n_lans, MESH_MAX_LANS))
		return;
	if (!prefix_len(&p)) {
		config_error(c, "%s: \"" SHOWN "\" is everything, expected a LAN such as "
			     "192.0.2.0/24", key, value);
		return;
	}
	n->lans[n->n_lans++] = p;
}

static void set_metered(struct config *c, const char *key, const char *value)
{
	config_bool(c, key, value, &c->mesh->node.metered);
}

static void set_relay(struct config *c, const char *key, const char *value)
{
	config_bool(c, key, value, &c->mesh->node.relays);
}

static void set_device(struct config *c, const char *key, const char *value)
{
	config_device(c, key, value, c->mesh->node.device);
}

static void end_node(struct config *c)
{
	struct mesh *m = c->mesh->mesh;
	struct mesh_node *slot;

	c->line = c->mesh->node.place.line;
	if (c->drop || !config_room(c, "node", m->n_nodes, MESH_MAX_NODES))
		return;
	slot = ARRAY_ADD(m->nodes, m->n_nodes);
	if (slot)
		*slot = c->mesh->node;
	else
		c->no_memory = true;
}

static const struct config_key node_keys[] = {
	{ "address", true, set_address },   { "public-key", false, set_public_key },
	{ "endpoint", false, set_endpoint }, { "lan", true, set_lan },
	{ "metered", false, set_metered },  { "relay", false, set_relay },
	{ "device", false, set_device },
};

const struct config_section mesh_config_node = {
	.name = "node",
	.titled = true,
	.many = true,
	.keys = node_keys,
	.n_keys = ARRAY_SIZE(node_keys),
	.begin = begin_node,
	.end = end_node,
};
