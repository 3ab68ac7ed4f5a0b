// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/diff.h"
#include "nl/addr.h"
#include "nl/attr.h"
#include "nl/batch.h"
#include "nl/conntrack.h"
#include "nl/filter.h"
#include "nl/link.h"
#include "nl/mark.h"
#include "nl/route.h"
#include "nl/rule.h"
#include "tests/unit/netns.h"
#include <errno.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <string.h>

static struct nl open_nl(int bus)
{
	struct nl nl;

	assert_int_equal(nl_open(&nl, bus), 0);
	return nl;
}

static struct in6_addr addr(const char *s)
{
	struct in6_addr a;

	assert_int_equal(addr_parse(s, &a), 0);
	return a;
}

static struct prefix prefix(const char *s)
{
	struct prefix p;

	assert_int_equal(prefix_parse(s, &p), 0);
	return p;
}

static void test_overflow(void **state)
{
	char text[3000];
	struct nl nl = { 0 };
	struct nl_msg m;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	nl_begin(&m, RTM_NEWRULE, 0, text, 12);
	nl_put_str(&m, 1, text);
	nl_put_u32(&m, 2, 3);
	assert_int_equal(nl_ask(&nl, &m, NULL, NULL), -EMSGSIZE);
	assert_int_equal(m.h->nlmsg_len, 16 + 12);
}

static void test_kernel_text(void **state)
{
	struct rule rule = { AF_INET, 200, RULE_GOTO, .target = 100, .suppress_len = -1,
			     .protocol = 171 };
	struct nl nl;
	struct nl_msg m;

	netns_need();
	nl = open_nl(NETLINK_ROUTE);
	rule_fill_add(&m, &rule);
	assert_int_equal(nl_ask(&nl, &m, NULL, NULL), -EINVAL);
	assert_string_equal(nl.error, "Backward goto not supported");
	rule.target = 300;
	rule_fill_add(&m, &rule);
	assert_int_equal(nl_ask(&nl, &m, NULL, NULL), 0);
	assert_string_equal(nl.error, "");
	rule_fill_delete(&m, &rule);
	assert_int_equal(nl_ask(&nl, &m, NULL, NULL), 0);
	nl_close(&nl);
}

/* Three requests of which the second fails: the others are carried out. */
static void test_batch(void **state)
{
	_cleanup_batch_ struct nl_batch b = { 0 };
	struct rule rule = { AF_INET, 200, RULE_NOP, .suppress_len = -1, .protocol = 171 };
	size_t first = 99;
	struct nl nl;
	struct nl_msg m;
	int i;

	netns_need();
	nl = open_nl(NETLINK_ROUTE);
	for (i = 0; i < 3; i++) {
		rule.priority = i == 2 ? 201 : 200;
		rule_fill_add(&m, &rule);
		nl_batch_add(&b, &m);
	}
	assert_int_equal(nl_batch_talk(&nl, &b, &first), -EEXIST);
	assert_int_equal(first, 1);
	assert_int_equal(b.requests[0].err, 0);
	assert_int_equal(b.requests[1].err, -EEXIST);
	assert_int_equal(b.requests[2].err, 0);
	sh("ip rule del pref 200; ip rule del pref 201");
	nl_close(&nl);
}

/* Dumps that are disturbed while they run. */
struct disturbed {
	struct host host;
	size_t messages;
	int left;   /* dumps still to disturb */
	int resets;
	int stop;   /* fn returns this */
	bool done;  /* this dump is disturbed already */
};

static int count(const struct nlmsghdr *h, void *data)
{
	struct disturbed *d = data;

	d->messages++;
	if (d->left > 0 && !d->done) {
		d->left--;
		d->done = true;
		sh("ip link add torn0 type veth peer name torn1; ip link del torn0");
	}
	return d->stop;
}

static void again(void *data)
{
	struct disturbed *d = data;

	d->resets++;
	d->messages = 0;
	d->done = false;
}

static int dump_links(struct nl *nl, struct disturbed *d)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg m;

	nl_begin(&m, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	return nl_dump(nl, &m, count, again, d);
}

static void test_dump_restart(void **state)
{
	struct disturbed calm = { 0 }, twice = { .left = 2 }, ever = { .left = 100 };
	struct disturbed stops = { .stop = -EDOM };
	struct nl nl;

	netns_need();
	nl = open_nl(NETLINK_ROUTE);
	/* Enough of them that the kernel needs several datagrams. */
	sh("for n in $(seq 60); do echo link add many$n type bridge; done | ip -batch -");
	assert_int_equal(dump_links(&nl, &calm), 0);
	assert_true(calm.messages >= 65);
	assert_int_equal(dump_links(&nl, &twice), 0);
	assert_int_equal(twice.resets, 2);
	assert_int_equal(twice.messages, calm.messages);
	assert_int_equal(dump_links(&nl, &ever), -EINTR);
	assert_int_equal(ever.resets, 5);
	assert_int_equal(dump_links(&nl, &stops), -EDOM);
	assert_int_equal(stops.messages, 1);
	assert_int_equal(dump_links(&nl, &twice), 0);
	sh("for n in $(seq 60); do echo link del many$n; done | ip -batch -");
	nl_close(&nl);
}

static void test_links(void **state)
{
	_cleanup_(host_done) struct host host = { 0 };
	const struct host_device *d;
	struct nl nl;

	netns_need();
	nl = open_nl(NETLINK_ROUTE);
	sh("ip link add br0 type bridge; ip link add port0 type veth peer name port1 mtu 1400\n"
	   "ip link set port0 master br0; ip link set port1 down\n"
	   "ip tuntap add tun0 mode tun; ip link set tun0 up\n"
	   "ping -qc1 -W1 10.0.0.1 >/dev/null || :");
	assert_int_equal(link_dump(&nl, &host), 0);
	d = host_device_find(&host, "lo");
	assert_true(d && d->loopback && !d->ethernet && !d->point_to_point && d->ifindex == 1);
	assert_false(d->nbma);
	d = host_device_find(&host, "wan0");
	assert_true(d && d->up && d->carrier && d->ethernet && !d->point_to_point && !d->master);
	assert_false(d->nbma);
	assert_string_equal(d->kind, "veth");
	assert_true(d->tx_bytes > 0 && d->rx_bytes > 0);
	assert_ptr_equal(host_device_by_index(&host, d->ifindex), d);
	d = host_device_find(&host, "port0");
	assert_true(d && !d->up && d->master && d->mtu == 1500);
	assert_string_equal(d->master_kind, "bridge");
	assert_int_equal(host_device_find(&host, "port1")->mtu, 1400);
	d = host_device_find(&host, "tun0");
	assert_true(d && d->up && !d->carrier && !d->ethernet && d->point_to_point && !d->nbma);
	assert_string_equal(d->kind, "tun");
	sh("ip link del br0; ip link del port0; ip link del tun0");
	nl_close(&nl);
}

static const struct host_addr *find_addr(const struct host *host, const char *s)
{
	struct in6_addr a = addr(s);
	size_t i;

	for (i = 0; i < host->n_addrs; i++)
		if (addr_equal(&host->addrs[i].prefix.addr, &a))
			return &host->addrs[i];
	fail_msg("no address %s", s);
	return NULL;
}

static void test_addrs(void **state)
{
	_cleanup_(host_done) struct host host = { 0 };
	const struct host_addr *a;
	struct in6_addr peer = addr("10.7.0.1"), peer6 = addr("2001:db8:7::1");
	struct nl nl;

	netns_need();
	nl = open_nl(NETLINK_ROUTE);
	sh("ip link add p0 type veth peer name p1; ip addr add 10.7.0.2 peer 10.7.0.1 dev p0\n"
	   "ip addr add 2001:db8:7::2 peer 2001:db8:7::1 dev p0 nodad\n"
	   "ip addr add 169.254.3.4/16 dev p0; ip link set p0 up; ip link set p1 up\n"
	   "ip addr add 2001:db8:8::2/64 dev p0 preferred_lft 0 nodad\n"
	   "sysctl -qw net.ipv6.conf.p0.dad_transmits=200; ip addr add 2001:db8:9::2/64 dev p0");
	assert_int_equal(addr_dump(&nl, &host), 0);
	a = find_addr(&host, "10.0.0.2");
	assert_true(a->usable && !a->deprecated && !a->link_scope && addr_is_zero(&a->peer));
	assert_int_equal(a->prefix.len, 96 + 24);
	a = find_addr(&host, "10.7.0.2");
	assert_true(addr_equal(&a->peer, &peer) && a->prefix.len == 128);
	a = find_addr(&host, "2001:db8:7::2");
	assert_true(addr_equal(&a->peer, &peer6) && a->usable);
	assert_true(find_addr(&host, "169.254.3.4")->link_scope);
	a = find_addr(&host, "2001:db8:8::2");
	assert_true(a->deprecated && a->usable && a->prefix.len == 64);
	assert_false(find_addr(&host, "2001:db8:9::2")->usable);
	sh("ip link del p0");
	nl_close(&nl);
}

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

static const struct host_mark_use *mark_in(const struct host *host, const char *chain, size_t nth)
{
	size_t i;

	for (i = 0; i < host->n_marks; i++)
		if (!strcmp(host->marks[i].chain, chain) && !nth--)
			return &host->marks[i];
	return NULL;
}

static void assert_mark(const struct host *host, const char *chain, size_t nth, uint32_t value,
			uint32_t mask, bool sets)
{
	const struct host_mark_use *use = mark_in(host, chain, nth);

	if (!use)
		fail_msg("nothing in %s", chain);
	assert_int_equal(use->value, value);
	assert_int_equal(use->mask, mask);
	assert_int_equal(use->sets, sets);
}

static void test_marks(void **state)
{
	_cleanup_(host_done) struct host host = { 0 };
	struct nl nl;

	netns_need();
	if (system("nft add table inet probe 2>/dev/null"))
		skip();
	sh("nft -f - <<'E'\n"
	   "delete table inet probe\n"
	   "table ip fw {\n"
	   " chain whole { meta mark 0x10 accept; }\n"
	   " chain masked { ct mark & 0xff00 == 0x1200 accept; }\n"
	   " chain range { meta mark 0x10-0x20 accept; }\n"
	   " chain named { meta mark { 0x1, 0x2 } accept; }\n"
	   " chain concat { ip daddr . meta mark { 10.0.0.1 . 0x5 } accept; }\n"
	   " chain set_whole { meta mark set 0x77; }\n"
	   " chain set_part { meta mark set meta mark & 0xffff00ff | 0x300; }\n"
	   " chain set_or { ct mark set ct mark | 0x4; }\n"
	   " chain copy { ct mark set meta mark & 0xff; }\n"
	   " chain mapped { meta mark set ip saddr map { 10.0.0.1 : 0x9 }; }\n"
	   " chain none { ip daddr 10.0.0.1 tcp dport 80 accept; }\n"
	   "}\n"
	   "table inet asymbpf {\n chain ours { meta mark 0x10 accept; }\n}\n"
	   "E");
	nl = open_nl(NETLINK_NETFILTER);
	assert_int_equal(mark_dump(&nl, &host), 0);
	assert_mark(&host, "whole", 0, 0x10, UINT32_MAX, false);
	assert_string_equal(mark_in(&host, "whole", 0)->table, "fw");
	assert_mark(&host, "masked", 0, 0x1200, 0xff00, false);
	assert_non_null(mark_in(&host, "range", 0));
	assert_mark(&host, "named", 0, 0, UINT32_MAX, false);
	assert_mark(&host, "concat", 0, 0, UINT32_MAX, false);
	assert_mark(&host, "set_whole", 0, 0x77, UINT32_MAX, true);
	assert_mark(&host, "set_part", 0, 0x300, 0xff00, true);
	assert_mark(&host, "set_or", 0, 0x4, 0x4, true);
	assert_mark(&host, "copy", 0, 0, UINT32_MAX, true);
	assert_mark(&host, "mapped", 0, 0, UINT32_MAX, true);
	assert_null(mark_in(&host, "none", 0));
	assert_null(mark_in(&host, "ours", 0));
	sh("nft flush ruleset");
	nl_close(&nl);
}

static void test_marks_iptables(void **state)
{
	_cleanup_(host_done) struct host host = { 0 };
	struct nl nl;

	netns_need();
	if (system("iptables-nft -t mangle -A PREROUTING -m mark --mark 0x1/0x3 2>/dev/null"))
		skip();
	sh("iptables-nft -t mangle -A PREROUTING -m connmark --mark 0x10/0x30\n"
	   "iptables-nft -t mangle -A OUTPUT -j MARK --set-xmark 0x200/0x300\n"
	   "iptables-nft -t mangle -A OUTPUT -j CONNMARK --set-mark 0x4/0xc\n"
	   "iptables-nft -t mangle -A OUTPUT -j CONNMARK --restore-mark --mask 0xff");
	nl = open_nl(NETLINK_NETFILTER);
	assert_int_equal(mark_dump(&nl, &host), 0);
	assert_mark(&host, "PREROUTING", 0, 0x1, 0x3, false);
	assert_mark(&host, "PREROUTING", 1, 0x10, 0x30, false);
	assert_mark(&host, "OUTPUT", 0, 0x200, 0x300, true);
	assert_mark(&host, "OUTPUT", 1, 0x4, 0xc, true);
	assert_mark(&host, "OUTPUT", 2, 0, 0xff, true);
	sh("nft flush ruleset");
	nl_close(&nl);
}

struct tcp_flags {
	size_t connections, liberal;
};

static int count_flags(const struct nlmsghdr *h, void *data)
{
	static const struct attr_size any[CTA_PROTOINFO + 1] = { [CTA_PROTOINFO] = ATTR_NEST };
	static const struct attr_size flags[CTA_PROTOINFO_TCP_MAX + 1] = {
		[CTA_PROTOINFO_TCP_FLAGS_ORIGINAL] = { 2, 2 },
		[CTA_PROTOINFO_TCP_FLAGS_REPLY] = { 2, 2 },
	};
	const struct nlattr *tb[ARRAY_SIZE(any)], *tcp[ARRAY_SIZE(flags)];
	struct tcp_flags *ret = data;

	assert_int_equal(attr_parse(h, sizeof(struct nfgenmsg), any, ARRAY_SIZE(any), tb), 0);
	if (!tb[CTA_PROTOINFO])
		return 0;
	assert_int_equal(attr_parse_nest(mnl_attr_get_payload(tb[CTA_PROTOINFO]), flags,
					 ARRAY_SIZE(flags), tcp), 0);
	ret->connections++;
	for (int i = CTA_PROTOINFO_TCP_FLAGS_ORIGINAL; i <= CTA_PROTOINFO_TCP_FLAGS_REPLY; i++)
		ret->liberal += !!(*(uint8_t *)mnl_attr_get_payload(tcp[i]) &
				   IP_CT_TCP_FLAG_BE_LIBERAL);
	return 0;
}

static struct tcp_flags tcp_flags(struct nl *nl)
{
	struct nfgenmsg header = { .nfgen_family = AF_UNSPEC };
	struct tcp_flags flags = { 0 };
	struct nl_msg m;

	nl_begin(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, &header,
		 sizeof(header));
	assert_int_equal(nl_dump(nl, &m, count_flags, NULL, &flags), 0);
	return flags;
}

static void connect_to(int type, const char *host)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(4711),
				   .sin6_addr = addr(host) };
	int fd = socket(AF_INET6, type, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

/* Connections of both families become liberal in both directions, once and for all; a UDP one, which
 * has no such thing, is passed over. */
static void test_liberal(void **state)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(4711) };
	struct tcp_flags flags;
	struct nl nl;
	int listener;

	netns_need();
	listener = socket(AF_INET6, SOCK_STREAM, 0);
	sh("nft 'add table inet t; add chain inet t c { type filter hook input priority 0; };"
	   "add rule inet t c ct state new counter'");
	assert_int_equal(bind(listener, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(listener, 2), 0);
	connect_to(SOCK_STREAM, "127.0.0.1");
	connect_to(SOCK_STREAM, "::1");
	connect_to(SOCK_DGRAM, "127.0.0.1");
	nl = open_nl(NETLINK_NETFILTER);
	flags = tcp_flags(&nl);
	assert_true(flags.connections == 2 && !flags.liberal);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(conntrack_make_liberal(&nl), 0);
		flags = tcp_flags(&nl);
		assert_true(flags.connections == 2 && flags.liberal == 4);
	}
	sh("nft flush ruleset");
	close(listener);
	nl_close(&nl);
}

static unsigned int filters(struct nl *nl, const char *device, bool egress,
			    const struct filter_place *but)
{
	unsigned int n;

	assert_int_equal(filter_count(nl, if_nametoindex(device), egress, but, &n), 0);
	return n;
}

/* On a qdisc of either kind, beside one of our own, on the other side. */
static void test_filters(void **state)
{
	static const struct filter_place own = { 0xa5, 0xa5b };
	struct nl nl;

	netns_need();
	nl = open_nl(NETLINK_ROUTE);
	sh("tc qdisc add dev wan0 ingress; tc qdisc add dev wan1 clsact\n"
	   "tc filter add dev wan1 egress prio 7 bpf bytecode '1,6 0 0 0'");
	assert_true(filter_ingress_only(&nl, if_nametoindex("wan0")));
	assert_false(filter_ingress_only(&nl, if_nametoindex("wan1")));
	assert_false(filter_ingress_only(&nl, if_nametoindex("lo")));
	assert_int_equal(filters(&nl, "lo", false, NULL), 0);
	assert_int_equal(filters(&nl, "wan0", false, NULL), 0);
	assert_int_equal(filters(&nl, "wan1", false, NULL), 0);
	assert_true(filters(&nl, "wan1", true, NULL) > 0);
	sh("for d in wan0 wan1; do\n"
	   "  tc filter add dev $d ingress prio 2651 handle 0xa5 bpf bytecode '1,6 0 0 0'\n"
	   "done");
	assert_true(filters(&nl, "wan0", false, NULL) > 0);
	assert_int_equal(filters(&nl, "wan0", false, &own), 0);
	assert_int_equal(filters(&nl, "wan1", false, &own), 0);
	sh("tc filter add dev wan0 ingress prio 2651 handle 1 bpf bytecode '1,6 0 0 0'\n"
	   "tc filter add dev wan1 ingress prio 10 handle 0xa5 bpf bytecode '1,6 0 0 0'");
	assert_true(filters(&nl, "wan0", false, &own) > 0);
	assert_true(filters(&nl, "wan1", false, &own) > 0);
	assert_int_equal(filter_count(&nl, 4000, false, NULL, &(unsigned int){ 7 }), 0);
	nl_close(&nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overflow),       netns_test(test_kernel_text),
		netns_test(test_batch),	       netns_test(test_dump_restart),
		netns_test(test_links),	       netns_test(test_addrs),
		netns_test(test_foreign_routes), netns_test(test_own_routes),
		netns_test(test_own_rules),      netns_test(test_foreign_rules),
		netns_test(test_marks),	       netns_test(test_marks_iptables),
		netns_test(test_liberal),       netns_test(test_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
