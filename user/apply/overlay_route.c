// SPDX-License-Identifier: GPL-2.0-or-later
/* Routes by the overlay device. */
#include "apply/overlay_run.h"

#include "core/diff.h"
#include "core/host_text.h"
#include "nl/batch.h"
#include "nl/route.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define METRIC_V6 1024 /* IP6_RT_PRIO_USER: what the kernel makes of none */

int overlay_routes_take(struct overlay_run *run, struct host *ret)
{
	size_t n = 0;
	int r = route_dump(&run->nl, ret);

	if (r)
		return overlay_fail(run, r, "cannot read the routes");
	for (size_t i = 0; i < ret->n_routes; i++)
		if (ret->routes[i].protocol == OVERLAY_RTPROT)
			ret->routes[n++] = ret->routes[i];
	ret->n_routes = n;
	return 0;
}

static bool same_place(const struct route *a, const struct route *b)
{
	return a->family == b->family && a->table == b->table && a->metric == b->metric &&
	       prefix_equal(&a->dst, &b->dst);
}

static const struct route *find(const struct route *routes, size_t n, const struct route *like)
{
	for (size_t i = 0; i < n; i++)
		if (same_place(&routes[i], like))
			return &routes[i];
	return NULL;
}

/* Those that are new or different, then those that are not wanted.  Each request's route is in named. */
static int fill(struct nl_batch *b, const struct host *is, const struct route *want, size_t n,
		const struct route ***named, size_t *n_named)
{
	struct nl_msg m;

	for (size_t pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < (pass ? is->n_routes : n); i++) {
			const struct route *x = pass ? &is->routes[i] : &want[i];
			const struct route *there = pass ? find(want, n, x) :
							   find(is->routes, is->n_routes, x);
			const struct route **slot;

			if (there && (pass || diff_route_equal(there, x)))
				continue;
			slot = ARRAY_ADD(*named, *n_named);
			if (!slot)
				return -ENOMEM;
			*slot = x;
			if (pass)
				route_fill_delete(&m, x);
			else if (there)
				route_fill_replace(&m, x);
			else
				route_fill_add(&m, x);
			nl_batch_add(b, &m);
		}
	return 0;
}

static int explain(struct overlay_run *run, int r, const struct route *route)
{
	_cleanup_(str_done) struct str text = {};

	if (route)
		route_text(&text, route, run->now.overlay.name);
	if (r == -EEXIST && text.s)
		return overlay_fail(run, r, "route %s: there is one already that is not ours",
				    text.s);
	return overlay_fail(run, r, "route %s", text.s ?: "");
}

/* What the kernel has removed by itself need not be deleted. */
static bool counts(const struct nl_batch *b, size_t i)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)(b->buf + b->requests[i].at);
	int err = b->requests[i].err;

	return err && (h->nlmsg_type != RTM_DELROUTE || (err != -ESRCH && err != -ENODEV));
}

int overlay_routes_set(struct overlay_run *run, const struct route *want, size_t n)
{
	_cleanup_(host_done) struct host is = {};
	_cleanup_free_ const struct route **named = NULL;
	_cleanup_batch_ struct nl_batch b = {};
	size_t n_named = 0, at;
	int r = overlay_routes_take(run, &is);

	r = r ?: fill(&b, &is, want, n, &named, &n_named);
	if (r)
		return r;
	r = nl_batch_talk(&run->nl, &b, &at);
	if (r && at == b.n)
		return explain(run, r, NULL);
	for (size_t i = 0; i < b.n; i++)
		if (counts(&b, i))
			return explain(run, b.requests[i].err, named[i]);
	return 0;
}

static struct route make(const struct overlay_run *run, const struct mesh_route *m)
{
	int family = addr_family(&m->to.addr);

	return (struct route){
		.dst = m->to,
		.family = family,
		.table = TABLE_MAIN,
		.ifindex = run->now.overlay.ifindex,
		.src = m->src,
		.metric = family == AF_INET6 ? METRIC_V6 : 0,
		.mtu = run->p->mtu,
		.type = ROUTE_UNICAST,
		.protocol = OVERLAY_RTPROT,
	};
}

/* A route of less than the device had was cut by the daemon, and stays so: it would have to find out
 * again, while packets are lost. */
static void keep_mtu(const struct overlay_run *run, struct route *want)
{
	const struct host *before = &run->before;
	const struct route *is = find(before->routes, before->n_routes, want);

	if (is && run->p->mesh->mtu_probe && is->mtu >= MESH_MIN_MTU &&
	    is->mtu < MIN(run->mtu_before, want->mtu)) {
		want->mtu = is->mtu;
		want->mtu_lock = is->mtu_lock;
	}
}

int overlay_routes_apply(struct overlay_run *run)
{
	const struct mesh_plan *p = run->p;
	_cleanup_free_ struct route *want = calloc(p->n_routes + 1, sizeof(*want));

	if (!want)
		return overlay_fail(run, -ENOMEM, "routes");
	for (size_t i = 0; i < p->n_routes; i++) {
		want[i] = make(run, &p->routes[i]);
		keep_mtu(run, &want[i]);
	}
	run->routed = true;
	return overlay_routes_set(run, want, p->n_routes);
}
