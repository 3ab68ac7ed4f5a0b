// SPDX-License-Identifier: GPL-2.0-or-later
/* Two links on one LAN: wan0 has 10.0.0.2 and the better route, wan1 10.0.0.3; the server is 10.0.0.1. */
#include "core/dhcp.h"
#include "run/shim.h"
#include "tests/unit/line.h"
#include "tests/unit/loop.h"

static struct courier *courier;
static struct shim *shim;
static struct events events;
static struct seen seen;
static struct line far[2];
static struct plan_owner owners[2];

static struct in_addr in(const char *s)
{
	struct in_addr a;

	assert_int_equal(inet_pton(AF_INET, s, &a), 1);
	return a;
}

static struct in6_addr in6(const char *s)
{
	struct in_addr a = in(s);

	return addr_from_wire(AF_INET, &a);
}

static void own(int n, const char *device, const char *addr, uint8_t last)
{
	owners[n] = (struct plan_owner){ .link = n + 1, .ifindex = if_nametoindex(device),
					 .mac = { 2, 0, 0, 0, 0, last }, .addr = in6(addr) };
}

static int setup(void **state)
{
	netns_setup(state);
	loop_setup(state);
	if (!netns_ours)
		return 0;
	sh("ip addr add 10.0.0.3/24 dev wan1 noprefixroute\n"
	   "ip route add 10.0.0.0/24 dev wan1 metric 10\n"
	   "ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:09 dev wan0 nud permanent\n"
	   "ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:09 dev wan1 nud permanent");
	far[0] = line_open("peer0");
	far[1] = line_open("peer1");
	own(0, "wan0", "10.0.0.2", 0xa0);
	own(1, "wan1", "10.0.0.3", 0xa1);
	events = (struct events){ 0 };
	seen = (struct seen){ .sink.take = seen_take, .only = EVENT_DHCP };
	events_add(&events, &seen.sink);
	assert_int_equal(courier_open(&loop, &courier), 0);
	assert_int_equal(shim_open(&loop, &events, courier, &shim), 0);
	return shim_owners(shim, owners, 2);
}

static int teardown(void **state)
{
	if (netns_ours) {
		shim_close(shim);
		courier_close(courier);
		close(far[0].fd);
		close(far[1].fd);
	}
	return loop_teardown(state);
}

#define shim_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

/* A renewal from the BOOTP header on. */
static size_t message(uint8_t ret[DHCP_MAX_PACKET], const char *ciaddr, uint8_t chaddr)
{
	const struct dhcp_renewal r = { .xid = 7, .ciaddr = in(ciaddr), .server = in("10.0.0.1"),
					.chaddr = { 2, 0, 0, 0, 0, chaddr } };
	uint8_t packet[DHCP_MAX_PACKET];
	size_t len = dhcp_write_renewal(&r, packet) - 28;

	memcpy(ret, packet + 28, len);
	return len;
}

static int udp_socket(const char *source)
{
	const struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(68),
					  .sin_addr = source ? in(source) : (struct in_addr){ 0 } };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&here, sizeof(here)), 0);
	return fd;
}

static void send_from(const char *source, const char *to, const void *data, size_t len)
{
	const struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(67),
					    .sin_addr = in(to) };
	_cleanup_close_ int fd = udp_socket(source);

	assert_int_equal(sendto(fd, data, len, 0, (const struct sockaddr *)&server, sizeof(server)),
			 len);
}

static void renew(const char *source, const char *ciaddr, uint8_t chaddr)
{
	uint8_t data[DHCP_MAX_PACKET];
	size_t len = message(data, ciaddr, chaddr);

	send_from(source, "10.0.0.1", data, len);
}

static bool look(void)
{
	return line_look(&far[0]) && line_look(&far[1]);
}

static bool sum_is_right(const struct line *l)
{
	const struct iphdr *ip = line_ip(l);
	size_t len = ntohs(ip->tot_len) - sizeof(*ip);
	const uint8_t *p = (const uint8_t *)&ip->saddr;
	uint32_t sum = IPPROTO_UDP + len;

	for (size_t i = 0; i < 8 + len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* The last packet of that line, which is the only one of both. */
static void only(int line, const char *source)
{
	loop_until(look() && far[0].n + far[1].n);
	assert_int_equal(far[line].n, 1);
	assert_int_equal(far[!line].n, 0);
	assert_int_equal(line_ip(&far[line])->saddr, in(source).s_addr);
	assert_int_equal(line_udp(&far[line])->source, htons(68));
	assert_true(!line_udp(&far[line])->check || sum_is_right(&far[line]));
}

static void counted(int link, uint64_t right, uint64_t moved, uint64_t failed)
{
	const struct shim_count *c = shim_counts(shim, link);

	assert_int_equal(c->right, right);
	assert_int_equal(c->moved, moved);
	assert_int_equal(c->failed, failed);
}

/* dhclient: its socket is bound to nothing, so the routes choose device and source. */
static void test_moves(void **state)
{
	netns_need();
	renew(NULL, "10.0.0.3", 0xa1);
	only(1, "10.0.0.3");
	loop_until(seen.n);
	counted(2, 0, 1, 0);
	assert_non_null(strstr(seen.text, "wan1: IPv4 moved: the DHCP client's renewal of 10.0.0.3, "
					  "was about to leave by wan0"));
}

/* udhcpc up to 1.32: bound to its address, not to its device. */
static void test_moves_right_source(void **state)
{
	netns_need();
	renew("10.0.0.3", "10.0.0.3", 0xa1);
	only(1, "10.0.0.3");
	counted(2, 0, 1, 0);
}

static void test_leaves_right_alone(void **state)
{
	netns_need();
	renew(NULL, "10.0.0.2", 0xa0);
	only(0, "10.0.0.2");
	counted(1, 1, 0, 0);
	assert_int_equal(seen.n, 0);
}

/* The right device, but the source of another link. */
static void test_mends_source(void **state)
{
	netns_need();
	renew("10.0.0.3", "10.0.0.2", 0xa0);
	only(0, "10.0.0.2");
	counted(1, 0, 1, 0);
}

/* dhcpcd: a raw IP socket, no checksum. */
static void test_raw_socket(void **state)
{
	const struct sockaddr_in server = { .sin_family = AF_INET, .sin_addr = in("10.0.0.1") };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
	uint8_t data[8 + DHCP_MAX_PACKET];
	struct udphdr *udp = (struct udphdr *)data;
	size_t len;

	netns_need();
	len = sizeof(*udp) + message(data + sizeof(*udp), "10.0.0.3", 0xa1);
	*udp = (struct udphdr){ .source = htons(68), .dest = htons(67), .len = htons(len) };
	assert_int_equal(sendto(fd, data, len, 0, (const void *)&server, sizeof(server)), len);
	only(1, "10.0.0.3");
	assert_int_equal(line_udp(&far[1])->check, 0);
}

/* An address that nobody has yet is told by the hardware address, if that is one link's alone. */
static void test_by_mac(void **state)
{
	netns_need();
	renew(NULL, "10.0.0.99", 0xa1);
	only(1, "10.0.0.99");
	counted(2, 0, 1, 0);
}

static void test_shared_mac(void **state)
{
	netns_need();
	owners[0].mac[5] = 0xa1;
	owners[0].shared_mac = owners[1].shared_mac = true;
	assert_int_equal(shim_owners(shim, owners, 2), 0);
	renew(NULL, "10.0.0.99", 0xa1);
	only(0, "10.0.0.99");
	owners[0].ifindex = if_nametoindex("lo");
	assert_int_equal(shim_owners(shim, owners, 2), 0);
	renew(NULL, "10.0.0.99", 0xa1);
	loop_until(look() && far[0].n == 2);
	assert_int_equal(far[1].n, 0);
}

/* Two providers give the same private address: the MAC address tells, if it can. */
static void test_shared_address(void **state)
{
	netns_need();
	own(0, "wan0", "10.0.0.3", 0xa0);
	assert_int_equal(shim_owners(shim, owners, 2), 0);
	renew(NULL, "10.0.0.3", 0xa1);
	only(1, "10.0.0.3");
	counted(1, 0, 0, 0);
	counted(2, 0, 1, 0);
	owners[0].mac[5] = 0xa1;
	owners[0].shared_mac = owners[1].shared_mac = true;
	owners[0].ifindex = if_nametoindex("lo");
	assert_int_equal(shim_owners(shim, owners, 2), 0);
	renew(NULL, "10.0.0.3", 0xa1);
	loop_until(look() && far[0].n == 1);
	assert_int_equal(line_ip(&far[0])->saddr, in("10.0.0.2").s_addr);
	assert_int_equal(far[1].n, 1);
}

/* The device's own client, of an address that has gone to another link meanwhile. */
static void test_own_mac_first(void **state)
{
	netns_need();
	renew(NULL, "10.0.0.3", 0xa0);
	only(0, "10.0.0.3");
	counted(1, 0, 1, 0);
	counted(2, 0, 0, 0);
}

static void test_nobodys(void **state)
{
	netns_need();
	renew(NULL, "10.0.0.99", 0xee);
	only(0, "10.0.0.2");
	counted(1, 0, 0, 0);
	assert_int_equal(shim_owners(shim, NULL, 0), 0);
	renew(NULL, "10.0.0.3", 0xa1);
	loop_until(look() && far[0].n == 2);
	counted(2, 0, 0, 0);
}

/* Whatever a local process sends to the port goes on as it is. */
static void test_others(void **state)
{
	uint8_t data[DHCP_MAX_PACKET];
	size_t len = message(data, "10.0.0.3", 0xa1), want = 0, cut;

	netns_need();
	sh("ip route add 255.255.255.255 dev wan0; ip route add 224.0.0.0/4 dev wan0");
	for (cut = 0; cut < 236; cut += 47, want++)
		send_from(NULL, "10.0.0.1", data, cut);
	send_from(NULL, "224.0.0.1", data, len);
	send_from(NULL, "255.255.255.255", data, len);
	want += 2;
	for (int i = 0; i < 4; i++, want++) {
		static const struct { uint8_t at, value; } odd[] = { { 0, 2 }, { 2, 7 }, { 1, 3 },
								     { 24, 9 } };

		len = message(data, "10.0.0.3", 0xa1);
		data[odd[i].at] = odd[i].value;
		send_from(NULL, "10.0.0.1", data, len);
	}
	loop_until(look() && far[0].n + far[1].n >= want);
	assert_int_equal(seen.n, 0);
	counted(2, 0, 0, 0);
}

/* Nobody can tell it from another address of that subnet. */
static void test_directed_broadcast(void **state)
{
	uint8_t data[DHCP_MAX_PACKET], all[ETH_ALEN];
	size_t len = message(data, "10.0.0.3", 0xa1);

	netns_need();
	send_from(NULL, "10.0.0.255", data, len);
	only(1, "10.0.0.3");
	memset(all, 0xff, sizeof(all));
	assert_memory_equal(line_eth(&far[1])->h_dest, all, sizeof(all));
}

/* The gateway of that link does not answer: the original goes on. */
static void test_no_answer(void **state)
{
	netns_need();
	sh("ip neigh del 10.0.0.1 dev wan1");
	renew(NULL, "10.0.0.3", 0xa1);
	only(0, "10.0.0.2");
	assert_true(far[1].asked);
	counted(2, 0, 0, 1);
	assert_non_null(strstr(seen.text, "wan1: IPv4 failed"));
}

static void test_resolves_first(void **state)
{
	netns_need();
	sh("ip neigh del 10.0.0.1 dev wan1");
	far[1].answers = in("10.0.0.1").s_addr;
	renew(NULL, "10.0.0.3", 0xa1);
	only(1, "10.0.0.3");
	counted(2, 0, 1, 0);
}

static void test_device_down(void **state)
{
	netns_need();
	sh("ip link set peer1 down");
	renew("10.0.0.2", "10.0.0.3", 0xa1);
	only(0, "10.0.0.2");
	counted(2, 0, 0, 1);
}

/* Who waits when the shim ends goes on as it was, and later ones do not even wait. */
static void test_end(void **state)
{
	netns_need();
	sh("ip neigh del 10.0.0.1 dev wan1");
	renew(NULL, "10.0.0.3", 0xa1);
	loop_until(look() && far[1].asked);
	renew(NULL, "10.0.0.2", 0xa0); /* not read before the end */
	shim_close(TAKE_PTR(shim));
	loop_until(look() && far[0].n == 2);
	sh("! nft list tables | grep dhcp");
	renew(NULL, "10.0.0.3", 0xa1);
	loop_until(look() && far[0].n == 3);
}

/* The table is ours alone, and the queue the first that is free. */
static void test_two(void **state)
{
	struct shim *second;

	netns_need();
	sh("nft list table ip asymbpf-dhcp | grep -q 'priority raw'\n"
	   "! nft delete table ip asymbpf-dhcp 2>/dev/null\n"
	   "grep -q '^ *17100 ' /proc/net/netfilter/nfnetlink_queue");
	assert_int_equal(shim_open(&loop, &events, courier, &second), -EEXIST);
	renew(NULL, "10.0.0.3", 0xa1);
	only(1, "10.0.0.3");
	shim_close(TAKE_PTR(shim));
	sh("nft add table ip asymbpf-dhcp");
	assert_int_equal(shim_open(&loop, &events, courier, &second), -EEXIST);
	sh("nft delete table ip asymbpf-dhcp");
}

/* More than the courier takes at once: the rest goes on. */
static void test_flood(void **state)
{
	netns_need();
	sh("ip neigh del 10.0.0.1 dev wan1");
	for (int i = 0; i < 1000; i++) {
		renew(NULL, "10.0.0.3", 0xa1);
		uv_run(&loop, UV_RUN_NOWAIT);
		look();
	}
	loop_until(look() && far[0].n == 1000);
	assert_true(shim_counts(shim, 2)->failed >= COURIER_WAITING);
	assert_in_range(seen.n, 1, 5);
}

/* More than the queue holds, before any is read: the rest goes on, and nothing is lost. */
static void test_full(void **state)
{
	netns_need();
	for (int i = 0; i < 400; i++) {
		renew(NULL, "10.0.0.3", 0xa1);
		look();
	}
	assert_in_range(far[0].n, 100, 399);
	assert_int_equal(far[1].n, 0);
	loop_until(look() && far[0].n + far[1].n == 400);
	assert_int_equal(shim_counts(shim, 2)->moved, far[1].n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(test_moves),
		shim_test(test_moves_right_source),
		shim_test(test_leaves_right_alone),
		shim_test(test_mends_source),
		shim_test(test_raw_socket),
		shim_test(test_by_mac),
		shim_test(test_shared_mac),
		shim_test(test_shared_address),
		shim_test(test_own_mac_first),
		shim_test(test_nobodys),
		shim_test(test_others),
		shim_test(test_directed_broadcast),
		shim_test(test_no_answer),
		shim_test(test_resolves_first),
		shim_test(test_device_down),
		shim_test(test_end),
		shim_test(test_two),
		shim_test(test_flood),
		shim_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
