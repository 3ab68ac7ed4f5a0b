// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/rtnetlink.h>

#include "nl/attr.h"
#include "nl/route.h"

static const struct attr_size policy[] = {
	[RTA_DST] = ATTR_ADDR,
	[RTA_OIF] = ATTR_U32,
	[RTA_GATEWAY] = ATTR_ADDR,
	[RTA_PRIORITY] = ATTR_U32,
	[RTA_PREFSRC] = ATTR_ADDR,
	[RTA_METRICS] = ATTR_NEST,
	[RTA_MULTIPATH] = ATTR_NEST,
	[RTA_TABLE] = ATTR_U32,
	[RTA_VIA] = { sizeof(struct rtvia) + 4, sizeof(struct rtvia) + 16 },
};

/* An IPv4 route through an IPv6 gateway (RFC 5549) has RTA_VIA instead of RTA_GATEWAY. */
static int parse_gateway(const struct nlattr **tb, int family, struct in6_addr *ret)
{
	const struct rtvia *via;
	size_t want;

	if (!tb[RTA_VIA])
		return attr_addr(tb[RTA_GATEWAY], family, ret);
	via = mnl_attr_get_payload(tb[RTA_VIA]);
	want = sizeof(*via) + (via->rtvia_family == AF_INET ? 4 : 16);
	if (mnl_attr_get_payload_len(tb[RTA_VIA]) != want)
		return -EBADMSG;
	*ret = addr_from_wire(via->rtvia_family, via->rtvia_addr);
	return 0;
}

static int parse_metrics(const struct nlattr *metrics, struct route *ret)
{
	static const struct attr_size sizes[] = {
		[RTAX_LOCK] = ATTR_U32,
		[RTAX_MTU] = ATTR_U32,
	};
	const struct nlattr *tb[ARRAY_SIZE(sizes)];
	int r = metrics ? attr_parse_nest(metrics, sizes, ARRAY_SIZE(sizes), tb) : 0;

	if (!metrics || r)
		return r;
	ret->mtu = attr_u32(tb[RTAX_MTU], 0);
	ret->mtu_lock = ret->mtu && (attr_u32(tb[RTAX_LOCK], 0) & 1U << RTAX_MTU);
	return 0;
}

static int push(struct host *host, const struct route *route)
{
	struct route *slot = ARRAY_ADD(host->routes, host->n_routes);

	if (!slot)
		return -ENOMEM;
	*slot = *route;
	return 0;
}

static int push_nexthop(struct host *host, struct route route, const struct rtnexthop *nh)
{
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	size_t header = sizeof(*nh);
	int r = attr_parse_run((const char *)nh + header, nh->rtnh_len - header, policy,
			       ARRAY_SIZE(policy), tb);

	if (!r)
		r = parse_gateway(tb, route.family, &route.gateway);
	if (r)
		return r;
	/* the one source of routes by several devices is a stranger on all but one of them */
	route.src = in6addr_any;
	route.ifindex = nh->rtnh_ifindex;
	route.onlink = nh->rtnh_flags & RTNH_F_ONLINK;
	return push(host, &route);
}

static int push_multipath(struct host *host, const struct route *route, const struct nlattr *multi)
{
	const struct rtnexthop *nh = mnl_attr_get_payload(multi);
	int left = mnl_attr_get_payload_len(multi), r = 0;

	while (!r && left >= (int)sizeof(*nh)) {
		if (nh->rtnh_len < sizeof(*nh) || nh->rtnh_len > left)
			return -EBADMSG;
		r = push_nexthop(host, *route, nh);
		left -= RTNH_ALIGN(nh->rtnh_len);
		nh = RTNH_NEXT(nh);
	}
	return r;
}

static enum route_type type_of(uint8_t number)
{
	switch (number) {
	case RTN_UNICAST:
		return ROUTE_UNICAST;
	case RTN_UNREACHABLE:
	case RTN_PROHIBIT:
		return ROUTE_UNREACHABLE;
	case RTN_BLACKHOLE:
		return ROUTE_BLACKHOLE;
	default:
		return ROUTE_TYPE_MAX;
	}
}

static int parse(const struct rtmsg *rtm, const struct nlattr **tb, struct route *ret)
{
	struct route route = {
		.family = rtm->rtm_family,
		.table = attr_u32(tb[RTA_TABLE], rtm->rtm_table),
		.metric = attr_u32(tb[RTA_PRIORITY], 0),
		.type = type_of(rtm->rtm_type),
		.protocol = rtm->rtm_protocol,
		.onlink = rtm->rtm_flags & RTNH_F_ONLINK,
	};
	int r = attr_prefix(tb[RTA_DST], route.family, rtm->rtm_dst_len, &route.dst);

	if (!r)
		r = parse_gateway(tb, route.family, &route.gateway);
	if (!r)
		r = attr_addr(tb[RTA_PREFSRC], route.family, &route.src);
	if (!r)
		r = parse_metrics(tb[RTA_METRICS], &route);
	if (r)
		return r;
	/* IPv6 gives routes to nowhere the loopback device. */
	if (route.type == ROUTE_UNICAST)
		route.ifindex = attr_u32(tb[RTA_OIF], 0);
	*ret = route;
	return 0;
}

struct routes {
	struct host *host;
	size_t start; /* routes of the family before */
	uint8_t family;
	uint8_t protocol; /* 0: any */
};

static bool wanted(const struct rtmsg *rtm, const struct routes *routes, uint32_t table)
{
	return rtm->rtm_family == routes->family && !(rtm->rtm_flags & RTM_F_CLONED) &&
	       (!routes->protocol || rtm->rtm_protocol == routes->protocol) && !rtm->rtm_tos &&
	       table != RT_TABLE_LOCAL && table != RT_TABLE_DEFAULT &&
	       type_of(rtm->rtm_type) != ROUTE_TYPE_MAX;
}

static int add(const struct nlmsghdr *h, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	struct routes *routes = data;
	struct route route;
	int r;

	if (h->nlmsg_type != RTM_NEWROUTE)
		return 0;
	r = attr_parse(h, sizeof(*rtm), policy, ARRAY_SIZE(policy), tb);
	if (r || !wanted(rtm, routes, attr_u32(tb[RTA_TABLE], rtm->rtm_table)))
		return r;
	r = parse(rtm, tb, &route);
	if (r)
		return r;
	if (tb[RTA_MULTIPATH])
		return push_multipath(routes->host, &route, tb[RTA_MULTIPATH]);
	return push(routes->host, &route);
}

static void reset(void *data)
{
	struct routes *routes = data;

	routes->host->n_routes = routes->start;
}

static int dump_family(struct nl *nl, uint8_t family, uint8_t protocol, struct host *ret)
{
	struct rtmsg rtm = { .rtm_family = family, .rtm_protocol = protocol };
	struct routes routes = { ret, ret->n_routes, family, protocol };
	struct nl_msg m;

	nl_begin(&m, RTM_GETROUTE, 0, &rtm, sizeof(rtm));
	return nl_dump(nl, &m, add, reset, &routes);
}

static int dump(struct nl *nl, uint8_t protocol, struct host *ret)
{
	int r = dump_family(nl, AF_INET, protocol, ret);

	if (r)
		return r;
	r = dump_family(nl, AF_INET6, protocol, ret);
	/* ipv6.disable=1 on the kernel's command line */
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

int route_dump(struct nl *nl, struct host *ret)
{
	return dump(nl, 0, ret);
}

int route_dump_of(struct nl *nl, uint8_t protocol, struct host *ret)
{
	int on = 1, off = 0, r;

	mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	r = dump(nl, protocol, ret);
	mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &off, sizeof(off));
	return r;
}

static void fill_gateway(struct nl_msg *m, const struct route *route)
{
	struct {
		__kernel_sa_family_t family;
		struct in6_addr addr;
	} __attribute__((packed)) via = { AF_INET6, route->gateway };

	if (route->family == addr_family(&route->gateway))
		nl_put_addr(m, RTA_GATEWAY, &route->gateway);
	else
		nl_put(m, RTA_VIA, &via, sizeof(via));
}

static void fill_mtu(struct nl_msg *m, const struct route *route)
{
	const struct {
		struct nlattr head;
		uint32_t value;
	} metrics[] = {
		{ { sizeof(metrics[0]), RTAX_MTU }, route->mtu },
		{ { sizeof(metrics[0]), RTAX_LOCK }, 1U << RTAX_MTU },
	};

	nl_put(m, RTA_METRICS, metrics, sizeof(metrics[0]) * (route->mtu_lock ? 2 : 1));
}

static void fill_nexthop(struct nl_msg *m, const struct route *route)
{
	nl_put_u32(m, RTA_OIF, route->ifindex);
	if (!addr_is_zero(&route->gateway))
		fill_gateway(m, route);
	if (!addr_is_zero(&route->src))
		nl_put_addr(m, RTA_PREFSRC, &route->src);
	if (route->mtu)
		fill_mtu(m, route);
}

static void fill(struct nl_msg *m, uint16_t type, uint16_t flags, const struct route *route)
{
	static const uint8_t types[ROUTE_TYPE_MAX] = {
		[ROUTE_UNICAST] = RTN_UNICAST,
		[ROUTE_UNREACHABLE] = RTN_UNREACHABLE,
		[ROUTE_BLACKHOLE] = RTN_BLACKHOLE,
	};
	bool nexthop = route->type == ROUTE_UNICAST;
	/* The kernel looks for a gateway on routes of a narrower scope only. */
	bool direct = nexthop && addr_is_zero(&route->gateway);
	struct rtmsg rtm = {
		.rtm_family = route->family,
		.rtm_dst_len = prefix_len(&route->dst),
		.rtm_table = route->table < 256 ? route->table : RT_TABLE_UNSPEC,
		.rtm_protocol = route->protocol,
		.rtm_scope = direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = types[route->type],
		.rtm_flags = nexthop && route->onlink ? RTNH_F_ONLINK : 0,
	};

	nl_begin(m, type, flags | NLM_F_ACK, &rtm, sizeof(rtm));
	nl_put_u32(m, RTA_TABLE, route->table);
	if (rtm.rtm_dst_len)
		nl_put_addr(m, RTA_DST, &route->dst.addr);
	if (route->metric)
		nl_put_u32(m, RTA_PRIORITY, route->metric);
	if (nexthop)
		fill_nexthop(m, route);
}

void route_fill_add(struct nl_msg *m, const struct route *route)
{
	fill(m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
}

void route_fill_replace(struct nl_msg *m, const struct route *route)
{
	fill(m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route);
}

void route_fill_delete(struct nl_msg *m, const struct route *route)
{
	fill(m, RTM_DELROUTE, 0, route);
}
