// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/str.h"
#include "core/config.h"
#include "core/config_print.h"
#include "core/match.h"
#include <errno.h>

static const char *yes_no(bool b)
{
	return b ? "yes" : "no";
}

/* Any text: a quote or a backslash has a backslash before it. */
static void print_quoted(struct str *out, const char *key, const char *text)
{
	str_add(out, "%s = \"", key);
	for (; *text; text++)
		str_add(out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
	str_add(out, "\"\n");
}

static void print_globals(const struct model *m, struct str *out)
{
	str_add(out, "mark-mask = 0x%x\n", m->mark_mask);
	str_add(out, "table-base = %u\n", m->table_base);
	str_add(out, "priority-base = %u\n", m->priority_base);
	str_add(out, "seed = %u\n", m->seed);
	str_add(out, "sticky-entries = %u\n", m->sticky_entries);
	str_add(out, "mss-clamp = %s\n", yes_no(m->mss_clamp));
	str_add(out, "forwarding = %s\n", yes_no(m->forwarding));
	str_add(out, "host-traffic = %s\n", yes_no(m->host_traffic));
	str_add(out, "host-raw = %s\n", yes_no(m->host_raw));
	str_add(out, "fastpath = %s\n", yes_no(m->fastpath));
	if (m->flow_pairs)
		str_add(out, "flow-pairs = %u\n", m->flow_pairs);
	str_add(out, "revalidate = %us\n", m->revalidate_s);
	str_add(out, "reset = %s\n", yes_no(m->reset));
	str_add(out, "dhcp = %s\n", model_dhcp_names[m->dhcp]);
	str_add(out, "dhcp-watchdog = %s\n", yes_no(m->dhcp_watchdog));
}

static void print_daemon(const struct model *m, struct str *out)
{
	char buf[ADDR_STRLEN];
	bool v4 = addr_is_v4(&m->metrics);

	if (m->hook)
		print_quoted(out, "hook", m->hook);
	str_add(out, "hook-timeout = %ums\n", m->hook_timeout_ms);
	if (m->metrics_port)
		str_add(out, "metrics = \"%s%s%s:%u\"\n", v4 ? "" : "[", addr_str(&m->metrics, buf),
			v4 ? "" : "]", m->metrics_port);
}

static void print_lans(const struct model *m, struct str *out)
{
	if (!m->n_lans)
		return;
	str_add(out, "\nlan {\n\tdevices = {");
	for (size_t i = 0; i < m->n_lans; i++)
		str_add(out, "%s\"%s\"", i ? ", " : "", m->lans[i]);
	str_add(out, "}\n}\n");
}

static void print_addr(struct str *out, const char *key, const struct in6_addr *a)
{
	char buf[ADDR_STRLEN];

	if (!addr_is_zero(a))
		str_add(out, "\t%s = \"%s\"\n", key, addr_str(a, buf));
}

static void print_nat(struct str *out, const char *key, const struct model_link *l,
		      enum asym_family f)
{
	if (l->nat[f] == NAT_SNAT)
		print_addr(out, key, &l->snat[f]);
	else
		str_add(out, "\t%s = %s\n", key, model_nat_names[l->nat[f]]);
}

static void print_fastpath(enum asym_fastpath fastpath, struct str *out)
{
	if (fastpath != ASYM_FASTPATH_ON)
		str_add(out, "\tfastpath = %s\n", model_fastpath_names[fastpath]);
}

static void print_link(const struct model_link *l, struct str *out)
{
	str_add(out, "\nlink \"%s\" {\n\tdevice = \"%s\"\n\tweight = %u\n", l->name, l->device,
		l->weight);
	print_nat(out, "nat", l, ASYM_V4);
	print_nat(out, "nat6", l, ASYM_V6);
	print_addr(out, "gateway", &l->gateway[ASYM_V4]);
	print_addr(out, "gateway6", &l->gateway[ASYM_V6]);
	if (*l->reply)
		str_add(out, "\treply = \"%s\"\n", l->reply);
	print_fastpath(l->fastpath, out);
	config_print_probe(&l->probe, "\t", out);
	str_add(out, "}\n");
}

static void print_set(const struct model_set *s, struct str *out)
{
	char buf[ADDR_STRLEN];

	str_add(out, "\nset \"%s\" {\n", s->name);
	for (size_t i = 0; i < s->n; i++)
		str_add(out, "%s\"%s\"", i ? ",\n\t\t" : "\tprefixes = {\n\t\t",
			prefix_str(&s->prefixes[i], buf));
	str_add(out, "%s}\n", s->n ? "\n\t}\n" : "");
}

static void print_tier(const struct model_tier *t, struct str *out)
{
	str_add(out, "\ttier {");
	for (size_t i = 0; i < t->n; i++) {
		str_add(out, "%s\"%s", i ? ", " : " links = {", t->members[i].link);
		if (t->members[i].weight)
			str_add(out, ":%u", t->members[i].weight);
		str_add(out, "\"");
	}
	str_add(out, "%s}\n", t->n ? "} " : "");
}

static void print_policy(const struct model_policy *p, struct str *out)
{
	str_add(out, "\npolicy \"%s\" {\n", p->name);
	for (size_t i = 0; i < p->n; i++)
		print_tier(&p->tiers[i], out);
	str_add(out, "\tlast-resort = %s\n\tkey = \"%s\"\n",
		model_last_resort_names[p->last_resort], model_key_names[p->key]);
	if (p->failback == FAILBACK_DRAIN)
		str_add(out, "\tfailback = %us\n}\n", p->drain_s);
	else
		str_add(out, "\tfailback = %s\n}\n", model_failback_names[p->failback]);
}

static void print_rule(const struct model_rule *r, struct str *out)
{
	str_add(out, "\nrule \"%s\" {\n", r->name);
	match_print(r, out);
	if (*r->policy)
		str_add(out, "\tpolicy = \"%s\"\n", r->policy);
	if (r->sticky_s)
		str_add(out, "\tsticky = %us\n\tsticky-key = \"%s\"\n", r->sticky_s,
			model_key_names[r->sticky_key]);
	print_fastpath(r->fastpath, out);
	str_add(out, "}\n");
}

int config_print(const struct model *m, struct str *out)
{
	print_globals(m, out);
	print_daemon(m, out);
	config_print_probe(&m->probe, "", out);
	print_lans(m, out);
	for (size_t i = 0; i < m->n_links; i++)
		print_link(&m->links[i], out);
	for (size_t i = 0; i < m->n_sets; i++)
		print_set(&m->sets[i], out);
	for (size_t i = 0; i < m->n_policies; i++)
		print_policy(&m->policies[i], out);
	for (size_t i = 0; i < m->n_rules; i++)
		print_rule(&m->rules[i], out);
	return out->err;
}
