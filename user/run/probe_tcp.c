// SPDX-License-Identifier: GPL-2.0-or-later
/* The beginning of a TCP connection: whether it is taken or refused, the target is reached. */
#include "base/defs.h"
#include "run/probe_kind.h"
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/tcp.h>
#include <string.h>

struct tcp {
	struct probe probe;
	struct probe_io *io;
};

static const struct sock_extended_err *icmp_error(const struct cmsghdr *c)
{
	if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
	    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
		return (const struct sock_extended_err *)CMSG_DATA(c);
	return NULL;
}

static bool is_addr(const struct sockaddr *sa, const struct in6_addr *a)
{
	const union addr_socket *u = (const union addr_socket *)sa;
	struct in6_addr other = { 0 };

	if (sa->sa_family == AF_INET)
		other = addr_from_wire(AF_INET, &u->in.sin_addr);
	else if (sa->sa_family == AF_INET6)
		other = u->in6.sin6_addr;
	return addr_equal(a, &other);
}

/* A connection is refused by a RST, or by an ICMP error, which anything on the way may have sent. */
static bool refused_by_target(int fd, const struct in6_addr *target)
{
	char control[512] __attribute__((aligned(__alignof__(struct cmsghdr))));
	struct msghdr m = { .msg_control = control, .msg_controllen = sizeof(control) };

	if (recvmsg(fd, &m, MSG_ERRQUEUE) < 0)
		return true;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		const struct sock_extended_err *e = icmp_error(c);

		if (e)
			return is_addr(SO_EE_OFFENDER(e), target);
	}
	return false;
}

static void tcp_ready(void *data, int fd, bool failed)
{
	struct tcp *t = data;
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (error == ECONNREFUSED && !refused_by_target(fd, &t->probe.target->addr))
		error = EHOSTUNREACH;
	/* the latter: it was taken, and closed at once */
	if (!error || error == ECONNREFUSED || error == ECONNRESET || error == EPIPE)
		probe_answered(&t->probe);
	else
		probe_failed(&t->probe, probe_reason(error));
}

/* ICMP errors can be told from a RST then. */
static void want_errors(int fd, enum asym_family f)
{
	int one = 1;

	if (f == ASYM_V4)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
}

static int tcp_start(struct probe *p)
{
	struct tcp *t = (struct tcp *)p;
	const struct model_target *target = p->target;
	_cleanup_close_ int fd = probe_socket_from(&p->path, target->family, SOCK_STREAM);
	union addr_socket to;
	socklen_t len = addr_socket(&target->addr, target->port, p->path.ifindex, &to);

	if (fd < 0)
		return fd;
	want_errors(fd, target->family);
	if (connect(fd, &to.sa, len) && errno != EINPROGRESS)
		return -errno;
	return probe_io_open(p->prober, &fd, UV_WRITABLE, tcp_ready, t, &t->io);
}

static void tcp_stop(struct probe *p)
{
	probe_io_close(((struct tcp *)p)->io);
}

const struct probe_kind probe_tcp = { sizeof(struct tcp), tcp_start, tcp_stop };
