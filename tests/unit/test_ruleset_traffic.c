// SPDX-License-Identifier: GPL-2.0-or-later
/* The nftables table under real packets. */
#include "tests/unit/traffic_lab.h"
#include <netinet/tcp.h>

/* The link the first packet left by keeps the connection, whatever the program says later. */
static void test_out(void **state)
{
	struct pair p, p6;

	apply();
	lan_marks(0x200);
	p = pair_by_lan(SERVER, 80);
	p6 = pair_by_lan(SERVER6, 80);
	assert_string_equal(p.peer, "198.51.100.1");
	assert_string_equal(p6.peer, "2001:db8:2::1");
	assert_int_equal(ct_mark("ipv4", "tcp", 80), 0x200);
	assert_int_equal(ct_mark("ipv6", "tcp", 80), 0x200);
	assert_counts(1, 2, 0);
	lan_marks(0x100);
	assert_alive(&p);
	assert_alive(&p6);
	assert_int_equal(ct_mark("ipv4", "tcp", 80), 0x200);
	assert_counts(0, 0, 0);
	assert_counts(1, 2, 0);
	pair_close(&p);
	pair_close(&p6);
}

/* The mark says "two", but the route is by wan1: the link really left by counts. */
static void test_link_really_left_by(void **state)
{
	struct pair p;

	ask(GW, "ip route add " SERVER "/32 via 192.0.2.2");
	apply();
	lan_marks(0x200);
	p = pair_by_lan(SERVER, 80);
	assert_string_equal(p.peer, "192.0.2.1");
	assert_int_equal(ct_mark("ipv4", "tcp", 80), 0x100);
	assert_counts(0, 1, 0);
	assert_counts(1, 0, 0);
	pair_close(&p);
}

/* Bits of others, in the packet's mark and in the connection's, in both directions. */
static void test_foreign_bits(void **state)
{
	struct pair p;

	ask(GW, "nft 'add rule inet emu after ct state new ct mark set ct mark | 0x50000005;"
		" add rule inet emu after ct state established meta mark != 0x70000207"
		" counter name astray; add rule inet emu after meta mark 0x70000207"
		" counter name seen'");
	apply();
	ask(GW, "nft 'add rule inet emu raw iifname lan0 meta mark set 0x70000207;"
		" add rule inet emu raw iifname wan2 meta mark set 0x70000007'");
	p = pair_by_lan(SERVER, 80);
	assert_int_equal(ct_mark("ipv4", "tcp", 80), 0x50000205);
	ask(GW, "nft 'flush chain inet emu raw;"
		" add rule inet emu raw iifname lan0 meta mark set 0x70000107;"
		" add rule inet emu raw iifname wan2 meta mark set 0x70000107'");
	assert_alive(&p);
	assert_int_equal(ct_mark("ipv4", "tcp", 80), 0x50000205);
	assert_int_equal(counter("astray"), 0);
	assert_true(counter("seen") >= 6);
	pair_close(&p);
}

/* A connection of a link that a reload took away keeps its mark, for the rule that rejects it. */
static void test_gone_link(void **state)
{
	struct pair p;
	char byte = 'x';

	apply();
	lan_marks(0x200);
	p = pair_by_lan(SERVER, 80);
	lab.p.n_links = 1;
	lab.p.gone[lab.p.n_gone++] = (struct plan_id){ .name = "two", .id = 2 };
	apply();
	ask(GW, "nft 'add rule inet emu after iifname lan0 tcp dport 80 meta mark != 0x70200"
		" counter name astray; add rule inet emu after meta mark 0x70200 drop'");
	lan_marks(0x70100);
	assert_int_equal(write(p.fd[0], &byte, 1), 1);
	assert_int_equal(recv(p.fd[1], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(counter("astray"), 0);
	pair_close(&p);
}

/* From outside to the router, by the link that is not main's: the answers go back by it. */
static void test_in(void **state)
{
	struct pair p, p6;

	apply();
	p = pair_new(NET, 0, "198.51.100.1", bound_in(GW, "0.0.0.0", 22, SOCK_STREAM), 22);
	p6 = pair_new(NET, 0, "2001:db8:2::1", bound_in(GW, "::", 23, SOCK_STREAM), 23);
	assert_alive(&p);
	assert_alive(&p6);
	assert_int_equal(ct_mark("ipv4", "tcp", 22), 0x200);
	assert_int_equal(ct_mark("ipv6", "tcp", 23), 0x200);
	assert_counts(1, 0, 2);
	assert_counts(0, 0, 0);
	pair_close(&p);
	pair_close(&p6);
}

/* From outside to a server in the LAN. */
static void test_in_forwarded(void **state)
{
	struct pair p;

	ask(GW, "nft 'table ip fw { chain pre { type nat hook prerouting priority dstnat;"
		" iifname wan2 tcp dport 2222 dnat to 10.0.0.2:22; }; }'");
	apply();
	lan_marks(0x100);
	p = pair_new(NET, 0, "198.51.100.1", bound_in(CLIENT, "0.0.0.0", 22, SOCK_STREAM), 2222);
	assert_alive(&p);
	assert_int_equal(ct_mark("ipv4", "tcp", 2222), 0x200);
	assert_counts(1, 0, 1);
	assert_counts(0, 0, 0);
	pair_close(&p);
}

/* "two" only receives; its connections are answered by "one", and counted where they came in. */
static void test_in_reply_by_other(void **state)
{
	struct pair p;

	ask(NET, "nft flush chain inet isp in");
	ask(NET, "nft 'add counter inet isp back;"
		 " add rule inet isp in iifname p1 ip saddr 198.51.100.1 counter name back;"
		 " add rule inet isp in iifname p2 ip saddr 198.51.100.1 drop'");
	lab.links[1].reply = 1;
	apply();
	p = pair_new(NET, 0, "198.51.100.1", bound_in(GW, "0.0.0.0", 22, SOCK_STREAM), 22);
	assert_alive(&p);
	assert_int_equal(ct_mark("ipv4", "tcp", 22), 0x100);
	assert_counts(0, 0, 0);
	assert_counts(1, 0, 1);
	assert_null(strstr(ask(NET, "nft list counter inet isp back"), "packets 0 "));
	pair_close(&p);
}

/* Connections older than the table: same link, no ct mark, not counted, in either direction. */
static void test_older(void **state)
{
	struct pair out, in;

	ask(GW, "nft 'table ip fw { chain post { type nat hook postrouting priority srcnat;"
		" oifname wan1 masquerade; }; }'");
	out = pair_by_lan(SERVER, 80);
	in = pair_new(NET, 0, "192.0.2.1", bound_in(GW, "0.0.0.0", 22, SOCK_STREAM), 22);
	apply();
	lan_marks(0x200);
	assert_alive(&out);
	assert_alive(&in);
	assert_int_equal(ct_mark("ipv4", "tcp", 80), 0);
	assert_int_equal(ct_mark("ipv4", "tcp", 22), 0);
	assert_counts(0, 0, 0);
	assert_counts(1, 0, 0);
	pair_close(&out);
	pair_close(&in);
}

/* The router's own: the mark of the socket chooses, later the connection remembers. */
static void test_router(void **state)
{
	int listener = bound_in(NET, SERVER, 80, SOCK_STREAM);
	struct pair p;

	apply();
	p = pair_new(GW, 0x200, SERVER, listener, 80);
	assert_string_equal(p.peer, "198.51.100.1");
	assert_int_equal(ct_mark("ipv4", "tcp", 80), 0x200);
	mark_socket(p.fd[0], 0);
	assert_alive(&p);
	mark_socket(p.fd[0], 0x100);
	assert_alive(&p);
	assert_counts(1, 1, 0);
	assert_counts(0, 0, 0);
	pair_close(&p);
}

static void test_probe_leaves_no_mark(void **state)
{
	int receiver = bound_in(NET, SERVER, 7, SOCK_DGRAM), fd;
	char byte;

	apply();
	fd = datagram(GW, 0xff00, 7);
	assert_int_equal(read(receiver, &byte, 1), 1);
	assert_int_equal(ct_mark("ipv4", "udp", 7), 0);
	assert_counts(0, 0, 0);
	close(fd);
	close(receiver);
}

/* Datagrams without an answer are all "new" to conntrack: one connection nevertheless. */
static void test_counted_once(void **state)
{
	int receiver = bound_in(NET, SERVER, 7, SOCK_DGRAM), fd;
	char byte;

	apply();
	lan_marks(0x200);
	fd = datagram(CLIENT, 0, 7);
	lan_marks(0x100);
	assert_true(carries(fd, receiver) && read(receiver, &byte, 1) == 1);
	assert_int_equal(ct_mark("ipv4", "udp", 7), 0x200);
	assert_counts(1, 1, 0);
	assert_counts(0, 0, 0);
	close(fd);
	close(receiver);
}

/* Whatever else translates addresses, and before or after us: the first packet is marked. */
static void test_nat_of_others(void **state)
{
	static const struct {
		const char *up, *down;
	} nats[] = {
		{ "true", "true" },
		{ "nft 'table ip fw { chain post { type nat hook postrouting priority srcnat;"
		  " masquerade; }; }'", "nft delete table ip fw" },
		{ "nft 'table inet fw { chain post { type nat hook postrouting priority -199;"
		  " masquerade; }; }'", "nft delete table inet fw" },
		{ "! command -v iptables-nft || iptables-nft -t nat -A POSTROUTING -o wan2"
		  " -j MASQUERADE", "! command -v iptables-nft || iptables-nft -t nat -F" },
		{ "! command -v iptables-legacy || iptables-legacy -t nat -A POSTROUTING -o wan2"
		  " -j MASQUERADE", "! command -v iptables-legacy || iptables-legacy -t nat -F" },
	};
	struct pair p;

	ask(NET, "nft flush chain inet isp in; ip route add 10.0.0.0/24 via 198.51.100.1");
	for (size_t i = 0; i < 2; i++)
		lab.conf[i].nat[ASYM_V4] = lab.conf[i].nat[ASYM_V6] = NAT_NONE;
	apply();
	lan_marks(0x200);
	for (uint16_t i = 0; i < ARRAY_SIZE(nats); i++) {
		ask(GW, "%s >&2", nats[i].up);
		p = pair_by_lan(SERVER, 80 + i);
		assert_int_equal(ct_mark("ipv4", "tcp", 80 + i), 0x200);
		assert_counts(1, i + 1, 0);
		assert_alive(&p);
		pair_close(&p);
		ask(GW, "%s >&2", nats[i].down);
	}
}

/* Connections that conntrack has forgotten: their next packet is a first one. */
static void test_forgotten(void **state)
{
	struct pair out, out6, in;

	apply();
	lan_marks(0x200);
	out = pair_by_lan(SERVER, 80);
	out6 = pair_by_lan(SERVER6, 80);
	in = pair_new(NET, 0, "198.51.100.1", bound_in(GW, "0.0.0.0", 22, SOCK_STREAM), 22);
	ask(GW, "conntrack -F 2>/dev/null");
	assert_alive(&out);
	assert_alive(&out6);
	assert_alive(&in);
	assert_int_equal(ct_mark("ipv4", "tcp", 80), 0x200);
	assert_int_equal(ct_mark("ipv6", "tcp", 80), 0x200);
	assert_int_equal(ct_mark("ipv4", "tcp", 22), 0x200);
	assert_counts(1, 4, 2);
	pair_close(&out);
	pair_close(&out6);
	pair_close(&in);
}

/* The first packet left by a device that is no link and got no answer, the second by a link.  A
 * chain of type nat would see the first only. */
static void test_rerouted_before_reply(void **state)
{
	int receiver = bound_in(NET, SERVER, 7, SOCK_DGRAM), fd;
	union addr_socket a;
	socklen_t len = sizeof(a);
	char byte;

	cable("vpn", NET, "p3");
	ask(GW, "ip addr add 192.168.3.1/24 dev vpn; ip route add " SERVER "/32 via 192.168.3.2");
	ask(NET, "ip addr add 192.168.3.2/24 dev p3; ip route add 10.0.0.0/24 via 198.51.100.1\n"
		 "nft 'flush chain inet isp in; add rule inet isp in iifname { p1, p3 } drop'");
	lab.conf[1].nat[ASYM_V4] = NAT_NONE;
	apply();
	lan_marks(0x200);
	fd = datagram(CLIENT, 0, 7);
	assert_int_equal(ct_mark("ipv4", "udp", 7), 0);
	ask(GW, "ip route del " SERVER "/32");
	assert_int_equal(send(fd, "x", 1, 0), 1);
	assert_int_equal(recvfrom(receiver, &byte, 1, 0, &a.sa, &len), 1);
	assert_int_equal(ct_mark("ipv4", "udp", 7), 0x200);
	assert_counts(1, 1, 0);
	assert_int_equal(sendto(receiver, "x", 1, 0, &a.sa, len), 1);
	assert_int_equal(read(fd, &byte, 1), 1);
	lan_marks(0x100);
	assert_true(carries(fd, receiver));
	close(fd);
	close(receiver);
}

/* What conntrack does not see keeps the program's mark, packet by packet. */
static void test_untracked(void **state)
{
	ask(GW, "nft 'add rule inet emu post oifname wan2 udp dport 9 counter name seen;"
		" add rule inet emu post oifname wan1 udp dport 9 counter name astray'");
	apply();
	lan_marks(0x200);
	ask(GW, "nft add rule inet emu raw udp dport 9 notrack");
	close(datagram(CLIENT, 0, 9));
	close(datagram(CLIENT, 0, 9));
	assert_int_equal(counter("seen"), 2);
	assert_int_equal(counter("astray"), 0);
	assert_counts(1, 0, 0);
}

/* The error about a datagram finds its way back to the client. */
static void test_related(void **state)
{
	char byte;
	int fd;

	apply();
	lan_marks(0x200);
	fd = datagram(CLIENT, 0, 4000);
	assert_int_equal(read(fd, &byte, 1), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_counts(1, 1, 0);
	assert_counts(1, 1, 0);
	close(fd);
}

/* A client reaches a server in the same LAN by the router's outside address. */
static void test_hairpin(void **state)
{
	struct pair p;

	ask(GW, "nft 'table ip fw { chain pre { type nat hook prerouting priority dstnat;"
		" ip daddr 198.51.100.1 tcp dport 2222 dnat to 10.0.0.2:22; };"
		" chain post { type nat hook postrouting priority srcnat;"
		" ip saddr 10.0.0.0/24 ip daddr 10.0.0.0/24 masquerade; }; }'");
	apply();
	lan_marks(0x200);
	p = pair_new(CLIENT, 0, "198.51.100.1", bound_in(CLIENT, "0.0.0.0", 22, SOCK_STREAM), 2222);
	assert_alive(&p);
	assert_int_equal(ct_mark("ipv4", "tcp", 2222), 0);
	assert_counts(0, 0, 0);
	assert_counts(1, 0, 0);
	pair_close(&p);
}

/* The largest segment an end will send; 12 bytes go to time stamps. */
static int segment(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return (int)info.tcpi_snd_mss + 12;
}

static void assert_segments(const char *server, int want)
{
	struct pair p = pair_by_lan(server, 80);

	assert_int_equal(segment(p.fd[0]), want);
	assert_int_equal(segment(p.fd[1]), want);
	pair_close(&p);
}

/* Both directions, also by the link that main's default route does not leave by. */
static void test_mss(void **state)
{
	ask(GW, "ip link set wan2 mtu 1400");
	lab.links[1].mtu = 1400;
	apply();
	lan_marks(0x200);
	assert_segments(SERVER, 1360);
	assert_segments(SERVER6, 1340);
	lan_marks(0x100);
	ask(GW, "conntrack -F 2>/dev/null");
	assert_segments(SERVER, 1460);
	assert_segments(SERVER6, 1440);
}

static void test_mss_unclamped(void **state)
{
	ask(GW, "ip link set wan2 mtu 1400");
	lab.links[1].mtu = 1400;
	lab.m.mss_clamp = false;
	apply();
	lan_marks(0x200);
	assert_segments(SERVER, 1460);
}

/* An address of the operator's choice by one link, none at all by the other. */
static void test_nat(void **state)
{
	struct pair p;

	ask(GW, "ip addr add 198.51.100.77/24 dev wan2");
	ask(NET, "nft flush chain inet isp in; ip route add 10.0.0.0/24 via 192.0.2.1");
	lab.conf[0].nat[ASYM_V4] = NAT_NONE;
	lab.conf[1].nat[ASYM_V4] = NAT_SNAT;
	lab.conf[1].snat[ASYM_V4] = addr("198.51.100.77");
	apply();
	lan_marks(0x200);
	p = pair_by_lan(SERVER, 80);
	assert_string_equal(p.peer, "198.51.100.77");
	pair_close(&p);
	lan_marks(0x100);
	p = pair_by_lan(SERVER, 81);
	assert_string_equal(p.peer, "10.0.0.2");
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		traffic_test(test_out),
		traffic_test(test_link_really_left_by),
		traffic_test(test_foreign_bits),
		traffic_test(test_gone_link),
		traffic_test(test_in),
		traffic_test(test_in_forwarded),
		traffic_test(test_in_reply_by_other),
		traffic_test(test_older),
		traffic_test(test_router),
		traffic_test(test_probe_leaves_no_mark),
		traffic_test(test_counted_once),
		traffic_test(test_nat_of_others),
		traffic_test(test_forgotten),
		traffic_test(test_rerouted_before_reply),
		traffic_test(test_untracked),
		traffic_test(test_related),
		traffic_test(test_hairpin),
		traffic_test(test_mss),
		traffic_test(test_mss_unclamped),
		traffic_test(test_nat),
	};

	return cmocka_run_group_tests(tests, lab_start, NULL);
}
