// SPDX-License-Identifier: GPL-2.0-or-later
/* Health of links, rule by rule. */
#include "health_lab.h"

static void test_fall_and_rise(void **state)
{
	struct lab l;

	lab_configure(&l, 1);
	lab_open(&l);
	assert_true(l.h.up);
	assert_int_equal(l.h.reason, HEALTH_INITIAL);
	lab_rounds(&l, 2, 1);
	assert_int_equal(l.h.reason, HEALTH_INITIAL);
	lab_round(&l, 1);
	assert_int_equal(l.h.reason, HEALTH_ANSWERS);
	for (int i = 0; i < 5; i++) { /* two on end, again and again, are not three */
		lab_rounds(&l, 2, 0);
		lab_round(&l, 1);
	}
	assert_int_equal(l.turns, 0);
	lab_rounds(&l, 3, 0);
	assert_int_equal(l.turns, 1);
	assert_false(l.h.up);
	assert_int_equal(l.h.reason, HEALTH_SILENCE);
	assert_int_equal(l.h.since_ns, l.now);
	for (int i = 0; i < 5; i++) {
		lab_rounds(&l, 2, 1);
		lab_round(&l, 0);
	}
	assert_int_equal(l.turns, 1);
	lab_rounds(&l, 3, 1);
	assert_int_equal(l.turns, 2);
	assert_true(l.h.up);
	assert_int_equal(l.h.reason, HEALTH_ANSWERS);
	lab_close(&l);
}

/* Bits: who answers.  The quorum is that of the family's targets, all if it has fewer. */
static void test_quorum(void **state)
{
	static const struct {
		uint32_t targets, quorum, answers;
		bool good;
	} cases[] = {
		{1, 1, 0x1, true}, {1, 3, 0x1, true},  {2, 1, 0x2, true}, {2, 2, 0x2, false},
		{3, 2, 0x5, true}, {3, 2, 0x4, false}, {3, 3, 0x7, true}, {3, 9, 0x3, false},
		{3, 0, 0x0, false}, {16, 16, 0xffff, true}, {16, 16, 0x7fff, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lab l;

		lab_configure(&l, cases[i].targets);
		l.conf.quorum = cases[i].quorum;
		lab_open(&l);
		lab_round(&l, cases[i].answers);
		assert_int_equal(l.h.good, cases[i].good);
		assert_int_equal(l.h.bad, !cases[i].good);
		lab_close(&l);
	}
}

/* Good with the quorum's answer, bad with the loss that puts it out of reach. */
static void test_decided_early(void **state)
{
	struct lab l;
	uint32_t round;

	lab_configure(&l, 3);
	l.conf.quorum = 2;
	lab_open(&l);
	round = health_round(&l.h, l.now);
	health_result(&l.h, round, 2, 5, l.now);
	assert_int_equal(l.h.good, 0);
	health_result(&l.h, round, 2, 5, l.now); /* a second time: ignored */
	assert_int_equal(l.h.good, 0);
	health_result(&l.h, round, 0, 5, l.now);
	assert_int_equal(l.h.good, 1);
	health_result(&l.h, round, 1, 0, l.now);
	assert_int_equal(l.h.good, 1);
	health_result(&l.h, round, 1, 0, l.now); /* over */
	health_result(&l.h, round + 1, 1, 0, l.now); /* not begun */
	assert_int_equal(l.h.targets[1].lost, 1);

	l.now = health_due(&l.h);
	assert_int_equal(l.now, START + 500 * MS); /* decided at once, yet not due before */
	assert_int_equal(health_round(&l.h, l.now - 1), 0);
	round = health_round(&l.h, l.now);
	health_result(&l.h, round, 0, 0, l.now);
	assert_int_equal(l.h.bad, 0);
	health_result(&l.h, round, 1, 0, l.now);
	assert_int_equal(l.h.bad, 1);
	lab_close(&l);
}

/* IPv6 targets are not IPv4's business; a family without any stays up and asks for nothing. */
static void test_families(void **state)
{
	struct lab l;
	struct health none;

	lab_configure(&l, 3);
	l.targets[1].family = ASYM_V6;
	lab_open(&l);
	assert_int_equal(l.h.n, 2);
	assert_ptr_equal(l.h.targets[0].conf, &l.targets[0]);
	assert_ptr_equal(l.h.targets[1].conf, &l.targets[2]);
	lab_close(&l);

	l.conf.n = 1;
	assert_int_equal(health_init(&none, &l.conf, ASYM_V6, false, false, l.now), 0);
	assert_true(none.up);
	assert_true(health_due(&none) == UINT64_MAX);
	assert_int_equal(health_round(&none, l.now + SECOND), 0);
	assert_false(health_tick(&none, l.now + SECOND));
	health_cancel(&none, l.now + SECOND);
	assert_true(health_due(&none) == UINT64_MAX);
	health_done(&none);
}

static void test_initial(void **state)
{
	static const struct {
		bool initial_down, was_up, fresh, up;
	} cases[] = {
		{false, false, true, true}, {true, true, true, false},
		{true, true, false, true},  {false, false, false, false},
	};
	struct lab l;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_configure(&l, 1);
		l.conf.initial_down = cases[i].initial_down;
		assert_int_equal(health_init(&l.h, &l.conf, ASYM_V4, cases[i].was_up,
					     cases[i].fresh, l.now), 0);
		assert_int_equal(l.h.up, cases[i].up);
		assert_int_equal(l.h.reason, HEALTH_INITIAL);
		lab_rounds(&l, 2, 1);
		assert_int_equal(l.turns, 0);
		lab_round(&l, 1);
		assert_int_equal(l.turns, !cases[i].up);
		assert_true(l.h.up);
		lab_close(&l);
	}
	lab_configure(&l, 1);
	l.conf.initial_down = true;
	lab_open(&l);
	lab_rounds(&l, 3, 0); /* tells why by now, but did not go down: no flap */
	assert_int_equal(l.h.reason, HEALTH_SILENCE);
	assert_int_equal(l.h.flaps, 0);
	assert_int_equal(l.turns, 0);
	lab_close(&l);
}

/* What is lost takes longer to be known than what came back later. */
static void test_order(void **state)
{
	struct lab l;
	uint32_t rounds[4];

	lab_configure(&l, 1);
	l.conf.fall = 1;
	lab_open(&l);
	for (int i = 0; i < 4; i++) {
		rounds[i] = health_round(&l.h, l.now);
		assert_true(rounds[i]);
		l.now = health_due(&l.h);
	}
	assert_false(health_result(&l.h, rounds[1], 0, 0, l.now));
	assert_false(health_result(&l.h, rounds[2], 0, 7, l.now));
	assert_true(l.h.targets[0].answers);
	assert_false(health_result(&l.h, rounds[3], 0, 7, l.now));
	assert_int_equal(l.h.good + l.h.bad, 0);
	assert_true(health_result(&l.h, rounds[0], 0, 7, l.now));
	assert_true(l.h.targets[0].answers);
	assert_false(l.h.up);
	assert_int_equal(l.h.good, 2); /* of those after the bad one */
	lab_close(&l);
}

static void test_rounds_under_way(void **state)
{
	struct lab l;
	uint32_t first = 0;

	lab_configure(&l, 2);
	l.conf.timeout_ms = 60000;
	lab_open(&l);
	for (int i = 0; i < HEALTH_ROUNDS; i++) {
		uint32_t round = health_round(&l.h, l.now);

		assert_true(round);
		first = first ? first : round;
		health_result(&l.h, round, 0, 100, l.now); /* good, but not over */
		l.now = health_due(&l.h) == UINT64_MAX ? l.now : health_due(&l.h);
	}
	assert_true(health_due(&l.h) == UINT64_MAX);
	health_result(&l.h, first + HEALTH_ROUNDS, 1, 100, l.now); /* the places are taken, */
	health_result(&l.h, first - HEALTH_ROUNDS, 1, 100, l.now); /* but not by these */
	assert_int_equal(l.h.targets[1].filled, 0);
	l.now += SECOND;
	assert_int_equal(health_round(&l.h, l.now), 0);
	health_result(&l.h, first + 1, 1, 100, l.now); /* not the oldest */
	assert_true(health_due(&l.h) == UINT64_MAX);
	health_result(&l.h, first, 1, 100, l.now);
	assert_int_equal(health_due(&l.h), l.now);
	assert_int_equal(health_round(&l.h, l.now), first + HEALTH_ROUNDS);
	assert_int_equal(health_due(&l.h), l.now + 500 * MS);
	lab_close(&l);
}

static uint64_t wait_ms(const struct lab *l)
{
	return (health_due(&l->h) - l->now) / MS;
}

static void test_intervals(void **state)
{
	struct lab l;

	lab_configure(&l, 2);
	l.conf.interval_ms = 5000;
	l.conf.failure_ms = 300;
	l.conf.recovery_ms = 700;
	lab_open(&l);
	assert_int_equal(wait_ms(&l), 0);
	lab_round(&l, 3);
	assert_int_equal(wait_ms(&l), 5000);
	lab_round(&l, 1); /* good, but one that answered does not any more */
	assert_int_equal(wait_ms(&l), 300);
	lab_rounds(&l, l.conf.window - 1, 1);
	assert_int_equal(wait_ms(&l), 5000); /* we are used to that */
	lab_round(&l, 0);
	assert_int_equal(wait_ms(&l), 300);
	lab_rounds(&l, 2, 0);
	assert_int_equal(wait_ms(&l), 700);
	lab_rounds(&l, 3, 3);
	assert_true(l.h.up);
	assert_int_equal(wait_ms(&l), 5000);

	/* late is late: no rounds on end to make up for it */
	l.now += 5900 * MS;
	assert_true(health_round(&l.h, l.now));
	assert_int_equal(wait_ms(&l), 5000);
	lab_close(&l);
}

/* A loss makes the round after it come sooner, though it was already put down for later. */
static void test_interval_of_now(void **state)
{
	struct lab l;
	uint32_t round;

	lab_configure(&l, 1);
	l.conf.interval_ms = 5000;
	l.conf.failure_ms = 300;
	lab_open(&l);
	round = health_round(&l.h, l.now);
	assert_int_equal(wait_ms(&l), 5000);
	l.now += 100 * MS;
	health_result(&l.h, round, 0, 0, l.now);
	assert_int_equal(wait_ms(&l), 200);

	health_round(&l.h, l.now = health_due(&l.h));
	l.now += 1000 * MS;
	health_result(&l.h, round + 1, 0, 0, l.now);
	assert_int_equal(wait_ms(&l), 0);
	lab_close(&l);
}

static void test_doubt(void **state)
{
	struct lab l;

	lab_configure(&l, 1);
	l.conf.interval_ms = 5000;
	l.conf.failure_ms = 300;
	lab_open(&l);
	lab_round(&l, 1);
	l.now += 100 * MS;
	health_doubt(&l.h, l.now);
	assert_int_equal(wait_ms(&l), 200);
	lab_round(&l, 1); /* began after it: all is well */
	assert_int_equal(wait_ms(&l), 5000);

	health_doubt(&l.h, l.now);
	l.now = health_due(&l.h);
	assert_true(health_round(&l.h, l.now));
	health_doubt(&l.h, l.now); /* once more */
	health_result(&l.h, l.h.next - 1, 0, 5, l.now);
	assert_int_equal(wait_ms(&l), 300); /* that one began before */
	assert_true(health_round(&l.h, l.now = health_due(&l.h)));
	health_doubt(&l.h, l.now);
	health_evidence(&l.h, l.now);
	health_result(&l.h, l.h.next - 1, 0, 5, l.now);
	assert_int_equal(wait_ms(&l), 5000); /* traffic itself says so */

	l.now += 100 * MS;
	health_doubt(&l.h, l.now);
	health_evidence(&l.h, l.now - 1); /* of when it was not in doubt yet */
	l.now = health_due(&l.h);
	assert_true(health_round(&l.h, l.now));
	assert_int_equal(wait_ms(&l), 300);
	lab_close(&l);
}

static void test_cancel(void **state)
{
	struct lab l;
	uint32_t rounds[2];

	lab_configure(&l, 1);
	l.conf.fall = 2;
	lab_open(&l);
	lab_rounds(&l, 3, 1);
	lab_round(&l, 0);
	for (int i = 0; i < 2; i++) {
		l.now = health_due(&l.h);
		rounds[i] = health_round(&l.h, l.now);
	}
	health_cancel(&l.h, l.now);
	assert_int_equal(health_due(&l.h), l.now);
	assert_false(health_tick(&l.h, l.now));
	assert_int_equal(health_due(&l.h), l.now);
	for (int i = 0; i < 2; i++)
		assert_false(health_result(&l.h, rounds[i], 0, 0, l.now));
	assert_int_equal(l.h.bad, 1);
	assert_int_equal(l.h.targets[0].filled, 4);
	assert_true(health_adopt(&l.h, &l.conf, l.now));
	assert_int_equal(health_due(&l.h), l.now);
	l.now += 3600 * SECOND;
	lab_round(&l, 0);
	assert_false(l.h.up);
	for (int i = 0; i < 2 * HEALTH_ROUNDS; i++) {
		assert_true(health_round(&l.h, l.now = health_due(&l.h)));
		health_cancel(&l.h, l.now);
	}
	lab_close(&l);
}

static void test_adopt(void **state)
{
	struct lab l, other;

	lab_configure(&l, 2);
	lab_open(&l);
	lab_rounds(&l, 2, 0);
	lab_configure(&other, 2);
	other.conf.fall = 4;
	other.conf.failure_ms = 100;
	assert_true(health_adopt(&l.h, &other.conf, l.now));
	assert_ptr_equal(l.h.targets[1].conf, &other.targets[1]);
	assert_int_equal(wait_ms(&l), 100);
	lab_round(&l, 0);
	assert_true(l.h.up);
	lab_round(&l, 0);
	assert_false(l.h.up);

	l.targets[1].port = 53;
	assert_false(health_adopt(&l.h, &l.conf, l.now));
	l.targets[1].port = 0;
	l.targets[1].url = "https://x.example/";
	assert_false(health_adopt(&l.h, &l.conf, l.now));
	other.targets[1].url = "https://y.example/";
	assert_false(health_adopt(&l.h, &l.conf, l.now));
	l.targets[1].url = other.targets[1].url = NULL;
	l.targets[0].addr.s6_addr[0] = 1;
	assert_false(health_adopt(&l.h, &l.conf, l.now));
	l.targets[0].addr.s6_addr[0] = 0;
	l.conf.n = 1;
	assert_false(health_adopt(&l.h, &l.conf, l.now));
	l.conf.n = 2;
	l.conf.window++;
	assert_false(health_adopt(&l.h, &l.conf, l.now));
	l.conf.window--;
	assert_ptr_equal(l.h.conf, &other.conf);
	l.targets[2].family = ASYM_V6; /* the other family's change */
	l.conf.n = 3;
	assert_true(health_adopt(&l.h, &l.conf, l.now));
	lab_close(&l);
}

/* Three rounds were under way when the lid was closed; what came back is gone. */
static void test_sleep(void **state)
{
	struct lab l;

	lab_configure(&l, 1);
	lab_open(&l);
	lab_rounds(&l, 3, 1);
	for (int i = 0; i < 3; i++)
		health_round(&l.h, l.now = health_due(&l.h));
	l.now += 5 * 3600 * SECOND;
	for (uint32_t i = l.h.first; i < l.h.next;)
		assert_false(health_result(&l.h, i++, 0, 0, l.now));
	assert_int_equal(l.h.bad, 0);
	assert_int_equal(l.h.targets[0].lost, 0);
	assert_int_equal(health_due(&l.h), l.now);
	lab_rounds(&l, 2, 0); /* and from then on everything counts */
	assert_true(l.h.up);
	lab_round(&l, 0);
	assert_false(l.h.up);

	/* an old one that ends later does not make what began since void */
	lab_rounds(&l, 3, 1);
	health_round(&l.h, l.now = health_due(&l.h));
	l.now += 3600 * SECOND;
	assert_false(health_tick(&l.h, l.now));
	lab_rounds(&l, 2, 0);
	assert_int_equal(l.h.bad, 2);
	assert_false(health_result(&l.h, l.h.first, 0, 0, l.now));
	assert_int_equal(l.h.bad, 2);
	lab_round(&l, 0);
	assert_false(l.h.up);

	/* a nap within a long interval */
	lab_rounds(&l, 3, 1);
	l.conf.interval_ms = 60000;
	health_round(&l.h, l.now = health_due(&l.h));
	l.now += 3 * SECOND;
	health_result(&l.h, l.h.first, 0, 0, l.now);
	assert_int_equal(l.h.bad, 0);
	l.conf.interval_ms = 500;

	/* a second late is not asleep */
	lab_rounds(&l, 3, 1);
	for (int i = 0; i < 3; i++)
		health_round(&l.h, l.now = health_due(&l.h));
	l.now += 1000 * MS;
	for (uint32_t i = l.h.first; i < l.h.next;)
		health_result(&l.h, i++, 0, 0, l.now);
	assert_false(l.h.up);
	lab_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fall_and_rise),
		cmocka_unit_test(test_quorum),
		cmocka_unit_test(test_decided_early),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_initial),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_rounds_under_way),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_interval_of_now),
		cmocka_unit_test(test_doubt),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
