// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nodes without a daemon, or with another description: pings by every way, which their kernel
 * answers by one and the same.  So what differs between replies is our direction, and they take the
 * place of reports.
 */
#include "base/defs.h"
#include "run/paths_int.h"
#include "run/probe_echo.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define NS_PER_MS 1000000ull
#define SILENT_MS 2000u
#define SILENT_PROBES 20u
#define PACKET 256 /* bytes of a reply with its IP header and options */

/* In the packet; it comes back as it was. */
struct cookie {
	uint64_t sent_ns;
	uint32_t seq;
	uint8_t node, way;
	uint8_t zero[2];
};
_Static_assert(sizeof(struct cookie) == ECHO_COOKIE, "it fits");

static uint16_t id_of(const struct paths *p)
{
	return htons((uint16_t)(p->session >> 16));
}

int paths_echo_socket(const struct paths *p, enum asym_family family)
{
	const struct mesh *m = paths_mesh(p);
	int af = family == ASYM_V6 ? AF_INET6 : AF_INET, r;
	_cleanup_close_ int fd = socket(af, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
	                                af == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	union addr_socket a;
	socklen_t len = addr_socket(&m->nodes[p->plan->self].addr[family], 0, 0, &a);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, m->device, strlen(m->device) + 1) ||
	    bind(fd, &a.sa, len))
		return -errno;
	r = echo_filter(fd, af, id_of(p));
	return r ?: TAKE_FD(fd);
}

/* RFC 1071; of ICMPv6 the kernel makes it. */
static uint16_t sum_of(const struct echo *e)
{
	uint16_t words[sizeof(*e) / 2];
	uint32_t sum = 0;

	memcpy(words, e, sizeof(*e));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static void send_echo(const struct paths *p, const struct path_peer *peer, uint8_t way)
{
	bool six = peer->addr.sa.sa_family == AF_INET6;
	struct cookie c = {
		.sent_ns = paths_now(), .seq = peer->seq, .node = peer->t->node, .way = way};
	struct echo e = {.type = six ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
	                 .id = id_of(p),
	                 .seq = htons((uint16_t)peer->seq)};
	int fd = p->fds[PATHS_ECHO + (six ? ASYM_V6 : ASYM_V4)];

	memcpy(e.cookie, &c, sizeof(c));
	e.sum = six ? 0 : sum_of(&e);
	if (fd >= 0)
		paths_send(fd, peer, 0, way, &e, sizeof(e));
}

static bool is_silent(const struct paths *p, const struct path_peer *peer, uint64_t now_ns)
{
	uint64_t ms = MAX(SILENT_MS, SILENT_PROBES * p->probe_ms);

	return peer->differs || now_ns - peer->heard_ns > ms * NS_PER_MS;
}

void path_peer_echo(struct paths *p, struct path_peer *peer, uint64_t now_ns)
{
	if (!peer->heard_ns)
		peer->heard_ns = now_ns; /* it has some time to begin with */
	if (!is_silent(p, peer, now_ns))
		return;
	if (!peer->echoes) {
		choice_arrivals_init(&peer->arrivals, p->probe_ms);
		choice_restarted(&peer->choice);
	}
	peer->echoes = true;
	for (uint8_t i = 0; i < peer->t->n; i++)
		send_echo(p, peer, i);
}

void path_peer_echo_ends(struct paths *p, struct path_peer *peer)
{
	if (!peer->echoes)
		return;
	peer->echoes = false;
	choice_arrivals_init(&peer->arrivals, p->probe_ms);
	choice_restarted(&peer->choice);
}

static void take_reply(struct paths *p, struct path_peer *peer, const struct cookie *c)
{
	struct choice_report reports[MESH_MAX_PATHS];
	uint64_t now_ns = paths_now();

	if (!peer->echoes || c->way >= peer->t->n || c->sent_ns > now_ns ||
	    peer->seq - c->seq > 1000)
		return;
	choice_arrived(&peer->arrivals, c->way, c->seq, c->sent_ns, now_ns);
	choice_rtt(&peer->choice, now_ns - c->sent_ns, now_ns);
	for (uint8_t i = 0; i < peer->t->n; i++)
		choice_report(&peer->arrivals, i, now_ns, &reports[i]);
	choice_reports(&peer->choice, reports, peer->t->n, now_ns, now_ns);
	path_peer_judge(p, peer, now_ns);
}

/* Where the ICMP header is, or NULL. */
static const uint8_t *icmp_of(const uint8_t *data, size_t len, bool six)
{
	size_t head = six ? 0 : (data[0] & 15) * 4u;

	return len >= head + sizeof(struct echo) ? data + head : NULL;
}

void paths_echo_take(struct paths *p, const uint8_t *data, size_t len,
                     const union addr_socket *from)
{
	bool six = from->sa.sa_family == AF_INET6;
	const uint8_t *at = len ? icmp_of(data, len, six) : NULL;
	struct path_peer *peer;
	struct cookie c;
	struct echo e;

	if (!at)
		return;
	memcpy(&e, at, sizeof(e));
	memcpy(&c, e.cookie, sizeof(c));
	if (e.type != (six ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) || e.id != id_of(p))
		return;
	peer = paths_peer(p, c.node);
	if (peer && paths_is_from(peer, from, false))
		take_reply(p, peer, &c);
}
