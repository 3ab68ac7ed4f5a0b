// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/ruleset.h"

#include "apply/ruleset_rules.h"
#include "apply/table.h"
#include "core/plan_nft.h"
#include <errno.h>
#include <string.h>

/* Refuses a table that is not ours. */
static int begin(struct nl *nl, enum table_owner *ret, char *error, size_t size)
{
	int r = table_open_told(nl, PLAN_NFT_TABLE, ret, error, size);

	return !r && *ret == TABLE_FOREIGN ? table_refuse(PLAN_NFT_TABLE, error, size) : r;
}

/* What the table has and what it is to have. */
struct content {
	struct nft_list chains, counters;
};

static void content_done(struct content *c)
{
	nft_list_done(&c->chains);
	nft_list_done(&c->counters);
}
#define _cleanup_content_ _cleanup_(content_done)

static int content_present(struct nl *nl, struct content *ret)
{
	int r = nft_chains_list(nl, PLAN_NFT_TABLE, &ret->chains);

	return r ? r : nft_counters_list(nl, PLAN_NFT_TABLE, &ret->counters);
}

static int content_wanted(const struct plan *p, struct content *ret)
{
	int r = ruleset_chain_names(p, &ret->chains);

	return r ? r : ruleset_counter_names(p, &ret->counters);
}

/* Rules go first: they hold the chains and counters they name. */
static void remove_gone(struct nft_batch *b, const struct content *present,
			const struct content *wanted)
{
	nft_rules_flush(b);
	for (size_t i = 0; i < present->chains.n; i++)
		if (!nft_list_find(&wanted->chains, present->chains.items[i].name))
			nft_chain_del(b, present->chains.items[i].name);
	for (size_t i = 0; i < present->counters.n; i++)
		if (!nft_list_find(&wanted->counters, present->counters.items[i].name))
			nft_counter_del(b, present->counters.items[i].name);
}

static void add_missing(struct nft_batch *b, const struct content *present,
			const struct content *wanted)
{
	for (size_t i = 0; i < wanted->counters.n; i++)
		if (!nft_list_find(&present->counters, wanted->counters.items[i].name))
			nft_counter_add(b, wanted->counters.items[i].name);
	for (size_t i = 0; i < wanted->chains.n; i++)
		if (!nft_list_find(&present->chains, wanted->chains.items[i].name))
			ruleset_chain_add(b, wanted->chains.items[i].name);
		else
			ruleset_chain_keep(b, wanted->chains.items[i].name);
}

static int build(struct nft_batch *b, struct nl *nl, const struct plan *p, enum table_owner owner)
{
	_cleanup_content_ struct content present = { 0 }, wanted = { 0 };
	int r = content_wanted(p, &wanted);

	if (!r && owner == TABLE_OURS)
		r = content_present(nl, &present);
	if (r)
		return r;
	if (owner == TABLE_OURS) {
		nft_table_wake(b);
		remove_gone(b, &present, &wanted);
	} else {
		nft_table_add(b, PLAN_NFT_COMMENT);
	}
	add_missing(b, &present, &wanted);
	ruleset_rules_add(b, p);
	return 0;
}

int ruleset_apply(const struct plan *p, bool dry_run, char *error, size_t size)
{
	_cleanup_nl_ struct nl nl = { 0 };
	_cleanup_nft_batch_ struct nft_batch b;
	enum table_owner owner;
	int r;

	nft_batch_init(&b, PLAN_NFT_TABLE);
	r = begin(&nl, &owner, error, size);
	if (r)
		return r;
	r = build(&b, &nl, p, owner);
	if (r) {
		snprintf(error, size, "table inet %s: %s", PLAN_NFT_TABLE, strerror(-r));
		return r;
	}
	return nft_batch_send(&b, &nl, dry_run, error, size);
}

int ruleset_remove(char *error, size_t size)
{
	_cleanup_nl_ struct nl nl = { 0 };
	_cleanup_nft_batch_ struct nft_batch b;
	enum table_owner owner;
	int r;

	nft_batch_init(&b, PLAN_NFT_TABLE);
	r = begin(&nl, &owner, error, size);
	if (r || owner == TABLE_NONE)
		return r;
	nft_table_del(&b);
	return nft_batch_send(&b, &nl, false, error, size);
}

int ruleset_digest(uint64_t *ret)
{
	_cleanup_nl_ struct nl nl = { 0 };
	enum table_owner owner;
	uint64_t digest;
	int r = table_open(&nl, PLAN_NFT_TABLE, &owner);

	if (!r && owner != TABLE_OURS)
		r = -ENOENT;
	r = r ? r : nft_table_digest(&nl, PLAN_NFT_TABLE, &digest);
	if (!r)
		*ret = digest ?: 1;
	return r;
}

static uint64_t count(const struct nft_list *counters, enum plan_nft_chain kind,
		      const struct plan_link *l)
{
	const struct nft_item *item;
	char name[PLAN_NFT_NAME];

	plan_nft_link_name(kind, l, name);
	item = nft_list_find(counters, name);
	return item ? item->packets : 0;
}

int ruleset_counters(const struct plan *p, struct ruleset_count *ret)
{
	_cleanup_nft_list_ struct nft_list counters = { 0 };
	_cleanup_nl_ struct nl nl = { 0 };
	enum table_owner owner;
	int r = table_open(&nl, PLAN_NFT_TABLE, &owner);

	if (!r && owner != TABLE_OURS)
		r = -ENOENT;
	r = r ? r : nft_counters_list(&nl, PLAN_NFT_TABLE, &counters);
	if (r)
		return r;
	for (size_t i = 0; i < p->n_links; i++) {
		ret[i].out = count(&counters, PLAN_NFT_OUT, &p->links[i]);
		ret[i].in = count(&counters, PLAN_NFT_IN, &p->links[i]);
	}
	return 0;
}
