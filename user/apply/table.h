/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of nftables (family inet) with a name of ours: ours carry the comment PLAN_NFT_COMMENT. */
#ifndef APPLY_TABLE_H
#define APPLY_TABLE_H

#include "nl/nl.h"
#include <stddef.h>

enum table_owner { TABLE_NONE, TABLE_OURS, TABLE_FOREIGN };

/* Opens nl for netfilter and looks whose the table is.  0 or -errno. */
int table_open(struct nl *nl, const char *table, enum table_owner *ret);
/* The same; fills error, "" when all is well. */
int table_open_told(struct nl *nl, const char *table, enum table_owner *ret, char *error,
		    size_t size);
/* -EEXIST, and what to say when the table is a foreign one. */
int table_refuse(const char *table, char *error, size_t size);

#endif
