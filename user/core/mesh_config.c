// SPDX-License-Identifier: GPL-2.0-or-later
/* The description's file: the section "mesh", and all sections together. */
#include "base/num.h"
#include "core/mesh_draft.h"
#include <errno.h>
#include <string.h>

static void begin_mesh(struct config *c, const char *title)
{
	config_title(c, title, c->mesh->mesh->name, NULL);
}

/* Names that begin like those of tunnels would be taken for one. */
static void set_device(struct config *c, const char *key, const char *value)
{
	if (!strncmp(value, "w-", 2) || !strncmp(value, "f-", 2))
		config_error(c, "%s: \"" SHOWN "\" looks like a tunnel's name, expected one that "
			     "begins neither with \"w-\" nor \"f-\"", key, value);
	else
		config_device(c, key, value, c->mesh->mesh->device);
}

/* The port before is that of the probes, port 0 is none. */
static void set_port(struct config *c, const char *key, const char *value)
{
	uint32_t port;

	if (config_number(c, key, value, 2, UINT16_MAX, &port))
		c->mesh->mesh->port = port;
}

static void set_mtu(struct config *c, const char *key, const char *value)
{
	mesh_config_mtu(c, key, value, &c->mesh->mesh->mtu);
}

static void set_mtu_probe(struct config *c, const char *key, const char *value)
{
	config_bool(c, key, value, &c->mesh->mesh->mtu_probe);
}

static void set_mtu_raise(struct config *c, const char *key, const char *value)
{
	config_duration(c, key, value, 1000, 86400000, &c->mesh->mesh->mtu_raise_ms);
}

static void set_keepalive(struct config *c, const char *key, const char *value)
{
	uint32_t ms;

	if (config_duration(c, key, value, 1000, UINT16_MAX * 1000u, &ms))
		c->mesh->mesh->keepalive_s = (ms + 999) / 1000;
}

static void set_probe_interval(struct config *c, const char *key, const char *value)
{
	config_duration(c, key, value, 20, 60000, &c->mesh->mesh->probe_ms);
}

static void set_resolve_interval(struct config *c, const char *key, const char *value)
{
	config_duration(c, key, value, 1000, 86400000, &c->mesh->mesh->resolve_ms);
}

static void set_split(struct config *c, const char *key, const char *value)
{
	int r = num_parse_bytes(value, 1000, 1000000000000, &c->mesh->mesh->split_bytes);

	if (r)
		config_error(c, "%s: \"" SHOWN "\" is %s, expected 1kB to 1000GB", key, value,
			     r == -ERANGE ? "out of range" : "no size");
}

static void end_mesh(struct config *c)
{
}

static const struct config_key mesh_keys[] = {
	{ "device", false, set_device },
	{ "port", false, set_port },
	{ "mtu", false, set_mtu },
	{ "mtu-probe", false, set_mtu_probe },
	{ "mtu-raise", false, set_mtu_raise },
	{ "keepalive", false, set_keepalive },
	{ "probe-interval", false, set_probe_interval },
	{ "resolve-interval", false, set_resolve_interval },
	{ "split", false, set_split },
};

const struct config_section mesh_config_mesh = {
	.name = "mesh",
	.titled = true,
	.keys = mesh_keys,
	.n_keys = ARRAY_SIZE(mesh_keys),
	.begin = begin_mesh,
	.end = end_mesh,
};

static const struct config_section *const root_sections[] = {
	&mesh_config_mesh, &mesh_config_node, &mesh_config_forwarder, &mesh_config_connect,
	&mesh_config_direction, &mesh_config_rule,
};

const struct config_section mesh_config_root = {
	.name = "root",
	.sections = root_sections,
	.n_sections = ARRAY_SIZE(root_sections),
	.end = mesh_ref_resolve,
};

static struct config context(struct mesh *m, struct mesh_draft *d, struct findings *f)
{
	d->mesh = m;
	return (struct config){
		.root = &mesh_config_root, .mesh = d, .f = f, .files = &m->files,
		.n_files = &m->n_files,
	};
}

int mesh_parse(struct mesh *m, const char *name, const char *text, size_t len, struct findings *f)
{
	_cleanup_(mesh_draft_done) struct mesh_draft draft = {};
	struct config c = context(m, &draft, f);

	return config_first(&c, name, text, len);
}

int mesh_read(struct mesh *m, const char *path, struct findings *f)
{
	_cleanup_(mesh_draft_done) struct mesh_draft draft = {};
	struct config c = context(m, &draft, f);

	return config_first_file(&c, path);
}
