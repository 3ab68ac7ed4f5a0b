// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/host_text.h"

static const char *family_text(int family)
{
	return family == AF_INET6 ? "IPv6 " : "";
}

static void text_table(struct str *out, const char *word, uint32_t table)
{
	if (table == TABLE_MAIN)
		str_add(out, " %s main", word);
	else
		str_add(out, " %s %u", word, table);
}

static void text_action(struct str *out, const struct rule *rule)
{
	switch (rule->action) {
	case RULE_TABLE:
		text_table(out, "lookup", rule->table);
		break;
	case RULE_GOTO:
		str_add(out, " goto %u", rule->target);
		break;
	case RULE_NOP:
		str_add(out, " nop");
		break;
	case RULE_UNREACHABLE:
		str_add(out, " unreachable");
		break;
	case RULE_BLACKHOLE:
		str_add(out, " blackhole");
		break;
	case RULE_OTHER:
		break;
	}
	if (rule->suppress_len >= 0)
		str_add(out, " suppress_prefixlength %d", rule->suppress_len);
}

void rule_text(struct str *out, const struct rule *rule)
{
	char buf[ADDR_STRLEN];

	str_add(out, "%srule %u", family_text(rule->family), rule->priority);
	if (rule->invert)
		str_add(out, " not");
	if (rule->has_src)
		str_add(out, " from %s", prefix_str(&rule->src, buf));
	if (rule->mask)
		str_add(out, " fwmark 0x%x/0x%x", rule->mark, rule->mask);
	if (rule->iif[0])
		str_add(out, " iif %s", rule->iif);
	if (rule->oif[0])
		str_add(out, " oif %s", rule->oif);
	text_action(out, rule);
}

static void text_nexthop(struct str *out, const struct route *route, const char *device)
{
	char buf[ADDR_STRLEN];

	if (!addr_is_zero(&route->gateway))
		str_add(out, " via %s", addr_str(&route->gateway, buf));
	str_add(out, " dev %s", device);
	if (!addr_is_zero(&route->src))
		str_add(out, " src %s", addr_str(&route->src, buf));
	if (route->onlink)
		str_add(out, " onlink");
	if (route->mtu)
		str_add(out, " mtu %s%u", route->mtu_lock ? "lock " : "", route->mtu);
}

void route_text(struct str *out, const struct route *route, const char *device)
{
	static const char *const types[ROUTE_TYPE_MAX] = {
		[ROUTE_UNICAST] = "",
		[ROUTE_UNREACHABLE] = " unreachable",
		[ROUTE_BLACKHOLE] = " blackhole",
	};
	char buf[ADDR_STRLEN];

	str_add(out, "%sroute%s %s", family_text(route->family), types[route->type],
		prefix_len(&route->dst) ? prefix_str(&route->dst, buf) : "default");
	if (route->type == ROUTE_UNICAST)
		text_nexthop(out, route, device);
	text_table(out, "table", route->table);
	if (route->metric)
		str_add(out, " metric %u", route->metric);
}
