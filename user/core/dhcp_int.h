/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of core/dhcp.h share: the wire.  Packed, as packets may begin at any address. */
#ifndef CORE_DHCP_INT_H
#define CORE_DHCP_INT_H

#include "core/dhcp.h"

/* RFC 791; all in network byte order */
struct dhcp_ip {
	uint8_t version_ihl, tos;
	uint16_t len, id, fragment;
	uint8_t ttl, protocol;
	uint16_t check;
	struct in_addr src, dst;
} __attribute__((packed));

/* RFC 768 */
struct dhcp_udp {
	uint16_t sport, dport, len, check;
} __attribute__((packed));

/* RFC 2131, 2; options follow, behind the cookie */
struct dhcp_bootp {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	struct in_addr ciaddr, yiaddr, siaddr, giaddr;
	uint8_t chaddr[16], sname[64], file[128];
} __attribute__((packed));

_Static_assert(sizeof(struct dhcp_ip) == 20, "RFC 791");
_Static_assert(sizeof(struct dhcp_udp) == 8, "RFC 768");
_Static_assert(sizeof(struct dhcp_bootp) == 236, "RFC 2131");

#define DHCP_COOKIE "\x63\x82\x53\x63" /* RFC 2131, 3 */
#define DHCP_COOKIE_LEN 4

enum dhcp_option {
	DHCP_OPTION_PAD,
	DHCP_OPTION_HOST_NAME = 12,
	DHCP_OPTION_REQUESTED = 50,
	DHCP_OPTION_LEASE = 51,
	DHCP_OPTION_OVERLOAD = 52,
	DHCP_OPTION_TYPE = 53,
	DHCP_OPTION_SERVER = 54,
	DHCP_OPTION_PARAMETERS = 55,
	DHCP_OPTION_SIZE = 57,
	DHCP_OPTION_T1 = 58,
	DHCP_OPTION_T2 = 59,
	DHCP_OPTION_CLASS = 60,
	DHCP_OPTION_CLIENT_ID = 61,
	DHCP_OPTION_USER_CLASS = 77, /* RFC 3004 */
	DHCP_OPTION_NAME = 81,	     /* RFC 4702 */
	DHCP_OPTION_AUTH = 90,	     /* RFC 3118 */
	DHCP_OPTION_VENDOR_CLASS = 124, /* RFC 3925 */
	DHCP_OPTION_VENDOR = 125,
	DHCP_OPTION_END = 255,
};

static inline size_t dhcp_ip_header_len(const struct dhcp_ip *ip)
{
	return (ip->version_ihl & 15) * 4U;
}

/*
 * Reads the options of a message: len bytes behind the cookie, and file and sname if they are
 * overloaded.  0, or -EBADMSG with m's fields of options in any state.
 */
int dhcp_read_options(const struct dhcp_bootp *b, const uint8_t *options, size_t len,
		      struct dhcp_message *m);

#endif
