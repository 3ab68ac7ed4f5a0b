// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ICMP and ICMPv6 echo.  A reply counts if identifier, sequence number, 16 random bytes and the
 * source are those of the request.  Errors about a request (unreachable, time exceeded) end it early;
 * they need not quote the random bytes, but identifier and sequence number, which begin at random.
 *
 * The kernel could tell when each packet arrived (SO_TIMESTAMP), but would then take the time of all
 * packets that this machine forwards.
 */
#include "base/defs.h"
#include "run/probe_echo.h"
#include "run/probe_port.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define PACKET_ROOM 1280

struct ping {
	struct port_probe waiting;
	struct echo echo;
};

struct ping_port {
	struct probe_port port;
	uint16_t id, seq;
};

/* -------- sockets */

static int ping_open(struct ping_port *port, const struct probe_path *path, int family)
{
	_cleanup_close_ int fd = probe_socket(path, family, SOCK_RAW,
					      family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	uint16_t begin[2];
	int r;

	if (fd < 0)
		return fd;
	if (getrandom(begin, sizeof(begin), 0) != sizeof(begin))
		return -EIO;
	port->id = begin[0];
	port->seq = begin[1];
	r = echo_filter(fd, family, port->id);
	return r ?: TAKE_FD(fd);
}

static int open4(struct probe_port *port, const struct probe_path *path)
{
	return ping_open((struct ping_port *)port, path, AF_INET);
}

static int open6(struct probe_port *port, const struct probe_path *path)
{
	return ping_open((struct ping_port *)port, path, AF_INET6);
}

/* -------- answers */

static struct ping *ping_find(const struct probe_port *port, const struct echo *e)
{
	const struct ping_port *ours = (const struct ping_port *)port;

	for (struct port_probe *p = port->waiting; p; p = p->next) {
		struct ping *ping = (struct ping *)p;

		if (e->id == ours->id && e->seq == ping->echo.seq)
			return ping;
	}
	return NULL;
}

static void take_reply(const struct probe_port *port, const uint8_t *data, size_t len,
		       const struct in6_addr *from)
{
	const struct echo *e = (const struct echo *)data;
	struct ping *ping = len >= sizeof(*e) ? ping_find(port, e) : NULL;

	if (ping && !memcmp(e->cookie, ping->echo.cookie, ECHO_COOKIE) &&
	    addr_equal(from, &ping->waiting.probe.target->addr))
		probe_answered(&ping->waiting.probe);
}

/* data: from the quoted ICMP header on; to: the quoted destination. */
static void take_error(const struct probe_port *port, const uint8_t *data, size_t len,
		       const struct in6_addr *to)
{
	struct ping *ping = len >= offsetof(struct echo, cookie) ?
		ping_find(port, (const struct echo *)data) : NULL;

	if (ping && addr_equal(to, &ping->waiting.probe.target->addr))
		probe_failed(&ping->waiting.probe, "unreachable");
}

static int read4(struct probe_port *port, int fd)
{
	uint8_t data[PACKET_ROOM] __attribute__((aligned(4)));
	const struct iphdr *ip = (const struct iphdr *)data, *quoted;
	ssize_t len = recv(fd, data, sizeof(data), 0);
	struct in6_addr addr;
	size_t at;

	if (len < 0)
		return -errno;
	at = (size_t)len >= sizeof(*ip) ? ip->ihl * 4U : (size_t)len;
	if ((size_t)len < at + sizeof(struct icmphdr))
		return 0;
	addr = addr_from_wire(AF_INET, &ip->saddr);
	if (data[at] == ICMP_ECHOREPLY) {
		take_reply(port, data + at, len - at, &addr);
	} else if ((size_t)len >= at + ECHO_QUOTED4) {
		quoted = (const struct iphdr *)(data + at + sizeof(struct icmphdr));
		addr = addr_from_wire(AF_INET, &quoted->daddr);
		if (quoted->protocol == IPPROTO_ICMP && quoted->ihl * 4 == sizeof(*quoted))
			take_error(port, data + at + ECHO_QUOTED4, len - at - ECHO_QUOTED4, &addr);
	}
	return 0;
}

static int read6(struct probe_port *port, int fd)
{
	uint8_t data[PACKET_ROOM] __attribute__((aligned(4)));
	const struct ip6_hdr *quoted =
		(const struct ip6_hdr *)(data + sizeof(struct icmp6_hdr));
	struct sockaddr_in6 from;
	socklen_t from_len = sizeof(from);
	ssize_t len = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &from_len);

	if (len < 0)
		return -errno;
	if ((size_t)len < sizeof(struct icmp6_hdr))
		return 0;
	if (data[0] == ICMP6_ECHO_REPLY)
		take_reply(port, data, len, &from.sin6_addr);
	else if ((size_t)len >= ECHO_QUOTED6 && quoted->ip6_nxt == IPPROTO_ICMPV6)
		take_error(port, data + ECHO_QUOTED6, len - ECHO_QUOTED6, &quoted->ip6_dst);
	return 0;
}

static const struct port_kind kinds[ASYM_FAMILIES] = {
	[ASYM_V4] = { sizeof(struct ping_port), open4, read4 },
	[ASYM_V6] = { sizeof(struct ping_port), open6, read6 },
};

/* -------- requests */

static uint16_t checksum(const void *data, size_t len)
{
	const uint16_t *word = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < len / sizeof(*word); i++)
		sum += word[i];
	sum = (sum >> 16) + (sum & 0xffff);
	return ~(sum + (sum >> 16));
}

/* The source goes with the packet, as the socket is everyone's.  Returns the length used. */
static size_t source4(const struct probe_path *path, struct cmsghdr *c)
{
	struct in_pktinfo info = { .ipi_ifindex = (int)path->ifindex };
	size_t len;

	memcpy(&info.ipi_spec_dst, addr_wire(&path->source[ASYM_V4], &len),
	       sizeof(info.ipi_spec_dst));
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	return CMSG_SPACE(sizeof(info));
}

static size_t source6(const struct probe_path *path, struct cmsghdr *c)
{
	struct in6_pktinfo info = { .ipi6_addr = path->source[ASYM_V6],
				    .ipi6_ifindex = path->ifindex };

	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	return CMSG_SPACE(sizeof(info));
}

static int ping_send(struct ping *ping)
{
	const struct probe *p = &ping->waiting.probe;
	enum asym_family f = p->target->family;
	char control[CMSG_SPACE(sizeof(struct in6_pktinfo))]
		__attribute__((aligned(__alignof__(struct cmsghdr)))) = { 0 };
	struct iovec iov = { &ping->echo, sizeof(ping->echo) };
	union addr_socket to;
	struct msghdr m = {
		.msg_name = &to,
		.msg_namelen = addr_socket(&p->target->addr, 0, p->path.ifindex, &to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	if (!addr_is_zero(&p->path.source[f])) {
		m.msg_control = control;
		m.msg_controllen = f == ASYM_V4 ?
			source4(&p->path, (struct cmsghdr *)control) :
			source6(&p->path, (struct cmsghdr *)control);
	}
	return sendmsg(port_fd(&ping->waiting), &m, 0) < 0 ? -errno : 0;
}

static void ping_stop(struct probe *p)
{
	port_leave((struct port_probe *)p);
}

static int ping_start(struct probe *p)
{
	struct ping *ping = (struct ping *)p;
	struct ping_port *port;
	int r;

	if (getrandom(ping->echo.cookie, ECHO_COOKIE, 0) != ECHO_COOKIE)
		return -EIO;
	r = port_join(&ping->waiting, &kinds[p->target->family]);
	if (r)
		return r;
	port = (struct ping_port *)ping->waiting.port;
	ping->echo.type = p->target->family == ASYM_V4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	ping->echo.id = port->id;
	ping->echo.seq = port->seq++;
	/* the kernel writes that of ICMPv6 */
	if (p->target->family == ASYM_V4)
		ping->echo.sum = checksum(&ping->echo, sizeof(ping->echo));
	r = ping_send(ping);
	if (r)
		ping_stop(p);
	return r;
}

const struct probe_kind probe_ping = { sizeof(struct ping), ping_start, ping_stop };
