// SPDX-License-Identifier: GPL-2.0-or-later
/* wg show: of the mesh as it was applied, what the kernel has now. */
#include "cmd/wg_show.h"

#include "apply/overlay_endpoint.h"
#include "base/log.h"
#include "cmd/json.h"
#include "cmd/verb.h"
#include "cmd/wg.h"
#include "run/mesh_run.h"
#include <errno.h>
#include <string.h>
#include <time.h>

static void view_done(struct wg_view *v)
{
	json_object_put(v->measured);
	free(v->tunnels);
	free(v->nodes);
	mesh_plan_done(&v->plan);
	mesh_done(&v->mesh);
	overlay_state_done(&v->state);
}

static int read_plan(struct wg_view *v, uint64_t cookie)
{
	_cleanup_(findings_done) struct findings f = {};
	int r = overlay_state_read(&v->state, cookie);

	if (r == -ENOENT) {
		log_error("this network namespace is no node of a mesh, see asymbpf wg apply");
		return r;
	}
	if (r)
		return log_err(r, "cannot read what is known of the mesh");
	r = mesh_parse(&v->mesh, "mesh", v->state.description, strlen(v->state.description), &f);
	r = r ?: mesh_plan_build(&v->plan, &v->mesh, v->state.node);
	if (r)
		return log_err(r, "cannot understand the mesh that was applied");
	v->tunnels = calloc(v->plan.n_tunnels + 1, sizeof(*v->tunnels));
	v->nodes = calloc(v->plan.n_targets + 1, sizeof(*v->nodes));
	return v->tunnels && v->nodes ? 0 : log_err(-ENOMEM, "wg show");
}

static void read_tunnel(const struct wg_view *v, const struct mesh_tunnel *t, struct wg_tunnel *ret)
{
	const struct overlay_device *d = overlay_state_tunnel(&v->state, t->device);
	int r = wireguard_get(t->device, &ret->w);

	explicit_bzero(ret->w.private_key, sizeof(ret->w.private_key));
	ret->t = t;
	ret->there = !r;
	ret->adopted = d && d->adopted;
	ret->age_s = -1;
	if (!r && ret->w.handshake_s)
		ret->age_s = MAX((int64_t)0, time(NULL) - ret->w.handshake_s);
	overlay_endpoint_text(&ret->w.endpoint, ret->endpoint);
}

static unsigned int percent(const uint8_t slots[OV_SPREAD], uint8_t way)
{
	unsigned int n = 0;

	for (size_t i = 0; i < OV_SPREAD; i++)
		n += slots[i] == way;
	return n * 100 / OV_SPREAD;
}

static int read_node(const struct overlay_maps *m, const struct mesh_target *t,
		     struct wg_node *ret)
{
	struct ov_node n;
	int r = overlay_read_node(m, t->node, &n);

	for (size_t i = 0; i < t->n && !r; i++) {
		ret->ways[i].thin = percent(n.thin, i);
		ret->ways[i].thick = percent(n.thick, i);
		ret->ways[i].dead = n.way[i].dead;
		r = overlay_read_way(m, t->node, i, &ret->ways[i].sent);
	}
	return r;
}

static int read_programs(struct wg_view *v)
{
	struct overlay_maps maps;
	int r = overlay_maps_find(&maps);

	if (r) {
		log_warn("the overlay's programs do not run (%s), asymbpf wg apply puts them back",
			 strerror(-r));
		return 0;
	}
	v->running = true;
	for (size_t i = 0; i < v->plan.n_targets && !r; i++)
		r = read_node(&maps, &v->plan.targets[i], &v->nodes[i]);
	r = r ?: overlay_read_counters(&maps, v->counters);
	overlay_maps_done(&maps);
	return r ? log_err(r, "cannot read the maps of the overlay's programs") : 0;
}

static int show(struct session *s, const struct options *o)
{
	struct wg_view v = {};
	int r;

	mesh_init(&v.mesh);
	r = read_plan(&v, s->cookie);
	for (size_t i = 0; i < v.plan.n_tunnels && !r; i++)
		read_tunnel(&v, &v.plan.tunnels[i], &v.tunnels[i]);
	for (size_t i = 0; i < v.plan.n_targets && !r; i++)
		v.nodes[i].t = &v.plan.targets[i];
	r = r ?: read_programs(&v);
	v.measured = mesh_run_status(s->cookie);
	if (!r && o->json)
		json_print(wg_show_json(&v));
	else if (!r)
		wg_show_text(&v);
	view_done(&v);
	return r;
}

int wg_show(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {.body = show};

	return verb_run(self, argc, argv, &verb);
}
