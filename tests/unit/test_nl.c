// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages, batches and dumps; devices with their addresses and filters. */
#include "nl/addr.h"
#include "nl/batch.h"
#include "nl/filter.h"
#include "nl/genl.h"
#include "nl/link.h"
#include "nl/rule.h"
#include "tests/unit/nl_lab.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

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

/* Among the families that are, and by name; one that nobody has. */
static void test_genl(void **state)
{
	struct nl nl = open_nl(NETLINK_GENERIC);
	uint16_t id = 0;

	assert_int_equal(genl_family_present(&nl, "nlctrl", &id), 0);
	assert_int_equal(id, GENL_NOTIFY_GROUP);
	assert_int_equal(genl_family(&nl, "nlctrl", &id), 0);
	assert_int_equal(id, GENL_NOTIFY_GROUP);
	assert_int_equal(genl_family_present(&nl, "nlctr", &id), -ENOENT);
	assert_int_equal(genl_family_present(&nl, "a-family-of-nobody", &id), -ENOENT);
	nl_close(&nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overflow),
		netns_test(test_kernel_text),
		netns_test(test_batch),
		netns_test(test_dump_restart),
		netns_test(test_links),
		netns_test(test_addrs),
		netns_test(test_filters),
		cmocka_unit_test(test_genl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
