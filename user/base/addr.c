// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/addr.h"
#include "base/num.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define V4_BITS 96 /* length of ::ffff:0:0/96, which all IPv4 addresses share */

int addr_parse(const char *s, struct in6_addr *ret)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, s, &v4) == 1) {
		*ret = addr_from_wire(AF_INET, &v4);
		return 0;
	}
	if (inet_pton(AF_INET6, s, &v6) != 1)
		return -EINVAL;
	*ret = v6;
	return 0;
}

static int parse_len(const char *s, const struct in6_addr *addr, uint8_t *ret)
{
	unsigned int base = addr_is_v4(addr) ? V4_BITS : 0;
	uint32_t len;
	int r;

	if (s[strspn(s, "0123456789")])
		return -EINVAL;
	r = num_parse_u32(s, 0, 128 - base, &len);
	if (r)
		return r;
	*ret = base + len;
	return 0;
}

int prefix_parse(const char *s, struct prefix *ret)
{
	char text[INET6_ADDRSTRLEN];
	const char *slash = strchrnul(s, '/');
	struct prefix p = { .len = 128 };
	struct in6_addr masked;
	int r;

	if ((size_t)(slash - s) >= sizeof(text))
		return -EINVAL;
	memcpy(text, s, slash - s);
	text[slash - s] = 0;
	r = addr_parse(text, &p.addr);
	if (!r && *slash)
		r = parse_len(slash + 1, &p.addr, &p.len);
	if (r)
		return r;
	masked = addr_mask(&p.addr, p.len);
	if (!addr_equal(&masked, &p.addr))
		return -EDOM;
	*ret = p;
	return 0;
}

const char *addr_str(const struct in6_addr *a, char *buf)
{
	size_t len;
	const void *wire = addr_wire(a, &len);

	inet_ntop(len == 4 ? AF_INET : AF_INET6, wire, buf, ADDR_STRLEN);
	return buf;
}

const char *prefix_str(const struct prefix *p, char *buf)
{
	size_t len;

	addr_str(&p->addr, buf);
	len = strlen(buf);
	snprintf(buf + len, ADDR_STRLEN - len, "/%u", prefix_len(p));
	return buf;
}

struct in6_addr addr_from_wire(int family, const void *data)
{
	struct in6_addr a = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (family == AF_INET)
		memcpy(&a.s6_addr[12], data, 4);
	else
		memcpy(&a, data, sizeof(a));
	return a;
}

const void *addr_wire(const struct in6_addr *a, size_t *ret_len)
{
	bool v4 = addr_is_v4(a);

	*ret_len = v4 ? 4 : 16;
	return v4 ? &a->s6_addr[12] : a->s6_addr;
}

socklen_t addr_socket(const struct in6_addr *a, uint16_t port, uint32_t ifindex,
		      union addr_socket *ret)
{
	size_t len;
	const void *wire = addr_wire(a, &len);

	memset(ret, 0, sizeof(*ret));
	if (addr_is_v4(a)) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(port);
		memcpy(&ret->in.sin_addr, wire, len);
		return sizeof(ret->in);
	}
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_port = htons(port);
	ret->in6.sin6_addr = *a;
	if (IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MC_LINKLOCAL(a))
		ret->in6.sin6_scope_id = ifindex;
	return sizeof(ret->in6);
}

bool addr_is_v4(const struct in6_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED(a);
}

int addr_family(const struct in6_addr *a)
{
	return addr_is_v4(a) ? AF_INET : AF_INET6;
}

bool addr_is_zero(const struct in6_addr *a)
{
	return IN6_IS_ADDR_UNSPECIFIED(a);
}

bool addr_equal(const struct in6_addr *a, const struct in6_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

struct in6_addr addr_mask(const struct in6_addr *a, uint8_t len)
{
	struct in6_addr r = *a;

	if (len >= 128)
		return r;
	if (len % 8)
		r.s6_addr[len / 8] &= 0xff << (8 - len % 8);
	for (int i = (len + 7) / 8; i < 16; i++)
		r.s6_addr[i] = 0;
	return r;
}

bool prefix_contains(const struct prefix *p, const struct in6_addr *a)
{
	struct in6_addr masked = addr_mask(a, p->len), own = addr_mask(&p->addr, p->len);

	return addr_equal(&masked, &own);
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && prefix_contains(outer, &inner->addr);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_covers(a, b) || prefix_covers(b, a);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_equal(&a->addr, &b->addr);
}

unsigned int prefix_len(const struct prefix *p)
{
	return addr_is_v4(&p->addr) && p->len >= V4_BITS ? p->len - V4_BITS : p->len;
}
