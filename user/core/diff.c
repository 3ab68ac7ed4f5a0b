// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "core/diff.h"

#define IP6_RT_PRIO_USER 1024 /* include/uapi/linux/ipv6_route.h */

static bool tests_equal(const struct rule *a, const struct rule *b)
{
	if (a->has_src != b->has_src || (a->has_src && !prefix_equal(&a->src, &b->src)))
		return false;
	if (a->mask != b->mask || (a->mask && a->mark != b->mark))
		return false;
	return a->invert == b->invert && a->more == b->more && !strcmp(a->iif, b->iif) &&
	       !strcmp(a->oif, b->oif);
}

bool diff_rule_equal(const struct rule *a, const struct rule *b)
{
	if (a->family != b->family || a->priority != b->priority || a->action != b->action)
		return false;
	if (a->action == RULE_TABLE && a->table != b->table)
		return false;
	if (a->action == RULE_GOTO && a->target != b->target)
		return false;
	return a->suppress_len == b->suppress_len && a->protocol == b->protocol &&
	       tests_equal(a, b);
}

static uint32_t metric(const struct route *route)
{
	return route->family == AF_INET6 && !route->metric ? IP6_RT_PRIO_USER : route->metric;
}

/* The default route is written as ::/0 or, for IPv4, as 0.0.0.0/0. */
static bool dst_equal(const struct route *a, const struct route *b)
{
	if (!prefix_len(&a->dst) || !prefix_len(&b->dst))
		return prefix_len(&a->dst) == prefix_len(&b->dst);
	return prefix_equal(&a->dst, &b->dst);
}

/* What the kernel holds one route for. */
static bool same_place(const struct route *a, const struct route *b)
{
	return a->family == b->family && a->table == b->table && metric(a) == metric(b) &&
	       dst_equal(a, b);
}

bool diff_route_equal(const struct route *a, const struct route *b)
{
	if (!same_place(a, b) || a->type != b->type || a->protocol != b->protocol)
		return false;
	if (a->type != ROUTE_UNICAST)
		return true;
	return a->ifindex == b->ifindex && a->onlink == b->onlink && a->mtu == b->mtu &&
	       a->mtu_lock == b->mtu_lock && addr_equal(&a->gateway, &b->gateway) &&
	       addr_equal(&a->src, &b->src);
}

#define PUSH(items, n, value)                                                                      \
	({                                                                                         \
		__typeof__(items) slot_ = ARRAY_ADD(items, n);                                     \
		if (slot_)                                                                         \
			*slot_ = (value);                                                          \
		slot_ ? 0 : -ENOMEM;                                                               \
	})

/* What of the machine is ours. */
struct ours {
	struct rule *rules;
	size_t n_rules;
	struct route *routes;
	size_t n_routes;
};

static void ours_done(struct ours *o)
{
	free(o->rules);
	free(o->routes);
}

static int ours_find(struct ours *ours, const struct host *host)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < host->n_rules; i++)
		if (host->rules[i].protocol == PLAN_RTPROT)
			r = PUSH(ours->rules, ours->n_rules, host->rules[i]);
	for (i = 0; !r && i < host->n_routes; i++)
		if (host->routes[i].protocol == PLAN_RTPROT)
			r = PUSH(ours->routes, ours->n_routes, host->routes[i]);
	return r;
}

static bool has_rule(const struct rule *rules, size_t n, const struct rule *rule)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (diff_rule_equal(&rules[i], rule))
			return true;
	return false;
}

static const struct route *route_at(const struct route *routes, size_t n, const struct route *route)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (same_place(&routes[i], route))
			return &routes[i];
	return NULL;
}

static int by_priority(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	return (x->priority > y->priority) - (x->priority < y->priority);
}

static int by_priority_down(const void *a, const void *b)
{
	return by_priority(b, a);
}

static int diff_rules(struct diff *d, const struct plan *plan, const struct ours *ours)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < plan->n_rules; i++)
		if (!has_rule(ours->rules, ours->n_rules, &plan->rules[i]))
			r = PUSH(d->add_rules, d->n_add_rules, plan->rules[i]);
	for (i = 0; !r && i < ours->n_rules; i++)
		if (!has_rule(plan->rules, plan->n_rules, &ours->rules[i]))
			r = PUSH(d->delete_rules, d->n_delete_rules, ours->rules[i]);
	if (d->n_add_rules)
		qsort(d->add_rules, d->n_add_rules, sizeof(*d->add_rules), by_priority_down);
	if (d->n_delete_rules)
		qsort(d->delete_rules, d->n_delete_rules, sizeof(*d->delete_rules), by_priority);
	return r;
}

static int diff_route(struct diff *d, const struct route *want, const struct ours *ours)
{
	const struct route *have = route_at(ours->routes, ours->n_routes, want);
	struct diff_replace replace;

	if (!have)
		return PUSH(d->add_routes, d->n_add_routes, *want);
	if (diff_route_equal(have, want))
		return 0;
	replace = (struct diff_replace){ *have, *want };
	return PUSH(d->replace_routes, d->n_replace_routes, replace);
}

static int diff_routes(struct diff *d, const struct plan *plan, const struct ours *ours)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < plan->n_routes; i++)
		r = diff_route(d, &plan->routes[i], ours);
	for (i = 0; !r && i < ours->n_routes; i++)
		if (!route_at(plan->routes, plan->n_routes, &ours->routes[i]))
			r = PUSH(d->delete_routes, d->n_delete_routes, ours->routes[i]);
	return r;
}

void diff_done(struct diff *d)
{
	free(d->add_routes);
	free(d->replace_routes);
	free(d->add_rules);
	free(d->delete_rules);
	free(d->delete_routes);
	*d = (struct diff){ 0 };
}

int diff_build(struct diff *ret, const struct plan *plan, const struct host *host)
{
	static const struct plan nothing;
	_cleanup_(ours_done) struct ours ours = { 0 };
	_cleanup_(diff_done) struct diff d = { 0 };
	int r = ours_find(&ours, host);

	if (!plan)
		plan = &nothing;
	if (!r)
		r = diff_routes(&d, plan, &ours);
	if (!r)
		r = diff_rules(&d, plan, &ours);
	if (r)
		return r;
	*ret = d;
	d = (struct diff){ 0 };
	return 0;
}
