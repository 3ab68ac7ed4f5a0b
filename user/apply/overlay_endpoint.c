// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/overlay_endpoint.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

void overlay_endpoint_text(const union addr_socket *e, char ret[OVERLAY_ENDPOINT])
{
	bool six = e->sa.sa_family == AF_INET6;
	char host[OVERLAY_ENDPOINT - 10], port[6];

	*ret = 0;
	if (!e->sa.sa_family ||
	    getnameinfo(&e->sa, six ? sizeof(e->in6) : sizeof(e->in), host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV | NI_DGRAM))
		return;
	snprintf(ret, OVERLAY_ENDPOINT, six ? "[%s]:%s" : "%s:%s", host, port);
}

static void set_port(union addr_socket *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
	else
		a->in.sin_port = htons(port);
}

int overlay_endpoint_choose(const struct mesh_endpoint *e, const struct resolved *found,
			    const char *before, union addr_socket *ret, char *error, size_t size)
{
	char text[OVERLAY_ENDPOINT];
	union addr_socket a;

	for (uint32_t i = found->n; i-- > 0;) {
		a = found->addr[i];
		set_port(&a, e->port);
		overlay_endpoint_text(&a, text);
		if (!strcmp(text, before))
			break;
	}
	if (found->n) {
		*ret = a;
		return 0;
	}
	snprintf(error, size, "cannot find the address of \"%s\": %s", e->host,
		 gai_strerror(found->error));
	return -EHOSTUNREACH;
}

static int try_bind(int family, uint16_t port)
{
	_cleanup_close_ int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union addr_socket a = {};
	int on = 1;

	if (fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	a.sa.sa_family = family;
	if (family == AF_INET)
		a.in.sin_port = htons(port);
	else
		a.in6.sin6_port = htons(port);
	return bind(fd, &a.sa, sizeof(a)) < 0 ? -errno : 0;
}

int overlay_port_check(uint16_t port)
{
	return try_bind(AF_INET, port) ?: try_bind(AF_INET6, port);
}
