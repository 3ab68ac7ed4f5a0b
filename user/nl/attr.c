// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "nl/attr.h"

int attr_parse_run(const void *data, size_t len, const struct attr_size *policy, size_t n,
		   const struct nlattr **tb)
{
	const struct nlattr *a = data;
	const char *end = (const char *)data + len;

	memset(tb, 0, n * sizeof(*tb));
	for (; mnl_attr_ok(a, (int)(end - (const char *)a)); a = mnl_attr_next(a)) {
		uint16_t type = mnl_attr_get_type(a), size = mnl_attr_get_payload_len(a);

		if (type >= n || !policy[type].max)
			continue;
		if (size < policy[type].min || size > policy[type].max)
			return -EBADMSG;
		tb[type] = a;
	}
	return 0;
}

int attr_parse(const struct nlmsghdr *h, size_t header, const struct attr_size *policy, size_t n,
	       const struct nlattr **tb)
{
	if (mnl_nlmsg_get_payload_len(h) < header)
		return -EBADMSG;
	return attr_parse_run(mnl_nlmsg_get_payload_offset(h, header),
			      mnl_nlmsg_get_payload_len(h) - MNL_ALIGN(header), policy, n, tb);
}

int attr_parse_nest(const struct nlattr *nest, const struct attr_size *policy, size_t n,
		    const struct nlattr **tb)
{
	return attr_parse_run(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), policy, n,
			      tb);
}

uint8_t attr_u8(const struct nlattr *a, uint8_t none)
{
	return a ? mnl_attr_get_u8(a) : none;
}

uint32_t attr_u32(const struct nlattr *a, uint32_t none)
{
	return a ? mnl_attr_get_u32(a) : none;
}

int attr_str(const struct nlattr *a, char *dst, size_t size)
{
	size_t len;

	if (!a) {
		dst[0] = '\0';
		return 0;
	}
	len = strnlen(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
	if (len >= size)
		return -EBADMSG;
	memcpy(dst, mnl_attr_get_payload(a), len);
	dst[len] = '\0';
	return 0;
}

int attr_addr(const struct nlattr *a, int family, struct in6_addr *ret)
{
	size_t want = family == AF_INET ? 4 : 16;

	if (a && mnl_attr_get_payload_len(a) != want)
		return -EBADMSG;
	*ret = a ? addr_from_wire(family, mnl_attr_get_payload(a)) : in6addr_any;
	return 0;
}

int attr_prefix(const struct nlattr *a, int family, uint8_t len, struct prefix *ret)
{
	static const struct in_addr any;
	struct in6_addr addr;
	int r;

	if (len > (family == AF_INET ? 32 : 128))
		return -EBADMSG;
	r = attr_addr(a, family, &addr);
	if (r)
		return r;
	if (!a && family == AF_INET)
		addr = addr_from_wire(AF_INET, &any);
	*ret = (struct prefix){ addr, family == AF_INET ? len + 96 : len };
	return 0;
}
