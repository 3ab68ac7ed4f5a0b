// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules that never match because an earlier one takes all they could.  For each field it asks
 * whether the values that the earlier rule accepts hold those of the later one.  Judged are pairs
 * of rules: that two earlier ones together hold a third is not seen.
 */
#include "core/check_int.h"
#include <string.h>

#define PORT_WORDS (65536 / 64)
#define SET_MAX 1024 /* larger sets are compared by name: a pair costs this squared */

static bool negated(const struct model_rule *r, enum asym_match match)
{
	return r->negate & match;
}

static bool family_covers(const struct model_rule *e, const struct model_rule *l)
{
	int own = e->family == ASYM_V4 ? 1 : 2;

	if (!(e->match & ASYM_MATCH_FAMILY))
		return true;
	if (negated(e, ASYM_MATCH_FAMILY))
		own = 3 - own;
	return !(check_families(l) & ~own);
}

/* -------- addresses: a field is a list of prefixes, of one or of a set's */

struct list {
	const struct prefix *prefixes;
	size_t n;
	const char *set; /* NULL: not a set */
	bool negated;
};

static bool get_list(const struct model *m, const struct model_rule *r, bool src, bool set,
		     struct list *ret)
{
	enum asym_match match = set ? (src ? ASYM_MATCH_SRC_SET : ASYM_MATCH_DST_SET) :
				      (src ? ASYM_MATCH_SRC : ASYM_MATCH_DST);
	const char *name = src ? r->src_set : r->dst_set;
	const struct model_set *s = set ? model_set_find(m, name) : NULL;

	if (!(r->match & match) || (set && !s))
		return false;
	*ret = (struct list){ .prefixes = set ? s->prefixes : src ? &r->src : &r->dst,
			      .n = set ? s->n : 1, .set = set ? name : NULL,
			      .negated = negated(r, match) };
	return true;
}

static bool all_covered(const struct list *outer, const struct list *inner)
{
	for (size_t i = 0; i < inner->n; i++) {
		bool found = false;

		for (size_t o = 0; o < outer->n && !found; o++)
			found = prefix_covers(&outer->prefixes[o], &inner->prefixes[i]);
		if (!found)
			return false;
	}
	return true;
}

static bool disjoint(const struct list *a, const struct list *b)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			if (prefix_overlaps(&a->prefixes[i], &b->prefixes[j]))
				return false;
	return true;
}

static bool list_covers(const struct list *e, const struct list *l)
{
	if (e->set && l->set && !strcmp(e->set, l->set))
		return e->negated == l->negated;
	if (e->n > SET_MAX || l->n > SET_MAX)
		return false;
	if (e->negated && l->negated)
		return all_covered(l, e);
	if (e->negated)
		return disjoint(e, l);
	return !l->negated && all_covered(e, l);
}

/* The later rule accepts what both its prefix and its set accept; either one within will do. */
static bool addr_covers(const struct model *m, const struct model_rule *e,
			const struct model_rule *l, bool src)
{
	for (int set = 0; set < 2; set++) {
		struct list el, ll;
		bool covered = false;

		if (!get_list(m, e, src, set, &el)) {
			if (set && e->match & (src ? ASYM_MATCH_SRC_SET : ASYM_MATCH_DST_SET))
				return false; /* the set is not defined */
			continue;
		}
		for (int s = 0; s < 2; s++)
			covered |= get_list(m, l, src, s, &ll) && list_covers(&el, &ll);
		if (!covered)
			return false;
	}
	return true;
}

/* -------- numbers: as sets of bits */

static bool proto_covers(const struct model_rule *e, const struct model_rule *l)
{
	uint32_t flip_e = negated(e, ASYM_MATCH_PROTO) ? UINT32_MAX : 0;
	uint32_t flip_l = negated(l, ASYM_MATCH_PROTO) ? UINT32_MAX : 0;

	if (!(e->match & ASYM_MATCH_PROTO))
		return true;
	for (size_t i = 0; i < 8; i++) {
		uint32_t want = l->match & ASYM_MATCH_PROTO ? l->proto[i] ^ flip_l : UINT32_MAX;

		if (want & ~(e->proto[i] ^ flip_e))
			return false;
	}
	return true;
}

static bool dscp_covers(const struct model_rule *e, const struct model_rule *l)
{
	uint64_t have = negated(e, ASYM_MATCH_DSCP) ? ~e->dscp : e->dscp;
	uint64_t want = negated(l, ASYM_MATCH_DSCP) ? ~l->dscp : l->dscp;

	if (!(e->match & ASYM_MATCH_DSCP))
		return true;
	if (!(l->match & ASYM_MATCH_DSCP))
		want = UINT64_MAX;
	return !(want & ~have);
}

static void port_bits(const struct model_rule *r, enum asym_match match, uint64_t *bits)
{
	const struct asym_ports *ports = match == ASYM_MATCH_SPORT ? r->sport : r->dport;
	size_t n = match == ASYM_MATCH_SPORT ? r->sports : r->dports;
	bool all = !(r->match & match);

	memset(bits, all ? 0xff : 0, PORT_WORDS * sizeof(*bits));
	if (all)
		return;
	for (size_t i = 0; i < n; i++)
		for (uint32_t p = ports[i].lo; p <= ports[i].hi; p++)
			bits[p / 64] |= 1ull << p % 64;
	for (size_t i = 0; i < PORT_WORDS && negated(r, match); i++)
		bits[i] = ~bits[i];
}

static bool ports_cover(const struct model_rule *e, const struct model_rule *l,
			enum asym_match match)
{
	uint64_t have[PORT_WORDS], want[PORT_WORDS];

	if (!(e->match & match))
		return true;
	port_bits(e, match, have);
	port_bits(l, match, want);
	for (size_t i = 0; i < PORT_WORDS; i++)
		if (want[i] & ~have[i])
			return false;
	return true;
}

/* -------- devices */

static bool has_device(const struct model_rule *r, const char *device)
{
	for (size_t i = 0; i < r->devices; i++)
		if (!strcmp(r->device[i], device))
			return true;
	return false;
}

/* How many devices of a are in b. */
static size_t common(const struct model_rule *a, const struct model_rule *b)
{
	size_t n = 0;

	for (size_t i = 0; i < a->devices; i++)
		n += has_device(b, a->device[i]);
	return n;
}

static bool device_covers(const struct model_rule *e, const struct model_rule *l)
{
	bool en = negated(e, ASYM_MATCH_DEVICE), ln = negated(l, ASYM_MATCH_DEVICE);

	if (!(e->match & ASYM_MATCH_DEVICE))
		return true;
	if (!(l->match & ASYM_MATCH_DEVICE))
		return false;
	if (en && ln)
		return common(e, l) == e->devices;
	if (en)
		return common(l, e) == 0;
	return !ln && common(l, e) == l->devices;
}

bool check_rule_covers(const struct model *m, const struct model_rule *e,
		       const struct model_rule *l)
{
	return family_covers(e, l) && proto_covers(e, l) && dscp_covers(e, l) &&
	       device_covers(e, l) && ports_cover(e, l, ASYM_MATCH_SPORT) &&
	       ports_cover(e, l, ASYM_MATCH_DPORT) && addr_covers(m, e, l, true) &&
	       addr_covers(m, e, l, false);
}

void check_shadows(const struct model *m, struct findings *f)
{
	for (size_t i = 0; i < m->n_rules; i++) {
		const struct model_rule *l = &m->rules[i];

		for (size_t j = 0; j < i; j++) {
			const struct model_rule *e = &m->rules[j];

			if (!check_rule_covers(m, e, l))
				continue;
			check_warn(f, &l->place, "rule: \"%s\" never matches, rule \"%s\" (%s:%d) "
				   "takes all it could", l->name, e->name, check_file(&e->place),
				   e->place.line);
			break;
		}
	}
}
