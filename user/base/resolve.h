/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of hosts to addresses, by the machine's own resolver. */
#ifndef BASE_RESOLVE_H
#define BASE_RESOLVE_H

#include "base/addr.h"

#define RESOLVED_MAX 8

struct resolved {
	union addr_socket addr[RESOLVED_MAX]; /* port 0; as the resolver prefers them (RFC 6724) */
	uint32_t n;			      /* 0: not found */
	int32_t error;			      /* of getaddrinfo(), for gai_strerror(); 0 with n > 0 */
};

/* Waits, for many seconds when no server answers.  host: a name or an address; family: AF_INET,
 * AF_INET6 or AF_UNSPEC. */
void resolve(const char *host, int family, struct resolved *ret);

/* Whether it has to be asked for, as it is no address (which may have a zone, fe80::1%eth0). */
bool resolve_is_name(const char *host);

/* Of the same family, address and zone; ports do not count. */
bool resolved_equal(const union addr_socket *a, const union addr_socket *b);
/* Whether it is one of them. */
bool resolved_has(const struct resolved *r, const union addr_socket *a);

#endif
