// SPDX-License-Identifier: GPL-2.0-or-later
/* What one rule looks for, of the gateway or of a mesh: fields that contradict each other. */
#include "core/check_int.h"
#include <string.h>

/* tcp, udp, dccp, sctp, udplite carry ports in their first four bytes. */
static bool has_ports(const struct model_rule *r)
{
	static const uint8_t with_ports[] = { 6, 17, 33, 132, 136 };
	uint32_t left[8], any = 0;

	if (!(r->match & ASYM_MATCH_PROTO) || r->negate & ASYM_MATCH_PROTO)
		return false;
	memcpy(left, r->proto, sizeof(left));
	for (size_t i = 0; i < ARRAY_SIZE(with_ports); i++)
		left[with_ports[i] / 32] &= ~(1u << with_ports[i] % 32);
	for (size_t i = 0; i < ARRAY_SIZE(left); i++)
		any |= left[i];
	return !any;
}

static void check_ports(struct findings *f, const struct model_rule *r, const char *key,
			enum asym_match match, const struct asym_ports *ports, size_t n)
{
	if (!(r->match & match))
		return;
	if (!has_ports(r))
		check_error(f, &r->place, "%s: rule \"%s\" may meet a protocol without ports, "
			    "expected proto = tcp, udp, udplite, sctp or dccp", key, r->name);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (!memcmp(&ports[i], &ports[j], sizeof(*ports)))
				check_warn(f, &r->place, "%s: \"%u-%u\" is given twice in rule "
					   "\"%s\"", key, ports[i].lo, ports[i].hi, r->name);
}

/* 1 for IPv4, 2 for IPv6, both bits when the field leaves it open. */
static int family_bits(const struct model_rule *r)
{
	int bits = r->family == ASYM_V4 ? 1 : 2;

	if (!(r->match & ASYM_MATCH_FAMILY))
		return 3;
	return r->negate & ASYM_MATCH_FAMILY ? 3 - bits : bits;
}

static int prefix_bits(const struct model_rule *r, const struct prefix *p, enum asym_match match)
{
	if (!(r->match & match) || r->negate & match)
		return 3;
	return addr_is_v4(&p->addr) ? 1 : 2;
}

static void check_family(struct findings *f, const struct model_rule *r)
{
	int family = family_bits(r), src = prefix_bits(r, &r->src, ASYM_MATCH_SRC),
	    dst = prefix_bits(r, &r->dst, ASYM_MATCH_DST);

	if (!(src & dst))
		check_error(f, &r->place, "src: is of another family than dst in rule \"%s\", "
			    "expected the same", r->name);
	else if (!(family & src & dst))
		check_error(f, &r->place, "family: contradicts %s in rule \"%s\", expected the "
			    "same", family & src ? "dst" : "src", r->name);
}

int check_families(const struct model_rule *r)
{
	return family_bits(r) & prefix_bits(r, &r->src, ASYM_MATCH_SRC) &
	       prefix_bits(r, &r->dst, ASYM_MATCH_DST);
}

void check_match(const struct model_rule *r, struct findings *f)
{
	check_ports(f, r, "sport", ASYM_MATCH_SPORT, r->sport, r->sports);
	check_ports(f, r, "dport", ASYM_MATCH_DPORT, r->dport, r->dports);
	check_family(f, r);
}
