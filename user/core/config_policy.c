// SPDX-License-Identifier: GPL-2.0-or-later
/* The sections "policy" and "tier". */
#include "core/config_ctx.h"
#include <string.h>

#define MAX_DRAIN_S (30 * 86400)

static void begin_policy(struct config *c, const char *title)
{
	const struct model_policy *older = model_policy_find(c->m, title);

	c->policy = (struct model_policy){ .place = config_place(c) };
	c->policy_links = false;
	config_title(c, title, c->policy.name, older ? &older->place : NULL);
}

static void set_last_resort(struct config *c, const char *key, const char *value)
{
	unsigned int word = c->policy.last_resort;

	config_word(c, key, value, model_last_resort_names, LAST_RESORT_MAX, &word);
	c->policy.last_resort = word;
}

static void set_key(struct config *c, const char *key, const char *value)
{
	unsigned int word = c->policy.key;

	config_word(c, key, value, model_key_names, ASYM_KEY_MAX, &word);
	c->policy.key = word;
}

static void set_failback(struct config *c, const char *key, const char *value)
{
	uint32_t ms;

	if (!strcmp(value, model_failback_names[FAILBACK_KEEP])) {
		c->policy.failback = FAILBACK_KEEP;
	} else if (!strcmp(value, model_failback_names[FAILBACK_MOVE])) {
		c->policy.failback = FAILBACK_MOVE;
	} else if (*value < '0' || *value > '9') {
		config_error(c, "%s: \"" SHOWN "\" is unknown, expected keep, move or a time such "
			     "as 10m", key, value);
	} else if (config_duration(c, key, value, 1000, MAX_DRAIN_S * 1000u, &ms)) {
		c->policy.failback = FAILBACK_DRAIN;
		c->policy.drain_s = (ms + 999) / 1000;
	}
}

/* "wan" or "wan:3". */
static bool parse_member(struct config *c, const char *key, const char *value,
			 struct model_member *ret)
{
	const char *colon = strrchr(value, ':');
	char name[MODEL_NAME + 1];

	*ret = (struct model_member){ .place = config_place(c) };
	if (!colon)
		return config_name(c, key, value, ret->link);
	if ((size_t)(colon - value) > MODEL_NAME)
		return config_name(c, key, value, ret->link);
	snprintf(name, sizeof(name), "%.*s", (int)(colon - value), value);
	return config_name(c, key, name, ret->link) &&
	       config_number(c, key, colon + 1, 1, MODEL_MAX_WEIGHT, &ret->weight);
}

static void set_links(struct config *c, const char *key, const char *value)
{
	struct model_member member, *slot;

	if (!parse_member(c, key, value, &member) ||
	    !config_room(c, key, c->tier.n, ASYM_MAX_LINKS))
		return;
	slot = ARRAY_ADD(c->tier.members, c->tier.n);
	if (slot)
		*slot = member;
	else
		c->no_memory = true;
}

static void begin_tier(struct config *c, const char *title)
{
	if (c->policy_links)
		config_error(c, "tier: beside \"links\" of the policy, expected one of both");
}

static void end_tier(struct config *c)
{
	struct model_tier *slot = NULL;

	if (config_room(c, "tier", c->policy.n, MODEL_MAX_TIERS)) {
		slot = ARRAY_ADD(c->policy.tiers, c->policy.n);
		c->no_memory |= !slot;
	}
	if (slot)
		*slot = c->tier;
	else
		free(c->tier.members);
	c->tier = (struct model_tier){};
}

/* "links" of a policy is its only tier: kept in c->tier until the section ends. */
static void set_policy_links(struct config *c, const char *key, const char *value)
{
	if (c->first && c->policy.n)
		config_error(c, "%s: beside a tier, expected one of both", key);
	c->policy_links = true;
	set_links(c, key, value);
}

static void end_policy(struct config *c)
{
	struct model_policy *slot = NULL;

	if (c->policy_links)
		end_tier(c);
	c->line = c->policy.place.line;
	if (!c->drop && config_room(c, "policy", c->m->n_policies, ASYM_MAX_POLICIES)) {
		slot = ARRAY_ADD(c->m->policies, c->m->n_policies);
		c->no_memory |= !slot;
	}
	if (slot)
		*slot = c->policy;
	else
		model_policy_done(&c->policy);
	c->policy = (struct model_policy){};
}

static const struct config_key tier_keys[] = { { "links", true, set_links } };

const struct config_section config_tier = {
	.name = "tier",
	.many = true,
	.keys = tier_keys,
	.n_keys = ARRAY_SIZE(tier_keys),
	.begin = begin_tier,
	.end = end_tier,
};

static const struct config_key policy_keys[] = {
	{ "links", true, set_policy_links },
	{ "last-resort", false, set_last_resort },
	{ "key", false, set_key },
	{ "failback", false, set_failback },
};

static const struct config_section *const policy_sections[] = { &config_tier };

const struct config_section config_policy = {
	.name = "policy",
	.titled = true,
	.many = true,
	.keys = policy_keys,
	.n_keys = ARRAY_SIZE(policy_keys),
	.sections = policy_sections,
	.n_sections = ARRAY_SIZE(policy_sections),
	.begin = begin_policy,
	.end = end_policy,
};
