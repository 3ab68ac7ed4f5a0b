// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stddef.h>
#include <string.h>

#include "nl/attr.h"
#include "nl/link.h"

/* <linux/if.h> has it but clashes with <net/if.h>. */
#define FLAG_LOWER_UP (1 << 16)

static const struct attr_size policy[] = {
	[IFLA_ADDRESS] = { 0, UINT16_MAX },
	[IFLA_IFNAME] = ATTR_STR(IFNAMSIZ),
	[IFLA_MTU] = ATTR_U32,
	[IFLA_MASTER] = ATTR_U32,
	[IFLA_LINKINFO] = ATTR_NEST,
	[IFLA_STATS64] = { offsetof(struct rtnl_link_stats64, rx_errors), UINT16_MAX },
};

static const struct attr_size info_policy[] = {
	[IFLA_INFO_KIND] = ATTR_STR(UINT16_MAX),
};

/* A kind too long for us is none that we know. */
static int parse_kind(const struct nlattr *info, struct host_device *d)
{
	const struct nlattr *tb[ARRAY_SIZE(info_policy)];
	int r;

	if (!info)
		return 0;
	r = attr_parse_nest(info, info_policy, ARRAY_SIZE(info_policy), tb);
	if (r)
		return r;
	attr_str(tb[IFLA_INFO_KIND], d->kind, sizeof(d->kind));
	return 0;
}

static void parse_stats(const struct nlattr *a, struct host_device *d)
{
	struct rtnl_link_stats64 stats = { 0 };

	if (a)
		memcpy(&stats, mnl_attr_get_payload(a),
		       MIN((size_t)mnl_attr_get_payload_len(a), sizeof(stats)));
	d->rx_bytes = stats.rx_bytes;
	d->tx_bytes = stats.tx_bytes;
}

static void parse_header(const struct ifinfomsg *ifi, struct host_device *d)
{
	d->ifindex = ifi->ifi_index;
	d->up = ifi->ifi_flags & IFF_UP;
	d->carrier = ifi->ifi_flags & FLAG_LOWER_UP;
	d->loopback = ifi->ifi_flags & IFF_LOOPBACK;
	d->ethernet = ifi->ifi_type == ARPHRD_ETHER;
	d->point_to_point = ifi->ifi_flags & IFF_POINTOPOINT ||
			    (ifi->ifi_flags & IFF_NOARP && !d->loopback);
	d->nbma = !d->ethernet && !d->loopback && !(ifi->ifi_flags & IFF_POINTOPOINT);
	/* pppd makes its device without rtnetlink, and so without a kind. */
	if (ifi->ifi_type == ARPHRD_PPP && !d->kind[0])
		strcpy(d->kind, "ppp");
}

static void parse_mac(const struct nlattr *a, struct host_device *d)
{
	if (a && d->ethernet && mnl_attr_get_payload_len(a) == sizeof(d->mac))
		memcpy(d->mac, mnl_attr_get_payload(a), sizeof(d->mac));
}

static int parse(const struct nlmsghdr *h, struct host_device *ret)
{
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	struct host_device d = { 0 };
	int r = attr_parse(h, sizeof(struct ifinfomsg), policy, ARRAY_SIZE(policy), tb);

	if (!r)
		r = attr_str(tb[IFLA_IFNAME], d.name, sizeof(d.name));
	if (!r)
		r = parse_kind(tb[IFLA_LINKINFO], &d);
	if (r)
		return r;
	parse_header(mnl_nlmsg_get_payload(h), &d);
	parse_mac(tb[IFLA_ADDRESS], &d);
	parse_stats(tb[IFLA_STATS64], &d);
	d.mtu = attr_u32(tb[IFLA_MTU], 0);
	d.master = attr_u32(tb[IFLA_MASTER], 0);
	*ret = d;
	return 0;
}

static int add(const struct nlmsghdr *h, void *data)
{
	struct host *host = data;
	struct host_device d, *slot;
	int r;

	if (h->nlmsg_type != RTM_NEWLINK)
		return 0;
	r = parse(h, &d);
	if (r)
		return r;
	slot = ARRAY_ADD(host->devices, host->n_devices);
	if (!slot)
		return -ENOMEM;
	*slot = d;
	return 0;
}

static void reset(void *data)
{
	((struct host *)data)->n_devices = 0;
}

static void name_masters(struct host *host)
{
	size_t i;

	for (i = 0; i < host->n_devices; i++) {
		struct host_device *d = &host->devices[i];
		const struct host_device *master = NULL;

		if (d->master)
			master = host_device_by_index(host, d->master);
		if (master)
			memcpy(d->master_kind, master->kind, sizeof(d->master_kind));
	}
}

int link_dump(struct nl *nl, struct host *ret)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg m;
	int r;

	nl_begin(&m, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	r = nl_dump(nl, &m, add, reset, ret);
	if (!r)
		name_masters(ret);
	return r;
}

static int take(const struct nlmsghdr *h, void *data)
{
	return h->nlmsg_type == RTM_NEWLINK ? parse(h, data) : 0;
}

int link_find(struct nl *nl, const char *name, struct host_device *ret)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct host_device d = { 0 };
	struct nl_msg m;
	int r;

	nl_begin(&m, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	nl_put_str(&m, IFLA_IFNAME, name);
	r = nl_ask(nl, &m, take, &d);
	if (!r && !d.ifindex)
		r = -ENODEV;
	if (!r)
		*ret = d;
	return r;
}
