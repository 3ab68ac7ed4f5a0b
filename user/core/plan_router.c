// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/plan_router.h"

#include "core/buckets.h"
#include "core/plan_nft.h"
#include "core/plan_parts.h"
#include <string.h>

const char *const plan_router_words[PLAN_ROUTER_KINDS] = {
	[PLAN_ROUTER_NONE] = "follow the main table",
	[PLAN_ROUTER_MODULE] = "go where the kernel module says",
	[PLAN_ROUTER_HASH] = "are spread by a hash of nftables",
};

const char *const plan_router_families[ASYM_FAMILIES] = {
	[ASYM_V4] = "ipv4",
	[ASYM_V6] = "ipv6",
};

/* Packets have their source by now: moved to a link without NAT they would keep it. */
static bool all_nat(const struct plan *p, enum asym_family f)
{
	for (size_t i = 0; i < p->n_links; i++)
		if (p->links[i].conf->nat[f] == NAT_NONE)
			return false;
	return p->n_links;
}

/* The rule for packets of which nothing is known but their family. */
static bool find_rule(const struct model *m, enum asym_family f, uint8_t *ret)
{
	for (size_t i = 0; i < m->n_rules; i++) {
		const struct model_rule *r = &m->rules[i];
		bool other = (r->family != f) != !!(r->negate & ASYM_MATCH_FAMILY);

		if (r->match & ~ASYM_MATCH_FAMILY || (r->match && other))
			continue;
		*ret = i;
		return true;
	}
	return false;
}

static const struct route *best_default(const struct host *h, int family)
{
	const struct route *best = NULL;

	for (size_t i = 0; i < h->n_routes; i++) {
		const struct route *r = &h->routes[i];

		if (r->table == TABLE_MAIN && r->family == family && r->type == ROUTE_UNICAST &&
		    !prefix_len(&r->dst) && (!best || r->metric < best->metric))
			best = r;
	}
	return best;
}

static void fill_family(struct plan *p, const struct host *h, enum asym_family f)
{
	const struct route *route = best_default(h, plan_family(f));
	const struct host_device *d = route ? host_device_by_index(h, route->ifindex) : NULL;

	if (!d || d->loopback || !all_nat(p, f) ||
	    !find_rule(p->model, f, &p->router.family[f].rule))
		return;
	snprintf(p->router.family[f].device, sizeof(p->router.family[f].device), "%s", d->name);
}

void plan_router(struct plan *p, const struct host *h)
{
	if (!p->model->host_traffic || !p->model->host_raw)
		return;
	p->router.module = h->module;
	for (size_t i = 0; i < p->n_links; i++)
		p->router.sockets_only |= !p->links[i].ethernet;
	for (int f = 0; f < ASYM_FAMILIES; f++)
		fill_family(p, h, f);
}

enum plan_router_kind plan_router_kind(const struct plan *p)
{
	if (!p->router.family[ASYM_V4].device[0] && !p->router.family[ASYM_V6].device[0])
		return PLAN_ROUTER_NONE;
	return p->router.module ? PLAN_ROUTER_MODULE : PLAN_ROUTER_HASH;
}

uint8_t plan_router_policy(const struct plan *p, enum asym_family f)
{
	return p->bpf_rules[p->router.family[f].rule].policy;
}

enum asym_key plan_router_key(const struct plan *p, enum asym_family f)
{
	const struct asym_rule *rule = &p->bpf_rules[p->router.family[f].rule];

	return rule->sticky_s ? rule->sticky_key : p->policies[rule->policy].key;
}

void plan_router_mark_name(const struct plan *p, uint8_t id, char ret[static PLAN_ROUTER_NAME])
{
	const struct plan_link *l = plan_link_by_id(p, id);

	if (l)
		plan_nft_link_name(PLAN_NFT_MARK, l, ret);
	else
		snprintf(ret, PLAN_ROUTER_NAME, "last_%u", id);
}

size_t plan_router_ranges(const struct plan *p, enum asym_family f, struct plan_router_range *ret)
{
	uint8_t policy = plan_router_policy(p, f);
	const struct asym_buckets *b = &p->buckets[policy][f];
	uint32_t from = 0;
	size_t n = 0;

	for (size_t i = 0; i < p->n_links; i++) {
		unsigned int share = buckets_count(b, p->links[i].id);

		if (!share)
			continue;
		ret[n++] = (struct plan_router_range){from, p->links[i].id};
		from += share;
	}
	if (!n)
		ret[n++] = (struct plan_router_range){0, p->policies[policy].last_resort};
	return n;
}

size_t plan_router_marks(const struct plan *p, uint8_t *ret)
{
	struct plan_router_range r[PLAN_ROUTER_RANGES];
	size_t n = 0;

	for (int f = 0; f < ASYM_FAMILIES; f++) {
		size_t ranges = p->router.family[f].device[0] ? plan_router_ranges(p, f, r) : 0;

		for (size_t i = 0; i < ranges; i++)
			if (!n || !memchr(ret, r[i].id, n))
				ret[n++] = r[i].id;
	}
	return n;
}
