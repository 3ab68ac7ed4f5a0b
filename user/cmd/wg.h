/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of "asymbpf wg"; each returns an exit status. */
#ifndef CMD_WG_H
#define CMD_WG_H

#include "apply/overlay.h"
#include "cmd/options.h"
#include "run/mesh_apply.h"
#include <json-c/json.h>

#define WG_CONFIG "/etc/asymbpf/mesh.conf"

int wg_plan(const struct command *self, int argc, char **argv);
int wg_genkey(const struct command *self, int argc, char **argv);
int wg_apply(const struct command *self, int argc, char **argv);
int wg_down(const struct command *self, int argc, char **argv);
int wg_run(const struct command *self, int argc, char **argv);
int wg_show(const struct command *self, int argc, char **argv);

/* Reads and checks a description (NULL: WG_CONFIG), prints every finding.  0 or -errno, said.  The
 * caller frees m in any case. */
int wg_read(struct mesh *m, const char *path);

/* The description that options name, as it is applied (run/mesh_apply.h).  o outlives it. */
struct wg_source {
	const struct options *o;
	bool quiet; /* what was applied is not printed: a daemon tells by events */
	struct overlay_options options; /* the private key */
	struct mesh mesh; /* as read last; its plan: of the node that has the key */
	struct mesh_plan plan;
	const char *node;
	bool is_read;
	bool measures; /* so ways that were chosen stay; set by the daemon */
};
struct mesh_source wg_source(struct wg_source *ws, const struct options *o);
void wg_source_done(struct wg_source *ws);

/* 0, or -EIO: not to be had. */
int wg_public_key(const uint8_t private_key[MESH_KEY], uint8_t ret[MESH_KEY]);
/* Reads a private key from a file, and warns when others can read it, too.  0 or -errno, said. */
int wg_read_key(const char *path, uint8_t ret[MESH_KEY]);

/* To be freed by the caller. */
struct json_object *wg_plan_json(const struct mesh_plan *p);
/* Files for wg-quick of every tunnel.  0 or -errno, said. */
int wg_quick_write(const struct mesh_plan *p, const char *dir);

#endif
