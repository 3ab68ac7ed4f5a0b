// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "nl/attr.h"
#include "nl/stats.h"

static const struct attr_size policy[] = {
	[IFLA_STATS_LINK_64] = { offsetof(struct rtnl_link_stats64, rx_errors), UINT16_MAX },
};

static int add(const struct nlmsghdr *h, void *data)
{
	const struct if_stats_msg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	struct rtnl_link_stats64 all = { 0 };
	struct stats *s = data;
	struct stats_device *d;
	int r;

	if (h->nlmsg_type != RTM_NEWSTATS)
		return 0;
	r = attr_parse(h, sizeof(*m), policy, ARRAY_SIZE(policy), tb);
	if (r || !tb[IFLA_STATS_LINK_64])
		return r;
	d = ARRAY_ADD(s->devices, s->n);
	if (!d)
		return -ENOMEM;
	memcpy(&all, mnl_attr_get_payload(tb[IFLA_STATS_LINK_64]),
	       MIN((size_t)mnl_attr_get_payload_len(tb[IFLA_STATS_LINK_64]), sizeof(all)));
	*d = (struct stats_device){
		.ifindex = m->ifindex,
		.rx_bytes = all.rx_bytes,
		.tx_bytes = all.tx_bytes,
		.rx_packets = all.rx_packets,
		.tx_packets = all.tx_packets,
	};
	return 0;
}

static void reset(void *data)
{
	((struct stats *)data)->n = 0;
}

int stats_dump(struct nl *nl, struct stats *ret)
{
	struct if_stats_msg request = {
		.family = AF_UNSPEC,
		.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64),
	};
	struct nl_msg m;

	nl_begin(&m, RTM_GETSTATS, 0, &request, sizeof(request));
	return nl_dump(nl, &m, add, reset, ret);
}

void stats_done(struct stats *s)
{
	free(s->devices);
	*s = (struct stats){ 0 };
}

const struct stats_device *stats_find(const struct stats *s, uint32_t ifindex)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->devices[i].ifindex == ifindex)
			return &s->devices[i];
	return NULL;
}
