// SPDX-License-Identifier: GPL-2.0-or-later
/* Leases over time: when the watchdog acts, in whole lives of short and of long leases. */
#include "lease_lab.h"

#define DAY 86400

/* -------- T1 and T2 */

static void test_times(void **state)
{
	static const struct {
		uint32_t lease, t1, t2, want_t1, want_t2;
	} rows[] = {
		{3600, 0, 0, 1800, 3150},
		{3600, 1000, 2000, 1000, 2000},
		{3600, 1, 2, 1, 2},
		{3600, 3598, 3599, 3598, 3599},
		{3600, 1000, 0, 1000, 3150},
		{3600, 0, 3000, 1800, 3000},
		{3600, 0, 3599, 1800, 3599},
		{3600, 0, 70, 40, 70},
		{3600, 2000, 1000, 571, 1000},	 /* T1 > T2 */
		{3600, 2000, 2000, 1800, 2000},
		{3600, 5000, 4000, 1800, 3150},	 /* T1 > T2 > lease */
		{3600, 4000, 5000, 1800, 3150},
		{3600, 3600, 3600, 1800, 3150},
		{3600, 3149, 3600, 3149, 3150},
		{3600, 3150, 3600, 1800, 3150},
		{3600, UINT32_MAX, UINT32_MAX, 1800, 3150},
		{DHCP_FOREVER - 1, 0, 0, 2147483647, 3758096382},
		{DHCP_FOREVER - 1, UINT32_MAX, 0, 2147483647, 3758096382},
		{20, 0, 0, 10, 17},
		{7, 0, 0, 3, 6},
		{4, 0, 0, 2, 3},
		{2, 0, 0, 1, 1},
		{1, 0, 0, 1, 1},
		{1, 1, 1, 1, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lease l = lease_with(rows[i].lease, rows[i].t1, rows[i].t2);

		assert_int_equal(l.lease_s, rows[i].lease);
		assert_int_equal(l.t1_s, rows[i].want_t1);
		assert_int_equal(l.t2_s, rows[i].want_t2);
	}
}

static void test_states(void **state)
{
	static const struct {
		uint64_t ms;
		enum lease_state want;
	} rows[] = {
		{0, LEASE_BOUND},	{1799999, LEASE_BOUND},
		{1800000, LEASE_RENEWING}, {1859999, LEASE_RENEWING},
		{1860000, LEASE_LATE},	{3149999, LEASE_LATE},
		{3150000, LEASE_REBINDING}, {3599999, LEASE_REBINDING},
		{3600000, LEASE_EXPIRED}, {9999999, LEASE_EXPIRED},
	};
	struct lease l = lease_with(3600, 0, 0);

	assert_int_equal(lease_state(&l, START - SECOND), LEASE_BOUND);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(lease_state(&l, START + rows[i].ms * MS), rows[i].want);
	assert_true(lease_next_ns(&l, START) == START + 1800 * SECOND);
	assert_true(lease_next_ns(&l, START + 1800 * SECOND) == START + 1860 * SECOND);
	assert_true(lease_next_ns(&l, START + 1860 * SECOND) == START + 3150 * SECOND);
	assert_true(lease_next_ns(&l, START + 3150 * SECOND) == START + 3600 * SECOND);
	assert_true(lease_next_ns(&l, START + 3600 * SECOND) == UINT64_MAX);
}

static void test_forever(void **state)
{
	struct lease l = lease_with(DHCP_FOREVER, 1, 2);
	static const uint64_t after[] = {0, SECOND, DAY * SECOND, 200ull * 365 * DAY * SECOND};

	for (size_t i = 0; i < ARRAY_SIZE(after); i++) {
		assert_int_equal(lease_state(&l, START + after[i]), LEASE_BOUND);
		assert_false(lease_wants_renewal(&l, START + after[i]));
		assert_true(lease_next_ns(&l, START + after[i]) == UINT64_MAX);
	}
}

/* T2 lies within the patience that a client is given. */
static void test_patience_beyond_t2(void **state)
{
	struct lease l = lease_with(3600, 1000, 1010);

	assert_int_equal(lease_state(&l, START + 1000 * SECOND), LEASE_RENEWING);
	assert_int_equal(lease_state(&l, START + 1010 * SECOND), LEASE_REBINDING);
	assert_false(lease_wants_renewal(&l, START + 1010 * SECOND));
	assert_true(lease_next_ns(&l, START + 1000 * SECOND) == START + 1010 * SECOND);
	assert_true(lease_next_ns(&l, START + 1010 * SECOND) == START + 1060 * SECOND);
	assert_false(lease_wants_renewal(&l, START + 1060 * SECOND - 1));
	assert_true(lease_wants_renewal(&l, START + 1060 * SECOND));
	/* nor does a try that came too early shorten it */
	l.tried_ns = START + SECOND;
	assert_false(lease_wants_renewal(&l, START + 1060 * SECOND - 1));
	assert_true(lease_wants_renewal(&l, START + 1060 * SECOND));
}

/* A try at T2 is the first of those that count to the end. */
static void test_try_at_t2(void **state)
{
	struct lease l = lease_with(3600, 0, 0);

	l.tried_ns = START + 3150 * SECOND;
	assert_true(lease_next_ns(&l, START + 3150 * SECOND) == START + 3375 * SECOND);
	assert_false(lease_wants_renewal(&l, START + 3375 * SECOND - 1));
	assert_true(lease_wants_renewal(&l, START + 3375 * SECOND));
}

/* Numbers out of a file that somebody has written. */
static void test_any_numbers(void **state)
{
	static const uint64_t ns[] = {0, 1, START, UINT64_MAX / 2, UINT64_MAX - 1, UINT64_MAX};
	static const uint32_t s[] = {0, 1, 8, 3600, DHCP_FOREVER - 1, DHCP_FOREVER};

	for (size_t i = 0; i < 6 * 6 * 6 * 6 * 6 * 6; i++) {
		struct lease l = {
			.addr = ip(ADDR), .server = ip(SERVER), .acked_ns = ns[i % 6],
			.tried_ns = ns[i / 6 % 6], .lease_s = s[i / 36 % 6],
			.t1_s = s[i / 216 % 6], .t2_s = s[i / 1296 % 6],
		};
		uint64_t now = ns[i / 7776], next = lease_next_ns(&l, now);

		assert_true(next > now || next == UINT64_MAX);
		assert_true(lease_state(&l, now) < LEASE_STATE_MAX);
		if (lease_wants_renewal(&l, now))
			assert_in_range(lease_state(&l, now), LEASE_LATE, LEASE_REBINDING);
		if (now == l.acked_ns && now < UINT64_MAX && l.lease_s && l.t1_s && l.t2_s)
			assert_int_equal(lease_state(&l, now), LEASE_BOUND);
	}
}

/* -------- lives */

struct life {
	struct lease l;
	uint64_t now;
	uint32_t xid;
	uint32_t lease_s, t1_s, t2_s;
	bool server_answers;
	uint64_t tries[256]; /* the watchdog's */
	size_t n_tries;
};

static struct dhcp_message ack_of(const struct life *f, uint32_t xid)
{
	struct dhcp_message m = ack_for(xid, f->lease_s);

	m.t1_s = f->t1_s;
	m.t2_s = f->t2_s;
	return m;
}

static void begin(struct life *f)
{
	f->l = lease_with(f->lease_s, f->t1_s, f->t2_s);
	f->now = START;
	f->xid = 100;
}

static void watchdog_tries(struct life *f)
{
	struct dhcp_message m = renewing(++f->xid);

	assert_true(f->n_tries < ARRAY_SIZE(f->tries));
	f->tries[f->n_tries++] = f->now - START;
	lease_request(&f->l, &m, true, f->now);
	assert_false(lease_wants_renewal(&f->l, f->now));
	if (f->server_answers)
		assert_int_equal(answer(&f->l, ack_of(f, f->xid), f->now), LEASE_ACKED);
}

/* As the daemon does it: sleeps until next, acts if it is wanted. */
static void live_until(struct life *f, uint64_t end)
{
	for (;;) {
		uint64_t next = lease_next_ns(&f->l, f->now);

		assert_true(next > f->now);
		if (next > end)
			break;
		f->now = next;
		if (lease_wants_renewal(&f->l, f->now))
			watchdog_tries(f);
	}
	f->now = end;
}

static void check_tries(const struct life *f, const uint64_t *want_ms, size_t n)
{
	assert_int_equal(f->n_tries, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(f->tries[i] / MS, want_ms[i]);
}

/* Nobody answers: the times by hand. */
static void test_in_vain(void **state)
{
	static const uint64_t tiny_ms[] = {2250, 3250};
	static const uint64_t short_ms[] = {11250, 14125, 16625, 19125};
	static const uint64_t long_ms[] = {
		43260000, 59430000, 67515000, 71557500, 73578750, 74589375, 75094687, 75347343,
		75473671, 75536835, 75596835, 75656835, 81028417, 83714208, 85057104, 85728552,
		86064276, 86232138, 86316069, 86376069,
	};
	struct life e = { .lease_s = 4 }, f = { .lease_s = 20 }, g = { .lease_s = DAY };

	begin(&e);
	live_until(&e, START + 100 * SECOND);
	check_tries(&e, tiny_ms, ARRAY_SIZE(tiny_ms));
	begin(&f);
	live_until(&f, START + 100 * SECOND);
	check_tries(&f, short_ms, ARRAY_SIZE(short_ms));
	assert_int_equal(lease_state(&f.l, f.now), LEASE_EXPIRED);
	begin(&g);
	live_until(&g, START + 2 * DAY * SECOND);
	check_tries(&g, long_ms, ARRAY_SIZE(long_ms));
	assert_int_equal(lease_state(&g.l, g.now), LEASE_EXPIRED);
}

/* The client is not heard, or gone: the lease goes on by the watchdog alone. */
static void test_by_watchdog(void **state)
{
	static const uint32_t leases[] = {20, 120, 3600, DAY};

	for (size_t i = 0; i < ARRAY_SIZE(leases); i++) {
		struct life f = { .lease_s = leases[i], .server_answers = true };
		uint64_t half = leases[i] * SECOND / 2, period = half + MIN(half / 8, 60 * SECOND);

		begin(&f);
		live_until(&f, START + 100 * period);
		assert_int_equal(f.n_tries, 100);
		for (size_t k = 0; k < f.n_tries; k++)
			assert_true(f.tries[k] == (k + 1) * period);
		assert_int_equal(f.l.renewed, 100);
		assert_int_equal(f.l.acks, 101);
		assert_int_equal(lease_state(&f.l, f.now), LEASE_BOUND);
	}
}

/* A client that is heard within its patience is never helped. */
static void test_healthy(void **state)
{
	static const uint32_t leases[] = {20, 120, 3600, DAY};

	for (size_t i = 0; i < ARRAY_SIZE(leases); i++) {
		struct life f = { .lease_s = leases[i], .server_answers = true };
		uint64_t t1 = leases[i] * SECOND / 2, margin = MIN(t1 / 8, 60 * SECOND);

		begin(&f);
		for (size_t k = 0; k < 200; k++) {
			uint64_t asked = f.l.acked_ns + t1, acked = asked + margin * (k % 4) / 4;

			live_until(&f, asked);
			ask(&f.l, renewing(++f.xid), f.now);
			live_until(&f, acked);
			assert_int_equal(answer(&f.l, ack_of(&f, f.xid), acked), LEASE_ACKED);
		}
		assert_int_equal(f.n_tries, 0);
	}
}

/* The ACK of the client's own comes late: the watchdog's tries end with it. */
static void test_client_is_heard_late(void **state)
{
	struct life f = { .lease_s = DAY };

	begin(&f);
	live_until(&f, START + 60000 * SECOND);
	assert_int_equal(f.n_tries, 2);
	ask(&f.l, renewing(++f.xid), f.now);
	assert_int_equal(answer(&f.l, ack_of(&f, f.xid), f.now + MS), LEASE_ACKED);
	live_until(&f, START + (60000 + 43259) * SECOND);
	assert_int_equal(f.n_tries, 2);
	assert_int_equal(lease_state(&f.l, f.now), LEASE_RENEWING);
}

/* A server with absurd times gets no more requests than others. */
static void test_pace(void **state)
{
	static const struct {
		uint32_t lease, t1, t2;
		uint64_t pace_ms;
		size_t tries; /* in 100 paces, at most */
	} rows[] = {
		{DAY, 1, 0, 60000, 100},   {DAY, 1, 2, 60000, 100},  {480, 1, 2, 60000, 100},
		{479, 1, 2, 59875, 100},   {240, 1, 3, 30000, 100},  {20, 1, 2, 2500, 100},
		{8, 1, 2, 1000, 100},	   {4, 1, 2, 1000, 100},     {3, 1, 2, 1000, 100},
		{2, 1, 0, 1000, 100},	   {1, 1, 0, 1000, 100},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct life f = { .lease_s = rows[i].lease, .t1_s = rows[i].t1,
				  .t2_s = rows[i].t2, .server_answers = true };

		begin(&f);
		live_until(&f, START + 100 * rows[i].pace_ms * MS);
		assert_true(f.n_tries <= rows[i].tries);
		if (rows[i].lease > 2)
			assert_true(f.n_tries >= rows[i].tries / 2);
		for (size_t k = 1; k < f.n_tries; k++)
			assert_true(f.tries[k] - f.tries[k - 1] >= rows[i].pace_ms * MS);
	}
}

/* What failed for a lease that is over does not hold up the next. */
static void test_new_life(void **state)
{
	struct life f = { .lease_s = DAY };

	begin(&f);
	live_until(&f, START + DAY * SECOND + SECOND);
	ask(&f.l, init_reboot(7), f.now);
	assert_int_equal(answer(&f.l, ack_of(&f, 7), f.now), LEASE_ACKED);
	assert_int_equal(lease_state(&f.l, f.now), LEASE_BOUND);
	f.n_tries = 0;
	f.now = f.l.acked_ns;
	live_until(&f, f.l.acked_ns + 43260 * SECOND);
	assert_int_equal(f.n_tries, 1);
}

/* -------- anything */

static uint64_t seed;

/* Knuth's MMIX multiplier */
static uint32_t draw(uint32_t n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((seed >> 33) % n);
}

struct moment {
	enum lease_state state;
	bool wants;
};

static struct moment moment(const struct lease *l, uint64_t ns)
{
	return (struct moment){lease_state(l, ns), lease_wants_renewal(l, ns)};
}

static bool same(struct moment a, struct moment b)
{
	return a.state == b.state && a.wants == b.wants;
}

/* From one turn to the next nothing changes; at the next something does. */
static void check_next(const struct lease *l, uint64_t now, uint64_t end)
{
	uint64_t next = lease_next_ns(l, now), last = MIN(next - 1, end);
	struct moment m = moment(l, now);

	assert_true(next > now);
	assert_true(same(moment(l, last), m));
	for (size_t i = 0; i < 16; i++)
		assert_true(same(moment(l, now + (last - now) / 16 * i), m));
	if (next <= end)
		assert_false(same(moment(l, next), m));
}

/* What must hold for any lease at any time, whatever is in between. */
static void check_wants(const struct lease *l, uint64_t now)
{
	if (!lease_wants_renewal(l, now))
		return;
	assert_int_not_equal(l->addr.s_addr, 0);
	assert_true(l->acks);
	assert_true(now >= l->acked_ns + l->t1_s * SECOND);
	assert_true(now < l->acked_ns + l->lease_s * SECOND);
	assert_int_not_equal(l->lease_s, DHCP_FOREVER);
	if (l->tried_ns)
		assert_true(now - l->tried_ns >= MIN(l->lease_s * SECOND / 8, 60 * SECOND));
}

static struct dhcp_message any_request(uint32_t xid)
{
	struct dhcp_message m;

	switch (draw(12)) {
	case 0:
		return request_of(DHCP_DISCOVER, xid);
	case 1:
		return selecting(xid);
	case 2:
		return init_reboot(xid);
	case 3:
		return rebinding(xid);
	case 4:
		m = renewing(xid);
		m.type = draw(4) ? DHCP_INFORM : draw(2) ? DHCP_RELEASE : DHCP_DECLINE;
		m.requested = ip(ADDR);
		return m;
	}
	return renewing(xid);
}

static struct dhcp_message any_reply(uint32_t xid, uint32_t lease_s)
{
	struct dhcp_message m = draw(16) ? ack_for(xid, lease_s) : reply_of(DHCP_NAK, xid);

	if (!draw(4))
		m.t1_s = draw(lease_s + lease_s / 4 + 1);
	if (!draw(4))
		m.t2_s = draw(lease_s + lease_s / 4 + 1);
	if (!draw(16))
		m.yiaddr = ip("100.71.64.63");
	return m;
}

static void step(struct life *f)
{
	struct dhcp_message m;

	switch (draw(6)) {
	case 0:
		ask(&f->l, any_request(f->xid += draw(2)), f->now);
		break;
	case 1:
		answer(&f->l, any_reply(f->xid - draw(2), f->lease_s), f->now);
		break;
	case 2:
		f->now += draw(f->lease_s * 1000 / 4 + 1) * MS;
		break;
	default:
		f->now = MIN(lease_next_ns(&f->l, f->now), f->now + f->lease_s * SECOND);
		check_wants(&f->l, f->now);
		if (!lease_wants_renewal(&f->l, f->now) || !draw(8))
			break;
		m = renewing(++f->xid);
		m.ciaddr = f->l.addr;
		lease_request(&f->l, &m, true, f->now);
	}
}

static void test_any_life(void **state)
{
	static const uint32_t leases[] = {1, 2, 5, 8, 20, 60, 600, 3600, DAY, 7 * DAY};
	uint64_t tries = 0, acks = 0, naks = 0, expired = 0;

	for (uint32_t i = 0; i < 3000; i++) {
		struct life f = { .lease_s = leases[i % ARRAY_SIZE(leases)], .now = START };

		seed = i;
		for (size_t k = 0; k < 200; k++) {
			uint64_t tried = f.l.tried_ns;

			step(&f);
			check_wants(&f.l, f.now);
			check_next(&f.l, f.now, f.now + 2ull * f.lease_s * SECOND);
			tries += f.l.tried_ns != tried;
			expired += lease_state(&f.l, f.now) == LEASE_EXPIRED;
		}
		acks += f.l.acks;
		naks += f.l.naks;
	}
	/* all of it has been seen */
	assert_true(tries > 10000);
	assert_true(acks > 10000);
	assert_true(naks > 1000);
	assert_true(expired > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_forever),
		cmocka_unit_test(test_patience_beyond_t2),
		cmocka_unit_test(test_try_at_t2),
		cmocka_unit_test(test_any_numbers),
		cmocka_unit_test(test_in_vain),
		cmocka_unit_test(test_by_watchdog),
		cmocka_unit_test(test_healthy),
		cmocka_unit_test(test_client_is_heard_late),
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_new_life),
		cmocka_unit_test(test_any_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
