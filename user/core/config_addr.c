// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses, ports and prefixes of the configuration file, each with its message. */
#include "base/num.h"
#include "core/config_ctx.h"
#include <errno.h>
#include <string.h>

/* 0/8 and 224/4 and above are no hosts (RFC 6890), nor are :: and ff00::/8. */
bool config_is_host(const struct in6_addr *a)
{
	if (addr_is_v4(a))
		return a->s6_addr[12] && a->s6_addr[12] < 224;
	return !addr_is_zero(a) && !IN6_IS_ADDR_MULTICAST(a);
}

bool config_addr(struct config *c, const char *key, const char *value, enum asym_family family,
		 struct in6_addr *ret)
{
	const char *want = family == ASYM_V4 ? "an IPv4 address" : "an IPv6 address";
	struct in6_addr addr;

	if (addr_parse(value, &addr)) {
		config_error(c, "%s: \"" SHOWN "\" is no address, expected %s", key, value, want);
		return false;
	}
	if (addr_is_v4(&addr) != (family == ASYM_V4)) {
		config_error(c, "%s: \"" SHOWN "\" is of the other family, expected %s", key,
			     value, want);
		return false;
	}
	if (!config_is_host(&addr)) {
		config_error(c, "%s: \"" SHOWN "\" is no host, expected %s of one", key, value,
			     want);
		return false;
	}
	*ret = addr;
	return true;
}

/* Says which prefix was meant when bits are set beyond its length. */
static void long_prefix_error(struct config *c, const char *key, const char *value)
{
	char text[INET6_ADDRSTRLEN + 1], meant[ADDR_STRLEN];
	const char *slash = strchrnul(value, '/');
	struct prefix p;
	uint32_t len;

	snprintf(text, sizeof(text), "%.*s", (int)(slash - value), value);
	if (addr_parse(text, &p.addr) || num_parse_u32(slash + 1, 0, 128, &len))
		return;
	p.len = len + (addr_is_v4(&p.addr) ? 96 : 0);
	p.addr = addr_mask(&p.addr, p.len);
	config_error(c, "%s: \"" SHOWN "\" has bits set beyond its length, expected \"%s\"", key,
		     value, prefix_str(&p, meant));
}

bool config_prefix(struct config *c, const char *key, const char *value, struct prefix *ret)
{
	int r = prefix_parse(value, ret);

	if (r == -EDOM)
		long_prefix_error(c, key, value);
	else if (r)
		config_error(c, "%s: \"" SHOWN "\" %s, expected an address or a prefix such as "
			     "192.0.2.0/24", key, value,
			     r == -ERANGE ? "has a length out of range" : "is no prefix");
	return !r;
}

const char *config_port(const char *value)
{
	const char *colon = strrchr(value, ':');

	if (*value == '[')
		return colon && colon[-1] == ']' ? colon : NULL;
	return colon == strchr(value, ':') ? colon : NULL;
}

static bool split_addr(const char *value, const char *colon, struct in6_addr *ret)
{
	size_t len = colon ? (size_t)(colon - value) : strlen(value);
	bool bracket = *value == '[' && len > 1 && value[len - 1] == ']';
	char text[INET6_ADDRSTRLEN + 1];

	snprintf(text, sizeof(text), "%.*s", (int)MIN(len - 2 * bracket, sizeof(text)),
		 value + bracket);
	return !addr_parse(text, ret) && !(bracket && addr_is_v4(ret));
}

bool config_addr_port(struct config *c, const char *key, const char *value, uint16_t otherwise,
		      struct in6_addr *ret_addr, uint16_t *ret_port)
{
	const char *colon = config_port(value);
	uint32_t port = otherwise;
	struct in6_addr addr;
	int r = 0;

	if (!split_addr(value, colon, &addr)) {
		config_error(c, "%s: \"" SHOWN "\" is no address%s, expected such as %s", key, value,
			     otherwise ? "" : " and port",
			     otherwise ? "192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53" :
					 "192.0.2.1:443 or [2001:db8::1]:443");
		return false;
	}
	if (colon || !otherwise)
		r = num_parse_u32(colon ? colon + 1 : "", 1, UINT16_MAX, &port);
	if (r) {
		config_error(c, "%s: \"" SHOWN "\" has %s, expected one of 1 to %d", key, value,
			     !colon ? "no port" : r == -ERANGE ? "a port out of range" : "a bad port",
			     UINT16_MAX);
		return false;
	}
	*ret_addr = addr;
	*ret_port = port;
	return true;
}
