// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/router.h"

#include "apply/router_rules.h"
#include "base/str.h"
#include "core/plan_nft.h"
#include "kmod/uapi/nft_asym.h"
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

enum owner { OWNER_NONE, OWNER_US, OWNER_OTHER };

static int find_owner(struct nl *nl, enum owner *ret)
{
	char comment[sizeof(PLAN_NFT_COMMENT) + 1];
	int r = nft_table_comment(nl, PLAN_ROUTER_TABLE, comment, sizeof(comment));

	if (r && r != -ENOENT)
		return r;
	*ret = r ? OWNER_NONE : strcmp(comment, PLAN_NFT_COMMENT) ? OWNER_OTHER : OWNER_US;
	return 0;
}

static int begin(struct nl *nl, enum owner *ret, char *error, size_t size)
{
	int r = nl_open(nl, NETLINK_NETFILTER);

	snprintf(error, size, "%s", "");
	r = r ? r : find_owner(nl, ret);
	if (r)
		snprintf(error, size, "nftables: %s", strerror(-r));
	return r;
}

/* Nothing is kept: the table counts nothing. */
static int write_as(struct nl *nl, const struct plan *p, enum plan_router_kind kind, bool programs,
		    bool there, bool dry_run, char *error, size_t size)
{
	_cleanup_nft_batch_ struct nft_batch b = { 0 };

	if (kind == PLAN_ROUTER_NONE && !there)
		return 0;
	nft_batch_init(&b, PLAN_ROUTER_TABLE);
	if (there)
		nft_table_del(&b);
	if (kind != PLAN_ROUTER_NONE) {
		nft_table_add(&b, PLAN_NFT_COMMENT);
		router_rules_add(&b, p, kind, programs);
	}
	return nft_batch_send(&b, nl, dry_run, error, size);
}

/* The kernel has no such expression. */
static bool is_lacking(int r)
{
	return r == -ENOENT || r == -EOPNOTSUPP;
}

int router_apply(const struct plan *p, bool programs, bool dry_run, enum plan_router_kind *ret_kind,
		 char *error, size_t size)
{
	_cleanup_nl_ struct nl nl = { 0 };
	enum plan_router_kind kind = plan_router_kind(p);
	char ignored[256];
	enum owner owner;
	int r = begin(&nl, &owner, error, size), first = 0;

	if (r)
		return r;
	if (owner == OWNER_OTHER && kind != PLAN_ROUTER_NONE) {
		snprintf(error, size, "table inet %s: is somebody else's, expected the comment \"%s\"",
			 PLAN_ROUTER_TABLE, PLAN_NFT_COMMENT);
		return -EEXIST;
	}
	if (kind == PLAN_ROUTER_MODULE) {
		r = write_as(&nl, p, kind, programs, owner == OWNER_US, dry_run, error, size);
		if (!r)
			goto out;
		first = r;
		kind = PLAN_ROUTER_HASH;
	}
	r = write_as(&nl, p, kind, programs, owner == OWNER_US, dry_run, first ? ignored : error,
		     first ? sizeof(ignored) : size);
	if (is_lacking(r)) {
		kind = PLAN_ROUTER_NONE;
		r = write_as(&nl, p, kind, programs, owner == OWNER_US, dry_run, ignored, sizeof(ignored));
		if (!first)
			snprintf(error, size, "%s", "");
	}
	if (r)
		return first ? first : r;
out:
	*ret_kind = kind;
	return first;
}

int router_remove(char *error, size_t size)
{
	_cleanup_nl_ struct nl nl = { 0 };
	enum owner owner;
	int r = begin(&nl, &owner, error, size);

	if (r || owner != OWNER_US)
		return r;
	return write_as(&nl, NULL, PLAN_ROUTER_NONE, false, true, false, error, size);
}

/* FNV-1a; 0: no memory for it. */
static uint64_t text_hash(const struct plan *p, bool programs)
{
	_cleanup_(str_done) struct str text = { 0 };
	uint64_t hash = 0xcbf29ce484222325ull;

	plan_router_text(p, plan_router_kind(p), programs, &text);
	for (const char *c = text.err ? NULL : text.s; c && *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3ull;
	return text.err ? 0 : hash ?: 1;
}

int router_stamp(const struct plan *p, bool programs, struct router_stamp *ret)
{
	_cleanup_nl_ struct nl nl = { 0 };
	struct router_stamp stamp = { 0 };
	enum owner owner;
	char ignored[128];
	int r = begin(&nl, &owner, ignored, sizeof(ignored));

	if (!r && owner == OWNER_US)
		r = nft_table_digest(&nl, PLAN_ROUTER_TABLE, &stamp.table);
	if (r)
		return r;
	stamp.text = text_hash(p, programs);
	*ret = stamp;
	return 0;
}

int router_update(const struct plan *p, bool programs, struct router_stamp *known, bool *ret_touched,
		  char *error, size_t size)
{
	const struct router_stamp before = *known;
	struct router_stamp now = { 0 };
	enum plan_router_kind kind;
	bool same_text;
	int r = router_stamp(p, programs, &now);

	snprintf(error, size, "%s", "");
	same_text = before.text && before.text == now.text;
	*ret_touched = !r && same_text && before.table != now.table;
	if (!r && same_text && before.table == now.table)
		return 0;
	r = router_apply(p, programs, false, &kind, error, size);
	*known = (struct router_stamp){ 0 };
	if (!r)
		router_stamp(p, programs, known);
	return r;
}

int router_find(enum plan_router_kind *ret_kind, size_t *ret_rules)
{
	_cleanup_nl_ struct nl nl = { 0 };
	enum owner owner;
	char ignored[128];
	int r = begin(&nl, &owner, ignored, sizeof(ignored));

	*ret_rules = 0;
	*ret_kind = PLAN_ROUTER_NONE;
	if (r || owner != OWNER_US)
		return r;
	r = nft_rules_count(&nl, PLAN_ROUTER_TABLE, ASYM_NFT_EXPR, ret_rules);
	if (!r)
		*ret_kind = *ret_rules ? PLAN_ROUTER_MODULE : PLAN_ROUTER_HASH;
	return r;
}
