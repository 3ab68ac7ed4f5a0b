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
#include "run/probe_port.h"
#include <errno.h>
#include <linux/filter.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/random.h>

#define COOKIE 16
/* linux/icmp.h, which netinet/ip_icmp.h excludes */
#define ICMP_FILTER_OPTION 1
#define PACKET_ROOM 1280

/* The same in both families (RFC 792, RFC 4443); id and seq in network order. */
struct echo {
	uint8_t type, code;
	uint16_t sum, id, seq;
	uint8_t cookie[COOKIE];
};

struct ping {
	struct port_probe waiting;
	struct echo echo;
};

struct ping_port {
	struct probe_port port;
	uint16_t id, seq;
};

/* -------- sockets */

#define LOAD_BYTE(where) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, where)
#define LOAD_HALF(where) BPF_STMT(BPF_LD | BPF_H | BPF_ABS, where)
#define X_BYTE(where) BPF_STMT(BPF_LD | BPF_B | BPF_IND, where)
#define X_HALF(where) BPF_STMT(BPF_LD | BPF_H | BPF_IND, where)
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define TAKE BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
#define LEAVE BPF_STMT(BPF_RET | BPF_K, 0)

/* Where our request is in an ICMP error about it; we send no options and no extension headers. */
#define QUOTED4 (sizeof(struct icmphdr) + sizeof(struct iphdr))
#define QUOTED6 (sizeof(struct icmp6_hdr) + sizeof(struct ip6_hdr))

/* Only what has our identifier wakes us: other pings of this machine are none of our business.  A
 * packet begins with the IP header here. */
static int filter4(int fd, uint16_t id)
{
	struct icmp_filter_bits { uint32_t data; } types = {
		~(1U << ICMP_ECHOREPLY | 1U << ICMP_DEST_UNREACH | 1U << ICMP_TIME_EXCEEDED)
	};
	struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* X = length of the IP header */
		X_BYTE(offsetof(struct echo, type)),
		IF_EQUAL(ICMP_ECHOREPLY, 0, 2),
		X_HALF(offsetof(struct echo, id)),
		IF_EQUAL(ntohs(id), 4, 5),
		X_BYTE(QUOTED4 + offsetof(struct echo, type)),
		IF_EQUAL(ICMP_ECHO, 0, 3),
		X_HALF(QUOTED4 + offsetof(struct echo, id)),
		IF_EQUAL(ntohs(id), 0, 1),
		TAKE,
		LEAVE,
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	if (setsockopt(fd, SOL_RAW, ICMP_FILTER_OPTION, &types, sizeof(types)) ||
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		return -errno;
	return 0;
}

/* A packet begins with the ICMPv6 header. */
static int filter6(int fd, uint16_t id)
{
	struct icmp6_filter types;
	struct sock_filter code[] = {
		LOAD_BYTE(offsetof(struct echo, type)),
		IF_EQUAL(ICMP6_ECHO_REPLY, 0, 2),
		LOAD_HALF(offsetof(struct echo, id)),
		IF_EQUAL(ntohs(id), 4, 5),
		LOAD_BYTE(QUOTED6 + offsetof(struct echo, type)),
		IF_EQUAL(ICMP6_ECHO_REQUEST, 0, 3),
		LOAD_HALF(QUOTED6 + offsetof(struct echo, id)),
		IF_EQUAL(ntohs(id), 0, 1),
		TAKE,
		LEAVE,
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	ICMP6_FILTER_SETBLOCKALL(&types);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &types);
	ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &types);
	ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &types);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &types, sizeof(types)) ||
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		return -errno;
	return 0;
}

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
	r = family == AF_INET ? filter4(fd, port->id) : filter6(fd, port->id);
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

	if (ping && !memcmp(e->cookie, ping->echo.cookie, COOKIE) &&
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
	} else if ((size_t)len >= at + QUOTED4) {
		quoted = (const struct iphdr *)(data + at + sizeof(struct icmphdr));
		addr = addr_from_wire(AF_INET, &quoted->daddr);
		if (quoted->protocol == IPPROTO_ICMP && quoted->ihl * 4 == sizeof(*quoted))
			take_error(port, data + at + QUOTED4, len - at - QUOTED4, &addr);
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
	else if ((size_t)len >= QUOTED6 && quoted->ip6_nxt == IPPROTO_ICMPV6)
		take_error(port, data + QUOTED6, len - QUOTED6, &quoted->ip6_dst);
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
	union probe_addr to;
	struct msghdr m = {
		.msg_name = &to,
		.msg_namelen = probe_sockaddr(&p->target->addr, 0, p->path.ifindex, &to),
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

	if (getrandom(ping->echo.cookie, COOKIE, 0) != COOKIE)
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
