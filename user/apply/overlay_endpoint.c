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

static const struct addrinfo *choose(const struct addrinfo *found, const char *before)
{
	char text[OVERLAY_ENDPOINT];

	for (const struct addrinfo *i = found; i; i = i->ai_next) {
		overlay_endpoint_text((const union addr_socket *)i->ai_addr, text);
		if (!strcmp(text, before))
			return i;
	}
	return found;
}

int overlay_endpoint_resolve(const struct mesh_endpoint *e, const char *before,
			     union addr_socket *ret, char *error, size_t size)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM};
	const struct addrinfo *chosen;
	struct addrinfo *found;
	char port[6];
	int r;

	snprintf(port, sizeof(port), "%u", e->port);
	r = getaddrinfo(e->host, port, &hints, &found);
	if (r) {
		snprintf(error, size, "cannot find the address of \"%s\": %s", e->host,
			 gai_strerror(r));
		return -EHOSTUNREACH;
	}
	chosen = choose(found, before);
	*ret = (union addr_socket){};
	memcpy(ret, chosen->ai_addr, MIN((size_t)chosen->ai_addrlen, sizeof(*ret)));
	freeaddrinfo(found);
	return 0;
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
