// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The nftables table under real packets; rules that stand in for the BPF programs set the marks.
 *
 *	CLIENT 10.0.0.2 ── lan0 GW wan1 192.0.2.1    ── p1 NET 203.0.113.1, a server
 *	                           wan2 198.51.100.1 ── p2     (takes no other's source address)
 *
 * The same with IPv6: fd00::2, 2001:db8:1::1, 2001:db8:2::1, 2001:db8:ff::1.  GW's main table has
 * its default route by wan1; the links are "one" (mark 0x100) and "two" (0x200).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "apply/ruleset.h"
#include "core/plan.h"

#define SERVER "203.0.113.1"
#define SERVER6 "2001:db8:ff::1"

enum space { GW, CLIENT, NET, SPACES };
static int spaces[SPACES], home;

static struct {
	struct model m;
	struct model_link conf[2];
	struct plan_link links[2];
	struct plan p;
} lab;

static void enter(int fd)
{
	assert_int_equal(setns(fd, CLONE_NEWNET), 0);
}

/* What a shell command prints in a namespace; every line of it must succeed. */
static const char *ask(enum space s, const char *fmt, ...) PRINTF(2, 3);
static const char *ask(enum space s, const char *fmt, ...)
{
	static char out[16384];
	char script[8192] = "set -e\n";
	size_t len;
	va_list ap;
	FILE *pipe;

	va_start(ap, fmt);
	vsnprintf(script + 7, sizeof(script) - 7, fmt, ap);
	va_end(ap);
	enter(spaces[s]);
	pipe = popen(script, "r");
	assert_non_null(pipe);
	len = fread(out, 1, sizeof(out) - 1, pipe);
	out[len] = '\0';
	if (pclose(pipe))
		fail_msg("failed: %s", script);
	enter(home);
	return out;
}

static int space_new(void)
{
	int fd;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = open("/proc/self/ns/net", O_RDONLY);
	assert_true(fd >= 0);
	enter(home);
	return fd;
}

static void cable(const char *dev, enum space other, const char *peer)
{
	ask(GW,
	    "ip link add %s type veth peer name %s netns /proc/%d/fd/%d\n"
	    "ip link set %s up\n",
	    dev, peer, getpid(), spaces[other], dev);
	ask(other, "ip link set %s up\n", peer);
}

static void configure(void)
{
	ask(GW, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1\n"
		"ip addr add 10.0.0.1/24 dev lan0; ip addr add fd00::1/64 dev lan0\n"
		"ip addr add 192.0.2.1/24 dev wan1; ip addr add 2001:db8:1::1/64 dev wan1\n"
		"ip addr add 198.51.100.1/24 dev wan2; ip addr add 2001:db8:2::1/64 dev wan2\n"
		"ip route add default via 192.0.2.2; ip route add default via 2001:db8:1::2\n"
		"ip route add default via 192.0.2.2 table 10001\n"
		"ip route add default via 198.51.100.2 table 10002\n"
		"ip -6 route add default via 2001:db8:1::2 table 10001\n"
		"ip -6 route add default via 2001:db8:2::2 table 10002\n"
		"for f in -4 -6; do\n"
		"  ip $f rule add pref 600 lookup main suppress_prefixlength 0\n"
		"  ip $f rule add pref 701 fwmark 0x100/0xff00 lookup 10001\n"
		"  ip $f rule add pref 702 fwmark 0x200/0xff00 lookup 10002\n"
		"done\n"
		"ip rule add pref 1002 from 198.51.100.1 lookup 10002\n"
		"ip -6 rule add pref 1002 from 2001:db8:2::1 lookup 10002\n"
		"nft 'table inet emu {\n"
		"  counter seen { }; counter astray { };\n"
		"  chain raw { type filter hook prerouting priority raw; };\n"
		"  chain after { type filter hook prerouting priority -149; };\n"
		"  chain post { type filter hook postrouting priority 150; }; }'\n");
	ask(CLIENT, "ip addr add 10.0.0.2/24 dev eth0; ip addr add fd00::2/64 dev eth0\n"
		    "ip route add default via 10.0.0.1; ip route add default via fd00::1\n");
	ask(NET, "ip addr add 192.0.2.2/24 dev p1; ip addr add 2001:db8:1::2/64 dev p1\n"
		 "ip addr add 198.51.100.2/24 dev p2; ip addr add 2001:db8:2::2/64 dev p2\n"
		 "ip addr add 203.0.113.1/32 dev lo; ip addr add 2001:db8:ff::1/128 dev lo\n"
		 "nft 'table inet isp { chain in { type filter hook prerouting priority raw;\n"
		 "  iifname p1 ip saddr != 192.0.2.0/24 drop;\n"
		 "  iifname p2 ip saddr != 198.51.100.0/24 drop;\n"
		 "  iifname p1 ip6 saddr != { fe80::/10, 2001:db8:1::/64 } drop;\n"
		 "  iifname p2 ip6 saddr != { fe80::/10, 2001:db8:2::/64 } drop; }; }'\n");
}

static void plan_fill(void)
{
	memset(&lab, 0, sizeof(lab));
	model_init(&lab.m);
	lab.p.model = &lab.m;
	lab.p.config = (struct asym_config){ .mark_mask = 0xff00, .mark_shift = 8 };
	lab.p.reserved[PLAN_PROBE] = 0xff;
	lab.p.links = lab.links;
	lab.p.n_links = 2;
	for (uint8_t i = 0; i < 2; i++) {
		lab.conf[i].nat[ASYM_V6] = NAT_MASQUERADE;
		strcpy(lab.conf[i].name, i ? "two" : "one");
		strcpy(lab.conf[i].device, i ? "wan2" : "wan1");
		lab.links[i] = (struct plan_link){ .id = i + 1, .reply = i + 1, .mtu = 1500 };
		lab.links[i].mark = (i + 1u) << 8;
		lab.links[i].conf = &lab.conf[i];
	}
}

static int lab_new(void **state)
{
	if (geteuid())
		return 0;
	for (int i = 0; i < SPACES; i++) {
		spaces[i] = space_new();
		ask(i, "ip link set lo up\n"
		       "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0"
		       " net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0\n");
	}
	cable("lan0", CLIENT, "eth0");
	cable("wan1", NET, "p1");
	cable("wan2", NET, "p2");
	configure();
	plan_fill();
	return 0;
}

static int lab_free(void **state)
{
	for (int i = 0; i < SPACES && !geteuid(); i++)
		close(spaces[i]);
	return 0;
}

static void apply(void)
{
	char error[256];
	int r;

	enter(spaces[GW]);
	r = ruleset_apply(&lab.p, false, error, sizeof(error));
	enter(home);
	if (r)
		fail_msg("%s", error);
}

static void assert_counts(size_t link, uint64_t out, uint64_t in)
{
	struct ruleset_count counts[2];

	enter(spaces[GW]);
	assert_int_equal(ruleset_counters(&lab.p, counts), 0);
	enter(home);
	assert_int_equal(counts[link].out, out);
	assert_int_equal(counts[link].in, in);
}

/* The stand-in for the LAN's program: what comes from the LAN gets this mark. */
static void lan_marks(uint32_t mark)
{
	ask(GW, "nft 'flush chain inet emu raw; add rule inet emu raw iifname lan0 meta mark set 0x%x'",
	    mark);
}

static long counter(const char *name)
{
	return atol(ask(GW, "nft list counter inet emu %s | sed -n 's/.*packets \\([0-9]*\\).*/\\1/p'",
			name));
}

/* The ct mark of the one connection to a port; -1: there is none. */
static long ct_mark(const char *family, const char *proto, int port)
{
	const char *at = strstr(ask(GW, "conntrack -L -f %s -p %s --orig-port-dst %d 2>/dev/null",
				    family, proto, port), "mark=");

	return at ? atol(at + 5) : -1;
}

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address(const char *text, uint16_t port, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(port);
		return sizeof(ret->v4);
	}
	assert_int_equal(inet_pton(AF_INET6, text, &ret->v6.sin6_addr), 1);
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(port);
	return sizeof(ret->v6);
}

/* A socket stays in the namespace it was made in. */
static int socket_in(enum space s, const char *text, int type)
{
	struct timeval patience = { .tv_sec = 3 };
	union address a;
	int fd;

	address(text, 0, &a);
	enter(spaces[s]);
	fd = socket(a.sa.sa_family, type | SOCK_CLOEXEC, 0);
	enter(home);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

static int bound_in(enum space s, const char *text, uint16_t port, int type)
{
	int fd = socket_in(s, text, type), on = 1;
	union address a;
	socklen_t len = address(text, port, &a);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, &a.sa, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void mark_socket(int fd, uint32_t mark)
{
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
}

/* A connected pair: [0] the caller's end, [1] the other.  mark: of the caller's socket. */
struct pair {
	int fd[2];
	char peer[INET6_ADDRSTRLEN]; /* the caller, as the other end sees it */
};

/* From far away: an address that GW has no route to but the default ones. */
static void bind_far(int fd, const char *to)
{
	union address a;
	socklen_t len = address(strchr(to, ':') ? SERVER6 : SERVER, 0, &a);

	assert_int_equal(bind(fd, &a.sa, len), 0);
}

static struct pair pair_new(enum space from, uint32_t mark, const char *to, int listener,
			    uint16_t port)
{
	struct pair p = { .fd = { socket_in(from, to, SOCK_STREAM), -1 } };
	union address a;
	socklen_t len = address(to, port, &a);

	if (from == NET)
		bind_far(p.fd[0], to);
	if (mark)
		mark_socket(p.fd[0], mark);
	if (connect(p.fd[0], &a.sa, len))
		fail_msg("connect to %s port %u: %s", to, port, strerror(errno));
	len = sizeof(a);
	p.fd[1] = accept(listener, &a.sa, &len);
	assert_true(p.fd[1] >= 0);
	if (a.sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &a.v4.sin_addr, p.peer, sizeof(p.peer));
	else
		inet_ntop(AF_INET6, &a.v6.sin6_addr, p.peer, sizeof(p.peer));
	close(listener);
	return p;
}

static struct pair pair_by_lan(const char *server, uint16_t port)
{
	int listener = bound_in(NET, server, port, SOCK_STREAM);

	return pair_new(CLIENT, 0, server, listener, port);
}

static bool carries(int from, int to)
{
	char byte = 'x';

	return write(from, &byte, 1) == 1 && read(to, &byte, 1) == 1;
}

static void assert_alive(const struct pair *p)
{
	assert_true(carries(p->fd[0], p->fd[1]));
	assert_true(carries(p->fd[1], p->fd[0]));
}

static void pair_close(struct pair *p)
{
	close(p->fd[0]);
	close(p->fd[1]);
}

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

static int datagram(enum space s, uint32_t mark, uint16_t port)
{
	int fd = socket_in(s, SERVER, SOCK_DGRAM);
	union address a;
	socklen_t len = address(SERVER, port, &a);

	if (mark)
		mark_socket(fd, mark);
	assert_int_equal(connect(fd, &a.sa, len), 0);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	return fd;
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
	union address a;
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
	assert_int_equal(addr_parse("198.51.100.77", &lab.conf[1].snat[ASYM_V4]), 0);
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

static int start(void **state)
{
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return home < 0;
}

#define TESTS(X)                                                                                   \
	X(test_out) X(test_link_really_left_by) X(test_foreign_bits) X(test_gone_link)             \
	X(test_in) X(test_in_forwarded) X(test_in_reply_by_other) X(test_older) X(test_router)     \
	X(test_probe_leaves_no_mark) X(test_counted_once) X(test_nat_of_others)                    \
	X(test_forgotten) X(test_rerouted_before_reply) X(test_untracked) X(test_related)          \
	X(test_hairpin) X(test_mss) X(test_mss_unclamped) X(test_nat)

#define NEEDS_ROOT(test)                                                                           \
	static void root_##test(void **state)                                                      \
	{                                                                                          \
		if (geteuid())                                                                     \
			skip();                                                                    \
		test(state);                                                                       \
	}
TESTS(NEEDS_ROOT)

int main(void)
{
#define ENTRY(test) cmocka_unit_test_setup_teardown(root_##test, lab_new, lab_free),
	const struct CMUnitTest tests[] = { TESTS(ENTRY) };

	return cmocka_run_group_tests(tests, start, NULL);
}
