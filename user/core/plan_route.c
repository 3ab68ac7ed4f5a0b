// SPDX-License-Identifier: GPL-2.0-or-later
/* The links' tables: on-link prefixes, default route, and what stands behind them. */
#include "core/plan_parts.h"
#include <errno.h>
#include <string.h>

/* Behind every other route of a table. */
#define LAST_METRIC 0x7fffffff

struct prefix plan_on_link(const struct host_addr *a)
{
	struct prefix p = {.addr = a->prefix.addr, .len = a->prefix.len};

	/* a point-to-point address reaches its peer, not a prefix of its own */
	if (!addr_is_zero(&a->peer))
		p = (struct prefix){.addr = a->peer, .len = a->prefix.len};
	p.addr = addr_mask(&p.addr, p.len);
	return p;
}

bool plan_prefix_shared(const struct host *h, uint32_t ifindex, const struct prefix *p)
{
	for (size_t i = 0; i < h->n_addrs; i++) {
		struct prefix other = plan_on_link(&h->addrs[i]);
		const struct host_device *d;

		/* a narrower one, a LAN in the provider's 10/8, is found by main on its own */
		if (h->addrs[i].ifindex == ifindex || h->addrs[i].link_scope ||
		    !prefix_covers(&other, p))
			continue;
		/* last, as it is slow, and asked of few */
		d = host_device_by_index(h, h->addrs[i].ifindex);
		if (d && !d->loopback)
			return true;
	}
	return false;
}

bool plan_on_link_addr(const struct host_addr *a, uint32_t ifindex, int family)
{
	return a->ifindex == ifindex && addr_family(&a->prefix.addr) == family && a->usable &&
	       !(a->link_scope && family == AF_INET6);
}

static struct route *add_route(struct plan *p, const struct plan_link *l, int family)
{
	struct route *r = ARRAY_ADD(p->routes, p->n_routes);

	if (!r)
		return NULL;
	r->family = family;
	r->table = l->table;
	r->ifindex = l->ifindex;
	r->protocol = PLAN_RTPROT;
	r->dst.len = family == AF_INET ? 96 : 0;
	if (family == AF_INET)
		r->dst.addr.s6_addr[10] = r->dst.addr.s6_addr[11] = 0xff;
	return r;
}

static bool have_route(const struct plan *p, uint32_t table, const struct prefix *dst)
{
	for (size_t i = 0; i < p->n_routes; i++)
		if (p->routes[i].table == table && prefix_equal(&p->routes[i].dst, dst))
			return true;
	return false;
}

/* The device's own prefixes.  IPv6 leaves the choice among its addresses to RFC 6724. */
static int on_link_routes(struct plan *p, const struct plan_link *l, const struct host *h,
			  int family)
{
	for (size_t i = 0; i < h->n_addrs; i++) {
		const struct host_addr *a = &h->addrs[i];
		struct prefix dst = plan_on_link(a);
		struct route *r;

		if (!plan_on_link_addr(a, l->ifindex, family) || have_route(p, l->table, &dst))
			continue;
		if (dst.len == 128 && addr_is_zero(&a->peer))
			continue;
		r = add_route(p, l, family);
		if (!r)
			return -ENOMEM;
		r->dst = dst;
		if (family == AF_INET)
			r->src = a->prefix.addr;
	}
	return 0;
}

static bool reaches(const struct plan *p, const struct plan_link *l, const struct in6_addr *gateway)
{
	for (size_t i = 0; i < p->n_routes; i++)
		if (p->routes[i].table == l->table && prefix_contains(&p->routes[i].dst, gateway))
			return true;
	return false;
}

/* The source and the MTU that main's default route has; IPv6 leaves the choice of a source that
 * main does not name to RFC 6724. */
static void take_over(struct route *r, const struct route *def)
{
	if (!def)
		return;
	if (!addr_is_zero(&def->src))
		r->src = def->src;
	r->mtu = def->mtu;
	r->mtu_lock = def->mtu_lock;
}

/* A link that is down by its probes or by the operator could carry packets: probes and sockets bound
 * to it go on, those who are to choose do not choose it. */
static bool carries(const struct plan_link *l, enum asym_family f)
{
	return l->down[f] == PLAN_LIVE || l->down[f] == PLAN_PROBES || l->down[f] == PLAN_FORCED;
}

static int default_route(struct plan *p, const struct plan_link *l, const struct host *h,
			 enum asym_family f)
{
	const struct in6_addr *gateway = &l->gateway[f];
	bool onlink = !addr_is_zero(gateway) && !IN6_IS_ADDR_LINKLOCAL(gateway) &&
		      !reaches(p, l, gateway);
	struct route *r;

	if (!carries(l, f))
		return 0;
	r = add_route(p, l, plan_family(f));
	if (!r)
		return -ENOMEM;
	r->gateway = *gateway;
	r->onlink = onlink;
	if (f == ASYM_V4)
		r->src = l->addr[f];
	take_over(r, plan_main_default(h, l->ifindex, r->family));
	return 0;
}

/* What is marked for a link that cannot carry it must not leave by another with the wrong source;
 * without NAT the source is nobody's, and main may take it. */
static int fallback_route(struct plan *p, const struct plan_link *l, enum asym_family f)
{
	struct route *r;

	if (l->conf->nat[f] == NAT_NONE)
		return 0;
	r = add_route(p, l, plan_family(f));
	if (!r)
		return -ENOMEM;
	r->type = ROUTE_UNREACHABLE;
	r->ifindex = 0;
	r->metric = LAST_METRIC;
	return 0;
}

int plan_routes(struct plan *p, const struct host *h)
{
	int r = 0;

	for (size_t i = 0; i < p->n_links && !r; i++) {
		const struct plan_link *l = &p->links[i];

		for (int f = 0; f < ASYM_FAMILIES && !r; f++) {
			/* the kernel takes no route by a device that is down */
			if (l->down[f] != PLAN_NO_DEVICE && l->down[f] != PLAN_DEVICE_DOWN)
				r = on_link_routes(p, l, h, plan_family(f));
			r = r ?: default_route(p, l, h, f);
			r = r ?: fallback_route(p, l, f);
		}
	}
	return r;
}
