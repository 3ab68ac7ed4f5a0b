// SPDX-License-Identifier: GPL-2.0-or-later
/* The way a probe takes: source, mark and a device that goes. */
#include "tests/unit/probe_lab.h"

static void expect_source(enum model_probe_kind kind, enum asym_family f, const char *source,
			  answer_fn *fn)
{
	struct probe_path path = path_of("wan0");
	struct model_target t = target_of(kind, f);
	struct model_probe c = conf_of(PATIENT);
	struct in6_addr got;

	memset(path.source, 0, sizeof(path.source));
	if (source)
		path.source[f] = addr(source);
	assert_string_equal(probe_once(&path, &t, &c, fn).why, "");
	got = f == ASYM_V4 ? addr_from_wire(AF_INET, &seen.ip->saddr) : seen.ip6->ip6_src;
	/* otherwise it is the kernel's own choice */
	assert_true(!source || addr_equal(&got, &path.source[f]));
}

static void test_source(void **state)
{
	static const struct lie kinds[] = { { .answer = echo_right }, { .answer = tcp_accept },
					    { .answer = dns_right } };

	netns_need();
	for (int k = 0; k < 3; k++) {
		expect_source(PROBE_PING + k, ASYM_V4, "10.0.0.3", kinds[k].answer);
		expect_source(PROBE_PING + k, ASYM_V6, "2001:db8::3", kinds[k].answer);
		expect_source(PROBE_PING + k, ASYM_V4, "10.0.0.2", kinds[k].answer);
		expect_source(PROBE_PING + k, ASYM_V6, "2001:db8::2", kinds[k].answer);
		expect_source(PROBE_PING + k, ASYM_V4, NULL, kinds[k].answer);
		expect_source(PROBE_PING + k, ASYM_V6, NULL, kinds[k].answer);
	}
}

/* Without an address of ours nothing is sent. */
static void test_source_gone(void **state)
{
	struct probe_path path;

	netns_need();
	for (int k = PROBE_PING; k <= PROBE_DNS; k++) {
		path = path_of("wan0");
		path.source[ASYM_V4] = addr("10.0.0.9");
		path.source[ASYM_V6] = addr("2001:db8::9");
		assert_int_not_equal(try(&path, k, ASYM_V4), 0);
		assert_int_not_equal(try(&path, k, ASYM_V6), 0);
	}
	assert_int_equal(n_seen, 0);
}

/* With another mark there is no way out by wan0: the mark is on every kind. */
static void test_mark(void **state)
{
	struct probe_path path;

	netns_need();
	for (int k = PROBE_PING; k <= PROBE_DNS; k++) {
		path = path_of("wan0");
		path.mark = 0x100;
		assert_int_not_equal(try(&path, k, ASYM_V6), 0);
		path = path_of("wan0");
		assert_int_equal(try(&path, k, ASYM_V6), 0);
	}
}

/* wan0 was deleted; with this index, or the next one (0). */
static void device_again(unsigned int index)
{
	char link[128];

	snprintf(link, sizeof(link), "ip link add wan0 %s%.0u type veth peer name peer0",
		 index ? "index " : "", index);
	sh(link);
	sh("ip link set peer0 up; ip link set wan0 up\n"
	   "echo 1 >/proc/sys/net/ipv6/conf/peer0/disable_ipv6\n"
	   "echo 2 >/proc/sys/net/ipv4/conf/wan0/rp_filter\n"
	   "ip addr add 10.0.0.2/24 dev wan0; ip addr add 2001:db8:0::2/64 dev wan0 nodad\n"
	   "ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev wan0\n"
	   "ip neigh add 2001:db8::1 lladdr 02:00:00:00:00:01 dev wan0\n"
	   "ip route add default via 10.0.0.1 table 100\n"
	   "ip -6 route add default via 2001:db8:0::1 table 100");
	uv_close((uv_handle_t *)&here, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	close(wire);
	watch_wire();
}

/* The device goes while probes wait, and another one of its name comes. */
static void test_device_gone(void **state)
{
	static const struct lie kinds[] = { { .answer = echo_right }, { .answer = tcp_accept },
					    { .answer = dns_right } };
	struct probe_path path;
	struct model_probe c = conf_of(SOON);
	int n, fds;

	netns_need();
	path = path_of("wan0");
	fds = count_fds();
	n = start_all(&path, &c);
	sh("ip link del wan0");
	finish();
	for (int i = 0; i < n; i++)
		assert_int_equal(results[i].rtt_us, 0);
	for (int k = 0; k < PROBE_MAX; k++)
		for (int f = 0; f < ASYM_FAMILIES && k != PROBE_HTTP; f++)
			assert_int_not_equal(try(&path, k, f), 0);
	assert_int_equal(pending, 0);
	device_again(0);
	for (int k = 0; k < 3; k++) {
		expect("back", PROBE_PING + k, ASYM_V4, kinds[k].answer, NULL);
		expect("back", PROBE_PING + k, ASYM_V6, kinds[k].answer, NULL);
	}
	expect("back", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	expect("back", PROBE_GATEWAY, ASYM_V6, nd_right, NULL);
	/* the shared sockets of the new device, for echo and gateway, and no others */
	assert_int_equal(count_fds(), fds + 4);
}

/* The same index again: a socket that was the old device's is of no use. */
static void test_device_same_index(void **state)
{
	unsigned int index;

	netns_need();
	index = if_nametoindex("wan0");
	expect("before", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	expect("before", PROBE_PING, ASYM_V4, echo_right, NULL);
	sh("ip link del wan0");
	device_again(index);
	assert_int_equal(if_nametoindex("wan0"), index);
	expect("after", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	expect("after", PROBE_GATEWAY, ASYM_V6, nd_right, NULL);
	expect("after", PROBE_PING, ASYM_V4, echo_right, NULL);
	expect("after", PROBE_PING, ASYM_V6, echo_right, NULL);
}

static void test_device_down(void **state)
{
	struct probe_path path;
	struct model_target t = target_of(PROBE_GATEWAY, ASYM_V4);
	struct model_probe c = conf_of(PATIENT);
	struct probe *p;

	netns_need();
	path = path_of("wan0");
	assert_int_equal(start(&path, &t, &c, &results[0], &p), 0);
	assert_int_equal(start(&path, &t, &c, &results[1], &p), 0);
	sh("ip link set wan0 down");
	finish();
	assert_string_equal(results[0].why, "device down");
	assert_string_equal(results[1].why, "device down");
	assert_int_equal(try(&path, PROBE_GATEWAY, ASYM_V4), -ENETDOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		probe_test(test_source),
		probe_test(test_source_gone),
		probe_test(test_mark),
		probe_test(test_device_gone),
		probe_test(test_device_same_index),
		probe_test(test_device_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
