// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/resolve.h"

#include "base/defs.h"
#include <netdb.h>
#include <string.h>

static void take(const struct addrinfo *list, struct resolved *ret)
{
	for (; list && ret->n < RESOLVED_MAX; list = list->ai_next) {
		if (list->ai_family != AF_INET && list->ai_family != AF_INET6)
			continue;
		memcpy(&ret->addr[ret->n++], list->ai_addr,
		       MIN((size_t)list->ai_addrlen, sizeof(ret->addr[0])));
	}
}

void resolve(const char *host, int family, struct resolved *ret)
{
	/* a type, or each address would come once for each */
	const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM};
	struct addrinfo *list;
	int error = getaddrinfo(host, NULL, &hints, &list);

	*ret = (struct resolved){.error = error};
	if (error)
		return;
	take(list, ret);
	freeaddrinfo(list);
	if (!ret->n)
		ret->error = EAI_NONAME;
}

bool resolve_is_name(const char *host)
{
	struct in6_addr addr;

	return *host && !strchr(host, ':') && addr_parse(host, &addr);
}

bool resolved_equal(const union addr_socket *a, const union addr_socket *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return addr_equal(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

bool resolved_has(const struct resolved *r, const union addr_socket *a)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (resolved_equal(&r->addr[i], a))
			return true;
	return false;
}
