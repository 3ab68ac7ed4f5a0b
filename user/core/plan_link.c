// SPDX-License-Identifier: GPL-2.0-or-later
/* Links and LANs of a plan: ids that outlive a reload, and what each link can carry now. */
#include "core/plan_parts.h"
#include <errno.h>
#include <string.h>

/* -------- ids */

struct given {
	const struct plan_id *ids;
	size_t n;
	uint8_t last; /* the largest that a link may have */
};

static uint8_t old_id(const struct given *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (!strcmp(g->ids[i].name, name))
			return g->ids[i].id <= g->last ? g->ids[i].id : 0;
	return 0;
}

static bool was_given(const struct given *g, uint8_t id)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->ids[i].id == id)
			return true;
	return false;
}

/* The lowest free id; one that a link had before only when no other is left, because connections of
 * that link still carry it. */
static uint8_t new_id(const struct given *g, const uint8_t *taken, size_t n)
{
	for (uint8_t id = 1; id <= g->last; id++)
		if (!memchr(taken, id, n) && !was_given(g, id))
			return id;
	for (uint8_t id = 1; id <= g->last; id++)
		if (!memchr(taken, id, n))
			return id;
	return 0;
}

static uint8_t last_id(uint32_t mask)
{
	uint32_t top = mask ? mask >> __builtin_ctz(mask) : 0;

	top = top > PLAN_RESERVED_MAX ? top - PLAN_RESERVED_MAX : 0;
	return MIN(top, (uint32_t)ASYM_MAX_LINKS);
}

void plan_link_ids(const struct model *m, const struct plan_id *ids, size_t n_ids, uint8_t *ret)
{
	const struct given g = { ids, n_ids, last_id(m->mark_mask) };
	size_t n = MIN(m->n_links, (size_t)ASYM_MAX_LINKS);

	/* all the old ones first: a new link must not take that of one behind it */
	for (size_t i = 0; i < n; i++)
		ret[i] = old_id(&g, m->links[i].name);
	for (size_t i = 0; i < n; i++)
		if (!ret[i])
			ret[i] = new_id(&g, ret, n);
}

/* -------- what each link can carry */

static const struct host_addr *best_addr(const struct host *h, uint32_t ifindex, int family)
{
	const struct host_addr *best = NULL;

	for (size_t i = 0; i < h->n_addrs; i++) {
		const struct host_addr *a = &h->addrs[i];

		if (a->ifindex != ifindex || addr_family(&a->prefix.addr) != family || !a->usable ||
		    (a->link_scope && family == AF_INET6))
			continue;
		if (!best || (best->deprecated && !a->deprecated) ||
		    (best->link_scope && !a->link_scope))
			best = a;
	}
	return best;
}

const struct route *plan_main_default(const struct host *h, uint32_t ifindex, int family)
{
	const struct route *best = NULL;

	for (size_t i = 0; i < h->n_routes; i++) {
		const struct route *r = &h->routes[i];

		if (r->table != TABLE_MAIN || r->family != family || r->ifindex != ifindex ||
		    r->type != ROUTE_UNICAST || prefix_len(&r->dst))
			continue;
		if (!best || r->metric < best->metric)
			best = r;
	}
	return best;
}

/*
 * The gateway of a device to which main has no default route: that of a neighbour on the same network.
 * DHCP clients that give all devices one metric leave all but one of them without.
 */
static const struct route *shared_default(const struct host *h, const struct host_addr *a)
{
	const struct route *best = NULL;

	for (size_t i = 0; i < h->n_routes; i++) {
		const struct route *r = &h->routes[i];

		if (r->table != TABLE_MAIN || r->type != ROUTE_UNICAST || prefix_len(&r->dst) ||
		    addr_is_zero(&r->gateway) || !prefix_contains(&a->prefix, &r->gateway))
			continue;
		if (!best || r->metric < best->metric)
			best = r;
	}
	return best;
}

static struct in6_addr link_gateway(const struct plan_link *l, const struct host *h,
				    const struct host_addr *a, const struct route *def,
				    enum asym_family f)
{
	if (!addr_is_zero(&l->conf->gateway[f]))
		return l->conf->gateway[f];
	if (!def && a && !a->link_scope)
		def = shared_default(h, a);
	return def ? def->gateway : (struct in6_addr){0};
}

static enum plan_down link_state(const struct plan_link *l, const struct host_device *d,
				 const struct route *def, enum asym_family f)
{
	if (!d->up)
		return PLAN_DEVICE_DOWN;
	if (!d->carrier)
		return PLAN_NO_CARRIER;
	if (addr_is_zero(&l->addr[f]) && !(d->point_to_point && l->conf->nat[f] == NAT_NONE))
		return PLAN_NO_ADDRESS;
	if (addr_is_zero(&l->gateway[f]) && !def && !d->point_to_point)
		return PLAN_NO_GATEWAY;
	return PLAN_LIVE;
}

static void link_family(struct plan_link *l, const struct host *h, const struct host_device *d,
			enum asym_family f)
{
	int family = plan_family(f);
	const struct host_addr *a = best_addr(h, d->ifindex, family);
	const struct route *def = plan_main_default(h, d->ifindex, family);

	if (a)
		l->addr[f] = a->prefix.addr;
	if (def && !addr_is_zero(&def->src))
		l->addr[f] = def->src;
	l->route_mtu[f] = def ? def->mtu : 0;
	l->gateway[f] = link_gateway(l, h, a, def, f);
	l->down[f] = link_state(l, d, def, f);
}

/* What can carry packets does so only if the daemon and the operator do not object. */
static void link_judge(struct plan_link *l, const struct plan_id *id)
{
	for (int f = 0; f < ASYM_FAMILIES; f++) {
		if (l->down[f] != PLAN_LIVE)
			continue;
		if (id->manual == PLAN_MANUAL_DOWN)
			l->down[f] = PLAN_FORCED;
		else if (id->failed[f] && id->manual == PLAN_AUTO)
			l->down[f] = PLAN_PROBES;
	}
}

static void link_fill(struct plan *p, struct plan_link *l, const struct host *h)
{
	const struct host_device *d = host_device_find(h, l->conf->device);

	l->table = p->model->table_base + l->id;
	l->mark = plan_mark(p, l->id);
	for (int f = 0; f < ASYM_FAMILIES; f++)
		l->down[f] = PLAN_NO_DEVICE;
	if (!d)
		return;
	l->ifindex = d->ifindex;
	l->ethernet = d->ethernet;
	memcpy(l->mac, d->mac, sizeof(l->mac));
	l->nbma = d->nbma;
	l->ingress_filters = d->ingress_filters;
	l->mtu = d->mtu;
	for (int f = 0; f < ASYM_FAMILIES; f++)
		link_family(l, h, d, f);
}

static void resolve_replies(struct plan *p)
{
	for (size_t i = 0; i < p->n_links; i++) {
		struct plan_link *l = &p->links[i];

		l->reply = l->id;
		for (size_t k = 0; k < p->n_links; k++)
			if (!strcmp(p->links[k].conf->name, l->conf->reply))
				l->reply = p->links[k].id;
	}
}

int plan_links(struct plan *p, const struct host *h, const struct plan_id *ids, size_t n_ids)
{
	const struct model *m = p->model;
	uint8_t given[ASYM_MAX_LINKS];

	if (m->n_links > ASYM_MAX_LINKS)
		return -ENOSPC;
	plan_link_ids(m, ids, n_ids, given);
	for (size_t i = 0; i < m->n_links; i++) {
		struct plan_link *l = ARRAY_ADD(p->links, p->n_links);

		if (!l)
			return -ENOMEM;
		l->id = given[i];
		l->conf = &m->links[i];
		link_fill(p, l, h);
		for (size_t k = 0; k < n_ids; k++)
			if (!strcmp(ids[k].name, l->conf->name))
				link_judge(l, &ids[k]);
	}
	for (size_t i = 0; i < n_ids && p->n_gone < ASYM_MAX_LINKS; i++)
		if (!plan_link_by_id(p, ids[i].id))
			p->gone[p->n_gone++] = ids[i];
	resolve_replies(p);
	return 0;
}

static int add_lan(struct plan *p, const char *name, const struct host_device *d)
{
	struct plan_lan *l = ARRAY_ADD(p->lans, p->n_lans);

	if (!l)
		return -ENOMEM;
	snprintf(l->device, sizeof(l->device), "%s", name);
	if (!d)
		return 0;
	l->ifindex = d->ifindex;
	l->ethernet = d->ethernet;
	l->nbma = d->nbma;
	l->ingress_filters = d->ingress_filters;
	return 0;
}

static bool is_link(const struct model *m, const char *device)
{
	for (size_t i = 0; i < m->n_links; i++)
		if (!strcmp(m->links[i].device, device))
			return true;
	return false;
}

static bool has_addr(const struct host *h, uint32_t ifindex)
{
	for (size_t i = 0; i < h->n_addrs; i++)
		if (h->addrs[i].ifindex == ifindex && !h->addrs[i].link_scope)
			return true;
	return false;
}

bool plan_is_lan(const struct model *m, const struct host *h, const struct host_device *d)
{
	for (size_t i = 0; i < m->n_lans; i++)
		if (!strcmp(m->lans[i], d->name))
			return true;
	/* a link's device that was given another name looks at the Internet still */
	return !m->n_lans && d->up && !d->loopback && !d->master && !is_link(m, d->name) &&
	       !is_link(m, d->was) && has_addr(h, d->ifindex);
}

/* Named ones also when they do not exist now. */
int plan_lans(struct plan *p, const struct host *h)
{
	const struct model *m = p->model;
	int r = 0;

	for (size_t i = 0; i < m->n_lans && !r; i++)
		r = add_lan(p, m->lans[i], host_device_find(h, m->lans[i]));
	for (size_t i = 0; i < h->n_devices && !m->n_lans && !r; i++)
		if (plan_is_lan(m, h, &h->devices[i]))
			r = add_lan(p, h->devices[i].name, &h->devices[i]);
	return r;
}
