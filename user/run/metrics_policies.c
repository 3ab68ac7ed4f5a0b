// SPDX-License-Identifier: GPL-2.0-or-later
/* Of policies: tier, shares that are wanted, shares that the running programs have. */
#include "apply/maps.h"
#include "run/metrics_parts.h"
#include <string.h>

struct shares {
	size_t tier;	/* in use, from 1; 0: none */
	uint32_t total; /* of the weights */
	/* by id */
	uint32_t weight[ASYM_LINK_IDS];
	uint32_t buckets[ASYM_LINK_IDS];
};

struct policy {
	const char *name;
	bool member[ASYM_LINK_IDS]; /* by id, in whatever tier */
	struct shares family[ASYM_FAMILIES];
};

static void find_members(const struct plan *plan, const struct model_policy *conf,
			 struct policy *ret)
{
	for (size_t t = 0; t < conf->n; t++)
		for (size_t i = 0; i < conf->tiers[t].n; i++) {
			const struct plan_link *l =
				plan_link_by_name(plan, conf->tiers[t].members[i].link);

			if (l)
				ret->member[l->id] = true;
		}
}

static void read_wanted(const struct plan *plan, size_t policy, enum asym_family f,
			struct shares *ret)
{
	struct bucket_share shares[ASYM_MAX_LINKS];
	size_t tier, n = plan_shares(plan, policy, f, shares, &tier);

	ret->tier = n ? tier + 1 : 0;
	for (size_t i = 0; i < n; i++) {
		ret->weight[shares[i].id] = shares[i].weight;
		ret->total += shares[i].weight;
	}
}

static void read_got(const struct object *o, uint32_t bank, size_t policy, enum asym_family f,
		     struct shares *ret)
{
	struct asym_buckets b;

	if (maps_buckets(o, bank, policy, f, &b))
		return;
	for (size_t i = 0; i < ASYM_BUCKETS; i++)
		ret->buckets[b.link[i]]++;
}

static struct policy *read_policies(const struct metrics_view *v, uint32_t bank)
{
	const struct model *m = v->plan->model;
	struct policy *all = calloc(m->n_policies + 1, sizeof(*all));

	for (size_t i = 0; all && i < m->n_policies; i++) {
		all[i].name = m->policies[i].name;
		find_members(v->plan, &m->policies[i], &all[i]);
		PART_FAMILIES(f) {
			read_wanted(v->plan, i, f, &all[i].family[f]);
			read_got(v->object, bank, i, f, &all[i].family[f]);
		}
	}
	return all;
}

static double wanted(const struct shares *s, uint8_t id)
{
	return s->total ? (double)s->weight[id] / s->total : 0;
}

static double got(const struct shares *s, uint8_t id)
{
	return (double)s->buckets[id] / ASYM_BUCKETS;
}

static void add_shares(struct page *p, const struct plan *plan, const struct policy *policy,
		       double (*value)(const struct shares *s, uint8_t id))
{
	for (size_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *l = &plan->links[i];

		if (policy->member[l->id])
			PART_FAMILIES(f)
				page_value(p, PAGE_LABELS(p, "policy", policy->name, "family",
							  part_families[f], "link", l->conf->name),
					   value(&policy->family[f], l->id));
	}
}

void part_policies(struct page *p, const struct metrics_view *v, uint32_t bank)
{
	_cleanup_free_ struct policy *all = read_policies(v, bank);
	size_t n = all ? v->plan->model->n_policies : 0;

	page_family(p, "policy_tier", PAGE_GAUGE,
		    "The policy's tier in use, the first is 1; 0: no link lives");
	for (size_t i = 0; i < n; i++)
		PART_FAMILIES(f)
			page_count(p, PAGE_LABELS(p, "policy", all[i].name, "family",
						  part_families[f]),
				   all[i].family[f].tier);
	page_family(p, "link_share_wanted_ratio", PAGE_GAUGE,
		    "The link's part of the weights in the policy's tier in use");
	for (size_t i = 0; i < n; i++)
		add_shares(p, v->plan, &all[i], wanted);
	page_family(p, "link_share_ratio", PAGE_GAUGE,
		    "The link's part of the policy's buckets, as the programs have them");
	for (size_t i = 0; i < n; i++)
		add_shares(p, v->plan, &all[i], got);
}
