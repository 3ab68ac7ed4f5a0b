// SPDX-License-Identifier: GPL-2.0-or-later
/* Routes and rules: ours to the kernel and back, and what others made of theirs. */
#include "core/diff.h"
#include "nl/route.h"
#include "nl/rule.h"
#include "tests/unit/nl_lab.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

static const struct route *find_route(const struct host *host, uint32_t table, uint32_t metric,
				      size_t nth)
{
	size_t i;

	for (i = 0; i < host->n_routes; i++)
		if (host->routes[i].table == table && host->routes[i].metric == metric && !nth--)
			return &host->routes[i];
	return NULL;
}

static void test_foreign_routes(void **state)
{
	_cleanup_(host_done) struct host host = { 0 };
	struct in6_addr gw = addr("10.0.0.1"), gw1 = addr("10.1.0.1"), ll = addr("fe80::1");
	struct in6_addr own = addr("10.0.0.2");
	const struct route *r;
	struct nl nl;
	size_t i;

	netns_need();
	nl = open_nl(NETLINK_ROUTE);
	sh("ip nexthop add id 9 via 10.0.0.1 dev wan0\n"
	   "ip route add default nhid 9 table 400 metric 1\n"
	   "ip route add default table 400 metric 2 nexthop via 10.0.0.1 dev wan0"
	   "  nexthop via 10.1.0.1 dev wan1\n"
	   "ip -4 route add default via inet6 fe80::1 dev wan0 table 400 metric 3\n"
	   "ip route add prohibit default table 400 metric 4\n"
	   "ip route add throw default table 400 metric 5\n"
	   "ip route add 10.44.0.0/16 dev wan0 table local\n"
	   "ip -6 route add unreachable default table 400 metric 8\n"
	   "ip route add default via 10.0.0.1 tos 0x10 table 400 metric 6\n"
	   "ip route add default table 400 metric 9 src 10.0.0.2 mtu 1400 rtt 20ms"
	   "  nexthop via 10.0.0.1 dev wan0 nexthop via 10.1.0.1 dev wan1\n"
	   "ip route add default via 10.0.0.1 src 10.0.0.2 table 400 metric 10 mtu lock 1400\n"
	   "ip route add default via 10.0.0.1 table 400 metric 11 mtu 1300 rtt lock 20ms\n"
	   "ip -6 route add default table 400 metric 7 nexthop via fe80::1 dev wan0"
	   "  nexthop via fe80::1 dev wan1\n");
	assert_int_equal(route_dump(&nl, &host), 0);
	r = find_route(&host, 400, 1, 0);
	assert_true(r && r->ifindex && addr_equal(&r->gateway, &gw) && r->type == ROUTE_UNICAST);
	r = find_route(&host, 400, 2, 0);
	assert_true(r && addr_equal(&r->gateway, &gw));
	r = find_route(&host, 400, 2, 1);
	assert_true(r && addr_equal(&r->gateway, &gw1));
	assert_int_equal(r->ifindex, if_nametoindex("wan1"));
	assert_null(find_route(&host, 400, 2, 2));
	r = find_route(&host, 400, 3, 0);
	assert_true(r && r->family == AF_INET && addr_equal(&r->gateway, &ll));
	assert_int_equal(find_route(&host, 400, 4, 0)->type, ROUTE_UNREACHABLE);
	assert_null(find_route(&host, 400, 5, 0));
	assert_null(find_route(&host, 400, 6, 0));
	assert_non_null(find_route(&host, 400, 7, 1));
	assert_int_equal(find_route(&host, 400, 8, 0)->ifindex, 0);
	r = find_route(&host, 400, 9, 1);
	assert_true(r && addr_is_zero(&r->src) && r->mtu == 1400 && !r->mtu_lock);
	r = find_route(&host, 400, 10, 0);
	assert_true(r && addr_equal(&r->src, &own) && r->mtu == 1400 && r->mtu_lock);
	r = find_route(&host, 400, 11, 0);
	assert_true(r && r->mtu == 1300 && !r->mtu_lock);
	assert_non_null(find_route(&host, RT_TABLE_MAIN, 0, 0));
	for (i = 0; i < host.n_routes; i++)
		assert_int_not_equal(host.routes[i].table, RT_TABLE_LOCAL);
	nl_close(&nl);
}

static void talk_route(struct nl *nl, void (*fill)(struct nl_msg *, const struct route *),
		       const struct route *route, int want)
{
	struct nl_msg m;

	fill(&m, route);
	assert_int_equal(nl_ask(nl, &m, NULL, NULL), want);
}

/* Whether the dump of its protocol alone has it, and nothing of others. */
static bool is_among_own(struct nl *nl, const struct route *route)
{
	_cleanup_(host_done) struct host host = { 0 };
	bool found = false;

	assert_int_equal(route_dump_of(nl, route->protocol, &host), 0);
	for (size_t i = 0; i < host.n_routes; i++) {
		assert_int_equal(host.routes[i].protocol, route->protocol);
		found |= diff_route_equal(&host.routes[i], route);
	}
	return found;
}

static bool has_route(struct nl *nl, const struct route *route)
{
	_cleanup_(host_done) struct host host = { 0 };
	size_t i;

	assert_int_equal(route_dump(nl, &host), 0);
	for (i = 0; i < host.n_routes; i++)
		if (diff_route_equal(&host.routes[i], route))
			return true;
	return false;
}

/* Add, find as it was meant, refuse a second, replace, delete, find gone. */
static void cycle_route(struct nl *nl, const struct route *route)
{
	struct route other = *route;

	other.type = route->type == ROUTE_BLACKHOLE ? ROUTE_UNREACHABLE : ROUTE_BLACKHOLE;
	talk_route(nl, route_fill_add, route, 0);
	assert_true(has_route(nl, route));
	assert_true(is_among_own(nl, route));
	talk_route(nl, route_fill_add, route, -EEXIST);
	talk_route(nl, route_fill_add, &other, -EEXIST);
	talk_route(nl, route_fill_replace, &other, 0);
	assert_true(has_route(nl, &other));
	assert_false(has_route(nl, route));
	talk_route(nl, route_fill_replace, route, 0);
	assert_true(has_route(nl, route));
	other = *route;
	other.protocol = 4;
	talk_route(nl, route_fill_delete, &other, -ESRCH);
	talk_route(nl, route_fill_delete, route, 0);
	assert_false(has_route(nl, route));
	talk_route(nl, route_fill_delete, route, -ESRCH);
}

static void test_own_routes(void **state)
{
	uint32_t wan0;
	struct nl nl;
	size_t i;

	netns_need();
	nl = open_nl(NETLINK_ROUTE);
	wan0 = if_nametoindex("wan0");
	struct route routes[] = {
		{ prefix("10.0.0.0/24"), AF_INET, 10001, wan0, .protocol = 171 },
		{ prefix("0.0.0.0/0"), AF_INET, 10001, wan0, addr("10.0.0.1"), addr("10.0.0.2"),
		  .protocol = 171 },
		{ { .len = 0 }, AF_INET, 200, wan0, addr("192.0.2.1"), .metric = 5, .onlink = true,
		  .protocol = 171 },
		{ prefix("0.0.0.0/0"), AF_INET, 10001, wan0, addr("fe80::1"), .protocol = 171 },
		{ prefix("0.0.0.0/0"), AF_INET, 10001, wan0, addr("10.0.0.1"), .mtu = 1400,
		  .protocol = 171 },
		{ prefix("0.0.0.0/0"), AF_INET, 10001, wan0, addr("10.0.0.1"), .mtu = 1400,
		  .mtu_lock = true, .protocol = 171 },
		{ prefix("::/0"), AF_INET6, 10001, wan0, addr("fe80::1"), .mtu = 1400,
		  .protocol = 171 },
		{ prefix("::/0"), AF_INET6, 10001, wan0, addr("fe80::1"), .mtu = 1400,
		  .mtu_lock = true, .protocol = 171 },
		{ prefix("0.0.0.0/0"), AF_INET, 10001, .type = ROUTE_UNREACHABLE,
		  .metric = UINT32_MAX, .protocol = 171 },
		{ prefix("2001:db8::/64"), AF_INET6, 10001, wan0, .protocol = 171 },
		{ prefix("::/0"), AF_INET6, 10001, wan0, addr("fe80::1"), addr("2001:db8:0::2"),
		  .protocol = 171 },
		{ prefix("::/0"), AF_INET6, 200, wan0, addr("2001:db8:55::1"), .metric = 5,
		  .onlink = true, .protocol = 171 },
		{ prefix("::/0"), AF_INET6, 10001, .type = ROUTE_UNREACHABLE,
		  .metric = UINT32_MAX, .protocol = 171 },
		{ prefix("::/0"), AF_INET6, 10001, .type = ROUTE_BLACKHOLE, .protocol = 171 },
	};
	for (i = 0; i < ARRAY_SIZE(routes); i++)
		cycle_route(&nl, &routes[i]);
	nl_close(&nl);
}

static size_t count_rule(struct nl *nl, const struct rule *rule)
{
	_cleanup_(host_done) struct host host = { 0 };
	size_t i, n = 0;

	assert_int_equal(rule_dump(nl, &host), 0);
	for (i = 0; i < host.n_rules; i++)
		n += diff_rule_equal(&host.rules[i], rule);
	return n;
}

static void cycle_rule(struct nl *nl, const struct rule *rule)
{
	struct rule foreign = *rule;
	struct nl_msg m;

	rule_fill_add(&m, rule);
	assert_int_equal(nl_ask(nl, &m, NULL, NULL), 0);
	assert_int_equal(count_rule(nl, rule), 1);
	assert_int_equal(nl_ask(nl, &m, NULL, NULL), -EEXIST);
	foreign.protocol = 4;
	rule_fill_delete(&m, &foreign);
	assert_int_equal(nl_ask(nl, &m, NULL, NULL), -ENOENT);
	rule_fill_delete(&m, rule);
	assert_int_equal(nl_ask(nl, &m, NULL, NULL), 0);
	assert_int_equal(count_rule(nl, rule), 0);
	assert_int_equal(nl_ask(nl, &m, NULL, NULL), -ENOENT);
}

static void test_own_rules(void **state)
{
	struct rule rules[] = {
		{ .action = RULE_TABLE, .table = 254, .suppress_len = 0 },
		{ .action = RULE_TABLE, .table = 10001, .suppress_len = -1, .mark = 0x100,
		  .mask = 0xff00 },
		{ .action = RULE_TABLE, .table = 200, .suppress_len = -1, .oif = "wan0" },
		{ .action = RULE_TABLE, .table = 200, .suppress_len = -1, .iif = "absent",
		  .invert = true },
		{ .action = RULE_GOTO, .target = 20900, .suppress_len = -1, .mask = 0xf000 },
		{ .action = RULE_NOP, .suppress_len = -1 },
		{ .action = RULE_UNREACHABLE, .suppress_len = -1, .mark = 0xfe00, .mask = 0xff00 },
		{ .action = RULE_BLACKHOLE, .suppress_len = -1, .mark = 0xfd00, .mask = 0xff00 },
		{ .action = RULE_TABLE, .table = 10001, .suppress_len = -1, .has_src = true },
	};
	struct nl nl;
	size_t i;

	netns_need();
	nl = open_nl(NETLINK_ROUTE);
	for (i = 0; i < 2 * ARRAY_SIZE(rules); i++) {
		struct rule rule = rules[i / 2];

		rule.family = i % 2 ? AF_INET6 : AF_INET;
		rule.src = prefix(i % 2 ? "2001:db8::2" : "10.0.0.2");
		rule.priority = 20600 + i;
		rule.protocol = 171;
		cycle_rule(&nl, &rule);
	}
	nl_close(&nl);
}

/* Rules with tests that we have no member for are not taken for simpler ones. */
static void test_foreign_rules(void **state)
{
	_cleanup_(host_done) struct host host = { 0 };
	size_t i, more = 0, others = 0;
	struct nl nl;

	netns_need();
	nl = open_nl(NETLINK_ROUTE);
	sh("ip rule add pref 500 dport 53 lookup main\n"
	   "ip rule add pref 501 uidrange 5-6 lookup main\n"
	   "ip rule add pref 502 to 10.9.0.0/16 lookup main; ip -6 rule add pref 503 ipproto tcp"
	   "  lookup main; ip rule add pref 504 tos 0x10 lookup main\n"
	   "ip rule add pref 505 prohibit\n"
	   "ip rule add pref 506 from 10.0.0.0/8 lookup main suppress_ifgroup 3");
	assert_int_equal(rule_dump(&nl, &host), 0);
	for (i = 0; i < host.n_rules; i++) {
		more += host.rules[i].more;
		others += host.rules[i].action == RULE_OTHER;
		if (host.rules[i].priority == 506)
			assert_int_equal(host.rules[i].src.len, 96 + 8);
	}
	assert_int_equal(more, 6);
	assert_int_equal(others, 1);
	assert_int_equal(host.n_rules, 5 + 7); /* three of IPv4's own, two of IPv6's */
	nl_close(&nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(test_foreign_routes),
		netns_test(test_own_routes),
		netns_test(test_own_rules),
		netns_test(test_foreign_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
