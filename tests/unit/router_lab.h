/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan by hand whose router has packets of its own. */
#ifndef TESTS_UNIT_ROUTER_LAB_H
#define TESTS_UNIT_ROUTER_LAB_H

#include "tests/unit/ruleset_lab.h"

#include "apply/router.h"
#include "core/buckets.h"

/* As plan_build leaves it: one policy of all links, one rule, main's default by the first device. */
static inline struct fixture *router_new(struct fixture *f)
{
	struct bucket_share shares[ASYM_MAX_LINKS];
	struct model_rule *rule = ARRAY_ADD(f->m.rules, f->m.n_rules);

	assert_non_null(rule);
	assert_non_null(ARRAY_ADD(f->m.policies, f->m.n_policies));
	f->p.buckets = calloc(ASYM_MAX_POLICIES, sizeof(*f->p.buckets));
	assert_non_null(f->p.buckets);
	f->p.config.seed = 1;
	f->p.policies[0].last_resort = 254;
	for (size_t i = 0; i < f->m.n_links; i++)
		shares[i] = (struct bucket_share){ f->m.links[i].name, i + 1, i + 1 };
	for (int k = 0; k < ASYM_FAMILIES; k++) {
		buckets_fill(&f->p.buckets[0][k], shares, f->m.n_links);
		snprintf(f->p.router.family[k].device, IFNAMSIZ, "%s", f->m.links[0].device);
	}
	return f;
}

static inline void router_free(struct fixture *f)
{
	free(f->p.buckets);
	free(f->m.rules);
	free(f->m.policies);
	fixture_free(f);
}

/* With so many policies, no two alike, and the kernel module. */
static inline struct fixture *policies_new(size_t n)
{
	struct fixture *f = router_new(three_links());

	while (f->m.n_policies < n)
		assert_non_null(ARRAY_ADD(f->m.policies, f->m.n_policies));
	f->p.router.module = true;
	for (size_t i = 0; i < n; i++) {
		f->p.policies[i].key = (uint8_t)i;
		f->p.policies[i].last_resort = (uint8_t)(250 - i);
		f->p.policies[i].live[ASYM_V4][0] = 0xe;
		f->p.policies[i].live[ASYM_V6][7] = 0x80000000;
		f->p.buckets[i][ASYM_V4].link[0] = (uint8_t)(1 + i);
		f->p.buckets[i][ASYM_V6].link[ASYM_BUCKETS - 1] = (uint8_t)(2 + i);
	}
	return f;
}

#endif
