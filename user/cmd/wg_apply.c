// SPDX-License-Identifier: GPL-2.0-or-later
/* wg apply and wg down. */
#include "apply/overlay.h"
#include "base/log.h"
#include "cmd/json.h"
#include "cmd/verb.h"
#include "cmd/wg.h"
#include <errno.h>
#include <string.h>

#define ERROR 400 /* bytes of a line */

static int wrong_key(const struct mesh *m, const char *node, const uint8_t key[MESH_KEY])
{
	char text[MESH_KEY_TEXT];

	mesh_key_text(key, text);
	if (node)
		log_error("the private key is not that of node \"%s\", its public one is %s", node,
			  text);
	else
		log_error("no node of the mesh %s has the private key, its public one is %s",
			  m->name, text);
	return -EINVAL;
}

/* Which node has the key. */
static int find_node(const struct mesh *m, const struct options *o, const uint8_t *private_key,
		     const char **ret)
{
	uint8_t key[MESH_KEY];
	int r = wg_public_key(private_key, key);

	if (r)
		return log_err(r, "cannot derive the public key");
	if (o->node && mesh_node_find(m, o->node) < 0) {
		log_error("there is no node \"%s\" in %s", o->node, o->config ?: WG_CONFIG);
		return -ENOENT;
	}
	for (size_t i = 0; i < m->n_nodes; i++)
		if (!memcmp(m->nodes[i].public_key, key, sizeof(key)) &&
		    (!o->node || !strcmp(m->nodes[i].name, o->node))) {
			*ret = m->nodes[i].name;
			return 0;
		}
	return wrong_key(m, o->node, key);
}

static int apply_plan(const struct mesh *m, const char *node, const struct overlay_options *oo)
{
	_cleanup_(mesh_plan_done) struct mesh_plan p = {};
	char error[ERROR] = "";
	int r = mesh_plan_build(&p, m, node);

	if (r)
		return log_err(r, "cannot plan node \"%s\"", node);
	r = overlay_apply(&p, oo, error, sizeof(error));
	if (r) {
		log_error("%s", error[0] ? error : strerror(-r));
		return r;
	}
	printf("mesh %s, node %s: %zu tunnels, ways to %zu nodes\n", m->name, node, p.n_tunnels,
	       p.n_targets);
	return 0;
}

int wg_apply_options(const struct options *o)
{
	struct overlay_options oo = {.adopt = o->adopt};
	_cleanup_(mesh_done) struct mesh m;
	const char *node = NULL;
	int r = wg_read(&m, o->config);

	r = r ?: wg_read_key(o->key, oo.private_key);
	r = r ?: find_node(&m, o, oo.private_key, &node);
	r = r ?: apply_plan(&m, node, &oo);
	explicit_bzero(&oo, sizeof(oo));
	return r;
}

static int apply(struct session *s, const struct options *o)
{
	return wg_apply_options(o);
}

static int apply_usage(const struct command *self, const struct options *o)
{
	if (o->n_args)
		return options_wrong(self, "what is \"%s\"?", o->args[0]);
	if (!o->key)
		return options_wrong(self, "--key FILE is needed");
	return STATUS_OK;
}

int wg_apply(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {.lock = true, .usage = apply_usage, .body = apply};

	return verb_run(self, argc, argv, &verb);
}

static int down(struct session *s, const struct options *o)
{
	char error[ERROR] = "";
	struct json_object *json;
	int r = overlay_remove(error, sizeof(error));

	if (r == -ENOENT) {
		log_error("this network namespace is no node of a mesh, see asymbpf wg apply");
		return r;
	}
	if (r) {
		log_error("not everything could be removed: %s", error);
		return r;
	}
	if (!o->json) {
		printf("down\n");
		return 0;
	}
	json = json_object_new_object();
	json_add_str(json, "result", "down");
	json_print(json);
	return 0;
}

int wg_down(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {.lock = true, .body = down};

	return verb_run(self, argc, argv, &verb);
}
