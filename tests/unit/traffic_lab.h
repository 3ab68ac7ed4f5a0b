/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nftables table under real packets; rules that stand in for the BPF programs set the marks.
 *
 *	CLIENT 10.0.0.2 ── lan0 GW wan1 192.0.2.1    ── p1 NET 203.0.113.1, a server
 *	                           wan2 198.51.100.1 ── p2     (takes no other's source address)
 *
 * The same with IPv6: fd00::2, 2001:db8:1::1, 2001:db8:2::1, 2001:db8:ff::1.  GW's main table has
 * its default route by wan1; the links are "one" (mark 0x100) and "two" (0x200).
 */
#ifndef TESTS_UNIT_TRAFFIC_LAB_H
#define TESTS_UNIT_TRAFFIC_LAB_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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
#include "tests/unit/addr.h"
#include "tests/unit/root.h"

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

static inline void enter(int fd)
{
	assert_int_equal(setns(fd, CLONE_NEWNET), 0);
}

/* What a shell command prints in a namespace; every line of it must succeed. */
static inline const char *ask(enum space s, const char *fmt, ...) PRINTF(2, 3);
static inline const char *ask(enum space s, const char *fmt, ...)
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

static inline int space_new(void)
{
	int fd;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = open("/proc/self/ns/net", O_RDONLY);
	assert_true(fd >= 0);
	enter(home);
	return fd;
}

static inline void cable(const char *dev, enum space other, const char *peer)
{
	ask(GW,
	    "ip link add %s type veth peer name %s netns /proc/%d/fd/%d\n"
	    "ip link set %s up\n",
	    dev, peer, getpid(), spaces[other], dev);
	ask(other, "ip link set %s up\n", peer);
}

static inline void configure(void)
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

static inline void plan_fill(void)
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

static inline int lab_new(void **state)
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

static inline int lab_free(void **state)
{
	for (int i = 0; i < SPACES && !geteuid(); i++)
		close(spaces[i]);
	return 0;
}

static inline void apply(void)
{
	char error[256];
	int r;

	enter(spaces[GW]);
	r = ruleset_apply(&lab.p, false, error, sizeof(error));
	enter(home);
	if (r)
		fail_msg("%s", error);
}

static inline void assert_counts(size_t link, uint64_t out, uint64_t in)
{
	struct ruleset_count counts[2];

	enter(spaces[GW]);
	assert_int_equal(ruleset_counters(&lab.p, counts), 0);
	enter(home);
	assert_int_equal(counts[link].out, out);
	assert_int_equal(counts[link].in, in);
}

/* The stand-in for the LAN's program: what comes from the LAN gets this mark. */
static inline void lan_marks(uint32_t mark)
{
	ask(GW, "nft 'flush chain inet emu raw; add rule inet emu raw iifname lan0 meta mark set 0x%x'",
	    mark);
}

static inline long counter(const char *name)
{
	return atol(ask(GW, "nft list counter inet emu %s | sed -n 's/.*packets \\([0-9]*\\).*/\\1/p'",
			name));
}

/* The ct mark of the one connection to a port; -1: there is none. */
static inline long ct_mark(const char *family, const char *proto, int port)
{
	const char *at = strstr(ask(GW, "conntrack -L -f %s -p %s --orig-port-dst %d 2>/dev/null",
				    family, proto, port), "mark=");

	return at ? atol(at + 5) : -1;
}

/* A socket stays in the namespace it was made in. */
static inline int socket_in(enum space s, const char *text, int type)
{
	struct timeval patience = { .tv_sec = 3 };
	union addr_socket a;
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

static inline int bound_in(enum space s, const char *text, uint16_t port, int type)
{
	int fd = socket_in(s, text, type), on = 1;
	union addr_socket a;
	socklen_t len = address(text, port, &a);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, &a.sa, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static inline void mark_socket(int fd, uint32_t mark)
{
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
}

/* A connected pair: [0] the caller's end, [1] the other.  mark: of the caller's socket. */
struct pair {
	int fd[2];
	char peer[INET6_ADDRSTRLEN]; /* the caller, as the other end sees it */
};

/* From far away: an address that GW has no route to but the default ones. */
static inline void bind_far(int fd, const char *to)
{
	union addr_socket a;
	socklen_t len = address(strchr(to, ':') ? SERVER6 : SERVER, 0, &a);

	assert_int_equal(bind(fd, &a.sa, len), 0);
}

static inline struct pair pair_new(enum space from, uint32_t mark, const char *to, int listener,
			    uint16_t port)
{
	struct pair p = { .fd = { socket_in(from, to, SOCK_STREAM), -1 } };
	union addr_socket a;
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
		inet_ntop(AF_INET, &a.in.sin_addr, p.peer, sizeof(p.peer));
	else
		inet_ntop(AF_INET6, &a.in6.sin6_addr, p.peer, sizeof(p.peer));
	close(listener);
	return p;
}

static inline struct pair pair_by_lan(const char *server, uint16_t port)
{
	int listener = bound_in(NET, server, port, SOCK_STREAM);

	return pair_new(CLIENT, 0, server, listener, port);
}

static inline bool carries(int from, int to)
{
	char byte = 'x';

	return write(from, &byte, 1) == 1 && read(to, &byte, 1) == 1;
}

static inline void assert_alive(const struct pair *p)
{
	assert_true(carries(p->fd[0], p->fd[1]));
	assert_true(carries(p->fd[1], p->fd[0]));
}

static inline void pair_close(struct pair *p)
{
	close(p->fd[0]);
	close(p->fd[1]);
}

static inline int datagram(enum space s, uint32_t mark, uint16_t port)
{
	int fd = socket_in(s, SERVER, SOCK_DGRAM);
	union addr_socket a;
	socklen_t len = address(SERVER, port, &a);

	if (mark)
		mark_socket(fd, mark);
	assert_int_equal(connect(fd, &a.sa, len), 0);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	return fd;
}

static inline int lab_start(void **state)
{
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return home < 0;
}

#define traffic_test(fn) root_test(fn, lab_new, lab_free)

#endif
