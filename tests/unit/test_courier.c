// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/dhcp.h"
#include "run/courier.h"
#include "tests/unit/line.h"
#include "tests/unit/loop.h"
#include <fcntl.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

struct outcome {
	int result; /* 1: not told yet */
	size_t times;
};

static struct courier *courier;
static struct line far;
static uint8_t packet[DHCP_MAX_PACKET];
static size_t packet_len;

static void note(void *data, int result)
{
	struct outcome *o = data;

	o->result = result;
	o->times++;
}

static struct in_addr in(const char *s)
{
	struct in_addr a;

	assert_int_equal(inet_pton(AF_INET, s, &a), 1);
	return a;
}

static void renewal_to(const char *server)
{
	const struct dhcp_renewal r = { .xid = 7, .ciaddr = in("10.1.0.2"), .server = in(server),
					.chaddr = { 2, 0, 0, 0, 0, 1 } };

	packet_len = dhcp_write_renewal(&r, packet);
}

static int setup(void **state)
{
	netns_setup(state);
	loop_setup(state);
	if (!netns_ours)
		return 0;
	far = line_open("peer1");
	renewal_to("10.1.0.1");
	return courier_open(&loop, &courier);
}

static int teardown(void **state)
{
	if (netns_ours) {
		courier_close(courier);
		close(far.fd);
	}
	return loop_teardown(state);
}

#define courier_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static void send_by(const char *device, struct outcome *o)
{
	*o = (struct outcome){ .result = 1 };
	courier_send(courier, if_nametoindex(device), packet, packet_len, note, o);
}

static int send_now(const char *device)
{
	struct outcome o;

	send_by(device, &o);
	assert_int_equal(o.times, 1);
	return o.result;
}

static void check_frame(void)
{
	struct ifreq ifr = { .ifr_name = "wan1" };

	assert_int_equal(ioctl(far.fd, SIOCGIFHWADDR, &ifr), 0);
	assert_int_equal(far.len, ETH_HLEN + packet_len);
	assert_memory_equal(far.frame + ETH_HLEN, packet, packet_len);
	assert_memory_equal(line_eth(&far)->h_dest, far.mac, ETH_ALEN);
	assert_memory_equal(line_eth(&far)->h_source, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
}

/* The kernel is made to ask, the answer sends the packet; the second has no need of that. */
static void test_resolves(void **state)
{
	struct outcome o;
	size_t asked;

	netns_need();
	far.answers = in("10.1.0.1").s_addr;
	send_by("wan1", &o);
	assert_int_equal(o.times, 0);
	loop_until(line_look(&far) && o.times);
	assert_int_equal(o.result, 0);
	loop_until(line_look(&far) && far.n);
	check_frame();
	asked = far.asked;
	assert_int_equal(send_now("wan1"), 0);
	loop_until(line_look(&far) && far.n == 2);
	assert_int_equal(far.asked, asked);
}

static void test_never_answers(void **state)
{
	struct outcome o;

	netns_need();
	send_by("wan1", &o);
	loop_until(line_look(&far) && o.times);
	assert_int_equal(o.result, -EHOSTUNREACH);
	assert_true(far.asked);
	assert_int_equal(far.n, 0);
}

/* What waits for a device that is no more is over with it, or when its time is. */
static void test_device_goes(void **state)
{
	struct outcome o, later = { .result = 1 };
	uint32_t ifindex;

	netns_need();
	ifindex = if_nametoindex("wan1");
	send_by("wan1", &o);
	loop_until(line_look(&far) && far.asked);
	assert_int_equal(o.times, 0);
	sh("ip link del wan1");
	courier_send(courier, ifindex, packet, packet_len, note, &later);
	assert_int_equal(later.result, -ENODEV);
	loop_until(o.times);
	assert_int_equal(o.result, -EHOSTUNREACH);
	assert_int_equal(o.times, 1);
}

/* How long a packet to nobody takes until the kernel has given up, ms. */
static uint64_t failed_after_ms(void)
{
	uint64_t began = uv_hrtime();
	struct outcome o;

	send_by("wan1", &o);
	loop_until(line_look(&far) && o.times);
	assert_int_equal(o.result, -EHOSTUNREACH);
	return (uv_hrtime() - began) / 1000000;
}

/* The kernel gives up sooner than we do (on a busy machine not every time), and starts anew. */
static void test_failed_before(void **state)
{
	uint64_t ms = COURIER_WAIT_MS;
	struct outcome o;

	netns_need();
	sh("sysctl -qw net.ipv4.neigh.wan1.retrans_time_ms=20");
	for (int tries = 0; tries < 5 && ms >= COURIER_WAIT_MS; tries++)
		ms = failed_after_ms();
	assert_true(ms < COURIER_WAIT_MS);
	far.answers = in("10.1.0.1").s_addr;
	send_by("wan1", &o);
	loop_until(line_look(&far) && o.times);
	assert_int_equal(o.result, 0);
}

/* By the device's own table, whatever main says. */
static void test_next_hop(void **state)
{
	netns_need();
	sh("ip route add 198.51.100.0/24 via 10.0.0.1 dev wan0\n"
	   "ip route add default via 10.1.0.9 dev wan1 table 102\n"
	   "ip rule add oif wan1 lookup 102\n"
	   "ip neigh add 10.1.0.9 lladdr 02:00:00:00:00:09 dev wan1 nud permanent");
	renewal_to("198.51.100.7");
	assert_int_equal(send_now("wan1"), 0);
	loop_until(line_look(&far) && far.n);
	check_frame();
	assert_int_equal(far.asked, 0);
	sh("ip neigh show 10.1.0.9 | grep -q PERMANENT");
}

static void test_no_way(void **state)
{
	netns_need();
	renewal_to("198.51.100.7");
	assert_int_equal(send_now("wan1"), -ENETUNREACH);
	sh("ip route add unreachable default");
	assert_int_equal(send_now("wan1"), -ENETUNREACH);
	sh("ip link set wan1 down");
	assert_int_equal(send_now("wan1"), -ENETDOWN);
	sh("ip link set wan1 up; ip link set peer1 down");
	assert_int_equal(send_now("wan1"), -ENETDOWN);
	assert_int_equal(send_now("none"), -ENODEV);
	packet_len = 19;
	assert_int_equal(send_now("wan0"), -EBADMSG);
	line_look(&far);
	assert_int_equal(far.n, 0);
}

/* An address that no device has. */
static void test_foreign_source(void **state)
{
	netns_need();
	sh("ip addr del 10.1.0.2/24 dev wan1; ip addr add 10.1.0.5/24 dev wan1\n"
	   "ip neigh add 10.1.0.1 lladdr 02:00:00:00:00:09 dev wan1 nud permanent");
	assert_int_equal(send_now("wan1"), 0);
	loop_until(line_look(&far) && far.n);
}

static void test_bounded(void **state)
{
	static struct outcome o[COURIER_WAITING];

	netns_need();
	for (size_t i = 0; i < COURIER_WAITING; i++) {
		send_by("wan1", &o[i]);
		assert_int_equal(o[i].times, 0);
	}
	assert_int_equal(send_now("wan1"), -ENOBUFS);
	courier_close(courier);
	for (size_t i = 0; i < COURIER_WAITING; i++) {
		assert_int_equal(o[i].times, 1);
		assert_int_equal(o[i].result, -ECANCELED);
	}
	assert_int_equal(courier_open(&loop, &courier), 0);
}

static size_t again;

static void send_again(void *data, int result)
{
	assert_int_equal(result, 0);
	if (again++ < 3)
		courier_send(courier, if_nametoindex("wan1"), packet, packet_len, send_again, NULL);
}

/* Whoever is told sends the next one. */
static void test_sends_from_within(void **state)
{
	netns_need();
	far.answers = in("10.1.0.1").s_addr;
	again = 0;
	courier_send(courier, if_nametoindex("wan1"), packet, packet_len, send_again, NULL);
	loop_until(line_look(&far) && far.n == 4);
	assert_int_equal(again, 4);
}

/* The answer is there, among many other neighbours' events, and the loop gets to it after its time. */
static void test_held_up(void **state)
{
	struct outcome o;

	netns_need();
	far.answers = in("10.1.0.1").s_addr;
	send_by("wan1", &o);
	while (!far.asked)
		line_look(&far);
	sh("for i in $(seq 250); do\n"
	   "	echo neigh replace 10.0.0.$i lladdr 02:00:00:00:00:01 dev wan0 nud stale\n"
	   "done | ip -batch -\n"
	   "sleep 1.1");
	loop_until(line_look(&far) && o.times);
	assert_int_equal(o.result, 0);
}

static void test_point_to_point(void **state)
{
	struct ifreq ifr = { .ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI };
	_cleanup_close_ int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	uint8_t got[2048];
	ssize_t n = -1;

	netns_need();
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		skip();
	sh("sysctl -qw net.ipv6.conf.tun0.disable_ipv6=1; ip link set tun0 up");
	assert_int_equal(send_now("tun0"), 0);
	loop_until((n = read(fd, got, sizeof(got))) > 0);
	assert_int_equal(n, packet_len);
	assert_memory_equal(got, packet, packet_len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		courier_test(test_resolves),	     courier_test(test_never_answers),
		courier_test(test_device_goes),
		courier_test(test_failed_before),    courier_test(test_next_hop),
		courier_test(test_no_way),	     courier_test(test_foreign_source),
		courier_test(test_bounded),	     courier_test(test_sends_from_within),
		courier_test(test_held_up),	     courier_test(test_point_to_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
