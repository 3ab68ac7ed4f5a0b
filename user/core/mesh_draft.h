/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside mesh_config*.c only: what is being read of a mesh. */
#ifndef CORE_MESH_DRAFT_H
#define CORE_MESH_DRAFT_H

#include "core/config_ctx.h"
#include "core/mesh.h"

enum mesh_ref_kind {
	REF_FORWARDER_FROM,
	REF_FORWARDER_TO,
	REF_DIRECTION_FROM,
	REF_DIRECTION_TO,
	REF_PATH,
	REF_BULK,
	REF_CONNECT,
	REF_RULE_FROM,
	REF_RULE_TO,
	REF_MAX
};

/* A name, of what may be written further below: it becomes an index after the last file. */
struct mesh_ref {
	enum mesh_ref_kind kind;
	size_t item; /* index of the forwarder, direction, connect or rule */
	char *value;
	struct place place;
};

struct mesh_draft {
	struct mesh *mesh;
	struct mesh_node node;
	struct mesh_forwarder forwarder;
	struct mesh_direction direction;
	struct mesh_connect connect;
	struct mesh_rule rule; /* but for what of a packet it tests: see struct config */
	struct mesh_ref *refs;
	size_t n_refs;
	size_t own;	    /* index of the first one of the section */
	unsigned int given; /* bits of their kinds in the section */
};

extern const struct config_section mesh_config_root, mesh_config_mesh, mesh_config_node,
	mesh_config_forwarder, mesh_config_connect, mesh_config_direction, mesh_config_rule;

/* A section with references begins; its title is checked and kept. */
void mesh_ref_begin(struct config *c, const char *title, char *ret_name, const struct place *older);
void mesh_ref_add(struct config *c, enum mesh_ref_kind kind, size_t item, const char *value);
/* False, reported, when the section has none of the kind. */
bool mesh_ref_given(struct config *c, enum mesh_ref_kind kind);
/* The section is not kept. */
void mesh_ref_drop(struct config *c);
/* After the last file: names become indices, or findings. */
void mesh_ref_resolve(struct config *c);
void mesh_draft_done(struct mesh_draft *d);

/* Values.  They report what is wrong and leave *ret alone then. */
bool mesh_config_short_name(struct config *c, const char *noun, const char *name);
bool mesh_config_endpoint(struct config *c, const char *key, const char *value,
			  struct mesh_endpoint *ret);
bool mesh_config_mtu(struct config *c, const char *key, const char *value, uint16_t *ret);
/* "direct", "via b", "forwarder hk" or "hk", ":3" behind it. */
bool mesh_config_path(struct config *c, const char *key, const char *value, struct mesh_path *ret);

#endif
