// SPDX-License-Identifier: GPL-2.0-or-later
/* The section "rule". */
#include "base/num.h"
#include "core/config_ctx.h"
#include <errno.h>
#include <string.h>

#define STICKY_MAX_S (30 * 86400)

static const struct model_rule *find_rule(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_rules; i++)
		if (!strcmp(m->rules[i].name, name))
			return &m->rules[i];
	return NULL;
}

static void begin_rule(struct config *c, const char *title)
{
	const struct model_rule *older = find_rule(c->m, title);

	c->rule = (struct model_rule){ .sticky_key = ASYM_KEY_SRC, .place = config_place(c) };
	c->has_sticky_key = false;
	config_title(c, title, c->rule.name, older ? &older->place : NULL);
}

static void set_src_set(struct config *c, const char *key, const char *value)
{
	config_name(c, key, config_field(c, key, value, ASYM_MATCH_SRC_SET), c->rule.src_set);
}

static void set_dst_set(struct config *c, const char *key, const char *value)
{
	config_name(c, key, config_field(c, key, value, ASYM_MATCH_DST_SET), c->rule.dst_set);
}

static void set_in(struct config *c, const char *key, const char *value)
{
	const char *v = config_field(c, key, value, ASYM_MATCH_DEVICE);
	char device[IFNAMSIZ] = {};

	if (!v || !config_device(c, key, v, device))
		return;
	if (config_room(c, key, c->rule.devices, ASYM_MAX_DEVICES))
		memcpy(c->rule.device[c->rule.devices++], device, sizeof(device));
}

static void set_policy(struct config *c, const char *key, const char *value)
{
	config_name(c, key, value, c->rule.policy);
}

static void set_sticky(struct config *c, const char *key, const char *value)
{
	int r = num_parse_seconds(value, 1, STICKY_MAX_S, &c->rule.sticky_s);

	if (r)
		config_error(c, "%s: \"" SHOWN "\" is %s, expected 1s to 30d, such as 600s or 10m",
			     key, value, r == -ERANGE ? "out of range" : "no time");
}

static void set_sticky_key(struct config *c, const char *key, const char *value)
{
	unsigned int word = 0;

	c->has_sticky_key = true;
	if (config_word(c, key, value, &model_key_names[ASYM_KEY_SRC], 2, &word))
		c->rule.sticky_key = ASYM_KEY_SRC + word;
}

static void set_fastpath(struct config *c, const char *key, const char *value)
{
	config_fastpath(c, key, value, &c->rule.fastpath);
}

_Static_assert(ASYM_KEY_SRC_DST == ASYM_KEY_SRC + 1, "the two keys a sticky rule may have");

static void end_rule(struct config *c)
{
	struct model_rule *slot;

	c->line = c->rule.place.line;
	if (c->has_sticky_key && !c->rule.sticky_s)
		config_error(c, "sticky-key: without \"sticky\", expected both");
	if (c->drop || !config_room(c, "rule", c->m->n_rules, ASYM_MAX_RULES))
		return;
	config_narrow_rule(&c->rule);
	slot = ARRAY_ADD(c->m->rules, c->m->n_rules);
	if (slot)
		*slot = c->rule;
	else
		c->no_memory = true;
}

static const struct config_key rule_keys[] = {
	CONFIG_FIELDS,
	{ "src-set", false, set_src_set }, { "dst-set", false, set_dst_set },
	{ "in", true, set_in },		   { "policy", false, set_policy },
	{ "sticky", false, set_sticky },   { "sticky-key", false, set_sticky_key },
	{ "fastpath", false, set_fastpath },
};

_Static_assert(ARRAY_SIZE(rule_keys) < CONFIG_MAX_KEYS, "the outline has a place for each");

const struct config_section config_rule = {
	.name = "rule",
	.titled = true,
	.many = true,
	.keys = rule_keys,
	.n_keys = ARRAY_SIZE(rule_keys),
	.begin = begin_rule,
	.end = end_rule,
};
