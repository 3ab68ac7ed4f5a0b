// SPDX-License-Identifier: GPL-2.0-or-later
/* wg apply and wg down. */
#include "apply/overlay.h"
#include "base/log.h"
#include "cmd/json.h"
#include "cmd/verb.h"
#include "cmd/wg.h"
#include "run/mesh_run.h"
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

/* -------- a description that is applied */

static void forget(struct wg_source *ws)
{
	if (!ws->is_read)
		return;
	mesh_plan_done(&ws->plan);
	mesh_done(&ws->mesh);
	ws->is_read = false;
}

void wg_source_done(struct wg_source *ws)
{
	forget(ws);
	explicit_bzero(ws, sizeof(*ws));
}

static int read_source(void *data, struct overlay_names *names)
{
	struct wg_source *ws = data;
	int r;

	forget(ws);
	ws->is_read = true;
	r = wg_read(&ws->mesh, ws->o->config);
	r = r ?: wg_read_key(ws->o->key, ws->options.private_key);
	r = r ?: find_node(&ws->mesh, ws->o, ws->options.private_key, &ws->node);
	if (r)
		return r;
	r = mesh_plan_build(&ws->plan, &ws->mesh, ws->node) ?: overlay_names_add(names, &ws->plan);
	return r ? log_err(r, "cannot plan node \"%s\"", ws->node) : 0;
}

/* Another apply, of a newer description, may have gone before us. */
static bool is_current(const struct wg_source *ws)
{
	_cleanup_(findings_done) struct findings f = {};
	_cleanup_(mesh_done) struct mesh m;

	mesh_init(&m);
	return !mesh_read(&m, ws->o->config ?: WG_CONFIG, &f) &&
	       mesh_hash(&m) == mesh_hash(&ws->mesh);
}

static int apply_locked(struct wg_source *ws, const struct overlay_names *names)
{
	char error[ERROR] = "";
	int r;

	if (!is_current(ws))
		return -EAGAIN;
	ws->options.adopt = ws->o->adopt;
	ws->options.names = names;
	r = overlay_apply(&ws->plan, &ws->options, error, sizeof(error));
	/* which would be taken for a description that has changed */
	if (r)
		return log_error("%s", error[0] ? error : strerror(-r)), r == -EAGAIN ? -EIO : r;
	if (!ws->quiet)
		printf("mesh %s, node %s: %zu tunnels, ways to %zu nodes\n", ws->mesh.name,
		       ws->node, ws->plan.n_tunnels, ws->plan.n_targets);
	return 0;
}

static bool is_measured(const struct session *s)
{
	struct json_object *daemon = mesh_run_status(s->cookie);
	bool is = daemon;

	json_object_put(daemon);
	return is;
}

static int apply_source(void *data, const struct overlay_names *names)
{
	struct wg_source *ws = data;
	struct session s;
	int r = session_open(&s, true);

	ws->options.keep = ws->measures || (!r && is_measured(&s));
	r = r ?: apply_locked(ws, names);
	session_close(&s);
	return r;
}

struct mesh_source wg_source(struct wg_source *ws, const struct options *o)
{
	*ws = (struct wg_source){.o = o};
	return (struct mesh_source){.read = read_source, .apply = apply_source, .data = ws};
}

static int apply(struct session *s, const struct options *o)
{
	struct wg_source ws;
	const struct mesh_source source = wg_source(&ws, o);
	int r = verb_privileged("wg apply") ?: mesh_apply_now(&source);

	wg_source_done(&ws);
	return r;
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
	static const struct verb verb = {.remote = true, .usage = apply_usage, .body = apply};

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
