// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages that a lease must not believe: forged, late, replayed, worthless. */
#include "lease_lab.h"

#define HOUR 3600

static void refuse(const struct dhcp_message *asked, struct dhcp_message forged, uint64_t after_ns)
{
	struct lease l = lease_with(HOUR, 0, 0), before;

	lease_request(&l, asked, false, START + SECOND);
	before = l;
	assert_int_equal(answer(&l, forged, START + SECOND + after_ns), LEASE_IGNORED);
	assert_memory_equal(&l, &before, sizeof(l));
}

static void believe(const struct dhcp_message *asked, struct dhcp_message m, uint64_t after_ns)
{
	struct lease l = lease_with(HOUR, 0, 0);

	lease_request(&l, asked, false, START + SECOND);
	assert_int_not_equal(answer(&l, m, START + SECOND + after_ns), LEASE_IGNORED);
}

static void check_forgeries(const struct dhcp_message *asked, struct dhcp_message right)
{
	struct dhcp_message m = right;

	believe(asked, m, 0);
	believe(asked, m, LEASE_PATIENCE_S * SECOND);
	refuse(asked, m, LEASE_PATIENCE_S * SECOND + 1);
	refuse(asked, m, 86400 * SECOND);
	m.xid ^= htonl(1);
	refuse(asked, m, MS);
	m = right;
	m.xid ^= 1;
	refuse(asked, m, MS);
	for (size_t i = 0; i < sizeof(m.chaddr); i++) {
		m = right;
		m.chaddr[i] ^= 1;
		refuse(asked, m, MS);
	}
	m = right;
	m.reply = false;
	refuse(asked, m, MS);
	for (enum dhcp_type type = 0; type < DHCP_TYPE_MAX; type++) {
		m = right;
		m.type = type;
		if (type != DHCP_ACK && type != DHCP_NAK)
			refuse(asked, m, MS);
	}
}

static void test_forged(void **state)
{
	struct dhcp_message asked[] = {selecting(2), renewing(2), rebinding(2), init_reboot(2)};

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		check_forgeries(&asked[i], ack_for(2, HOUR));
		check_forgeries(&asked[i], reply_of(DHCP_NAK, 2));
	}
}

static void test_forged_server(void **state)
{
	struct dhcp_message select = selecting(2), renew = renewing(2), rebind = rebinding(2);
	struct dhcp_message replies[] = {ack_for(2, HOUR), reply_of(DHCP_NAK, 2)};

	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		struct dhcp_message m = replies[i];

		m.src = ip("192.0.2.66"); /* behind a relay */
		believe(&select, m, MS);
		believe(&renew, m, MS);
		m.server_id.s_addr = 0;
		refuse(&select, m, MS);
		refuse(&renew, m, MS);
		m.src = ip(SERVER);
		believe(&select, m, MS);
		m.server_id = ip("192.0.2.66");
		refuse(&select, m, MS);
		refuse(&renew, m, MS);
		believe(&rebind, m, MS);
	}
}

/* The server that is named counts, not the one the datagram goes to. */
static void test_named_server(void **state)
{
	struct dhcp_message m = renewing(2), ack = ack_for(2, HOUR);

	m.server_id = ip("192.0.2.66");
	refuse(&m, ack, MS);
	ack.server_id = ip("192.0.2.66");
	believe(&m, ack, MS);
}

static void test_worthless_acks(void **state)
{
	static const char *const addrs[] = {"0.0.0.0", "127.0.0.1", "224.0.0.1", EVERYBODY};
	struct dhcp_message asked = renewing(2), m = ack_for(2, 0);

	refuse(&asked, m, MS);
	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++) {
		m = ack_for(2, HOUR);
		m.yiaddr = ip(addrs[i]);
		refuse(&asked, m, MS);
	}
}

/* The xid of a DISCOVER is that of the REQUEST, which names a server: others are out. */
static void test_same_xid(void **state)
{
	struct dhcp_message other = ack_for(1, HOUR);
	struct lease l = {};

	other.server_id = ip("192.0.2.66");
	ask(&l, request_of(DHCP_DISCOVER, 1), START);
	ask(&l, selecting(1), START);
	assert_int_equal(answer(&l, other, START), LEASE_IGNORED);
	assert_int_equal(l.n_requests, 1);
	assert_int_equal(answer(&l, ack_for(1, HOUR), START), LEASE_MOVED);
}

/* A second ACK of a server, or a replay, does not prolong anything. */
static void test_replay(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	uint64_t acked;

	assert_int_equal(answer(&l, ack_for(1, HOUR), START + SECOND), LEASE_IGNORED);
	ask(&l, renewing(2), START + SECOND);
	assert_int_equal(answer(&l, ack_for(2, HOUR), START + 2 * SECOND), LEASE_ACKED);
	acked = l.acked_ns;
	assert_int_equal(answer(&l, ack_for(2, HOUR), START + 3 * SECOND), LEASE_IGNORED);
	assert_int_equal(answer(&l, reply_of(DHCP_NAK, 2), START + 3 * SECOND), LEASE_IGNORED);
	assert_true(l.acked_ns == acked);
	assert_int_equal(l.acks, 2);
}

/* The machine's clock may stand still, and records be told out of order. */
static void test_answer_before_request(void **state)
{
	struct lease l = {};

	ask(&l, selecting(1), START);
	assert_int_equal(answer(&l, ack_for(1, HOUR), START - 1), LEASE_MOVED);
}

static void test_flood_of_replies(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0), before;

	ask(&l, renewing(2), START);
	before = l;
	for (uint32_t xid = 3; xid < 100000; xid++) {
		answer(&l, ack_for(xid, HOUR), START + xid);
		answer(&l, reply_of(DHCP_NAK, xid), START + xid);
	}
	assert_memory_equal(&l, &before, sizeof(l));
	assert_int_equal(answer(&l, ack_for(2, HOUR), START + SECOND), LEASE_ACKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_forged_server),
		cmocka_unit_test(test_named_server),
		cmocka_unit_test(test_worthless_acks),
		cmocka_unit_test(test_same_xid),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_answer_before_request),
		cmocka_unit_test(test_flood_of_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
