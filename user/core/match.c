// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/match.h"
#include "core/name.h"

_Static_assert(MATCH_VALUE > MODEL_NAME, "names of sets and devices are values too");

const struct match_field match_fields[MATCH_FIELDS] = {
	{ ASYM_MATCH_FAMILY, "family", false },	  { ASYM_MATCH_SRC, "src", false },
	{ ASYM_MATCH_DST, "dst", false },	  { ASYM_MATCH_SRC_SET, "src-set", false },
	{ ASYM_MATCH_DST_SET, "dst-set", false }, { ASYM_MATCH_PROTO, "proto", true },
	{ ASYM_MATCH_SPORT, "sport", true },	  { ASYM_MATCH_DPORT, "dport", true },
	{ ASYM_MATCH_DSCP, "dscp", true },	  { ASYM_MATCH_DEVICE, "in", true },
};

static bool give(const char *text, char *ret)
{
	return !str_copy(ret, MATCH_VALUE - 1, text);
}

static bool give_prefix(const struct prefix *p, char *ret)
{
	char buf[ADDR_STRLEN];

	return give(prefix_str(p, buf), ret);
}

static bool give_ports(const struct asym_ports *p, char *ret)
{
	snprintf(ret, MATCH_VALUE - 1, p->hi == p->lo ? "%u" : "%u-%u", p->lo, p->hi);
	return true;
}

static bool give_word(const char *word, uint32_t number, char *ret)
{
	snprintf(ret, MATCH_VALUE - 1, "%u", number);
	return !word || give(word, ret);
}

static bool give_proto(const struct model_rule *r, size_t n, char *ret)
{
	for (uint32_t i = 0; i < 256; i++)
		if (r->proto[i / 32] >> i % 32 & 1 && !n--)
			return give_word(name_protocol(i), i, ret);
	return false;
}

static bool give_dscp(const struct model_rule *r, size_t n, char *ret)
{
	for (uint32_t i = 0; i < 64; i++)
		if (r->dscp >> i & 1 && !n--)
			return give_word(name_dscp(i), i, ret);
	return false;
}

static bool give_value(const struct model_rule *r, enum asym_match match, size_t n, char *ret)
{
	switch (match) {
	case ASYM_MATCH_FAMILY:
		return !n && give(r->family == ASYM_V4 ? "ipv4" : "ipv6", ret);
	case ASYM_MATCH_SRC:
		return !n && give_prefix(&r->src, ret);
	case ASYM_MATCH_DST:
		return !n && give_prefix(&r->dst, ret);
	case ASYM_MATCH_SRC_SET:
		return !n && give(r->src_set, ret);
	case ASYM_MATCH_DST_SET:
		return !n && give(r->dst_set, ret);
	case ASYM_MATCH_PROTO:
		return give_proto(r, n, ret);
	case ASYM_MATCH_SPORT:
		return n < r->sports && give_ports(&r->sport[n], ret);
	case ASYM_MATCH_DPORT:
		return n < r->dports && give_ports(&r->dport[n], ret);
	case ASYM_MATCH_DSCP:
		return give_dscp(r, n, ret);
	case ASYM_MATCH_DEVICE:
		return n < r->devices && give(r->device[n], ret);
	}
	return false;
}

bool match_value(const struct model_rule *r, enum asym_match match, size_t n,
		 char ret[MATCH_VALUE])
{
	bool negated = r->negate & match;
	char value[MATCH_VALUE];

	if (!(r->match & match) || !give_value(r, match, n, value + negated))
		return false;
	value[0] = negated ? '!' : value[0];
	return !str_copy(ret, MATCH_VALUE, value);
}

static void print_field(const struct model_rule *r, const struct match_field *f, struct str *out)
{
	const char *lead = f->list ? "{" : "";
	char value[MATCH_VALUE];

	str_add(out, "\t%s = ", f->key);
	for (size_t n = 0; match_value(r, f->match, n, value); n++) {
		str_add(out, "%s\"%s\"", lead, value);
		lead = ", ";
	}
	str_add(out, "%s\n", f->list ? "}" : "");
}

void match_print(const struct model_rule *r, struct str *out)
{
	for (size_t i = 0; i < MATCH_FIELDS; i++)
		if (r->match & match_fields[i].match)
			print_field(r, &match_fields[i], out);
}
