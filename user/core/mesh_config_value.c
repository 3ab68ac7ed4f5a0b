// SPDX-License-Identifier: GPL-2.0-or-later
/* Values of the description, each with its message. */
#include "base/num.h"
#include "core/mesh_draft.h"
#include "core/name.h"
#include <errno.h>
#include <string.h>

/* Words of a list of ways are no names. */
bool mesh_config_short_name(struct config *c, const char *noun, const char *name)
{
	if (strlen(name) >= MESH_NODE)
		config_error(c,
			     "%s: name \"" SHOWN "\" is too long, expected %d characters at most",
			     noun, name, MESH_NODE - 1);
	else if (!strcmp(name, "direct") || !strcmp(name, "auto"))
		config_error(c, "%s: \"%s\" cannot be a name, it is a word of \"paths\"", noun,
			     name);
	else
		return true;
	return false;
}

/* What stands before the colon of the port: an address, in brackets if it is IPv6 with a port, or a
 * name.  One that ends in digits would be an address with a mistake in it. */
static bool parse_host(const char *value, size_t len, struct mesh_endpoint *ret)
{
	bool bracket = *value == '[' && len > 2 && value[len - 1] == ']';
	const char *dot, *last;
	struct in6_addr addr;

	if (len - 2 * bracket >= sizeof(ret->host))
		return false;
	snprintf(ret->host, sizeof(ret->host), "%.*s", (int)(len - 2 * bracket), value + bracket);
	if (!addr_parse(ret->host, &addr))
		return config_is_host(&addr) && !(bracket && addr_is_v4(&addr));
	dot = strrchr(ret->host, '.');
	last = dot ? dot + 1 : ret->host;
	return !bracket && name_is_domain(ret->host) &&
	       (!*last || strspn(last, "0123456789") < strlen(last));
}

bool mesh_config_endpoint(struct config *c, const char *key, const char *value,
			  struct mesh_endpoint *ret)
{
	const char *colon = config_port(value);
	struct mesh_endpoint e = {};
	uint32_t port = 0;
	int r;

	if (!parse_host(value, colon ? (size_t)(colon - value) : strlen(value), &e)) {
		config_error(c, "%s: \"" SHOWN "\" is no host, expected such as 192.0.2.1, "
			     "192.0.2.1:51820, [2001:db8::1]:51820 or vpn.example.org", key, value);
		return false;
	}
	r = colon ? num_parse_u32(colon + 1, 1, UINT16_MAX, &port) : 0;
	if (r) {
		config_error(c, "%s: \"" SHOWN "\" has a %s, expected one of 1 to %d", key, value,
			     r == -ERANGE ? "port out of range" : "bad port", UINT16_MAX);
		return false;
	}
	e.port = port;
	*ret = e;
	return true;
}

bool mesh_config_mtu(struct config *c, const char *key, const char *value, uint16_t *ret)
{
	uint32_t mtu;

	if (!config_number(c, key, value, MESH_MIN_MTU, 9000, &mtu))
		return false;
	*ret = mtu;
	return true;
}

static bool path_error(struct config *c, const char *key, const char *noun, const char *name,
		       const char *value)
{
	config_error(c,
		     "%s: there is no %s \"" SHOWN "\" for \"" SHOWN "\", expected direct, auto, "
		     "\"via NODE\" or \"forwarder NAME\"",
		     key, noun, name, value);
	return false;
}

static bool split_weight(struct config *c, const char *key, char *value, uint16_t *ret)
{
	char *colon = strrchr(value, ':');
	uint32_t weight = 0;

	if (colon && !config_number(c, key, colon + 1, 1, MESH_MAX_WEIGHT, &weight))
		return false;
	if (colon)
		*colon = 0;
	*ret = weight;
	return true;
}

bool mesh_config_path(struct config *c, const char *key, const char *value, struct mesh_path *ret)
{
	_cleanup_free_ char *text = strdup(value);
	const struct mesh *m = c->mesh->mesh;
	struct mesh_path p = {};
	const char *name = text;
	int which = 0;

	if (!text) {
		c->no_memory = true;
		return false;
	}
	if (!split_weight(c, key, text, &p.weight))
		return false;
	p.way = !strcmp(text, "direct") ? MESH_DIRECT :
		!strncmp(text, "via ", 4) ? MESH_VIA : MESH_FORWARDER;
	if (p.way == MESH_VIA)
		name += 4;
	else if (!strncmp(text, "forwarder ", 10))
		name += 10;
	if (p.way != MESH_DIRECT)
		which = p.way == MESH_VIA ? mesh_node_find(m, name) : mesh_forwarder_find(m, name);
	if (which < 0)
		return path_error(c, key, p.way == MESH_VIA ? "node" : "forwarder", name, value);
	p.which = which;
	*ret = p;
	return true;
}
