// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/metrics_socket.h"

#include "base/addr.h"
#include "base/defs.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define QUEUE 64 /* of connections that wait to be accepted */

static void set(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

int metrics_listen(const struct in6_addr *addr, uint16_t port)
{
	_cleanup_close_ int fd = -1;
	union addr_socket a;
	socklen_t len = addr_socket(addr, port, 0, &a);

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
