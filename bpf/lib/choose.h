/* SPDX-License-Identifier: GPL-2.0-only */
/* A flow into a link: rules in order, then the policy's sticky entry or bucket. */
#ifndef ASYM_CHOOSE_H
#define ASYM_CHOOSE_H

#include "lib/count.h"
#include "lib/maps.h"

ASYM_INLINE bool asym_set_has(__u32 set, const struct asym_addr *a, void *ctx);
#include "lib/select.h"

/* In the order of the reasons LAN_BUCKET.. and HOST_BUCKET.. of abi.h. */
enum choose_result { CHOOSE_BUCKET, CHOOSE_STICKY, CHOOSE_LAST_RESORT, CHOOSE_NO_RULE };
_Static_assert(ASYM_LAN_NO_RULE - ASYM_LAN_BUCKET == CHOOSE_NO_RULE, "order of LAN reasons");
_Static_assert(ASYM_HOST_NO_RULE - ASYM_HOST_BUCKET == CHOOSE_NO_RULE, "order of HOST reasons");

/* Sticky entries are refreshed at most this often: a write per packet would bounce the line. */
#define STICKY_REFRESH_NS 1000000000ll

struct choice {
	struct asym_flow flow;
	const struct asym_config *config;
	const struct asym_rule *rule; /* the one that matched, or NULL */
	__u32 bank;
	__u32 bytes; /* of the packet, for the rule's counter */
	__u32 link;  /* the outcome: a link's id or a reserved one; 0 when no rule matched */
};

ASYM_INLINE bool asym_set_has(__u32 set, const struct asym_addr *a, void *ctx)
{
	struct choice *c = ctx;
	struct asym_set_key key = {
		.prefixlen = ASYM_SET_BITS + 128,
		.set = bpf_htonl(ASYM_SET_NUMBER(c->bank, set)),
		.addr = *a,
	};

	return bpf_map_lookup_elem(&asym_sets, &key);
}

/* Points c at the bank in use.  False before user space has filled one. */
ASYM_INLINE bool choose_begin(struct choice *c)
{
	__u32 zero = 0;
	struct asym_control *control = bpf_map_lookup_elem(&asym_control, &zero);

	if (!control || control->abi != ASYM_ABI)
		return false;
	c->bank = control->bank & 1;
	c->config = bpf_map_lookup_elem(&asym_config, &c->bank);
	return c->config;
}

/* bpf_loop callback: 1 ends the walk.  A callback is verified once, a loop of 256 would not be. */
static long choose_try_rule(__u32 n, void *ctx)
{
	struct choice *c = ctx;
	__u32 slot = c->bank * ASYM_MAX_RULES + n;
	const struct asym_rule *rule = bpf_map_lookup_elem(&asym_rules, &slot);

	if (!rule)
		return 1;
	if (!asym_rule_matches(rule, &c->flow, c))
		return 0;
	c->rule = rule;
	count_hit(slot, c->bytes);
	return 1;
}

ASYM_INLINE void sticky_key(const struct choice *c, const struct asym_rule *rule,
			    struct asym_sticky_key *ret)
{
	*ret = (struct asym_sticky_key){.src = c->flow.src, .id = rule->sticky_id};
	if (rule->sticky_key == ASYM_KEY_SRC_DST)
		ret->dst = c->flow.dst;
}

/* The remembered link, while it is alive, in the live tier and not timed out; else 0. */
ASYM_INLINE __u32 sticky_recall(const struct choice *c, const struct asym_policy *policy,
				const struct asym_sticky_key *key, __u64 now)
{
	struct asym_sticky *s = bpf_map_lookup_elem(&asym_sticky, key);
	__s64 idle;

	if (!s)
		return 0;
	idle = now - s->seen_ns; /* another CPU may be a tick ahead */
	if (idle > (__s64)s->timeout_s * 1000000000ll ||
	    !asym_policy_lives(policy, c->flow.family, s->link))
		return 0;
	if (idle > STICKY_REFRESH_NS)
		s->seen_ns = now;
	return s->link;
}

ASYM_INLINE __u32 choose_bucket(const struct choice *c, const struct asym_rule *rule,
				const struct asym_policy *policy)
{
	__u32 n = asym_bucket(asym_hash(&c->flow, policy->key, c->config->seed));
	__u32 slot = (c->bank * ASYM_MAX_POLICIES + rule->policy) * ASYM_FAMILIES +
		     (c->flow.family & 1);
	struct asym_buckets *buckets = bpf_map_lookup_elem(&asym_buckets, &slot);

	return buckets ? buckets->link[n & (ASYM_BUCKETS_SPACE - 1)] : 0;
}

/* A sticky rule: the remembered link, else a bucket that is remembered from now on. */
ASYM_INLINE enum choose_result choose_sticky(struct choice *c, const struct asym_rule *rule,
					     const struct asym_policy *policy)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	struct asym_sticky_key key;

	sticky_key(c, rule, &key);
	c->link = sticky_recall(c, policy, &key, now);
	if (c->link)
		return CHOOSE_STICKY;
	c->link = choose_bucket(c, rule, policy);
	if (c->link) {
		struct asym_sticky s = {now, rule->sticky_s, c->link};

		bpf_map_update_elem(&asym_sticky, &key, &s, BPF_ANY);
	}
	return CHOOSE_BUCKET;
}

/* c: flow and bytes filled in, choose_begin done. */
ASYM_INLINE enum choose_result choose_link(struct choice *c)
{
	enum choose_result result = CHOOSE_BUCKET;
	const struct asym_policy *policy;
	__u32 slot;

	bpf_loop(c->config->rules, choose_try_rule, c, 0);
	if (!c->rule)
		return CHOOSE_NO_RULE;
	slot = c->bank * ASYM_MAX_POLICIES + c->rule->policy;
	policy = bpf_map_lookup_elem(&asym_policies, &slot);
	if (!policy)
		return CHOOSE_NO_RULE;
	if (c->rule->sticky_s)
		result = choose_sticky(c, c->rule, policy);
	else
		c->link = choose_bucket(c, c->rule, policy);
	if (c->link)
		return result;
	c->link = policy->last_resort;
	return CHOOSE_LAST_RESORT;
}

#endif
