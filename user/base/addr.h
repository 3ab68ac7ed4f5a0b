/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IP addresses and prefixes of both families in one type.  IPv4 is held as ::ffff:a.b.c.d
 * (RFC 4291 section 2.5.5.2), prefix lengths count from the top of the 128 bits: 10.0.0.0/8 has
 * len 104.  All bytes are in network order.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct prefix {
	struct in6_addr addr;
	uint8_t len; /* 0..128 */
};

/* Longest text of a prefix with its final NUL: an IPv6 address, a slash, three digits. */
#define ADDR_STRLEN (INET6_ADDRSTRLEN + 4)

/* Parses "192.0.2.1" or "2001:db8::1".  0, or -EINVAL with *ret untouched. */
int addr_parse(const char *s, struct in6_addr *ret);

/* Parses "192.0.2.0/24"; without a slash the whole address.  0; -EINVAL: not a prefix; -ERANGE:
 * length out of range; -EDOM: bits set beyond the length.  *ret is untouched on error. */
int prefix_parse(const char *s, struct prefix *ret);

/* Writes the text into buf (at least ADDR_STRLEN bytes) and returns buf. */
const char *addr_str(const struct in6_addr *a, char *buf);
const char *prefix_str(const struct prefix *p, char *buf);

/* AF_INET (4 bytes) or AF_INET6 (16 bytes) from the wire, as netlink carries it. */
struct in6_addr addr_from_wire(int family, const void *data);
/* Pointer to the 4 or 16 bytes as netlink wants them, and how many. */
const void *addr_wire(const struct in6_addr *a, size_t *ret_len);

/* As sockets want it; link-local ones are those of the device.  Returns the length. */
union addr_socket {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};
socklen_t addr_socket(const struct in6_addr *a, uint16_t port, uint32_t ifindex,
		      union addr_socket *ret);

bool addr_is_v4(const struct in6_addr *a);
int addr_family(const struct in6_addr *a); /* AF_INET or AF_INET6 */
bool addr_is_zero(const struct in6_addr *a); /* "::", which no field uses as an address */
bool addr_equal(const struct in6_addr *a, const struct in6_addr *b);
struct in6_addr addr_mask(const struct in6_addr *a, uint8_t len);
bool prefix_contains(const struct prefix *p, const struct in6_addr *a);
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
bool prefix_equal(const struct prefix *a, const struct prefix *b);
/* Length as people write it: 0..32 for IPv4, 0..128 for IPv6. */
unsigned int prefix_len(const struct prefix *p);

#endif
