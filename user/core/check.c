// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/check.h"
#include "base/str.h"
#include "core/check_int.h"
#include "core/name.h"
#include <string.h>

/* -------- numbers */

bool check_mark_mask(uint32_t mask)
{
	unsigned int bits = __builtin_popcount(mask);
	uint32_t top = mask ? mask >> __builtin_ctz(mask) : 0;

	return !(top & (top + 1)) && bits >= 3 && bits <= 8;
}

/* 252..255 are the kernel's: compat, default, main, local (linux/rtnetlink.h). */
bool check_table_base(uint32_t base)
{
	uint32_t first = base + 1, last = base + ASYM_MAX_LINKS;

	return base <= UINT32_MAX - ASYM_MAX_LINKS && (first > 255 || last < 252);
}

static void check_mask(const struct model *m, struct findings *f)
{
	uint32_t top = m->mark_mask ? m->mark_mask >> __builtin_ctz(m->mark_mask) : 0;

	if (!check_mark_mask(m->mark_mask))
		finding_add(f, FINDING_ERROR, NULL, 0,
			    "mark-mask: \"0x%x\" does not fit, expected " CHECK_MARK_MASK_TEXT,
			    m->mark_mask);
	else if (m->n_links + PLAN_RESERVED_MAX > top)
		finding_add(f, FINDING_ERROR, NULL, 0,
			    "mark-mask: \"0x%x\" has %u values, %d of them reserved, expected room "
			    "for %zu links", m->mark_mask, top, PLAN_RESERVED_MAX, m->n_links);
}

static void check_ranges(const struct model *m, struct findings *f)
{
	if (!check_table_base(m->table_base))
		finding_add(f, FINDING_ERROR, NULL, 0,
			    "table-base: \"%u\" takes in a reserved table, expected "
			    CHECK_TABLE_BASE_TEXT, m->table_base);
	if (!m->priority_base || m->priority_base > CHECK_MAX_PRIORITY_BASE)
		finding_add(f, FINDING_ERROR, NULL, 0,
			    "priority-base: \"%u\" leaves no room for %d rules before the main "
			    "table, expected 1 to %d", m->priority_base, PLAN_PRIORITIES,
			    CHECK_MAX_PRIORITY_BASE);
	if (m->sticky_entries < 1024 || m->sticky_entries > ASYM_MAX_STICKY)
		finding_add(f, FINDING_ERROR, NULL, 0,
			    "sticky-entries: \"%u\" is out of range, expected 1024 to %d",
			    m->sticky_entries, ASYM_MAX_STICKY);
	if (m->flow_pairs && (m->flow_pairs < MODEL_MIN_PAIRS || m->flow_pairs > MODEL_MAX_PAIRS))
		finding_add(f, FINDING_ERROR, NULL, 0,
			    "flow-pairs: \"%u\" is out of range, expected %d to %d", m->flow_pairs,
			    MODEL_MIN_PAIRS, MODEL_MAX_PAIRS);
	if (m->revalidate_s < 1 || m->revalidate_s > MODEL_MAX_REVALIDATE_S)
		finding_add(f, FINDING_ERROR, NULL, 0,
			    "revalidate: \"%us\" is out of range, expected 1s to %ds",
			    m->revalidate_s, MODEL_MAX_REVALIDATE_S);
}

static void check_limit(struct findings *f, const char *what, size_t n, size_t max)
{
	if (n > max)
		finding_add(f, FINDING_ERROR, NULL, 0, "%s: %zu of them, expected at most %zu",
			    what, n, max);
}

static void check_limits(const struct model *m, struct findings *f)
{
	check_limit(f, "link", m->n_links, ASYM_MAX_LINKS);
	check_limit(f, "policy", m->n_policies, ASYM_MAX_POLICIES);
	check_limit(f, "rule", m->n_rules, ASYM_MAX_RULES);
	check_limit(f, "set", m->n_sets, ASYM_MAX_SETS);
	check_limit(f, "lan", m->n_lans, MODEL_MAX_LANS);
}

/* -------- names: arrays of any struct that starts with its name */

struct named {
	const char *noun;
	const char *items;
	size_t n, size, place;
};

static const struct place *place_of(const struct named *a, size_t i)
{
	return (const struct place *)(a->items + i * a->size + a->place);
}

static void check_names(const struct named *a, struct findings *f)
{
	for (size_t i = 0; i < a->n; i++) {
		const char *name = a->items + i * a->size;

		if (!name_is_valid(name))
			check_error(f, place_of(a, i), "%s: \"%s\" is no name, expected a letter "
				    "or digit, then letters, digits, \"_\", \".\" and \"-\"", a->noun,
				    name);
		for (size_t j = 0; j < i; j++) {
			if (strcmp(name, a->items + j * a->size))
				continue;
			check_error(f, place_of(a, i), "%s: name \"%s\" is taken by %s:%d, "
				    "expected another", a->noun, name, check_file(place_of(a, j)),
				    place_of(a, j)->line);
			break;
		}
	}
}

#define NAMED(noun, array, count)                                                                  \
	{                                                                                          \
		noun, (const char *)(array), count, sizeof(*(array)),                              \
			__builtin_offsetof(__typeof__(*(array)), place)                            \
	}

static void check_all_names(const struct model *m, struct findings *f)
{
	const struct named all[] = {
		NAMED("link", m->links, m->n_links),
		NAMED("policy", m->policies, m->n_policies),
		NAMED("set", m->sets, m->n_sets),
		NAMED("rule", m->rules, m->n_rules),
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		check_names(&all[i], f);
}

/* -------- links and sets */

static bool is_lan(const struct model *m, const char *device)
{
	for (size_t i = 0; i < m->n_lans; i++)
		if (!strcmp(m->lans[i], device))
			return true;
	return false;
}

static void check_device(const struct model *m, size_t i, struct findings *f)
{
	const struct model_link *l = &m->links[i];

	if (!name_is_device(l->device))
		check_error(f, &l->place, "device: \"%s\" is no name of a device", l->device);
	if (is_lan(m, l->device))
		check_error(f, &l->place, "device: \"%s\" of link \"%s\" is a LAN too, expected "
			    "one of both", l->device, l->name);
	for (size_t j = 0; j < i; j++)
		if (!strcmp(l->device, m->links[j].device))
			check_error(f, &l->place, "device: \"%s\" of link \"%s\" is that of link "
				    "\"%s\" too, expected one link for a device", l->device,
				    l->name, m->links[j].name);
}

static void check_link_addrs(const struct model_link *l, struct findings *f)
{
	for (int i = 0; i < ASYM_FAMILIES; i++) {
		const struct in6_addr *gw = &l->gateway[i], *snat = &l->snat[i];
		const char *six = i == ASYM_V6 ? "6" : "";

		if (!addr_is_zero(gw) && addr_is_v4(gw) != (i == ASYM_V4))
			check_error(f, &l->place, "gateway%s: is of the other family, expected "
				    "IPv%d", six, i == ASYM_V4 ? 4 : 6);
		if (l->nat[i] == NAT_SNAT &&
		    (addr_is_zero(snat) || addr_is_v4(snat) != (i == ASYM_V4)))
			check_error(f, &l->place, "nat%s: is of the other family, expected IPv%d",
				    six, i == ASYM_V4 ? 4 : 6);
	}
}

static void check_stateless(const struct model_link *l, struct findings *f)
{
	if (l->fastpath == ASYM_FASTPATH_STATELESS && check_link_nat(l, CHECK_BOTH_FAMILIES))
		check_error(f, &l->place, "fastpath: stateless, but link \"%s\" translates "
			    "addresses, expected nat = none and nat6 = none", l->name);
}

static void check_links(const struct model *m, struct findings *f)
{
	if (!m->n_links)
		finding_add(f, FINDING_ERROR, NULL, 0, "link: there is none, expected at least one "
			    "(link NAME { ... } in the file, or --iface)");
	for (size_t i = 0; i < m->n_links; i++) {
		const struct model_link *l = &m->links[i];

		check_device(m, i, f);
		check_link_addrs(l, f);
		check_stateless(l, f);
		if (l->weight < 1 || l->weight > MODEL_MAX_WEIGHT)
			check_error(f, &l->place, "weight: \"%u\" is out of range, expected 1 to "
				    "%d", l->weight, MODEL_MAX_WEIGHT);
		if (*l->reply && !model_link_find(m, l->reply))
			check_unknown_link(m, f, &l->place, "reply", l->reply);
	}
}

static void check_sets(const struct model *m, struct findings *f)
{
	for (size_t i = 0; i < m->n_sets; i++) {
		const struct model_set *s = &m->sets[i];

		if (!s->n)
			check_error(f, &s->place, "set: \"%s\" is empty, expected at least one "
				    "prefix", s->name);
		else if (s->n > ASYM_MAX_PREFIXES)
			check_error(f, &s->place, "set: \"%s\" has %zu prefixes, expected at most "
				    "%d", s->name, s->n, ASYM_MAX_PREFIXES);
	}
}

void check_model(const struct model *m, struct findings *f)
{
	check_mask(m, f);
	check_ranges(m, f);
	check_limits(m, f);
	check_all_names(m, f);
	check_links(m, f);
	check_probes(m, f);
	check_sets(m, f);
	check_policies(m, f);
	check_rules(m, f);
	check_shadows(m, f);
	check_unused(m, f);
}
