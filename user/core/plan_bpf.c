// SPDX-License-Identifier: GPL-2.0-or-later
/* What one bank of the BPF maps holds. */
#include "core/buckets.h"
#include "core/plan_parts.h"
#include <errno.h>
#include <string.h>

/* No device has it; 0 would mean the router itself. */
#define NO_IFINDEX UINT32_MAX

static void set_bit(uint32_t *bits, uint8_t n)
{
	bits[n >> 5] |= 1u << (n & 31);
}

static size_t live_shares(const struct plan *p, const struct model_tier *t, enum asym_family f,
			  struct bucket_share *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n && n < ASYM_MAX_LINKS; i++) {
		const struct plan_link *l = plan_link_by_name(p, t->members[i].link);

		if (l && l->down[f] == PLAN_LIVE)
			ret[n++] = (struct bucket_share){
				.name = l->conf->name,
				.id = l->id,
				.weight = t->members[i].weight ?: l->conf->weight,
			};
	}
	return n;
}

/* Only the first tier with a live link is in use. */
size_t plan_shares(const struct plan *p, size_t policy, enum asym_family f, struct bucket_share *ret,
		   size_t *ret_tier)
{
	const struct model_policy *conf = &p->model->policies[policy];
	size_t n = 0, t = 0;

	while (t < conf->n && !(n = live_shares(p, &conf->tiers[t], f, ret)))
		t++;
	*ret_tier = t;
	return n;
}

static void fill_family(struct plan *p, size_t policy, enum asym_family f)
{
	struct bucket_share shares[ASYM_MAX_LINKS];
	size_t tier, n = plan_shares(p, policy, f, shares, &tier);

	for (size_t i = 0; i < n; i++)
		set_bit(p->policies[policy].live[f], shares[i].id);
	buckets_fill(&p->buckets[policy][f], shares, n);
}

static void fill_policy(struct plan *p, size_t n)
{
	static const enum plan_reserved resorts[LAST_RESORT_MAX] = {
		[LAST_RESORT_UNREACHABLE] = PLAN_UNREACHABLE,
		[LAST_RESORT_BLACKHOLE] = PLAN_BLACKHOLE,
		[LAST_RESORT_MAIN] = PLAN_MAIN,
	};
	const struct model_policy *conf = &p->model->policies[n];

	p->policies[n].key = conf->key;
	p->policies[n].last_resort = p->reserved[resorts[conf->last_resort]];
	for (int f = 0; f < ASYM_FAMILIES; f++)
		fill_family(p, n, f);
}

static void set_prefix(struct asym_addr *net, struct asym_addr *mask, const struct prefix *prefix)
{
	static const struct in6_addr ones = {.s6_addr32 = {~0u, ~0u, ~0u, ~0u}};
	struct in6_addr m = addr_mask(&ones, prefix->len);
	struct in6_addr a = addr_mask(&prefix->addr, prefix->len);

	memcpy(net, &a, sizeof(*net));
	memcpy(mask, &m, sizeof(*mask));
}

/* FNV-1a: the name, not the place, names a rule's sticky entries. */
static uint32_t sticky_id(const char *name)
{
	uint32_t h = 0x811c9dc5;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x01000193;
	return h;
}

void plan_bpf_match(const struct model_rule *r, struct asym_rule *ret)
{
	ret->match = r->match;
	ret->negate = r->negate;
	ret->family = r->family;
	if (r->match & ASYM_MATCH_SRC)
		set_prefix(&ret->src, &ret->src_mask, &r->src);
	if (r->match & ASYM_MATCH_DST)
		set_prefix(&ret->dst, &ret->dst_mask, &r->dst);
	memcpy(ret->proto, r->proto, sizeof(ret->proto));
	memcpy(ret->sport, r->sport, sizeof(ret->sport));
	memcpy(ret->dport, r->dport, sizeof(ret->dport));
	ret->sports = r->sports;
	ret->dports = r->dports;
	ret->dscp = r->dscp;
}

static uint8_t index_of_policy(const struct model *m, const char *name)
{
	const struct model_policy *policy = model_policy_find(m, name);

	return policy ? policy - m->policies : 0;
}

static uint8_t index_of_set(const struct model *m, const char *name)
{
	const struct model_set *set = model_set_find(m, name);

	return set ? set - m->sets : 0;
}

static uint32_t ifindex_of(const struct host *h, const char *device)
{
	const struct host_device *d = host_device_find(h, device);

	return d ? d->ifindex : NO_IFINDEX;
}

static void fill_rule(struct plan *p, size_t n, const struct host *h)
{
	const struct model_rule *conf = &p->model->rules[n];
	struct asym_rule *r = &p->bpf_rules[n];

	plan_bpf_match(conf, r);
	r->devices = conf->devices;
	for (size_t i = 0; i < conf->devices; i++)
		r->device[i] = ifindex_of(h, conf->device[i]);
	r->src_set = index_of_set(p->model, conf->src_set);
	r->dst_set = index_of_set(p->model, conf->dst_set);
	r->policy = index_of_policy(p->model, conf->policy);
	r->sticky_s = conf->sticky_s;
	r->sticky_key = conf->sticky_key;
	r->sticky_id = sticky_id(conf->name);
	r->fastpath = conf->fastpath;
}

/* Where the router's own datagrams are left to main.  With more routes than a set holds, a full
 * view of the Internet, the rest counts as if it were a default. */
static int fill_specific(struct plan *p, const struct host *h)
{
	for (size_t i = 0; i < h->n_routes && p->n_specific < ASYM_MAX_PREFIXES; i++) {
		const struct route *r = &h->routes[i];
		struct prefix *to;

		if (r->table != TABLE_MAIN || !prefix_len(&r->dst))
			continue;
		to = ARRAY_ADD(p->specific, p->n_specific);
		if (!to)
			return -ENOMEM;
		*to = r->dst;
	}
	return 0;
}

int plan_bpf(struct plan *p, const struct host *h)
{
	const struct model *m = p->model;

	p->config = (struct asym_config){
		.mark_mask = m->mark_mask,
		.mark_shift = __builtin_ctz(m->mark_mask),
		.seed = m->seed,
		.rules = m->n_rules,
	};
	for (size_t i = 0; i < m->n_policies; i++)
		fill_policy(p, i);
	for (size_t i = 0; i < m->n_rules; i++)
		fill_rule(p, i, h);
	return fill_specific(p, h);
}
