// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table as nft -s list table prints it (nft 1.0.6).  apply/ruleset_rules.c writes the same
 * rules; tests/unit/test_ruleset_text.c holds the two together.
 */
#include "core/plan_nft.h"

#include "core/plan_nft_set.h"

static void devices(const struct plan *p, struct str *out)
{
	struct elements set = { 0 };

	for (size_t i = 0; i < p->n_links; i++)
		elements_device(&set, out, &p->links[i], "");
	elements_print_test(&set, out);
}

static void devices_goto(const struct plan *p, enum plan_nft_chain kind, struct str *out)
{
	char chain[PLAN_NFT_NAME], value[PLAN_NFT_NAME + 16];
	struct elements set = { 0 };

	for (size_t i = 0; i < p->n_links; i++) {
		plan_nft_link_name(kind, &p->links[i], chain);
		snprintf(value, sizeof(value), " : goto %s", chain);
		elements_device(&set, out, &p->links[i], value);
	}
	elements_print(&set, out);
}

static void marks_goto(const struct plan *p, struct str *out)
{
	struct elements set = { 0 };
	char chain[PLAN_NFT_NAME];

	for (size_t i = 0; i < p->n_links; i++) {
		plan_nft_link_name(PLAN_NFT_MARK, &p->links[i], chain);
		elements_mark(&set, out, p->links[i].mark, chain);
	}
	for (size_t i = 0; i < p->n_gone; i++) {
		if (!plan_nft_gone_fits(p, &p->gone[i]))
			continue;
		plan_nft_gone_name(&p->gone[i], chain);
		elements_mark(&set, out, plan_mark(p, p->gone[i].id), chain);
	}
	elements_print(&set, out);
}

/* "meta mark & 0x0000ff00", or "meta mark" where no bit is masked. */
static void masked(struct str *out, const char *what, uint32_t mask)
{
	if (mask == UINT32_MAX)
		str_add(out, "%s", what);
	else
		str_add(out, "%s & 0x%08x", what, mask);
}

/* nft writes a comparison under a mask of leading ones as a prefix, and drops "==" before it. */
void plan_nft_masked_test(struct str *out, const char *what, uint32_t mask, bool equal,
			  uint32_t value)
{
	uint32_t len = mask ? 32 - (uint32_t)__builtin_ctz(mask) : 0;

	if (mask == UINT32_MAX)
		str_add(out, "%s %s0x%08x ", what, equal ? "" : "!= ", value);
	else if (!(~mask & (~mask + 1)))
		str_add(out, "%s %s0x%08x/%u ", what, equal ? "" : "!= ", value, len);
	else
		str_add(out, "%s & 0x%08x %s 0x%08x ", what, mask, equal ? "==" : "!=", value);
}

/* What nft makes of "(mark & ~mask) ^ value": it joins the value to the mask. */
void plan_nft_mark_set(struct str *out, const char *what, uint32_t mask, uint32_t value)
{
	str_add(out, "%s set %s & 0x%08x", what, what, ~mask | value);
	if (value)
		str_add(out, " | 0x%08x", value);
}

static void base_begin(struct str *out, const char *name, const char *type, const char *hook,
		       const char *priority)
{
	str_add(out, "\n\tchain %s {\n\t\ttype %s hook %s priority %s; policy accept;\n", name,
		type, hook, priority);
}

static void known_rules(const struct plan *p, struct str *out)
{
	str_add(out, "\t\t");
	plan_nft_masked_test(out, "meta mark", ~p->config.mark_mask, true, 0);
	plan_nft_masked_test(out, "ct mark", p->config.mark_mask, false, 0);
	str_add(out, "meta mark set ");
	masked(out, "ct mark", p->config.mark_mask);
	str_add(out, " return\n\t\t");
	plan_nft_masked_test(out, "ct mark", p->config.mark_mask, false, 0);
	str_add(out, "goto known\n");
}

static void reset(const struct plan *p, struct str *out)
{
	str_add(out, "\n\t\tct state new tcp flags ! syn fib daddr . mark oifname ");
	devices(p, out);
	str_add(out, " reject with tcp reset");
}

static void prerouting(const struct plan *p, struct str *out)
{
	base_begin(out, "prerouting", "filter", "prerouting", "mangle");
	known_rules(p, out);
	str_add(out, "\t\tct state established,related ");
	plan_nft_mark_set(out, "meta mark", p->config.mark_mask, 0);
	str_add(out, " return\n\t\tmeta pkttype host iifname vmap ");
	devices_goto(p, PLAN_NFT_IN, out);
	if (p->model->reset)
		reset(p, out);
	str_add(out, "\n\t}\n");
}

static void output(const struct plan *p, struct str *out)
{
	base_begin(out, "output", "route", "output", "mangle");
	known_rules(p, out);
	str_add(out, "\t}\n");
}

#define CLAMP "tcp option maxseg size set"

static void clamp_family(const struct plan *p, enum asym_family f, struct str *out)
{
	struct elements set = { 0 };
	char value[16];

	for (size_t i = 0; i < p->n_links; i++) {
		if (!plan_nft_mss(&p->links[i], f))
			continue;
		snprintf(value, sizeof(value), " : %u", plan_nft_mss(&p->links[i], f));
		elements_device(&set, out, &p->links[i], value);
	}
	if (!set.n)
		return;
	str_add(out, "\t\tmeta nfproto %s " CLAMP " iifname map ", f == ASYM_V4 ? "ipv4" : "ipv6");
	elements_print(&set, out);
	str_add(out, "\n");
}

static void clamp(const struct plan *p, struct str *out)
{
	str_add(out, "\n\tchain clamp {\n\t\toifname ");
	devices(p, out);
	str_add(out, " " CLAMP " rt mtu\n\t\tiifname ");
	devices(p, out);
	str_add(out, " " CLAMP " rt mtu\n");
	for (int f = 0; f < ASYM_FAMILIES; f++)
		clamp_family(p, f, out);
	str_add(out, "\t}\n");
}

static void postrouting(const struct plan *p, struct str *out)
{
	base_begin(out, "postrouting", "filter", "postrouting", "mangle");
	if (p->model->mss_clamp)
		str_add(out, "\t\ttcp flags syn / syn,rst jump clamp\n");
	str_add(out, "\t\tct state new ");
	plan_nft_masked_test(out, "ct mark", p->config.mark_mask, true, 0);
	plan_nft_masked_test(out, "meta mark", p->config.mark_mask, false,
		    plan_mark(p, p->reserved[PLAN_PROBE]));
	str_add(out, "oifname vmap ");
	devices_goto(p, PLAN_NFT_OUT, out);
	str_add(out, "\n\t}\n");
}

static void masquerade(const struct plan *p, enum asym_family f, struct str *out)
{
	struct elements set = { 0 };

	if (!plan_nft_has_nat(p, f, NAT_MASQUERADE))
		return;
	for (size_t i = 0; i < p->n_links; i++)
		if (p->links[i].conf->nat[f] == NAT_MASQUERADE)
			elements_device(&set, out, &p->links[i], "");
	str_add(out, "\t\tmeta nfproto %s oifname ", f == ASYM_V4 ? "ipv4" : "ipv6");
	elements_print_test(&set, out);
	str_add(out, " masquerade\n");
}

static void snat(const struct model_link *l, enum asym_family f, struct str *out)
{
	char to[ADDR_STRLEN];

	addr_str(&l->snat[f], to);
	if (f == ASYM_V4)
		str_add(out, "\t\tmeta nfproto ipv4 oifname \"%s\" snat ip to %s\n", l->device, to);
	else
		str_add(out, "\t\tip6 saddr != fe80::/10 oifname \"%s\" snat ip6 to %s\n",
			l->device, to);
}

static void nat(const struct plan *p, struct str *out)
{
	base_begin(out, "nat", "nat", "postrouting", "srcnat");
	for (int f = 0; f < ASYM_FAMILIES; f++) {
		masquerade(p, f, out);
		for (size_t i = 0; i < p->n_links; i++)
			if (p->links[i].conf->nat[f] == NAT_SNAT)
				snat(p->links[i].conf, f, out);
	}
	str_add(out, "\t}\n");
}

static void known(const struct plan *p, struct str *out)
{
	str_add(out, "\n\tchain known {\n\t\t");
	masked(out, "ct mark", p->config.mark_mask);
	str_add(out, " vmap ");
	marks_goto(p, out);
	str_add(out, "\n\t\t");
	plan_nft_mark_set(out, "meta mark", p->config.mark_mask, 0);
	str_add(out, "\n\t}\n");
}

static void mark_chain(const struct plan *p, const char *name, uint32_t mark, struct str *out)
{
	str_add(out, "\n\tchain %s {\n\t\t", name);
	plan_nft_mark_set(out, "meta mark", p->config.mark_mask, mark);
	str_add(out, "\n\t}\n");
}

static void count_chain(const struct plan *p, const char *name, uint32_t mark, struct str *out)
{
	str_add(out, "\n\tchain %s {\n\t\t", name);
	plan_nft_mark_set(out, "ct mark", p->config.mark_mask, mark);
	str_add(out, " counter name \"%s\"\n\t}\n", name);
}

static void link_chains(const struct plan *p, const struct plan_link *l, struct str *out)
{
	char name[PLAN_NFT_NAME];

	plan_nft_link_name(PLAN_NFT_MARK, l, name);
	mark_chain(p, name, l->mark, out);
	plan_nft_link_name(PLAN_NFT_IN, l, name);
	count_chain(p, name, plan_mark(p, l->reply), out);
	plan_nft_link_name(PLAN_NFT_OUT, l, name);
	count_chain(p, name, l->mark, out);
}

static void gone_chain(const struct plan *p, const struct plan_id *id, struct str *out)
{
	char name[PLAN_NFT_NAME];

	if (!plan_nft_gone_fits(p, id))
		return;
	plan_nft_gone_name(id, name);
	mark_chain(p, name, plan_mark(p, id->id), out);
}

static void counters(const struct plan *p, struct str *out)
{
	char name[PLAN_NFT_NAME];

	for (size_t i = 0; i < p->n_links; i++) {
		plan_nft_link_name(PLAN_NFT_OUT, &p->links[i], name);
		str_add(out, "%s\tcounter %s {\n\t}\n", i ? "\n" : "", name);
		plan_nft_link_name(PLAN_NFT_IN, &p->links[i], name);
		str_add(out, "\n\tcounter %s {\n\t}\n", name);
	}
}

void plan_nft_text(const struct plan *p, struct str *out)
{
	str_add(out, "table inet %s {\n\tcomment \"%s\"\n", PLAN_NFT_TABLE, PLAN_NFT_COMMENT);
	counters(p, out);
	if (plan_nft_has_bootp(p))
		plan_nft_bootp(out);
	prerouting(p, out);
	output(p, out);
	postrouting(p, out);
	if (plan_nft_any_nat(p))
		nat(p, out);
	if (p->model->mss_clamp)
		clamp(p, out);
	if (plan_nft_has_bootp(p))
		plan_nft_strays(p, out);
	known(p, out);
	for (size_t i = 0; i < p->n_links; i++)
		link_chains(p, &p->links[i], out);
	for (size_t i = 0; i < p->n_gone; i++)
		gone_chain(p, &p->gone[i], out);
	str_add(out, "}\n");
}
