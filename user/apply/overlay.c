// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/overlay.h"

#include "apply/netns.h"
#include "apply/overlay_object.h"
#include "apply/overlay_ruleset.h"
#include "apply/overlay_run.h"
#include <errno.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <string.h>

int overlay_fail(struct overlay_run *run, int r, const char *fmt, ...)
{
	size_t len;
	va_list ap;

	if (run->error[0] || !run->size)
		return r;
	va_start(ap, fmt);
	vsnprintf(run->error, run->size, fmt, ap);
	va_end(ap);
	len = strlen(run->error);
	if (r != -EMEDIUMTYPE && r != -EEXIST && r != -EOPNOTSUPP && r != -EBUSY)
		snprintf(run->error + len, run->size - len, ": %s", strerror(-r));
	return r;
}

static void run_done(struct overlay_run *run)
{
	nl_close(&run->nl);
	overlay_state_done(&run->was);
	overlay_state_done(&run->now);
	host_done(&run->before);
	if (run->tunnels)
		explicit_bzero(run->tunnels, (run->p->n_tunnels + 1) * sizeof(*run->tunnels));
	free(run->tunnels);
}

/* -ENOENT: there is no mesh here. */
static int run_open(struct overlay_run *run)
{
	int r = netns_cookie(&run->cookie);

	run->error[0] = 0;
	if (r)
		return overlay_fail(run, r, "cannot tell the network namespace");
	r = nl_open(&run->nl, NETLINK_ROUTE);
	if (r)
		return overlay_fail(run, r, "rtnetlink");
	r = overlay_state_read(&run->was, run->cookie);
	if (r && r != -ENOENT)
		return overlay_fail(run, r, "what is known of the mesh that is here cannot be read");
	return r;
}

static int describe(struct overlay_run *run)
{
	_cleanup_(str_done) struct str text = {};
	const struct mesh_plan *p = run->p;

	mesh_print(p->mesh, &text);
	if (text.err)
		return -ENOMEM;
	run->now.description = TAKE_PTR(text.s);
	memcpy(run->now.node, p->mesh->nodes[p->self].name, sizeof(run->now.node));
	run->now.tunnels = calloc(p->n_tunnels + 1, sizeof(*run->now.tunnels));
	run->tunnels = calloc(p->n_tunnels + 1, sizeof(*run->tunnels));
	if (!run->now.tunnels || !run->tunnels)
		return -ENOMEM;
	run->now.n_tunnels = p->n_tunnels;
	return 0;
}

/* All that will be ours at some time of this run. */
static int save_intent(struct overlay_run *run)
{
	struct overlay_state all = run->now;
	struct overlay_device *d;
	int r = 0;

	all.tunnels = NULL;
	all.n_tunnels = 0;
	for (size_t i = 0; i < run->now.n_tunnels + run->was.n_tunnels && !r; i++) {
		const struct overlay_device *from =
			i < run->now.n_tunnels ? &run->now.tunnels[i] :
						 &run->was.tunnels[i - run->now.n_tunnels];

		if (i >= run->now.n_tunnels && overlay_state_tunnel(&run->now, from->name))
			continue;
		d = ARRAY_ADD(all.tunnels, all.n_tunnels);
		if (d)
			*d = *from;
		else
			r = -ENOMEM;
	}
	r = r ?: overlay_state_write(&all, run->cookie);
	free(all.tunnels);
	return r ? overlay_fail(run, r, "cannot write down what is being made") : 0;
}

static int put_programs(const struct mesh_plan *p, const struct mesh_plan *before,
			const struct overlay_state *s, char *error, size_t size)
{
	_cleanup_free_ uint32_t *ifindex = calloc(p->n_tunnels + 1, sizeof(*ifindex));
	int r;

	if (!ifindex)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_tunnels; i++) {
		const struct overlay_device *d = overlay_state_tunnel(s, p->tunnels[i].device);

		ifindex[i] = d ? d->ifindex : 0;
	}
	r = overlay_programs(p, before, s->overlay.ifindex, ifindex, error, size);
	/* libbpf complains of what was tried in vain, too */
	if (!r)
		error[0] = 0;
	return r;
}

/* m: mesh_init()ed, to be freed by the caller in any case; the plan points to it.  -ENOENT: there
 * was none. */
static int plan_before(const struct overlay_run *run, struct mesh *m, struct mesh_plan *ret)
{
	_cleanup_(findings_done) struct findings f = {};
	const char *text = run->was.description;
	int r = text ? mesh_parse(m, "mesh", text, strlen(text), &f) : -ENOENT;

	return r ?: mesh_plan_build(ret, m, run->was.node);
}

/* Programs as the plan before had them. */
static void restore_programs(struct overlay_run *run)
{
	_cleanup_(mesh_plan_done) struct mesh_plan p = {};
	_cleanup_(mesh_done) struct mesh m;
	char ignored[160];
	int r;

	mesh_init(&m);
	r = plan_before(run, &m, &p);
	r = r ?: put_programs(&p, NULL, &run->was, ignored, sizeof(ignored));
	if (r)
		overlay_programs_remove();
}

static int change_programs(struct overlay_run *run)
{
	_cleanup_(mesh_plan_done) struct mesh_plan before = {};
	_cleanup_(mesh_done) struct mesh m;
	bool keep;

	mesh_init(&m);
	keep = run->o->keep && !plan_before(run, &m, &before);
	return put_programs(run->p, keep ? &before : NULL, &run->now, run->error, run->size);
}

static void undo(struct overlay_run *run)
{
	char ignored[1] = "";

	if (run->clamped && *run->was.overlay.name)
		overlay_ruleset_apply(run->was.overlay.name, ignored, 0);
	else if (run->clamped)
		overlay_ruleset_remove(ignored, 0);
	if (run->routed)
		overlay_routes_set(run, run->before.routes, run->before.n_routes);
	if (run->programmed)
		restore_programs(run);
	overlay_device_undo(run);
	overlay_tunnels_undo(run);
	if (run->was.description)
		overlay_state_write(&run->was, run->cookie);
	else
		overlay_state_remove(run->cookie);
}

static int build(struct overlay_run *run)
{
	int r = save_intent(run);

	r = r ?: overlay_tunnels_apply(run);
	r = r ?: overlay_device_apply(run);
	if (!r) {
		run->programmed = true;
		r = change_programs(run);
	}
	r = r ?: overlay_routes_apply(run);
	if (!r) {
		run->clamped = true;
		r = overlay_ruleset_apply(run->now.overlay.name, run->error, run->size);
	}
	return r ?: save_intent(run);
}

/* What the plan before had and this one has not; what cannot be removed stays known. */
static int remove_gone(struct overlay_run *run)
{
	bool renamed = strcmp(run->was.overlay.name, run->now.overlay.name);
	int r = overlay_addresses_remove(run, &run->was, &run->now);

	for (size_t i = 0; i < run->was.n_tunnels && !r; i++)
		if (!overlay_state_tunnel(&run->now, run->was.tunnels[i].name))
			r = overlay_device_remove(run, &run->was.tunnels[i], true);
	if (!r && renamed)
		r = overlay_device_remove(run, &run->was.overlay, false);
	r = r ?: overlay_state_write(&run->now, run->cookie);
	return r ? overlay_fail(run, r, "cannot write down what is there") : 0;
}

static int apply(struct overlay_run *run)
{
	int r = run_open(run);

	r = r == -ENOENT ? 0 : r;
	r = r ?: describe(run);
	r = r ?: overlay_check(run);
	r = r ?: overlay_routes_take(run, &run->before);
	if (r)
		return overlay_fail(run, r, "mesh");
	r = build(run);
	if (r) {
		undo(run);
		return r;
	}
	return remove_gone(run);
}

int overlay_apply(const struct mesh_plan *p, const struct overlay_options *o, char *error,
		  size_t size)
{
	struct overlay_run run = {.p = p, .o = o, .error = error, .size = size};
	int r = apply(&run);

	run_done(&run);
	return r;
}

/* All of it is tried, the first error counts. */
static int remove_all(struct overlay_run *run)
{
	const struct overlay_state none = {};
	int r = overlay_ruleset_remove(run->error, run->size), first = r;

	overlay_programs_remove();
	r = overlay_routes_set(run, NULL, 0);
	first = first ?: r;
	if (run->was.overlay.adopted)
		r = overlay_addresses_remove(run, &run->was, &none);
	first = first ?: r;
	for (size_t i = 0; i < run->was.n_tunnels; i++) {
		r = overlay_device_remove(run, &run->was.tunnels[i], true);
		first = first ?: r;
	}
	r = overlay_device_remove(run, &run->was.overlay, false);
	first = first ?: r;
	if (!first)
		overlay_state_remove(run->cookie);
	return first;
}

int overlay_remove(char *error, size_t size)
{
	struct overlay_run run = {.error = error, .size = size};
	int r = run_open(&run);

	r = r ?: remove_all(&run);
	run_done(&run);
	return r;
}
