// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/overlay_mtu.h"

#include "apply/overlay_run.h"
#include "nl/batch.h"
#include "nl/route.h"
#include <string.h>

/* Node that the route leads to, MESH_NODE_NONE: of none. */
static uint8_t node_of(const struct mesh_plan *p, const struct route *r)
{
	if (r->table != TABLE_MAIN || r->type != ROUTE_UNICAST)
		return MESH_NODE_NONE;
	for (size_t i = 0; i < p->n_routes; i++)
		if (prefix_equal(&p->routes[i].to, &r->dst))
			return p->routes[i].node;
	return MESH_NODE_NONE;
}

int overlay_mtu_read(const struct mesh_plan *p, uint16_t ret[MESH_MAX_NODES])
{
	_cleanup_(host_done) struct host is = {};
	_cleanup_nl_ struct nl nl = {};
	int r = nl_open(&nl, NETLINK_ROUTE);

	r = r ?: route_dump_of(&nl, OVERLAY_RTPROT, &is);
	if (r)
		return r;
	memset(ret, 0, MESH_MAX_NODES * sizeof(*ret));
	for (size_t i = 0; i < is.n_routes; i++) {
		uint8_t node = node_of(p, &is.routes[i]);
		uint16_t mtu = MIN(is.routes[i].mtu, (uint32_t)UINT16_MAX);

		if (node != MESH_NODE_NONE && mtu)
			ret[node] = ret[node] ? MIN(ret[node], mtu) : mtu;
	}
	return 0;
}

static void fill(struct nl_batch *b, const struct mesh_plan *p, struct host *is, uint8_t node,
                 uint16_t mtu)
{
	struct nl_msg m;

	for (size_t i = 0; i < is->n_routes; i++) {
		struct route *route = &is->routes[i];

		bool lock = route->family == AF_INET6 && mtu < p->mtu;

		if (node_of(p, route) != node || (route->mtu == mtu && route->mtu_lock == lock))
			continue;
		route->mtu = mtu;
		route->mtu_lock = lock;
		route_fill_replace(&m, route);
		nl_batch_add(b, &m);
	}
}

int overlay_mtu_write(const struct mesh_plan *p, uint8_t node, uint16_t mtu)
{
	_cleanup_(host_done) struct host is = {};
	_cleanup_batch_ struct nl_batch b = {};
	_cleanup_nl_ struct nl nl = {};
	size_t at;
	int r = nl_open(&nl, NETLINK_ROUTE);

	r = r ?: route_dump_of(&nl, OVERLAY_RTPROT, &is);
	if (r)
		return r;
	fill(&b, p, &is, node, mtu);
	r = b.n ? nl_batch_talk(&nl, &b, &at) : 0;
	for (size_t i = 0; i < b.n && !r; i++)
		r = b.requests[i].err;
	return r;
}
