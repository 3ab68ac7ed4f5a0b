// SPDX-License-Identifier: GPL-2.0-or-later
/* Which chains and counters the table has. */
#include "apply/ruleset_rules.h"
#include "core/plan_nft.h"
#include <errno.h>
#include <string.h>

/* nft's names of priorities: mangle and srcnat (linux/netfilter_ipv4.h, NF_IP_PRI_*). */
enum { PRIORITY_RAW = -300, PRIORITY_MANGLE = -150, PRIORITY_SRCNAT = 100 };

static const struct nft_base bases[] = {
	{ PLAN_NFT_BOOTP, "filter", NF_INET_LOCAL_OUT, PRIORITY_RAW },
	{ "prerouting", "filter", NF_INET_PRE_ROUTING, PRIORITY_MANGLE },
	{ "output", "route", NF_INET_LOCAL_OUT, PRIORITY_MANGLE },
	{ "postrouting", "filter", NF_INET_POST_ROUTING, PRIORITY_MANGLE },
	{ "nat", "nat", NF_INET_POST_ROUTING, PRIORITY_SRCNAT },
};

static int name_add(struct nft_list *list, const char *name)
{
	struct nft_item *item = ARRAY_ADD(list->items, list->n);

	if (!item)
		return -ENOMEM;
	snprintf(item->name, sizeof(item->name), "%s", name);
	return 0;
}

static bool base_wanted(const struct plan *p, const char *name)
{
	if (!strcmp(name, PLAN_NFT_BOOTP))
		return plan_nft_has_bootp(p);
	return strcmp(name, "nat") || plan_nft_any_nat(p);
}

static int link_chain_names(const struct plan_link *l, struct nft_list *ret)
{
	char name[PLAN_NFT_NAME];
	int r = 0;

	for (int kind = 0; !r && kind < PLAN_NFT_CHAIN_MAX; kind++) {
		plan_nft_link_name(kind, l, name);
		r = name_add(ret, name);
	}
	return r;
}

static int gone_chain_name(const struct plan *p, const struct plan_id *id, struct nft_list *ret)
{
	char name[PLAN_NFT_NAME];

	if (!plan_nft_gone_fits(p, id))
		return 0;
	plan_nft_gone_name(id, name);
	return name_add(ret, name);
}

int ruleset_chain_names(const struct plan *p, struct nft_list *ret)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(bases); i++)
		if (base_wanted(p, bases[i].name))
			r = name_add(ret, bases[i].name);
	if (!r && p->model->mss_clamp)
		r = name_add(ret, "clamp");
	if (!r && plan_nft_has_bootp(p))
		r = name_add(ret, PLAN_NFT_STRAYS);
	r = r ? r : name_add(ret, "known");
	for (size_t i = 0; !r && i < p->n_links; i++)
		r = link_chain_names(&p->links[i], ret);
	for (size_t i = 0; !r && i < p->n_gone; i++)
		r = gone_chain_name(p, &p->gone[i], ret);
	return r;
}

int ruleset_counter_names(const struct plan *p, struct nft_list *ret)
{
	char name[PLAN_NFT_NAME];
	int r = 0;

	for (size_t i = 0; !r && i < p->n_links; i++) {
		plan_nft_link_name(PLAN_NFT_OUT, &p->links[i], name);
		r = name_add(ret, name);
		plan_nft_link_name(PLAN_NFT_IN, &p->links[i], name);
		r = r ? r : name_add(ret, name);
	}
	return r;
}

static const struct nft_base *base_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(bases); i++)
		if (!strcmp(bases[i].name, name))
			return &bases[i];
	return NULL;
}

void ruleset_chain_add(struct nft_batch *b, const char *name)
{
	const struct nft_base *base = base_of(name);

	if (base)
		nft_base_add(b, base);
	else
		nft_chain_add(b, name);
}

void ruleset_chain_keep(struct nft_batch *b, const char *name)
{
	if (base_of(name))
		nft_base_accept(b, name);
}
