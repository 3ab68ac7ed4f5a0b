/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client, a server and a lease between them, without a network. */
#ifndef TESTS_UNIT_LEASE_LAB_H
#define TESTS_UNIT_LEASE_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/defs.h"
#include "core/lease.h"
#include <arpa/inet.h>

#define MS 1000000ull
#define SECOND (1000 * MS)
#define START (7 * 86400 * SECOND)

static const uint8_t client_mac[] = {0x02, 0, 0, 0x5e, 2, 1};

static inline struct in_addr ip(const char *text)
{
	return (struct in_addr){inet_addr(text)};
}

#define ADDR "100.71.64.62"
#define SERVER "100.71.64.1"
#define EVERYBODY "255.255.255.255"

static inline struct dhcp_message request_of(enum dhcp_type type, uint32_t xid)
{
	struct dhcp_message m = {
		.dst = ip(EVERYBODY), .sport = 68, .dport = 67, .xid = xid, .type = type,
		.client_id = {0xff, 1, 2}, .client_id_len = 3,
	};

	memcpy(m.chaddr, client_mac, 6);
	return m;
}

/* RFC 2131, table 5 */
static inline struct dhcp_message selecting(uint32_t xid)
{
	struct dhcp_message m = request_of(DHCP_REQUEST, xid);

	m.server_id = ip(SERVER);
	m.requested = ip(ADDR);
	return m;
}

static inline struct dhcp_message init_reboot(uint32_t xid)
{
	struct dhcp_message m = request_of(DHCP_REQUEST, xid);

	m.requested = ip(ADDR);
	return m;
}

static inline struct dhcp_message renewing(uint32_t xid)
{
	struct dhcp_message m = request_of(DHCP_REQUEST, xid);

	m.src = m.ciaddr = ip(ADDR);
	m.dst = ip(SERVER);
	return m;
}

static inline struct dhcp_message rebinding(uint32_t xid)
{
	struct dhcp_message m = renewing(xid);

	m.dst = ip(EVERYBODY);
	return m;
}

static inline struct dhcp_message reply_of(enum dhcp_type type, uint32_t xid)
{
	struct dhcp_message m = {
		.src = ip(SERVER), .dst = ip(ADDR), .sport = 67, .dport = 68, .reply = true,
		.xid = xid, .type = type, .server_id = ip(SERVER),
	};

	memcpy(m.chaddr, client_mac, 6);
	return m;
}

static inline struct dhcp_message ack_for(uint32_t xid, uint32_t lease_s)
{
	struct dhcp_message m = reply_of(DHCP_ACK, xid);

	m.yiaddr = ip(ADDR);
	m.lease_s = lease_s;
	return m;
}

static inline void ask(struct lease *l, struct dhcp_message m, uint64_t ns)
{
	lease_request(l, &m, false, ns);
}

static inline enum lease_answer answer(struct lease *l, struct dhcp_message m, uint64_t ns)
{
	return lease_reply(l, &m, ns);
}

/* Acknowledged at START, with T1 and T2 of the server's or 0. */
static inline struct lease lease_with(uint32_t lease_s, uint32_t t1_s, uint32_t t2_s)
{
	struct dhcp_message ack = ack_for(1, lease_s);
	struct lease l = {};

	ack.t1_s = t1_s;
	ack.t2_s = t2_s;
	ask(&l, selecting(1), START - 20 * MS);
	assert_int_equal(answer(&l, ack, START), LEASE_MOVED);
	return l;
}

#endif
