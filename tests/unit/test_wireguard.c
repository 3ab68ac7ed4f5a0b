// SPDX-License-Identifier: GPL-2.0-or-later
/* WireGuard devices: the kernel's where it has them, else wireguard-go's.  /run is the test's own. */
#include "nl/device.h"
#include "nl/link.h"
#include "nl/tun.h"
#include "nl/wireguard.h"
#include "tests/unit/nl_lab.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int setup(void **state)
{
	netns_ours = !unshare(CLONE_NEWNET | CLONE_NEWNS) &&
		     !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		     !mount("none", "/run", "tmpfs", 0, NULL);
	return 0;
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

/* wireguard-go goes with its device. */
static int teardown(void **state)
{
	for (int i = 0; netns_ours && i < 3; i++) {
		char name[] = "w0";

		name[1] += i;
		wireguard_remove(name);
	}
	return 0;
}

static void fill_key(uint8_t key[WIREGUARD_KEY], uint8_t value)
{
	memset(key, value, WIREGUARD_KEY);
}

static struct wireguard example(void)
{
	struct wireguard w = {.listen_port = 51999, .fwmark = 0xff0000, .keepalive_s = 7};

	fill_key(w.private_key, 0x48);
	fill_key(w.peer, 0x11);
	w.endpoint.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(1234)};
	inet_pton(AF_INET, "192.0.2.7", &w.endpoint.in.sin_addr);
	return w;
}

static void make(const char *name)
{
	int r;

	netns_need();
	r = wireguard_create(name);
	if (r == -EOPNOTSUPP)
		skip();
	assert_int_equal(r, 0);
}

static void same(const struct wireguard *a, const struct wireguard *b)
{
	assert_memory_equal(a->private_key, b->private_key, WIREGUARD_KEY);
	assert_memory_equal(a->peer, b->peer, WIREGUARD_KEY);
	assert_int_equal(a->listen_port, b->listen_port);
	assert_int_equal(a->fwmark, b->fwmark);
	assert_int_equal(a->keepalive_s, b->keepalive_s);
	assert_int_equal(a->endpoint.sa.sa_family, b->endpoint.sa.sa_family);
	if (a->endpoint.sa.sa_family == AF_INET6) {
		assert_memory_equal(&a->endpoint.in6.sin6_addr, &b->endpoint.in6.sin6_addr, 16);
		assert_int_equal(a->endpoint.in6.sin6_port, b->endpoint.in6.sin6_port);
	} else {
		assert_int_equal(a->endpoint.in.sin_addr.s_addr, b->endpoint.in.sin_addr.s_addr);
		assert_int_equal(a->endpoint.in.sin_port, b->endpoint.in.sin_port);
	}
}

static void test_what_is_set_is_there(void **state)
{
	struct wireguard w = example(), is;

	make("w0");
	assert_true(wireguard_is("w0"));
	assert_int_equal(wireguard_get("w0", &is), -ENOENT);
	assert_int_equal(wireguard_set("w0", &w, true), 0);
	assert_int_equal(wireguard_get("w0", &is), 0);
	same(&is, &w);
	assert_int_equal(is.handshake_s, 0);
	assert_int_equal(wireguard_set("w0", &w, true), 0);
	assert_int_equal(wireguard_get("w0", &is), 0);
	same(&is, &w);
}

static void test_ipv6_endpoint(void **state)
{
	struct wireguard w = example(), is;

	make("w0");
	w.endpoint.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(99)};
	inet_pton(AF_INET6, "2001:db8::17", &w.endpoint.in6.sin6_addr);
	assert_int_equal(wireguard_set("w0", &w, true), 0);
	assert_int_equal(wireguard_get("w0", &is), 0);
	same(&is, &w);
}

static void test_endpoints_that_roamed_stay(void **state)
{
	struct wireguard w = example(), other = w, is;

	make("w0");
	assert_int_equal(wireguard_set("w0", &w, true), 0);
	other.endpoint.in.sin_port = htons(4321);
	other.keepalive_s = 9;
	assert_int_equal(wireguard_set("w0", &other, false), 0);
	assert_int_equal(wireguard_get("w0", &is), 0);
	w.keepalive_s = 9;
	same(&is, &w);
	assert_int_equal(wireguard_set("w0", &other, true), 0);
	assert_int_equal(wireguard_get("w0", &is), 0);
	same(&is, &other);
}

/* Of a peer that is there now. */
static int listen_here(union addr_socket *ret)
{
	const struct timeval patience = {.tv_sec = 10};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(ret->in);

	*ret = (union addr_socket){.in = {.sin_family = AF_INET}};
	ret->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, &ret->sa, len), 0);
	assert_int_equal(getsockname(fd, &ret->sa, &len), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void test_a_peer_that_moved_hears_of_it(void **state)
{
	_cleanup_nl_ struct nl nl = {};
	struct wireguard w = example(), is;
	_cleanup_close_ int fd = -1;
	union addr_socket here;
	char data[256];

	make("w0");
	w.keepalive_s = 0;
	assert_int_equal(wireguard_move_endpoint("w9", &w.endpoint), -ENODEV);
	assert_int_equal(wireguard_move_endpoint("w0", &w.endpoint), -ENOENT);
	assert_int_equal(wireguard_set("w0", &w, true), 0);
	assert_int_equal(nl_open(&nl, NETLINK_ROUTE), 0);
	assert_int_equal(device_set_up(&nl, "lo", true), 0);
	assert_int_equal(device_set_up(&nl, "w0", true), 0);
	fd = listen_here(&here);
	assert_int_equal(wireguard_move_endpoint("w0", &here), 0);
	assert_true(recv(fd, data, sizeof(data), 0) > 0);
	assert_int_equal(wireguard_get("w0", &is), 0);
	w.endpoint = here;
	same(&is, &w);
	w.keepalive_s = 7;
	assert_int_equal(wireguard_set("w0", &w, true), 0);
	w.endpoint = example().endpoint;
	assert_int_equal(wireguard_move_endpoint("w0", &w.endpoint), 0);
	assert_int_equal(wireguard_get("w0", &is), 0);
	same(&is, &w);
}

static void test_another_peer_takes_the_place(void **state)
{
	struct wireguard w = example(), is;

	make("w0");
	assert_int_equal(wireguard_set("w0", &w, true), 0);
	fill_key(w.peer, 0x22);
	w.endpoint.sa.sa_family = 0;
	assert_int_equal(wireguard_set("w0", &w, true), 0);
	assert_int_equal(wireguard_get("w0", &is), 0);
	assert_memory_equal(is.peer, w.peer, WIREGUARD_KEY);
	assert_int_equal(is.endpoint.sa.sa_family, 0);
}

static void test_names_of_others(void **state)
{
	struct nl nl;

	netns_need();
	assert_int_equal(wireguard_remove("w0"), -ENODEV);
	assert_false(wireguard_is("w0"));
	assert_int_equal(tun_create("w0"), 0);
	assert_int_equal(tun_create("w0"), -EEXIST);
	assert_false(wireguard_is("w0"));
	assert_int_equal(wireguard_create("w0"), -EEXIST);
	assert_int_not_equal(wireguard_remove("w0"), 0);
	nl = open_nl(NETLINK_ROUTE);
	assert_int_equal(device_delete(&nl, "w0"), 0);
	assert_int_equal(device_delete(&nl, "w0"), -ENODEV);
	nl_close(&nl);
}

/* Its own processes and sockets alone: a namespace has its own devices, but files are the machine's. */
static void test_another_namespace(void **state)
{
	struct wireguard is;
	struct stat st;
	int r;

	make("w0");
	if (stat("/var/run/wireguard/w0.sock", &st))
		skip(); /* the kernel's */
	if (!fork()) {
		if (unshare(CLONE_NEWNET) || tun_create("w0"))
			_exit(2);
		r = wireguard_is("w0") || wireguard_get("w0", &is) != -EMEDIUMTYPE ||
		    wireguard_create("w1") || wireguard_remove("w1");
		_exit(r);
	}
	assert_true(wait(&r) > 0);
	assert_int_equal(r, 0);
	if (!fork())
		_exit(unshare(CLONE_NEWNET) || wireguard_create("w0") != -EBUSY);
	assert_true(wait(&r) > 0);
	assert_int_equal(r, 0);
}

static void test_nothing_stays(void **state)
{
	struct host_device d;
	struct stat st;
	struct nl nl;

	make("w0");
	assert_int_equal(wireguard_remove("w0"), 0);
	assert_false(wireguard_is("w0"));
	assert_int_equal(stat("/var/run/wireguard/w0.sock", &st), -1);
	nl = open_nl(NETLINK_ROUTE);
	assert_int_equal(link_find(&nl, "w0", &d), -ENODEV);
	nl_close(&nl);
}

static void test_a_port_in_use(void **state)
{
	struct wireguard w = example();
	struct nl nl;

	make("w0");
	make("w1");
	nl = open_nl(NETLINK_ROUTE);
	assert_int_equal(wireguard_set("w0", &w, true), 0);
	assert_int_equal(device_set_up(&nl, "w0", true), 0);
	assert_int_equal(device_set_up(&nl, "w1", true), 0);
	for (int i = 0; i < 100 && wireguard_set("w1", &w, true) != -EADDRINUSE; i++) {
		/* wireguard-go learns that its device is up a little later */
		w.listen_port++;
		assert_int_equal(wireguard_set("w1", &w, true), 0);
		w.listen_port--;
		usleep(20000);
	}
	assert_int_equal(wireguard_set("w1", &w, true), -EADDRINUSE);
	assert_int_equal(wireguard_release_port("w0"), 0);
	assert_int_equal(wireguard_set("w1", &w, true), 0);
	nl_close(&nl);
}

static void test_devices(void **state)
{
	struct host_device d;
	struct nl nl;

	netns_need();
	nl = open_nl(NETLINK_ROUTE);
	assert_int_equal(device_create(&nl, "ghost", "nosuchkind"), -EOPNOTSUPP);
	assert_int_equal(device_set_up(&nl, "ghost", true), -ENODEV);
	assert_int_equal(tun_create("a_name_too_long_"), -ENAMETOOLONG);
	assert_int_equal(tun_create("t0"), 0);
	assert_int_equal(device_set_mtu(&nl, "t0", 1380), 0);
	assert_int_equal(link_find(&nl, "t0", &d), 0);
	assert_true(d.mtu == 1380 && !d.up && !d.ethernet && d.point_to_point);
	assert_string_equal(d.kind, "tun");
	assert_int_equal(device_set_up(&nl, "t0", true), 0);
	assert_int_equal(link_find(&nl, "t0", &d), 0);
	assert_true(d.up && d.ifindex == if_nametoindex("t0"));
	nl_close(&nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_what_is_set_is_there),
		test(test_ipv6_endpoint),
		test(test_endpoints_that_roamed_stay),
		test(test_a_peer_that_moved_hears_of_it),
		test(test_another_peer_takes_the_place),
		test(test_names_of_others),
		test(test_another_namespace),
		test(test_nothing_stays),
		test(test_a_port_in_use),
		test(test_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
