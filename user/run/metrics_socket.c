// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/metrics_socket.h"

#include "base/addr.h"
#include "base/defs.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define QUEUE 64 /* of connections that wait to be accepted */

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t address_of(const struct in6_addr *a, uint16_t port, union address *ret)
{
	*ret = (union address){};
	if (addr_is_v4(a)) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(port);
		memcpy(&ret->in.sin_addr, &a->s6_addr[12], 4);
		return sizeof(ret->in);
	}
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_port = htons(port);
	ret->in6.sin6_addr = *a;
	return sizeof(ret->in6);
}

static void set(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

int metrics_listen(const struct in6_addr *addr, uint16_t port)
{
	_cleanup_close_ int fd = -1;
	union address a;
	socklen_t len = address_of(addr, port, &a);

	fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set(fd, SOL_IP, IP_FREEBIND, 1);
	if (a.sa.sa_family == AF_INET6) {
		set(fd, SOL_IPV6, IPV6_V6ONLY, !addr_is_zero(addr));
		set(fd, SOL_IPV6, IPV6_FREEBIND, 1);
	}
	if (bind(fd, &a.sa, len) || listen(fd, QUEUE))
		return -errno;
	return TAKE_FD(fd);
}
