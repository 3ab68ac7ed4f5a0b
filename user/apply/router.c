// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/router.h"

#include "apply/router_rules.h"
#include "apply/table.h"
#include "base/str.h"
#include "core/plan_nft.h"
#include "kmod/uapi/nft_asym.h"
#include <errno.h>
#include <string.h>

/* A table to be written, for what packets choose by. */
struct writing {
	struct nl nl;
	const struct plan *plan;
	bool programs, dry_run;
	const struct router_stamp *known; /* NULL: none */
	enum table_owner owner;
};

static void writing_done(struct writing *w)
{
	nl_close(&w->nl);
}

/* FNV-1a; 0: no memory for it. */
static uint64_t text_hash(const struct plan *p, enum plan_router_kind kind, bool programs)
{
	_cleanup_(str_done) struct str text = { 0 };
	uint64_t hash = 0xcbf29ce484222325ull;

	plan_router_text(p, kind, programs, &text);
	for (const char *c = text.err ? NULL : text.s; c && *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3ull;
	return text.err ? 0 : hash ?: 1;
}

/* Nothing is kept: the table counts nothing. */
static int write_as(struct writing *w, enum plan_router_kind kind, char *error, size_t size)
{
	_cleanup_nft_batch_ struct nft_batch b = { 0 };

	snprintf(error, size, "%s", "");
	if (kind == PLAN_ROUTER_NONE && w->owner != TABLE_OURS)
		return 0;
	nft_batch_init(&b, PLAN_ROUTER_TABLE);
	if (w->owner == TABLE_OURS)
		nft_table_del(&b);
	if (kind != PLAN_ROUTER_NONE) {
		nft_table_add(&b, PLAN_NFT_COMMENT);
		router_rules_add(&b, w->plan, kind, w->programs);
	}
	return nft_batch_send(&b, &w->nl, w->dry_run, error, size);
}

/* By jhash, or not at all where the kernel has no such expression.  After another error neither, as a table of
 * before may name links and policies that have gone. */
static int write_without_module(struct writing *w, enum plan_router_kind *ret_kind, char *error,
				size_t size)
{
	int r = write_as(w, PLAN_ROUTER_HASH, error, size), none = 0;
	bool lacking = r == -ENOENT || r == -EOPNOTSUPP;
	char ignored[256];

	if (lacking)
		none = r = write_as(w, PLAN_ROUTER_NONE, error, size);
	else if (r)
		none = write_as(w, PLAN_ROUTER_NONE, ignored, sizeof(ignored));
	if (!none)
		*ret_kind = r || lacking ? PLAN_ROUTER_NONE : PLAN_ROUTER_HASH;
	return r;
}

/* Since the last refusal.  Written anew, it would be the reason for the next update, and so on. */
static bool hash_stands(struct writing *w)
{
	uint64_t table;

	return w->known &&
	       w->known->text == text_hash(w->plan, PLAN_ROUTER_HASH, w->programs) &&
	       !nft_table_digest(&w->nl, PLAN_ROUTER_TABLE, &table) && table == w->known->table;
}

/* The refusal is told, but the router's packets are balanced. */
static void write_instead(struct writing *w, enum plan_router_kind *ret_kind)
{
	char ignored[256];

	if (hash_stands(w))
		*ret_kind = PLAN_ROUTER_HASH;
	else
		write_without_module(w, ret_kind, ignored, sizeof(ignored));
}

static int write_table(struct writing *w, enum plan_router_kind *ret_kind, char *error, size_t size)
{
	enum plan_router_kind kind = plan_router_kind(w->plan);
	int r = table_open_told(&w->nl, PLAN_ROUTER_TABLE, &w->owner, error, size);

	if (r)
		return r;
	if (w->owner == TABLE_FOREIGN && kind != PLAN_ROUTER_NONE)
		return table_refuse(PLAN_ROUTER_TABLE, error, size);
	if (kind == PLAN_ROUTER_HASH)
		return write_without_module(w, ret_kind, error, size);
	r = write_as(w, kind, error, size);
	if (!r)
		*ret_kind = kind;
	else if (kind == PLAN_ROUTER_MODULE)
		write_instead(w, ret_kind);
	return r;
}

int router_apply(const struct plan *p, bool programs, bool dry_run, enum plan_router_kind *ret_kind,
		 char *error, size_t size)
{
	_cleanup_(writing_done) struct writing w = { .plan = p, .programs = programs,
						     .dry_run = dry_run };

	return write_table(&w, ret_kind, error, size);
}

int router_remove(char *error, size_t size)
{
	_cleanup_(writing_done) struct writing w = { 0 };
	int r = table_open_told(&w.nl, PLAN_ROUTER_TABLE, &w.owner, error, size);

	return r ? r : write_as(&w, PLAN_ROUTER_NONE, error, size);
}

static int stamp_as(const struct plan *p, enum plan_router_kind kind, bool programs,
		    struct router_stamp *ret)
{
	_cleanup_nl_ struct nl nl = { 0 };
	struct router_stamp stamp = { 0 };
	enum table_owner owner;
	int r = table_open(&nl, PLAN_ROUTER_TABLE, &owner);

	if (!r && owner == TABLE_OURS)
		r = nft_table_digest(&nl, PLAN_ROUTER_TABLE, &stamp.table);
	if (r)
		return r;
	stamp.text = text_hash(p, kind, programs);
	*ret = stamp;
	return 0;
}

int router_stamp(const struct plan *p, bool programs, struct router_stamp *ret)
{
	return stamp_as(p, plan_router_kind(p), programs, ret);
}

int router_update(const struct plan *p, bool programs, struct router_stamp *known,
		  bool *ret_touched, char *error, size_t size)
{
	const struct router_stamp before = *known;
	_cleanup_(writing_done) struct writing w = { .plan = p, .programs = programs,
						     .known = &before };
	enum plan_router_kind wanted = plan_router_kind(p), kind = wanted;
	struct router_stamp now = { 0 };
	bool same_text;
	int r = router_stamp(p, programs, &now);

	snprintf(error, size, "%s", "");
	same_text = before.text && before.text == now.text;
	*ret_touched = !r && same_text && before.table != now.table;
	if (!r && same_text && before.table == now.table)
		return 0;
	r = write_table(&w, &kind, error, size);
	*known = (struct router_stamp){ 0 };
	if (!r || kind != wanted)
		stamp_as(p, r ? kind : wanted, programs, known);
	return r;
}

int router_find(enum plan_router_kind *ret_kind, size_t *ret_rules)
{
	_cleanup_nl_ struct nl nl = { 0 };
	enum table_owner owner;
	int r = table_open(&nl, PLAN_ROUTER_TABLE, &owner);

	*ret_rules = 0;
	*ret_kind = PLAN_ROUTER_NONE;
	if (r || owner != TABLE_OURS)
		return r;
	r = nft_rules_count(&nl, PLAN_ROUTER_TABLE, ASYM_NFT_EXPR, ret_rules);
	if (!r)
		*ret_kind = *ret_rules ? PLAN_ROUTER_MODULE : PLAN_ROUTER_HASH;
	return r;
}
