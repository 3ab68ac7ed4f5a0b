// SPDX-License-Identifier: GPL-2.0-or-later
/* What a rule looks at in a packet: keys of the section "rule", of the gateway and of a mesh. */
#include "base/num.h"
#include "core/config_ctx.h"
#include "core/name.h"
#include <errno.h>
#include <string.h>

const char *config_negated(struct config *c, const char *key, const char *value, bool *first)
{
	bool negated = value[0] == '!';

	if (c->first)
		*first = negated;
	if (negated == *first)
		return value + negated;
	config_error(c, "%s: \"" SHOWN "\" is mixed with values %s \"!\", expected all or none "
		     "negated", key, value, negated ? "without" : "with");
	return NULL;
}

const char *config_field(struct config *c, const char *key, const char *value,
			 enum asym_match match)
{
	bool negated = c->rule.negate & match;

	value = config_negated(c, key, value, &negated);
	if (c->first) {
		c->rule.match |= match;
		c->rule.negate |= negated ? (uint32_t)match : 0;
	}
	return value;
}

void config_family(struct config *c, const char *key, const char *value)
{
	static const char *const words[] = { "ipv4", "ipv6", "any" };
	const char *v = config_field(c, key, value, ASYM_MATCH_FAMILY);
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
			     "into a %s%s%s", key, value, c->mesh ? "rule each" : "set (",
			     c->mesh ? "" : key, c->mesh ? "" : "-set)");
		return;
	}
	v = config_field(c, key, value, match);
	if (v)
		config_prefix(c, key, v, ret);
}

void config_src(struct config *c, const char *key, const char *value)
{
	set_one_prefix(c, key, value, ASYM_MATCH_SRC, &c->rule.src);
}

void config_dst(struct config *c, const char *key, const char *value)
{
	set_one_prefix(c, key, value, ASYM_MATCH_DST, &c->rule.dst);
}

void config_proto(struct config *c, const char *key, const char *value)
{
	const char *v = config_field(c, key, value, ASYM_MATCH_PROTO), *near;
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

void config_dscp(struct config *c, const char *key, const char *value)
{
	const char *v = config_field(c, key, value, ASYM_MATCH_DSCP), *near;
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
	const char *v = config_field(c, key, value, match);
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

void config_sport(struct config *c, const char *key, const char *value)
{
	set_ports(c, key, value, ASYM_MATCH_SPORT, c->rule.sport, &c->rule.sports);
}

void config_dport(struct config *c, const char *key, const char *value)
{
	set_ports(c, key, value, ASYM_MATCH_DPORT, c->rule.dport, &c->rule.dports);
}

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

void config_narrow_rule(struct model_rule *r)
{
	narrow_to_v6(r, &r->src, ASYM_MATCH_SRC);
	narrow_to_v6(r, &r->dst, ASYM_MATCH_DST);
}
