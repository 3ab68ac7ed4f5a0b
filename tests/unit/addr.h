/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses as text.  Include cmocka.h before. */
#ifndef TESTS_UNIT_ADDR_H
#define TESTS_UNIT_ADDR_H

#include "base/addr.h"

static inline struct in6_addr addr(const char *s)
{
	struct in6_addr a;

	assert_int_equal(addr_parse(s, &a), 0);
	return a;
}

static inline struct prefix prefix(const char *s)
{
	struct prefix p;

	assert_int_equal(prefix_parse(s, &p), 0);
	return p;
}

/* As sockets want it.  Returns the length. */
static inline socklen_t address(const char *s, uint16_t port, union addr_socket *ret)
{
	struct in6_addr a = addr(s);

	return addr_socket(&a, port, 0, ret);
}

#endif
