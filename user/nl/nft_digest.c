// SPDX-License-Identifier: GPL-2.0-or-later
/* A table as one number. */
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "nl/nft.h"

/* FNV-1a of 64 bits. */
#define FNV_START 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

/* What one kind of object is asked for and told by. */
struct kind {
	uint16_t get, table_attr;
	uint64_t skipped; /* bit n: attribute n changes without anybody changing the object */
};

static const struct kind kinds[] = {
	{ NFT_MSG_GETTABLE, NFTA_TABLE_NAME, 1ull << NFTA_TABLE_USE },
	{ NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE, 1ull << NFTA_CHAIN_COUNTERS },
	{ NFT_MSG_GETRULE, NFTA_RULE_TABLE, 0 },
};

struct digest {
	const struct kind *kind;
	const char *table;
	uint64_t before, hash; /* before: of the kinds that are complete */
};

static uint64_t add(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * FNV_PRIME;
	return hash;
}

static bool is_of_table(const struct digest *d, const struct nlmsghdr *h)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == d->kind->table_attr)
			return !strncmp(mnl_attr_get_str(a), d->table, mnl_attr_get_payload_len(a));
	return false;
}

/* The family header is left out: it has the number of the last transaction, of whatever table. */
static int on_object(const struct nlmsghdr *h, void *data)
{
	struct digest *d = data;
	const struct nlattr *a;

	if (!is_of_table(d, h))
		return 0;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) {
		uint16_t type = mnl_attr_get_type(a);

		if (type >= 64 || !(d->kind->skipped >> type & 1))
			d->hash = add(d->hash, a, a->nla_len);
	}
	return 0;
}

static void reset(void *data)
{
	struct digest *d = data;

	d->hash = d->before;
}

int nft_table_digest(struct nl *nl, const char *table, uint64_t *ret)
{
	struct nfgenmsg header = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	struct digest d = { .table = table, .before = FNV_START };
	struct nl_msg m;
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(kinds); i++) {
		d.kind = &kinds[i];
		d.hash = d.before;
		nl_begin(&m, (NFNL_SUBSYS_NFTABLES << 8) | kinds[i].get, NLM_F_DUMP, &header,
			 sizeof(header));
		if (kinds[i].get != NFT_MSG_GETTABLE)
			nl_put_str(&m, kinds[i].table_attr, table);
		r = nl_dump(nl, &m, on_object, reset, &d);
		d.before = d.hash;
	}
	if (!r)
		*ret = d.hash;
	return r;
}
