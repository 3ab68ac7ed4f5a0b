// SPDX-License-Identifier: GPL-2.0-or-later
/* What refers to what: names that are not defined, and things that nothing uses. */
#include "base/str.h"
#include "core/check_int.h"
#include <string.h>

static void add(struct findings *f, enum finding_level level, const struct place *p,
		const char *fmt, va_list ap)
{
	finding_addv(f, level, p ? p->file : NULL, p ? p->line : 0, fmt, ap);
}

void check_error(struct findings *f, const struct place *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(f, FINDING_ERROR, p, fmt, ap);
	va_end(ap);
}

void check_warn(struct findings *f, const struct place *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(f, FINDING_WARNING, p, fmt, ap);
	va_end(ap);
}

const char *check_file(const struct place *p)
{
	return p->file ? p->file : "command line";
}

/* Names of an array of structs that start with their name. */
static const char *nearest(const char *name, const void *items, size_t n, size_t size)
{
	_cleanup_free_ const char **names = calloc(n + 1, sizeof(*names));

	for (size_t i = 0; names && i < n; i++)
		names[i] = (const char *)items + i * size;
	return names ? str_nearest(name, names, n) : NULL;
}

static void unknown(struct findings *f, const struct place *p, const char *key, const char *noun,
		    const char *name, const char *near)
{
	check_error(f, p, "%s: there is no %s \"%s\"%s%s%s", key, noun, name,
		    near ? ", did you mean \"" : ", expected the name of one", near ? near : "",
		    near ? "\"?" : "");
}

void check_unknown_link(const struct model *m, struct findings *f, const struct place *p,
			const char *key, const char *name)
{
	unknown(f, p, key, "link", name, nearest(name, m->links, m->n_links, sizeof(*m->links)));
}

/* -------- policies */

/* Tiers are alternatives, so a link in two of them is a slip too. */
static bool is_earlier(const struct model_policy *p, size_t tier, size_t member)
{
	const char *link = p->tiers[tier].members[member].link;

	for (size_t t = 0; t <= tier; t++) {
		size_t n = t == tier ? member : p->tiers[t].n;

		for (size_t i = 0; i < n; i++)
			if (!strcmp(p->tiers[t].members[i].link, link))
				return true;
	}
	return false;
}

static void check_member(const struct model *m, struct findings *f, const struct model_policy *p,
			 size_t tier, size_t i)
{
	const struct model_member *member = &p->tiers[tier].members[i];

	if (!model_link_find(m, member->link))
		check_unknown_link(m, f, &member->place, "links", member->link);
	else if (is_earlier(p, tier, i))
		check_error(f, &member->place, "links: \"%s\" is twice in policy \"%s\", expected "
			    "once", member->link, p->name);
	if (member->weight > MODEL_MAX_WEIGHT)
		check_error(f, &member->place, "links: weight \"%u\" is out of range, expected 1 "
			    "to %d", member->weight, MODEL_MAX_WEIGHT);
}

static void check_tier(const struct model *m, struct findings *f, const struct model_policy *p,
		       size_t tier)
{
	if (!p->tiers[tier].n)
		check_error(f, &p->place, "tier: number %zu of policy \"%s\" is empty, expected "
			    "links = { ... }", tier + 1, p->name);
	for (size_t i = 0; i < p->tiers[tier].n; i++)
		check_member(m, f, p, tier, i);
}

void check_policies(const struct model *m, struct findings *f)
{
	for (size_t i = 0; i < m->n_policies; i++) {
		const struct model_policy *p = &m->policies[i];

		if (!p->n)
			check_error(f, &p->place, "policy: \"%s\" is empty, expected links = { ... "
				    "} or tier { ... }", p->name);
		if (p->n > MODEL_MAX_TIERS)
			check_error(f, &p->place, "tier: %zu of them in policy \"%s\", expected at "
				    "most %d", p->n, p->name, MODEL_MAX_TIERS);
		for (size_t t = 0; t < p->n; t++)
			check_tier(m, f, p, t);
	}
}

/* -------- rules */

static void check_set(const struct model *m, struct findings *f, const struct model_rule *r,
		      const char *key, const char *name, enum asym_match match)
{
	if (r->match & match && !model_set_find(m, name))
		unknown(f, &r->place, key, "set", name,
			nearest(name, m->sets, m->n_sets, sizeof(*m->sets)));
}

bool check_link_nat(const struct model_link *l, int families)
{
	return (families & 1 << ASYM_V4 && l->nat[ASYM_V4] != NAT_NONE) ||
	       (families & 1 << ASYM_V6 && l->nat[ASYM_V6] != NAT_NONE);
}

/* Without conntrack's knowledge nothing is translated: the link must not need it. */
static void check_stateless(const struct model *m, struct findings *f, const struct model_rule *r)
{
	const struct model_policy *p = model_policy_find(m, r->policy);

	for (size_t t = 0; r->fastpath == ASYM_FASTPATH_STATELESS && p && t < p->n; t++)
		for (size_t i = 0; i < p->tiers[t].n; i++) {
			const char *name = p->tiers[t].members[i].link;
			const struct model_link *l = model_link_find(m, name);

			if (l && check_link_nat(l, check_families(r)))
				check_error(f, &r->place, "fastpath: stateless in rule \"%s\", but "
					    "link \"%s\" of its policy translates addresses, "
					    "expected nat = none and nat6 = none there", r->name,
					    name);
		}
}

static void check_rule(const struct model *m, struct findings *f, const struct model_rule *r)
{
	if (!*r->policy)
		check_error(f, &r->place, "policy: rule \"%s\" names none, expected one", r->name);
	else if (!model_policy_find(m, r->policy))
		unknown(f, &r->place, "policy", "policy", r->policy,
			nearest(r->policy, m->policies, m->n_policies, sizeof(*m->policies)));
	check_set(m, f, r, "src-set", r->src_set, ASYM_MATCH_SRC_SET);
	check_set(m, f, r, "dst-set", r->dst_set, ASYM_MATCH_DST_SET);
	check_match(r, f);
	check_stateless(m, f, r);
}

void check_rules(const struct model *m, struct findings *f)
{
	for (size_t i = 0; i < m->n_rules; i++)
		check_rule(m, f, &m->rules[i]);
}

/* -------- what nothing uses */

static bool link_is_used(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_links; i++)
		if (!strcmp(m->links[i].reply, name))
			return true;
	for (size_t i = 0; i < m->n_policies; i++)
		for (size_t t = 0; t < m->policies[i].n; t++)
			for (size_t j = 0; j < m->policies[i].tiers[t].n; j++)
				if (!strcmp(m->policies[i].tiers[t].members[j].link, name))
					return true;
	return false;
}

static bool policy_is_used(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_rules; i++)
		if (!strcmp(m->rules[i].policy, name))
			return true;
	return false;
}

static bool set_is_used(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_rules; i++) {
		const struct model_rule *r = &m->rules[i];

		if (r->match & ASYM_MATCH_SRC_SET && !strcmp(r->src_set, name))
			return true;
		if (r->match & ASYM_MATCH_DST_SET && !strcmp(r->dst_set, name))
			return true;
	}
	return false;
}

void check_unused(const struct model *m, struct findings *f)
{
	for (size_t i = 0; i < m->n_links; i++)
		if (!link_is_used(m, m->links[i].name))
			check_warn(f, &m->links[i].place, "link: \"%s\" is in no policy",
				   m->links[i].name);
	for (size_t i = 0; i < m->n_policies; i++)
		if (!policy_is_used(m, m->policies[i].name))
			check_warn(f, &m->policies[i].place, "policy: \"%s\" is in no rule",
				   m->policies[i].name);
	for (size_t i = 0; i < m->n_sets; i++)
		if (!set_is_used(m, m->sets[i].name))
			check_warn(f, &m->sets[i].place, "set: \"%s\" is in no rule",
				   m->sets[i].name);
}
