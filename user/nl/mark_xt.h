/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The xtables extensions that iptables-nft puts into nftables rules and that handle marks. */
#ifndef NL_MARK_XT_H
#define NL_MARK_XT_H

#include "core/host.h"

/* Whether the extension `name` in revision rev handles a mark; info has size bytes as in the
 * kernel's include/uapi/linux/netfilter/xt_mark.h and xt_connmark.h.  Fills value, mask, sets. */
bool mark_xt_match(const char *name, uint32_t rev, const void *info, size_t size,
		   struct host_mark_use *ret);
bool mark_xt_target(const char *name, uint32_t rev, const void *info, size_t size,
		    struct host_mark_use *ret);

#endif
