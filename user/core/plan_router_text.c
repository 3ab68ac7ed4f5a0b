// SPDX-License-Identifier: GPL-2.0-or-later
/* As nft -s list table prints it; apply/router_rules.c writes the same. */
#include "base/str.h"
#include "core/plan_nft_set.h"
#include "core/plan_router.h"

static void chain_begin(struct str *out, const char *name)
{
	str_add(out, "\n\tchain %s {\n", name);
}

static void output(const struct plan *p, struct str *out)
{
	chain_begin(out, PLAN_ROUTER_OUTPUT);
	str_add(out, "\t\ttype route hook output priority mangle + 1; policy accept;\n\t\tct state new ");
	plan_nft_masked_test(out, "meta mark", p->config.mark_mask, true, 0);
	plan_nft_masked_test(out, "ct mark", p->config.mark_mask, true, 0);
	str_add(out, "goto " PLAN_ROUTER_CHAIN "\n\t}\n");
}

static void family(const struct plan *p, enum asym_family f, struct str *out)
{
	static const char *const scopes[ASYM_FAMILIES] = {
		[ASYM_V4] = "ip daddr != 169.254.0.0/16 ip daddr < 224.0.0.0",
		[ASYM_V6] = "ip6 daddr != fe80::/10 ip6 daddr < ff00::",
	};

	if (!p->router.family[f].device[0])
		return;
	str_add(out, "\t\toifname \"%s\" %s goto %s\n", p->router.family[f].device, scopes[f],
		plan_router_families[f]);
}

static void router(const struct plan *p, bool programs, struct str *out)
{
	chain_begin(out, PLAN_ROUTER_CHAIN);
	if (programs)
		str_add(out, "\t\tmeta l4proto tcp meta skuid >= 0 return\n"
			     "\t\tmeta l4proto udp meta skuid >= 0 return\n");
	str_add(out, "\t\tmeta l4proto != tcp meta l4proto != udp socket wildcard 0 return\n"
		     "\t\tudp dport 67 return\n\t\tudp dport 547 return\n");
	str_add(out, "\t\tmeta skuid >= 0 goto " PLAN_ROUTER_CHOICE "\n");
	if (!p->router.sockets_only)
		str_add(out, "\t\tmeta mark 0x00000000 goto " PLAN_ROUTER_CHOICE "\n");
	str_add(out, "\t}\n");
	chain_begin(out, PLAN_ROUTER_CHOICE);
	for (int f = 0; f < ASYM_FAMILIES; f++)
		family(p, f, out);
	str_add(out, "\t}\n");
}

static void asym(const struct plan *p, enum asym_family f, struct str *out)
{
	const struct asym_rule *rule = &p->bpf_rules[p->router.family[f].rule];

	str_add(out, "\t\tmeta mark set asym policy %u", rule->policy);
	if (rule->sticky_s)
		str_add(out, " sticky %us key %s id 0x%08x", rule->sticky_s,
			model_key_names[rule->sticky_key], rule->sticky_id);
	str_add(out, "\n");
}

static void ranges(const struct plan *p, enum asym_family f, struct str *out)
{
	struct plan_router_range r[PLAN_ROUTER_RANGES + 1];
	size_t n = plan_router_ranges(p, f, r);
	char chain[PLAN_ROUTER_NAME];

	r[n].from = ASYM_BUCKETS;
	str_add(out, "{ ");
	for (size_t i = 0; i < n; i++) {
		plan_router_mark_name(p, r[i].id, chain);
		str_add(out, "%s%u", i ? ", " : "", r[i].from);
		if (r[i + 1].from - r[i].from > 1)
			str_add(out, "-%u", r[i + 1].from - 1);
		str_add(out, " : goto %s", chain);
	}
	str_add(out, " }\n");
}

static void hash(const struct plan *p, enum asym_family f, struct str *out)
{
	const char *ip = f == ASYM_V4 ? "ip" : "ip6";
	enum asym_key key = plan_router_key(p, f);

	str_add(out, "\t\tjhash %s saddr", ip);
	if (key != ASYM_KEY_SRC)
		str_add(out, " . %s daddr", ip);
	if (key == ASYM_KEY_FLOW)
		str_add(out, " . @th,0,32");
	str_add(out, " mod %u seed 0x%x vmap ", ASYM_BUCKETS, p->config.seed);
	ranges(p, f, out);
}

static void choice(const struct plan *p, enum plan_router_kind kind, enum asym_family f, struct str *out)
{
	if (!p->router.family[f].device[0])
		return;
	chain_begin(out, plan_router_families[f]);
	if (kind == PLAN_ROUTER_MODULE)
		asym(p, f, out);
	else
		hash(p, f, out);
	str_add(out, "\t}\n");
}

static void mark(const struct plan *p, uint8_t id, struct str *out)
{
	char chain[PLAN_ROUTER_NAME];

	plan_router_mark_name(p, id, chain);
	chain_begin(out, chain);
	str_add(out, "\t\t");
	plan_nft_mark_set(out, "meta mark", p->config.mark_mask, plan_mark(p, id));
	str_add(out, "\n\t}\n");
}

void plan_router_text(const struct plan *p, enum plan_router_kind kind, bool programs, struct str *out)
{
	uint8_t ids[PLAN_ROUTER_RANGES];
	size_t n;

	if (kind == PLAN_ROUTER_NONE)
		return;
	n = kind == PLAN_ROUTER_HASH ? plan_router_marks(p, ids) : 0;
	str_add(out, "table inet " PLAN_ROUTER_TABLE " {\n\tcomment \"" PLAN_NFT_COMMENT "\"");
	for (size_t i = 0; i < n; i++)
		mark(p, ids[i], out);
	output(p, out);
	router(p, programs, out);
	for (int f = 0; f < ASYM_FAMILIES; f++)
		choice(p, kind, f, out);
	str_add(out, "}\n");
}
