// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/rtnetlink.h>

#include "nl/attr.h"
#include "nl/lookup.h"

static const struct attr_size policy[] = {
	[RTA_OIF] = ATTR_U32,	  [RTA_GATEWAY] = ATTR_ADDR, [RTA_PREFSRC] = ATTR_ADDR,
	[RTA_TABLE] = ATTR_U32,
};

static int parse(const struct nlmsghdr *h, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	struct route *ret = data;
	int r = attr_parse(h, sizeof(*rtm), policy, ARRAY_SIZE(policy), tb);

	if (r)
		return r;
	*ret = (struct route){
		.family = rtm->rtm_family,
		.table = attr_u32(tb[RTA_TABLE], rtm->rtm_table),
		.ifindex = attr_u32(tb[RTA_OIF], 0),
	};
	r = attr_addr(tb[RTA_GATEWAY], ret->family, &ret->gateway);
	return r ? r : attr_addr(tb[RTA_PREFSRC], ret->family, &ret->src);
}

int lookup_route(struct nl *nl, const struct lookup *l, struct route *ret)
{
	int family = addr_family(&l->dst);
	uint8_t bits = family == AF_INET ? 32 : 128;
	bool has_src = !addr_is_zero(&l->src);
	struct rtmsg rtm = {
		.rtm_family = family,
		.rtm_dst_len = bits,
		.rtm_src_len = has_src ? bits : 0,
		.rtm_flags = RTM_F_LOOKUP_TABLE,
	};
	struct nl_msg m;

	nl_begin(&m, RTM_GETROUTE, 0, &rtm, sizeof(rtm));
	nl_put_addr(&m, RTA_DST, &l->dst);
	if (has_src)
		nl_put_addr(&m, RTA_SRC, &l->src);
	if (l->iif)
		nl_put_u32(&m, RTA_IIF, l->iif);
	if (l->oif)
		nl_put_u32(&m, RTA_OIF, l->oif);
	nl_put_u32(&m, RTA_MARK, l->mark);
	return nl_ask(nl, &m, parse, ret);
}
