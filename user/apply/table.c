// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/table.h"

#include "core/plan_nft.h"
#include "nl/nft.h"
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

int table_open(struct nl *nl, const char *table, enum table_owner *ret)
{
	char comment[sizeof(PLAN_NFT_COMMENT) + 1];
	int r = nl_open(nl, NETLINK_NETFILTER);

	r = r ? r : nft_table_comment(nl, table, comment, sizeof(comment));
	if (r && r != -ENOENT)
		return r;
	*ret = r ? TABLE_NONE : strcmp(comment, PLAN_NFT_COMMENT) ? TABLE_FOREIGN : TABLE_OURS;
	return 0;
}

int table_open_told(struct nl *nl, const char *table, enum table_owner *ret, char *error,
		    size_t size)
{
	int r = table_open(nl, table, ret);

	snprintf(error, size, "%s%s", r ? "nftables: " : "", r ? strerror(-r) : "");
	return r;
}

int table_refuse(const char *table, char *error, size_t size)
{
	snprintf(error, size, "table inet %s: is somebody else's, expected the comment \"%s\"", table,
		 PLAN_NFT_COMMENT);
	return -EEXIST;
}
