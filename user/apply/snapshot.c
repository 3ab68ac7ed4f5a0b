// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/netlink.h>

#include "apply/filters.h"
#include "apply/module.h"
#include "apply/snapshot.h"
#include "nl/addr.h"
#include "nl/link.h"
#include "nl/mark.h"
#include "nl/route.h"
#include "nl/rule.h"

static int take_routing(struct host *host)
{
	_cleanup_nl_ struct nl nl = { 0 };
	int r = nl_open(&nl, NETLINK_ROUTE);

	if (!r)
		r = link_dump(&nl, host);
	if (!r)
		r = addr_dump(&nl, host);
	if (!r)
		r = route_dump(&nl, host);
	if (!r)
		r = rule_dump(&nl, host);
	if (!r)
		r = filters_take(&nl, host);
	return r;
}

static int take_marks(struct host *host)
{
	_cleanup_nl_ struct nl nl = { 0 };
	int r = nl_open(&nl, NETLINK_NETFILTER);

	if (!r)
		r = mark_dump(&nl, host);
	/* Without nfnetlink, or with it but without nf_tables. */
	return r == -EPROTONOSUPPORT || r == -EINVAL || r == -EOPNOTSUPP ? 0 : r;
}

int snapshot_take(struct host *ret)
{
	_cleanup_(host_done) struct host host = { 0 };
	struct module module;
	int r = take_routing(&host);

	module_find(false, &module);
	host.module = module_has_nft(&module);
	if (!r)
		r = take_marks(&host);
	if (r)
		return r;
	*ret = host;
	host = (struct host){ 0 };
	return 0;
}
