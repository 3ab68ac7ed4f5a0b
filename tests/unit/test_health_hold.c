// SPDX-License-Identifier: GPL-2.0-or-later
/* Health of links: those that flap are held down. */
#include "health_lab.h"

static void open_held(struct lab *l)
{
	lab_configure(l, 1);
	l->conf.fall = l->conf.rise = 1;
	l->conf.hold_ms = 10000;
	l->conf.hold_max_ms = 35000;
	lab_open(l);
}

static void test_hold(void **state)
{
	static const uint64_t hold_s[] = {10, 20, 35, 35};
	struct lab l;

	open_held(&l);
	for (size_t i = 0; i < ARRAY_SIZE(hold_s); i++) {
		uint64_t down_ns;

		lab_round(&l, 1);
		lab_round(&l, 0);
		assert_false(l.h.up);
		down_ns = l.now;
		assert_int_equal(l.h.flaps, i + 1);
		lab_round(&l, 1);
		assert_int_equal(l.h.reason, HEALTH_HELD);
		while (health_due(&l.h) < down_ns + hold_s[i] * SECOND)
			lab_round(&l, 1);
		assert_false(l.h.up);
		assert_int_equal(health_due(&l.h), down_ns + hold_s[i] * SECOND);
		l.now = health_due(&l.h);
		assert_false(health_tick(&l.h, l.now - 1));
		assert_true(health_tick(&l.h, l.now));
		assert_true(l.h.up);
	}
	lab_close(&l);
}

/* The end of a hold-down between two rounds; and none for who does not answer by then. */
static void test_hold_ends(void **state)
{
	struct lab l;
	uint64_t end_ns;

	open_held(&l);
	l.conf.recovery_ms = 4000;
	l.conf.failure_ms = 4000;
	lab_round(&l, 0);
	end_ns = l.now + 10 * SECOND;
	lab_rounds(&l, 2, 1);
	assert_int_equal(health_due(&l.h), end_ns);
	assert_int_equal(health_round(&l.h, end_ns), 0);
	assert_true(health_tick(&l.h, end_ns));
	lab_close(&l);

	open_held(&l);
	lab_round(&l, 0);
	lab_round(&l, 1);
	lab_rounds(&l, 30, 0);
	assert_int_equal(l.h.reason, HEALTH_SILENCE);
	assert_true(health_due(&l.h) > l.now);
	lab_round(&l, 1);
	assert_true(l.h.up);
	lab_close(&l);

	open_held(&l); /* one bad round that does not make a silence: nothing to wait for */
	l.conf.rise = 2;
	lab_round(&l, 0);
	l.conf.fall = 3;
	lab_rounds(&l, 2, 1);
	assert_int_equal(l.h.reason, HEALTH_HELD);
	while (l.now < l.h.held_until_ns)
		lab_rounds(&l, 1, l.h.reason == HEALTH_HELD && l.now + SECOND < l.h.held_until_ns);
	assert_false(l.h.up);
	assert_int_equal(l.h.reason, HEALTH_HELD);
	assert_true(health_due(&l.h) > l.now);
	lab_close(&l);
}

static void test_flaps_are_forgotten(void **state)
{
	struct lab l;

	open_held(&l);
	for (int i = 0; i < 4; i++) {
		lab_round(&l, 0);
		l.now += 40 * SECOND; /* whatever it takes */
		lab_round(&l, 1);
		assert_true(l.h.up);
	}
	assert_int_equal(l.h.flaps, 4);
	l.now += 99 * SECOND;
	health_tick(&l.h, l.now);
	assert_int_equal(l.h.flaps, 4);
	l.now += SECOND;
	health_tick(&l.h, l.now);
	assert_int_equal(l.h.flaps, 3);
	l.now += 199 * SECOND;
	lab_round(&l, 0); /* one more forgotten, then one more */
	assert_int_equal(l.h.flaps, 3);
	assert_int_equal(l.h.held_until_ns, l.now + 35 * SECOND);
	l.now += 3600 * SECOND; /* down is not calm */
	lab_round(&l, 1);
	assert_int_equal(l.h.flaps, 3);
	l.now += 48 * 3600 * SECOND;
	lab_round(&l, 0);
	assert_int_equal(l.h.flaps, 1);
	assert_int_equal(l.h.held_until_ns, l.now + 10 * SECOND);
	lab_close(&l);

	open_held(&l); /* at least a minute, even without hold-down */
	l.conf.hold_ms = 0;
	lab_round(&l, 0);
	lab_round(&l, 1);
	assert_true(l.h.up);
	l.now += 59 * SECOND;
	health_tick(&l.h, l.now);
	assert_int_equal(l.h.flaps, 1);
	l.now += SECOND;
	health_tick(&l.h, l.now);
	assert_int_equal(l.h.flaps, 0);
	lab_close(&l);
}

/* The largest of everything for a thousand flaps. */
static void test_hold_is_bounded(void **state)
{
	struct lab l;

	open_held(&l);
	l.conf.hold_ms = 1u << 30;
	l.conf.hold_max_ms = UINT32_MAX;
	for (int i = 0; i < 1000; i++) {
		uint64_t hold_ms = i < 2 ? 1ULL << (30 + i) : UINT32_MAX;

		lab_round(&l, 0);
		assert_false(l.h.up);
		assert_int_equal(l.h.held_until_ns, l.now + hold_ms * MS);
		l.now = l.h.held_until_ns;
		lab_round(&l, 1);
		assert_true(l.h.up);
	}
	assert_int_equal(l.h.flaps, 1000);
	lab_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_hold_ends),
		cmocka_unit_test(test_flaps_are_forgotten),
		cmocka_unit_test(test_hold_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
