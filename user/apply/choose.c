// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/choose.h"

#include "apply/maps.h"
#include "base/clock.h"
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#define ASYM_INLINE static inline
static bool asym_set_has(uint32_t set, const struct asym_addr *a, void *ctx);
#include "bpf/lib/select.h"

struct maps {
	const struct object *o;
	uint32_t bank;
};

static int get(const struct maps *m, enum object_map map, uint32_t index, void *ret)
{
	return bpf_map_lookup_elem(m->o->map[map], &index, ret) ? -errno : 0;
}

static bool asym_set_has(uint32_t set, const struct asym_addr *a, void *ctx)
{
	const struct maps *m = ctx;
	struct asym_set_key key = {
		.prefixlen = ASYM_SET_BITS + 128,
		.set = htonl(ASYM_SET_NUMBER(m->bank, set)),
		.addr = *a,
	};
	uint8_t value;

	return !bpf_map_lookup_elem(m->o->map[MAP_SETS], &key, &value);
}

static int find_rule(struct maps *m, const struct asym_flow *flow, struct choose_verdict *v,
		     struct asym_rule *rule)
{
	for (uint32_t i = 0; i < v->rules; i++) {
		int r = get(m, MAP_RULES, m->bank * ASYM_MAX_RULES + i, rule);

		if (r)
			return r;
		if (asym_rule_matches(rule, flow, m)) {
			v->rule = i;
			return 0;
		}
		v->misses[i] = asym_rule_misses(rule, flow, m);
		v->unseen[i] = !v->misses[i];
	}
	return 0;
}

/* The entry as sticky_recall() of bpf/lib/choose.h sees it. */
static void ask_sticky(const struct maps *m, const struct asym_rule *rule,
		       const struct asym_policy *policy, const struct asym_flow *flow,
		       struct choose_verdict *v)
{
	struct asym_sticky_key key = {.src = flow->src, .id = rule->sticky_id};
	struct asym_sticky s;

	if (!rule->sticky_s)
		return;
	if (rule->sticky_key == ASYM_KEY_SRC_DST)
		key.dst = flow->dst;
	if (maps_sticky(m->o, &key, &s) || !asym_policy_lives(policy, flow->family, s.link))
		return;
	v->sticky = true;
	v->sticky_age_s = clock_ns(CLOCK_MONOTONIC) / NS_PER_S - s.seen_ns / NS_PER_S;
	v->link = s.link;
}

static int ask_policy(const struct maps *m, const struct asym_config *config,
		      const struct asym_rule *rule, const struct asym_flow *flow,
		      struct choose_verdict *v)
{
	uint32_t slot = m->bank * ASYM_MAX_POLICIES + rule->policy;
	struct asym_buckets buckets;
	struct asym_policy policy;
	int r = get(m, MAP_POLICIES, slot, &policy);

	r = r ?: get(m, MAP_BUCKETS, slot * ASYM_FAMILIES + flow->family, &buckets);
	if (r)
		return r;
	v->policy = rule->policy;
	v->key = policy.key;
	v->hash = asym_hash(flow, policy.key, config->seed);
	v->bucket = asym_bucket(v->hash);
	v->bucket_link = buckets.link[v->bucket];
	ask_sticky(m, rule, &policy, flow, v);
	if (!v->link)
		v->link = v->bucket_link;
	v->last_resort = !v->link;
	if (v->last_resort)
		v->link = policy.last_resort;
	return 0;
}

int choose_verdict(const struct object *o, const struct asym_flow *flow,
		   struct choose_verdict *ret)
{
	struct asym_flow f = *flow;
	struct maps m = {.o = o};
	struct asym_control control;
	struct asym_config config;
	struct asym_rule rule;
	int r = maps_control(o, &control);

	memset(ret, 0, sizeof(*ret));
	ret->rule = -1;
	f.has_ports = asym_proto_has_ports(f.proto);
	m.bank = control.bank;
	r = r ?: get(&m, MAP_CONFIG, m.bank, &config);
	if (r)
		return r;
	ret->rules = config.rules;
	r = find_rule(&m, &f, ret, &rule);
	return r || ret->rule < 0 ? r : ask_policy(&m, &config, &rule, &f, ret);
}
