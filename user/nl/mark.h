/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where nftables rules, those of iptables-nft included, test or set packet and connection marks. */
#ifndef NL_MARK_H
#define NL_MARK_H

#include "core/host.h"
#include "nl/nl.h"

/*
 * Adds to ret->marks every such place outside our own table.  nl: NETLINK_NETFILTER.  value is 0
 * where the kernel computes it or looks it up; mask has the bits tested, or those that may change.
 * Rules of iptables-legacy are not seen.  0; -EINVAL or -EOPNOTSUPP: a kernel without nf_tables;
 * another -errno.
 */
int mark_dump(struct nl *nl, struct host *ret);

#endif
