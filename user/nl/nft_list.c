// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel has of a table. */
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/object.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "nl/nft.h"

void nft_list_done(struct nft_list *list)
{
	free(list->items);
	*list = (struct nft_list){ 0 };
}

const struct nft_item *nft_list_find(const struct nft_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->items[i].name, name))
			return &list->items[i];
	return NULL;
}

struct listing {
	const char *table;
	struct nft_list *list;
	bool found; /* of tables */
	char *comment;
	size_t comment_size;
};

static void listing_reset(void *data)
{
	struct listing *l = data;

	l->found = false;
	if (l->list)
		nft_list_done(l->list);
}

static int list_dump(struct nl *nl, uint16_t type, uint16_t table_attr,
		     int (*fn)(const struct nlmsghdr *h, void *data), struct listing *l)
{
	struct nfgenmsg header = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	struct nl_msg m;

	nl_begin(&m, (NFNL_SUBSYS_NFTABLES << 8) | type, 0, &header, sizeof(header));
	if (table_attr)
		nl_put_str(&m, table_attr, l->table);
	return nl_dump(nl, &m, fn, listing_reset, l);
}

static void copy_comment(const void *udata, uint32_t len, struct listing *l)
{
	const uint8_t *p = udata, *end = p + len;

	/* type, length, value; lengths are the writer's word, so they are checked */
	while (end - p >= 2 && p[1] <= end - p - 2) {
		if (p[0] == NFTNL_UDATA_TABLE_COMMENT && p[1] && p[1] <= l->comment_size &&
		    p[1 + p[1]] == '\0')
			memcpy(l->comment, p + 2, p[1]);
		p += 2 + p[1];
	}
}

static int on_table(const struct nlmsghdr *h, void *data)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct listing *l = data;
	const void *udata;
	uint32_t len = 0;

	if (!t)
		return -ENOMEM;
	if (!nftnl_table_nlmsg_parse(h, t) &&
	    !strcmp(nftnl_table_get_str(t, NFTNL_TABLE_NAME), l->table)) {
		l->found = true;
		udata = nftnl_table_get_data(t, NFTNL_TABLE_USERDATA, &len);
		if (udata)
			copy_comment(udata, len, l);
	}
	nftnl_table_free(t);
	return 0;
}

int nft_table_comment(struct nl *nl, const char *table, char *ret, size_t size)
{
	char comment[NFTNL_UDATA_COMMENT_MAXLEN] = "";
	struct listing l = { .table = table, .comment = comment, .comment_size = sizeof(comment) };
	int r = list_dump(nl, NFT_MSG_GETTABLE, 0, on_table, &l);

	if (r)
		return r;
	if (!l.found)
		return -ENOENT;
	if (size)
		ret[0] = '\0';
	if (strlen(comment) < size)
		strcpy(ret, comment);
	return 0;
}

/* Older kernels ignore the filter by table, so it is applied here too. */
static int item_add(struct listing *l, const char *table, const char *name, uint64_t packets,
		    uint64_t bytes)
{
	struct nft_item *item;

	if (!table || !name || strcmp(table, l->table))
		return 0;
	item = ARRAY_ADD(l->list->items, l->list->n);
	if (!item)
		return -ENOMEM;
	snprintf(item->name, sizeof(item->name), "%s", name);
	item->packets = packets;
	item->bytes = bytes;
	return 0;
}

static int on_chain(const struct nlmsghdr *h, void *data)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	int r = 0;

	if (!c)
		return -ENOMEM;
	if (!nftnl_chain_nlmsg_parse(h, c))
		r = item_add(data, nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE),
			     nftnl_chain_get_str(c, NFTNL_CHAIN_NAME), 0, 0);
	nftnl_chain_free(c);
	return r;
}

int nft_chains_list(struct nl *nl, const char *table, struct nft_list *ret)
{
	struct listing l = { .table = table, .list = ret };

	return list_dump(nl, NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE, on_chain, &l);
}

static int on_object(const struct nlmsghdr *h, void *data)
{
	struct nftnl_obj *o = nftnl_obj_alloc();
	int r = 0;

	if (!o)
		return -ENOMEM;
	if (!nftnl_obj_nlmsg_parse(h, o) &&
	    nftnl_obj_get_u32(o, NFTNL_OBJ_TYPE) == NFT_OBJECT_COUNTER)
		r = item_add(data, nftnl_obj_get_str(o, NFTNL_OBJ_TABLE),
			     nftnl_obj_get_str(o, NFTNL_OBJ_NAME),
			     nftnl_obj_get_u64(o, NFTNL_OBJ_CTR_PKTS),
			     nftnl_obj_get_u64(o, NFTNL_OBJ_CTR_BYTES));
	nftnl_obj_free(o);
	return r;
}

int nft_counters_list(struct nl *nl, const char *table, struct nft_list *ret)
{
	struct listing l = { .table = table, .list = ret };

	return list_dump(nl, NFT_MSG_GETOBJ, NFTA_OBJ_TABLE, on_object, &l);
}
