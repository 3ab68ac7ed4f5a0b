// SPDX-License-Identifier: GPL-2.0-or-later
/* What of the machine's changes is told, and what was ourselves. */
#include "netns.h"
#include "loop.h"
#include "nl/route.h"
#include "run/watch.h"
#include <linux/rtnetlink.h>
#include <net/if.h>

#define DEFAULT "default dev wan0 proto 171 table 10001"

static unsigned int changes;
static struct watch *watch;

static void on_change(void *data)
{
	changes++;
}

static int setup(void **state)
{
	changes = 0;
	if (netns_setup(state) || loop_setup(state))
		return -1;
	return netns_ours ? watch_open(&loop, on_change, NULL, &watch) : 0;
}

static int teardown(void **state)
{
	if (netns_ours)
		watch_close(watch);
	return loop_teardown(state);
}

/* Whether what was done is told; all that the machine itself goes on to do is over by then. */
static bool is_told(void)
{
	changes = 0;
	for (int quiet = 0; quiet < 3 && !changes; quiet++)
		uv_run(&loop, UV_RUN_NOWAIT);
	return changes;
}

static void settle(void)
{
	uint64_t until = uv_hrtime() + 10ull * 1000000000;

	while (is_told() && uv_hrtime() < until)
		;
}

/* Another one each time: who replaces a route by itself is not told of. */
static void put_route(struct nl *nl, const char *dst, bool replace)
{
	static uint32_t mtu = 1300;
	struct route route = {.table = 10001, .ifindex = if_nametoindex("wan0"),
			      .protocol = 171, .metric = 5, .mtu = mtu++};
	struct nl_msg m;

	assert_int_equal(prefix_parse(dst, &route.dst), 0);
	route.family = addr_family(&route.dst.addr);
	(replace ? route_fill_replace : route_fill_add)(&m, &route);
	assert_int_equal(nl_ask(nl, &m, NULL, NULL), 0);
}

/* Somebody takes the protocol number that is ours. */
static void test_others(void **state)
{
	netns_need();
	settle();
	sh("ip route add " DEFAULT);
	assert_true(is_told());
	sh("ip route replace unreachable default proto 171 table 10001");
	assert_true(is_told());
	sh("ip route del table 10001 default");
	assert_true(is_told());
	sh("ip -6 route add " DEFAULT);
	assert_true(is_told());
	sh("ip -6 route replace default via 2001:db8::9 onlink dev wan0 proto 171 table 10001");
	assert_true(is_told());
}

static void test_own(void **state)
{
	static const char *const dst[] = {"198.51.100.0/24", "2001:db8:5::/48"};
	struct nl nl = {};

	netns_need();
	settle();
	assert_int_equal(nl_open(&nl, NETLINK_ROUTE), 0);
	watch_own(watch, nl.port);
	for (size_t i = 0; i < ARRAY_SIZE(dst); i++) {
		put_route(&nl, dst[i], false);
		put_route(&nl, dst[i], true);
		assert_false(is_told());
	}
	/* in the midst of it somebody else */
	put_route(&nl, dst[0], true);
	sh("ip route add " DEFAULT);
	put_route(&nl, dst[0], true);
	assert_true(is_told());
	watch_own(watch, 0);
	put_route(&nl, dst[0], true);
	assert_true(is_told());
	nl_close(&nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
