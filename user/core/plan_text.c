// SPDX-License-Identifier: GPL-2.0-or-later
/* A plan as text, in the words of ip(8), nft(8) and the configuration file. */
#include "base/str.h"
#include "core/buckets.h"
#include "core/host_text.h"
#include "core/plan_parts.h"
#include "core/plan_router.h"
#include <string.h>

static const char *device_name(const struct plan *p, uint32_t ifindex)
{
	for (size_t i = 0; i < p->n_links; i++)
		if (p->links[i].ifindex == ifindex)
			return p->links[i].conf->device;
	return "?";
}

static void text_device(bool nbma, bool ingress_filters, struct str *out)
{
	if (nbma)
		str_add(out, " nbma");
	if (ingress_filters)
		str_add(out, " ingress-filters");
}

/* Ends a line. */
static void text_fastpath(enum asym_fastpath fastpath, struct str *out)
{
	if (fastpath != ASYM_FASTPATH_ON)
		str_add(out, " fastpath %s", model_fastpath_names[fastpath]);
	str_add(out, "\n");
}

static void text_cache(const struct model *m, struct str *out)
{
	if (!m->fastpath)
		str_add(out, "fastpath no\n");
	else if (m->flow_pairs)
		str_add(out, "fastpath yes flow-pairs %u revalidate %us\n", m->flow_pairs,
			m->revalidate_s);
	else
		str_add(out, "fastpath yes revalidate %us\n", m->revalidate_s);
}

static void text_links(const struct plan *p, struct str *out)
{
	char addr[ADDR_STRLEN], gateway[ADDR_STRLEN];

	for (size_t i = 0; i < p->n_links; i++) {
		const struct plan_link *l = &p->links[i];

		str_add(out, "link %s id %u dev %s mark 0x%x table %u reply %u", l->conf->name,
			l->id, l->conf->device, l->mark, l->table, l->reply);
		text_device(l->nbma, l->ingress_filters, out);
		text_fastpath(l->conf->fastpath, out);
		for (int f = 0; f < ASYM_FAMILIES; f++)
			str_add(out, "\tipv%d %s addr %s gateway %s\n", f == ASYM_V4 ? 4 : 6,
				plan_down_names[l->down[f]],
				addr_is_zero(&l->addr[f]) ? "-" : addr_str(&l->addr[f], addr),
				addr_is_zero(&l->gateway[f]) ? "-"
							     : addr_str(&l->gateway[f], gateway));
	}
	for (size_t i = 0; i < p->n_gone; i++)
		str_add(out, "gone %s id %u\n", p->gone[i].name, p->gone[i].id);
}

static void text_lans(const struct plan *p, struct str *out)
{
	for (size_t i = 0; i < p->n_lans; i++) {
		const struct plan_lan *l = &p->lans[i];

		str_add(out, "lan %s%s", l->device, l->ifindex ? "" : " no-device");
		text_device(l->nbma, l->ingress_filters, out);
		str_add(out, "\n");
	}
}

static void text_rules(const struct plan *p, struct str *out)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		rule_text(out, &p->rules[i]);
		str_add(out, "\n");
	}
}

static void text_routes(const struct plan *p, struct str *out)
{
	for (size_t i = 0; i < p->n_routes; i++) {
		route_text(out, &p->routes[i], device_name(p, p->routes[i].ifindex));
		str_add(out, "\n");
	}
}

static void text_shares(const struct plan *p, const struct asym_buckets *b, struct str *out)
{
	for (size_t i = 0; i < p->n_links; i++) {
		unsigned int n = buckets_count(b, p->links[i].id);

		if (n)
			str_add(out, " %s=%u", p->links[i].conf->name, n);
	}
	if (buckets_count(b, 0))
		str_add(out, " none");
	str_add(out, "\n");
}

static void text_policies(const struct plan *p, struct str *out)
{
	for (size_t i = 0; i < p->model->n_policies; i++) {
		const struct model_policy *conf = &p->model->policies[i];

		str_add(out, "policy %zu %s key %s last-resort %s (id %u)\n", i, conf->name,
			model_key_names[conf->key], model_last_resort_names[conf->last_resort],
			p->policies[i].last_resort);
		for (int f = 0; f < ASYM_FAMILIES; f++) {
			str_add(out, "\tipv%d buckets", f == ASYM_V4 ? 4 : 6);
			text_shares(p, &p->buckets[i][f], out);
		}
	}
}

static void text_bpf_rules(const struct plan *p, struct str *out)
{
	for (size_t i = 0; i < p->model->n_rules; i++) {
		const struct asym_rule *r = &p->bpf_rules[i];

		str_add(out, "match %zu %s fields 0x%x negate 0x%x policy %u", i,
			p->model->rules[i].name, r->match, r->negate, r->policy);
		if (r->sticky_s)
			str_add(out, " sticky %us id 0x%08x key %s", r->sticky_s, r->sticky_id,
				model_key_names[r->sticky_key]);
		text_fastpath(r->fastpath, out);
	}
}

static void text_sysctls(const struct plan *p, bool liberal, struct str *out)
{
	static const char *const when[PLAN_SYSCTL_MAX] = {
		[PLAN_SYSCTL_DIFFERS] = "=",
		[PLAN_SYSCTL_SMALLER] = ">=",
		[PLAN_SYSCTL_STRICT] = "not strict:",
	};

	for (size_t i = 0; i < plan_useful_sysctls(p, liberal); i++)
		str_add(out, "sysctl %s %s %s\n", p->sysctls[i].path, when[p->sysctls[i].when],
			p->sysctls[i].value);
}

static void text_owners(const struct plan *p, struct str *out)
{
	for (size_t i = 0; i < p->n_owners; i++) {
		const struct plan_owner *o = &p->owners[i];
		char buf[ADDR_STRLEN];

		str_add(out, "owner %s %s %02x:%02x:%02x:%02x:%02x:%02x%s\n",
			plan_link_by_id(p, o->link)->conf->name,
			addr_is_zero(&o->addr) ? "-" : addr_str(&o->addr, buf), o->mac[0], o->mac[1],
			o->mac[2], o->mac[3], o->mac[4], o->mac[5], o->shared_mac ? " shared" : "");
	}
}

void plan_text(const struct plan *p, const struct plan_taken *taken, struct str *out)
{
	str_add(out, "mask 0x%x shift %u seed %u\n", p->config.mark_mask, p->config.mark_shift,
		p->config.seed);
	str_add(out, "reserved main %u blackhole %u unreachable %u probe %u\n",
		p->reserved[PLAN_MAIN], p->reserved[PLAN_BLACKHOLE], p->reserved[PLAN_UNREACHABLE],
		p->reserved[PLAN_PROBE]);
	text_cache(p->model, out);
	text_links(p, out);
	text_lans(p, out);
	text_owners(p, out);
	text_policies(p, out);
	text_bpf_rules(p, out);
	text_rules(p, out);
	text_routes(p, out);
	text_sysctls(p, taken->liberal, out);
	plan_nft_text(p, out);
	plan_router_text(p, plan_router_kind(p), taken->programs, out);
}
