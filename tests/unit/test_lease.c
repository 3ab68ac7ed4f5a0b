// SPDX-License-Identifier: GPL-2.0-or-later
/* What its client's and its server's messages make of a lease. */
#include "lease_lab.h"

#define HOUR 3600

static void test_nothing(void **state)
{
	struct lease l = {};

	assert_int_equal(lease_state(&l, START), LEASE_NONE);
	assert_false(lease_wants_renewal(&l, START));
	assert_true(lease_next_ns(&l, START) == UINT64_MAX);
	assert_int_equal(answer(&l, ack_for(1, HOUR), START), LEASE_IGNORED);
	assert_int_equal(lease_state(&l, START), LEASE_NONE);
	assert_string_equal(lease_state_names[LEASE_NONE], "none");
	assert_string_equal(lease_state_names[LEASE_EXPIRED], "expired");
}

static void test_selecting(void **state)
{
	struct lease l = {};
	struct dhcp_message offer = reply_of(DHCP_OFFER, 1);

	offer.yiaddr = ip(ADDR);
	offer.lease_s = HOUR;
	ask(&l, request_of(DHCP_DISCOVER, 1), START);
	assert_int_equal(answer(&l, offer, START + MS), LEASE_IGNORED);
	ask(&l, selecting(1), START + 2 * MS);
	assert_int_equal(lease_state(&l, START + 3 * MS), LEASE_NONE);
	assert_int_equal(answer(&l, ack_for(1, HOUR), START + 3 * MS), LEASE_MOVED);
	assert_int_equal(l.addr.s_addr, ip(ADDR).s_addr);
	assert_int_equal(l.server.s_addr, ip(SERVER).s_addr);
	assert_memory_equal(l.chaddr, client_mac, 6);
	assert_int_equal(l.client_id_len, 3);
	assert_memory_equal(l.client_id, "\xff\1\2", 3);
	assert_true(l.acked_ns == START + 3 * MS);
	assert_int_equal(l.lease_s, HOUR);
	assert_int_equal(l.t1_s, 1800);
	assert_int_equal(l.t2_s, 3150);
	assert_int_equal(l.acks, 1);
	assert_false(l.by_watchdog);
	assert_false(l.relayed);
	assert_int_equal(l.asked, 0);
	assert_int_equal(l.naks, 0);
	assert_int_equal(l.renewed, 0);
}

/* An identifier is the request's: servers need not repeat it, and may not make one up. */
static void test_client_id(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	struct dhcp_message again = renewing(2), ack = ack_for(2, HOUR);

	again.client_id_len = 2;
	again.client_id[1] = 9;
	ack.client_id_len = 1;
	ask(&l, again, START + SECOND);
	assert_int_equal(answer(&l, ack, START + SECOND), LEASE_ACKED);
	assert_int_equal(l.client_id_len, 2);
	assert_memory_equal(l.client_id, "\xff\x09", 2);
}

static void test_init_reboot(void **state)
{
	struct lease l = {};

	ask(&l, init_reboot(1), START);
	assert_int_equal(answer(&l, ack_for(1, HOUR), START + MS), LEASE_MOVED);
	ask(&l, init_reboot(2), START + SECOND);
	assert_int_equal(answer(&l, reply_of(DHCP_NAK, 2), START + SECOND), LEASE_REFUSED);
	assert_int_equal(lease_state(&l, START + SECOND), LEASE_NONE);
	assert_int_equal(l.naks, 1);
}

/* RFC 4039: the ACK comes at once. */
static void test_rapid_commit(void **state)
{
	struct lease l = {};

	ask(&l, request_of(DHCP_DISCOVER, 1), START);
	assert_int_equal(answer(&l, reply_of(DHCP_NAK, 1), START), LEASE_IGNORED);
	assert_int_equal(answer(&l, ack_for(1, HOUR), START), LEASE_MOVED);
}

static void test_renewals(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	uint64_t ns;

	for (uint32_t xid = 2; xid < 100; xid++) {
		ns = l.acked_ns + 1800 * SECOND;
		ask(&l, renewing(xid), ns);
		assert_int_equal(l.asked, 1);
		assert_true(l.asked_ns == ns);
		assert_int_equal(lease_state(&l, ns), LEASE_RENEWING);
		assert_int_equal(answer(&l, ack_for(xid, HOUR), ns + 20 * MS), LEASE_ACKED);
		assert_int_equal(lease_state(&l, ns + 20 * MS), LEASE_BOUND);
		assert_true(l.acked_ns == ns + 20 * MS);
		assert_int_equal(l.asked | l.asked_ns, 0);
		assert_int_equal(l.acks, xid);
		assert_int_equal(l.renewed, 0);
	}
}

/* Asked again and again, with one xid or others; then to all. */
static void test_asked(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	struct dhcp_message other = renewing(9);
	uint64_t ns = START + 1800 * SECOND;

	ask(&l, renewing(2), ns);
	ask(&l, renewing(2), ns + SECOND);
	ask(&l, renewing(3), ns + 2 * SECOND);
	ask(&l, rebinding(3), ns + 3 * SECOND);
	other.ciaddr = ip("192.0.2.9");
	ask(&l, other, ns);
	ask(&l, init_reboot(10), ns);
	ask(&l, request_of(DHCP_DISCOVER, 11), ns);
	assert_int_equal(l.asked, 4);
	assert_true(l.asked_ns == ns);
	l.asked = UINT32_MAX;
	ask(&l, renewing(2), ns + 4 * SECOND);
	assert_int_equal(l.asked, UINT32_MAX);
	assert_true(l.asked_ns == ns);
}

static void test_address_changes(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	struct dhcp_message moved = ack_for(3, 2 * HOUR), late = ack_for(2, HOUR);

	ask(&l, renewing(2), START + SECOND);
	ask(&l, renewing(3), START + SECOND);
	moved.yiaddr = ip("100.71.64.99");
	assert_int_equal(answer(&l, moved, START + SECOND), LEASE_MOVED);
	assert_int_equal(l.addr.s_addr, ip("100.71.64.99").s_addr);
	assert_int_equal(l.lease_s, 2 * HOUR);
	/* what was asked before has no answer any more */
	assert_int_equal(answer(&l, late, START + SECOND), LEASE_IGNORED);
	assert_int_equal(l.addr.s_addr, ip("100.71.64.99").s_addr);
}

static void test_release(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	struct dhcp_message release = renewing(3);

	ask(&l, renewing(2), START + SECOND);
	release.type = DHCP_RELEASE;
	ask(&l, release, START + SECOND);
	assert_int_equal(lease_state(&l, START + SECOND), LEASE_NONE);
	assert_true(lease_next_ns(&l, START + SECOND) == UINT64_MAX);
	assert_int_equal(l.asked | l.asked_ns, 0);
	/* an ACK that crossed it */
	assert_int_equal(answer(&l, ack_for(2, HOUR), START + SECOND), LEASE_IGNORED);
	assert_int_equal(answer(&l, ack_for(3, HOUR), START + SECOND), LEASE_IGNORED);
	assert_int_equal(lease_state(&l, START + SECOND), LEASE_NONE);
}

static void test_release_of_another(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	struct dhcp_message release = renewing(2), decline = init_reboot(3);

	release.type = DHCP_RELEASE;
	release.ciaddr = ip("192.0.2.9");
	ask(&l, release, START);
	decline.type = DHCP_DECLINE;
	decline.requested = ip("192.0.2.9");
	ask(&l, decline, START);
	assert_int_equal(lease_state(&l, START), LEASE_BOUND);
}

static void test_decline(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	struct dhcp_message decline = init_reboot(2);

	decline.type = DHCP_DECLINE;
	ask(&l, decline, START + SECOND);
	assert_int_equal(lease_state(&l, START + SECOND), LEASE_NONE);
	assert_int_equal(answer(&l, ack_for(2, HOUR), START + SECOND), LEASE_IGNORED);
}

static void test_inform(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	struct dhcp_message inform = renewing(2), ack = ack_for(2, 9 * HOUR);

	inform.type = DHCP_INFORM;
	ask(&l, inform, START + SECOND);
	assert_int_equal(l.asked, 0);
	assert_int_equal(answer(&l, ack, START + SECOND), LEASE_IGNORED);
	assert_int_equal(answer(&l, reply_of(DHCP_NAK, 2), START + SECOND), LEASE_IGNORED);
	assert_int_equal(l.lease_s, HOUR);
}

/* Neither server nor relay says anything for the client. */
static void test_not_of_the_client(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	struct dhcp_message m = renewing(2);

	m.giaddr = ip("192.0.2.1");
	ask(&l, m, START);
	assert_int_equal(answer(&l, ack_for(2, HOUR), START), LEASE_IGNORED);
	m.type = DHCP_RELEASE;
	ask(&l, m, START);
	m = renewing(3);
	m.reply = true;
	ask(&l, m, START);
	for (enum dhcp_type type = 0; type < DHCP_TYPE_MAX; type++) {
		m = renewing(4);
		m.type = type;
		if (type != DHCP_REQUEST && type != DHCP_DISCOVER && type != DHCP_RELEASE)
			ask(&l, m, START);
	}
	assert_int_equal(l.n_requests, 0);
	assert_int_equal(l.asked, 0);
	assert_int_equal(lease_state(&l, START), LEASE_BOUND);
}

static void test_oldest_goes(void **state)
{
	struct lease l = {};

	for (uint32_t xid = 1; xid <= LEASE_REQUESTS + 1; xid++)
		ask(&l, selecting(xid), START);
	assert_int_equal(l.n_requests, LEASE_REQUESTS);
	assert_int_equal(answer(&l, ack_for(1, HOUR), START), LEASE_IGNORED);
	assert_int_equal(answer(&l, ack_for(2, HOUR), START), LEASE_MOVED);
	/* one that is sent again is a new one */
	l.n_requests = 0;
	for (uint32_t xid = 1; xid <= LEASE_REQUESTS; xid++)
		ask(&l, renewing(xid), START);
	ask(&l, renewing(1), START + SECOND);
	ask(&l, renewing(99), START + SECOND);
	assert_int_equal(l.n_requests, LEASE_REQUESTS);
	assert_int_equal(answer(&l, ack_for(2, HOUR), START), LEASE_IGNORED);
	for (uint32_t xid = 3; xid <= LEASE_REQUESTS; xid++)
		assert_int_equal(answer(&l, ack_for(xid, HOUR), START), LEASE_ACKED);
	assert_int_equal(answer(&l, ack_for(1, HOUR), START + 61 * SECOND), LEASE_ACKED);
	assert_int_equal(answer(&l, ack_for(99, HOUR), START + 61 * SECOND), LEASE_ACKED);
	assert_int_equal(l.n_requests, 0);
}

static void test_relayed(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	struct dhcp_message m = ack_for(2, HOUR);

	m.giaddr = ip("100.64.0.0"); /* not one of the low bits of any byte order */
	m.src = ip("192.0.2.1");
	ask(&l, renewing(2), START);
	assert_int_equal(answer(&l, m, START), LEASE_ACKED);
	assert_true(l.relayed);
	assert_int_equal(l.server.s_addr, ip(SERVER).s_addr);
	ask(&l, renewing(3), START);
	assert_int_equal(answer(&l, ack_for(3, HOUR), START), LEASE_ACKED);
	assert_false(l.relayed);
}

/* A server that says that it is everybody is not asked. */
static void test_no_server(void **state)
{
	static const char *const bad[] = {EVERYBODY, "224.0.0.1", "127.0.0.1", "0.0.0.1"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct dhcp_message m = ack_for(2, HOUR);
		struct lease l = {};

		ask(&l, init_reboot(2), START);
		m.server_id = ip(bad[i]);
		assert_int_equal(answer(&l, m, START), LEASE_MOVED);
		assert_int_equal(l.server.s_addr, 0);
		assert_int_equal(lease_state(&l, START + 2000 * SECOND), LEASE_LATE);
		assert_false(lease_wants_renewal(&l, START + 2000 * SECOND));
		assert_false(lease_wants_renewal(&l, START + 3500 * SECOND));
		assert_true(lease_next_ns(&l, START + 2000 * SECOND) == START + 3150 * SECOND);
	}
}

/* -------- the watchdog's requests */

static void test_ours(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	struct dhcp_message m = renewing(2);
	uint64_t ns = START + 1860 * SECOND;

	lease_request(&l, &m, true, ns);
	assert_true(l.tried_ns == ns);
	assert_int_equal(l.asked, 0);
	/* seen on the link */
	ask(&l, m, ns + MS);
	assert_int_equal(l.asked, 0);
	assert_true(l.tried_ns == ns);
	assert_int_equal(answer(&l, ack_for(2, HOUR), ns + 2 * MS), LEASE_ACKED);
	assert_true(l.by_watchdog);
	assert_int_equal(l.renewed, 1);
	assert_int_equal(l.acks, 2);
	assert_int_equal(l.client_id_len, 3);
	ask(&l, renewing(3), ns + SECOND);
	assert_int_equal(answer(&l, ack_for(3, HOUR), ns + SECOND), LEASE_ACKED);
	assert_false(l.by_watchdog);
	assert_int_equal(l.renewed, 1);
}

/* Both ask: one's ACK does not spoil the other's. */
static void test_both_ask(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	struct dhcp_message ours = renewing(3);

	ask(&l, renewing(2), START + SECOND);
	lease_request(&l, &ours, true, START + SECOND);
	assert_int_equal(answer(&l, ack_for(2, HOUR), START + 2 * SECOND), LEASE_ACKED);
	assert_false(l.by_watchdog);
	assert_int_equal(answer(&l, ack_for(3, HOUR), START + 2 * SECOND), LEASE_ACKED);
	assert_true(l.by_watchdog);
}

static void test_renewal(void **state)
{
	struct lease l = lease_with(HOUR, 0, 0);
	struct dhcp_message ask_plain = selecting(3);
	struct dhcp_renewal r;

	lease_renewal(&l, 77, START + 1867 * SECOND, &r);
	assert_int_equal(r.xid, 77);
	assert_int_equal(r.ciaddr.s_addr, ip(ADDR).s_addr);
	assert_int_equal(r.server.s_addr, ip(SERVER).s_addr);
	assert_memory_equal(r.chaddr, client_mac, 6);
	assert_ptr_equal(r.client_id, l.client_id);
	assert_int_equal(r.client_id_len, 3);
	assert_int_equal(r.secs, 67);
	lease_renewal(&l, 77, START, &r);
	assert_int_equal(r.secs, 0);
	lease_renewal(&l, 77, START + 100000 * SECOND, &r);
	assert_int_equal(r.secs, UINT16_MAX);
	ask_plain.client_id_len = 0;
	ask(&l, ask_plain, START);
	assert_int_equal(answer(&l, ack_for(3, HOUR), START), LEASE_ACKED);
	lease_renewal(&l, 77, START, &r);
	assert_null(r.client_id);
	assert_int_equal(r.client_id_len, 0);
}

/* What the client said of itself in the request that was acknowledged. */
static void test_renewal_repeats(void **state)
{
	struct dhcp_message m = renewing(2);
	struct lease l = lease_with(HOUR, 0, 0);
	struct dhcp_renewal r;

	lease_renewal(&l, 77, START, &r);
	assert_null(r.repeat);
	assert_int_equal(r.repeat_len, 0);
	m.repeat_len = sizeof(m.repeat);
	memset(m.repeat, 0x5a, sizeof(m.repeat));
	ask(&l, m, START);
	lease_renewal(&l, 77, START, &r);
	assert_int_equal(r.repeat_len, 0);
	assert_int_equal(answer(&l, ack_for(2, HOUR), START), LEASE_ACKED);
	lease_renewal(&l, 77, START, &r);
	assert_int_equal(r.repeat_len, sizeof(m.repeat));
	assert_memory_equal(r.repeat, m.repeat, sizeof(m.repeat));
	ask(&l, renewing(3), START);
	assert_int_equal(answer(&l, ack_for(3, HOUR), START), LEASE_ACKED);
	lease_renewal(&l, 77, START, &r);
	assert_int_equal(r.repeat_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_selecting),
		cmocka_unit_test(test_client_id),
		cmocka_unit_test(test_init_reboot),
		cmocka_unit_test(test_rapid_commit),
		cmocka_unit_test(test_renewals),
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_address_changes),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_release_of_another),
		cmocka_unit_test(test_decline),
		cmocka_unit_test(test_inform),
		cmocka_unit_test(test_not_of_the_client),
		cmocka_unit_test(test_oldest_goes),
		cmocka_unit_test(test_relayed),
		cmocka_unit_test(test_no_server),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_both_ask),
		cmocka_unit_test(test_renewal),
		cmocka_unit_test(test_renewal_repeats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
