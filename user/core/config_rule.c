// SPDX-License-Identifier: GPL-2.0-or-later
/* The section "rule". */
#include "base/num.h"
#include "core/config_ctx.h"
#include "core/name.h"
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

/* Notes that the field is tested, and takes "!" off its value.  NULL, reported, when some values
 * of the field have it and some have not. */
static const char *field(struct config *c, const char *key, const char *value,
			 enum asym_match match)
{
	bool negated = value[0] == '!';

	if (c->first) {
		c->rule.match |= match;
		c->rule.negate |= negated ? (uint32_t)match : 0;
	} else if (negated != !!(c->rule.negate & match)) {
		config_error(c, "%s: \"" SHOWN "\" is mixed with values %s \"!\", expected all or "
			     "none negated", key, value, negated ? "without" : "with");
		return NULL;
	}
	return value + negated;
}

static void set_family(struct config *c, const char *key, const char *value)
{
	static const char *const words[] = { "ipv4", "ipv6", "any" };
	const char *v = field(c, key, value, ASYM_MATCH_FAMILY);
	unsigned int word = 2;

	if (!strcmp(value, "!any"))
		config_error(c, "%s: \"!any\" matches nothing, expected ipv4, ipv6 or any", key);
	else
		config_word(c, key, v, words, ARRAY_SIZE(words), &word);
	if (word < 2)
		c->rule.family = word;
	else
		c->rule.match &= ~ASYM_MATCH_FAMILY;
	c->rule.negate &= c->rule.match;
}

static void set_one_prefix(struct config *c, const char *key, const char *value,
			   enum asym_match match, struct prefix *ret)
{
	const char *v;

	if (!c->first) {
		config_error(c, "%s: \"" SHOWN "\" is a second prefix, expected one; several go "
			     "into a set (%s-set)", key, value, key);
		return;
	}
	v = field(c, key, value, match);
	if (v)
		config_prefix(c, key, v, ret);
}

static void set_src(struct config *c, const char *key, const char *value)
{
	set_one_prefix(c, key, value, ASYM_MATCH_SRC, &c->rule.src);
}

static void set_dst(struct config *c, const char *key, const char *value)
{
	set_one_prefix(c, key, value, ASYM_MATCH_DST, &c->rule.dst);
}

static void set_src_set(struct config *c, const char *key, const char *value)
{
	config_name(c, key, field(c, key, value, ASYM_MATCH_SRC_SET), c->rule.src_set);
}

static void set_dst_set(struct config *c, const char *key, const char *value)
{
	config_name(c, key, field(c, key, value, ASYM_MATCH_DST_SET), c->rule.dst_set);
}

static void set_proto(struct config *c, const char *key, const char *value)
{
	const char *v = field(c, key, value, ASYM_MATCH_PROTO), *near;
	uint32_t n;

	if (!v)
		return;
	if (!name_parse_protocol(v, &n)) {
		c->rule.proto[n / 32] |= 1u << n % 32;
		return;
	}
	near = name_nearest_protocol(v);
	config_error(c, "%s: \"" SHOWN "\" is unknown, expected a protocol such as tcp, or a "
		     "number 0 to 255%s%s%s", key, v, near ? "; did you mean \"" : "", near ? near : "",
		     near ? "\"?" : "");
}

static void set_dscp(struct config *c, const char *key, const char *value)
{
	const char *v = field(c, key, value, ASYM_MATCH_DSCP), *near;
	uint32_t n;

	if (!v)
		return;
	if (!name_parse_dscp(v, &n)) {
		c->rule.dscp |= 1ull << n;
		return;
	}
	near = name_nearest_dscp(v);
	config_error(c, "%s: \"" SHOWN "\" is unknown, expected a code point such as ef, cs1 or "
		     "af41, or a number 0 to 63%s%s%s", key, v, near ? "; did you mean \"" : "",
		     near ? near : "", near ? "\"?" : "");
}

static void set_ports(struct config *c, const char *key, const char *value, enum asym_match match,
		      struct asym_ports *ports, uint8_t *n)
{
	const char *v = field(c, key, value, match);
	uint16_t lo, hi;
	int r;

	if (!v)
		return;
	r = num_parse_port_range(v, &lo, &hi);
	if (r)
		config_error(c, "%s: \"" SHOWN "\" is %s, expected a port 0 to 65535 or a range "
			     "such as 8000-8100", key, v,
			     r == -ERANGE ? "out of range or out of order" : "no port");
	else if (config_room(c, key, *n, ASYM_MAX_PORTS))
		ports[(*n)++] = (struct asym_ports){ lo, hi };
}

static void set_sport(struct config *c, const char *key, const char *value)
{
	set_ports(c, key, value, ASYM_MATCH_SPORT, c->rule.sport, &c->rule.sports);
}

static void set_dport(struct config *c, const char *key, const char *value)
{
	set_ports(c, key, value, ASYM_MATCH_DPORT, c->rule.dport, &c->rule.dports);
}

static void set_in(struct config *c, const char *key, const char *value)
{
	const char *v = field(c, key, value, ASYM_MATCH_DEVICE);
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

/* ::/0 and the like hold the mapped IPv4 addresses too, which nobody means. */
static void narrow_to_v6(struct model_rule *r, const struct prefix *p, enum asym_match match)
{
	static const struct prefix mapped = {
		.addr = { .s6_addr = { [10] = 0xff, [11] = 0xff } }, .len = 96
	};

	if (!(r->match & match) || r->negate & match || r->match & ASYM_MATCH_FAMILY ||
	    addr_is_v4(&p->addr) || !prefix_covers(p, &mapped))
		return;
	r->match |= ASYM_MATCH_FAMILY;
	r->family = ASYM_V6;
}

static void end_rule(struct config *c)
{
	struct model_rule *slot;

	c->line = c->rule.place.line;
	if (c->has_sticky_key && !c->rule.sticky_s)
		config_error(c, "sticky-key: without \"sticky\", expected both");
	if (c->drop || !config_room(c, "rule", c->m->n_rules, ASYM_MAX_RULES))
		return;
	narrow_to_v6(&c->rule, &c->rule.src, ASYM_MATCH_SRC);
	narrow_to_v6(&c->rule, &c->rule.dst, ASYM_MATCH_DST);
	slot = ARRAY_ADD(c->m->rules, c->m->n_rules);
	if (slot)
		*slot = c->rule;
	else
		c->no_memory = true;
}

static const struct config_key rule_keys[] = {
	{ "family", false, set_family },   { "src", true, set_src },
	{ "dst", true, set_dst },	   { "src-set", false, set_src_set },
	{ "dst-set", false, set_dst_set }, { "proto", true, set_proto },
	{ "sport", true, set_sport },	   { "dport", true, set_dport },
	{ "dscp", true, set_dscp },	   { "in", true, set_in },
	{ "policy", false, set_policy },   { "sticky", false, set_sticky },
	{ "sticky-key", false, set_sticky_key }, { "fastpath", false, set_fastpath },
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
