// SPDX-License-Identifier: GPL-2.0-or-later
/* wg plan: text, JSON, a graph, or files for wg-quick. */
#include "base/file.h"
#include "base/log.h"
#include "cmd/json.h"
#include "cmd/wg.h"
#include <errno.h>
#include <string.h>

/* What is done with each plan, in order. */
struct output {
	struct str text;
	struct json_object *nodes;
	const char *dir;
	bool one; /* of the nodes */
};

static int plan_out(const struct mesh_plan *p, struct output *out)
{
	const char *name = p->mesh->nodes[p->self].name;
	_cleanup_free_ char *dir = NULL;

	if (out->nodes) {
		json_object_array_add(out->nodes, wg_plan_json(p));
	} else if (out->dir && out->one) {
		return wg_quick_write(p, out->dir);
	} else if (out->dir) {
		if (asprintf(&dir, "%s/%s", out->dir, name) < 0)
			return log_err(-ENOMEM, "wg plan");
		return wg_quick_write(p, dir);
	} else {
		mesh_plan_text(p, &out->text);
		str_add(&out->text, "\n");
	}
	return 0;
}

static int plan_node(const struct mesh *m, const char *node, struct output *out)
{
	_cleanup_(mesh_plan_done) struct mesh_plan p = {};
	int r = mesh_plan_build(&p, m, node);

	if (r)
		return log_err(r, "cannot plan node \"%s\"", node);
	return plan_out(&p, out);
}

static int plan_nodes(const struct mesh *m, const char *node, struct output *out)
{
	int r = 0;

	if (node)
		return plan_node(m, node, out);
	for (size_t i = 0; i < m->n_nodes && !r; i++)
		r = plan_node(m, m->nodes[i].name, out);
	return r;
}

static int put_head(const struct mesh *m, struct str *out)
{
	uint32_t probe_ms;
	int r = mesh_probe_ms(m, &probe_ms);

	if (r)
		return log_err(r, "wg plan");
	str_add(out, "mesh %s, %zu nodes, hash %016llx\n", m->name, m->n_nodes,
		(unsigned long long)mesh_hash(m));
	if (probe_ms != m->probe_ms)
		str_add(out, "probes each %ums instead of %ums: a node sends %d a second at most\n",
			probe_ms, m->probe_ms, MESH_PROBES_PER_S);
	str_add(out, "\n");
	return 0;
}

static int print_text(const struct mesh *m, const struct options *o)
{
	_cleanup_(str_done) struct str head = {};
	struct output out = {};
	int r = put_head(m, &head);

	r = r ?: plan_nodes(m, o->node, &out);
	if (!r && !o->node)
		r = mesh_hops_text(m, &out.text);
	r = r ?: out.text.err ?: head.err;
	if (!r)
		printf("%s%s", head.s, out.text.s);
	str_done(&out.text);
	return r == -ENOMEM ? log_err(r, "wg plan") : r;
}

static int print_json(const struct mesh *m, const struct options *o)
{
	struct output out = {.nodes = json_object_new_array()};
	struct json_object *json = json_object_new_object();
	uint32_t probe_ms = m->probe_ms;
	int r = mesh_probe_ms(m, &probe_ms);
	char hash[17];

	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)mesh_hash(m));
	json_add_str(json, "mesh", m->name);
	json_add_str(json, "hash", hash);
	json_add_u64(json, "probe_interval_ms", probe_ms);
	json_object_object_add(json, "nodes", out.nodes);
	r = r ? log_err(r, "wg plan") : plan_nodes(m, o->node, &out);
	if (r)
		json_object_put(json);
	else
		json_print(json);
	return r;
}

static int print_dot(const struct mesh *m)
{
	_cleanup_(str_done) struct str text = {};
	int r = mesh_dot_text(m, &text);

	if (r)
		return log_err(r, "wg plan");
	fputs(text.s, stdout);
	return 0;
}

static int write_files(const struct mesh *m, const struct options *o)
{
	struct output out = {.dir = o->wg_quick, .one = o->node};

	return plan_nodes(m, o->node, &out);
}

static int plan(const struct options *o)
{
	_cleanup_(mesh_done) struct mesh m;
	int r = wg_read(&m, o->config);

	if (r)
		return r;
	if (o->node && mesh_node_find(&m, o->node) < 0) {
		log_error("there is no node \"%s\" in %s", o->node, o->config ?: WG_CONFIG);
		return -ENOENT;
	}
	if (o->dot)
		return print_dot(&m);
	if (o->wg_quick)
		return write_files(&m, o);
	return o->json ? print_json(&m, o) : print_text(&m, o);
}

int wg_plan(const struct command *self, int argc, char **argv)
{
	struct options o;
	int status;

	if (options_parse(&o, self, argc, argv, &status))
		goto out;
	if (o.n_args)
		status = options_wrong(self, "what is \"%s\"?", o.args[0]);
	else if (o.json + o.dot + !!o.wg_quick > 1)
		status = options_wrong(self, "--json, --dot and --wg-quick exclude one another");
	else if (o.dot && o.node)
		status = options_wrong(self, "--dot is of all nodes, it takes no --node");
	else
		status = plan(&o) ? STATUS_FAILURE : STATUS_OK;
out:
	options_done(&o);
	return status;
}
