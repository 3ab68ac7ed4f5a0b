// SPDX-License-Identifier: GPL-2.0-or-later
/* The sockets of probes: each datagram has a mark of its own (SO_MARK as a control message, Linux
 * 5.5), so one socket of each family does for all ways. */
#include "base/defs.h"
#include "run/paths_int.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define MARK_SHIFT 16
#define CLASS                                                                                      \
	0xc0 /* CS6, network control (RFC 4594, 3.1): what queues probes would delay the choice */
#define BUFFER (1 << 20)

static void set(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

static void tune(int fd, int family)
{
	set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER);
	set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER);
	if (family == AF_INET6) {
		set(fd, IPPROTO_IPV6, IPV6_TCLASS, CLASS);
		set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
		return;
	}
	set(fd, IPPROTO_IP, IP_TOS, CLASS);
	/* nothing is fragmented, and what the routes say is not heeded */
	set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
}

int paths_socket(const struct paths *p, enum asym_family family)
{
	const struct mesh *m = paths_mesh(p);
	const struct in6_addr *own = &m->nodes[p->plan->self].addr[family];
	_cleanup_close_ int fd = -1;
	union addr_socket a;
	socklen_t len = addr_socket(own, m->port - 1, 0, &a);

	fd = socket(a.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, m->device, strlen(m->device) + 1))
		return -errno;
	if (a.sa.sa_family == AF_INET6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	tune(fd, a.sa.sa_family);
	return bind(fd, &a.sa, len) ? -errno : TAKE_FD(fd);
}

static void set_port(union addr_socket *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
	else
		a->in.sin_port = htons(port);
}

int paths_send(int fd, const struct path_peer *peer, uint16_t port, uint8_t way, const void *data,
               size_t len)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(uint32_t))];
	} control = {};
	union addr_socket to = peer->addr;
	struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
	struct msghdr m = {.msg_name = &to,
	                   .msg_namelen = peer->addr_len,
	                   .msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = &control,
	                   .msg_controllen = sizeof(control.bytes)};
	uint32_t mark = (uint32_t)(way + 1) << MARK_SHIFT;
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	set_port(&to, port);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SO_MARK;
	c->cmsg_len = CMSG_LEN(sizeof(mark));
	memcpy(CMSG_DATA(c), &mark, sizeof(mark));
	return sendmsg(fd, &m, MSG_DONTWAIT) < 0 ? -errno : 0;
}
