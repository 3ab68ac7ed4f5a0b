// SPDX-License-Identifier: GPL-2.0-or-later
/* Ways that die, come back, flap; peers that pause or say nothing; what is written, and thick
 * flows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/choice_lab.h"

#define MINUTES_5 300000

/* Issue 6: within a second; 0.5 s is aimed at. */
static void test_death(void **state)
{
	uint64_t worst_ms = 0;

	for (uint32_t phase = 0; phase < 100; phase++) {
		LAB l = lab_new(2, phase & 1);
		uint64_t at_ns;

		l->ways[0].noise = 20;
		lab_warm(l);
		lab_run(l, phase);
		at_ns = l->now_ns;
		l->ways[0].dead = true;
		lab_run(l, 1000);
		assert_true(l->c.ways[0].dead && !l->c.ways[1].dead);
		assert_int_equal(l->c.thin, 1);
		assert_int_equal(l->c.thick, 1);
		assert_int_equal(l->c.thin_reason, CHOICE_ALIVE);
		assert_int_equal(l->c.usable, 2);
		worst_ms = MAX(worst_ms, (l->thin_ns - at_ns) / MS);
	}
	print_message("# death of a way: left after %u ms at most\n", (unsigned int)worst_ms);
	assert_true(worst_ms <= 550);
}

/* With more ways than a node can send probes by every 100 ms: as many probes. */
static void test_death_of_many(void **state)
{
	for (uint32_t phase = 0; phase < 392; phase += 7) {
		LAB l = lab_new(2, phase & 1);
		uint64_t at_ns;

		lab_interval(l, 392);
		l->ways[0].noise = 20;
		lab_warm(l);
		lab_run(l, phase);
		at_ns = l->now_ns;
		l->ways[0].dead = true;
		lab_run(l, 5 * 392);
		assert_int_equal(l->c.thin, 1);
		assert_in_range((l->thin_ns - at_ns) / MS, 3 * 392, 5 * 392);
		l->ways[0].dead = false;
		lab_run(l, 1000 * 392);
		assert_int_equal(l->c.thin, 0);
		assert_int_equal(l->deaths, 1);
	}
}

static void test_recovery(void **state)
{
	LAB l = lab_new(2, false);
	uint64_t at_ns;

	lab_warm(l);
	l->ways[0].dead = true;
	lab_run(l, 5000);
	l->ways[0].dead = false;
	at_ns = l->now_ns;
	lab_run(l, 5000);
	assert_int_equal(l->c.thin, 0);
	assert_int_equal(l->c.thin_reason, CHOICE_PREFERRED);
	assert_int_equal(l->thin_moves, 2);
	assert_in_range((l->thin_ns - at_ns) / MS, 1000, 1500);
}

static void test_flapping(void **state)
{
	LAB l = lab_new(2, false);

	lab_warm(l);
	for (int i = 0; i < 100; i++) {
		l->ways[0].dead = true;
		lab_run(l, 1500);
		l->ways[0].dead = false;
		lab_run(l, 1500);
	}
	assert_true(l->thin_moves <= 4);
	lab_run(l, 62000);
	assert_int_equal(l->c.thin, 0);
}

/* What is written moves by nothing else. */
static void test_static(void **state)
{
	LAB l = lab_new(3, false);

	lab_warm(l);
	l->ways[0].delay_ms = 400;
	l->ways[0].noise = 20;
	l->ways[0].loss = 10;
	lab_run(l, MINUTES_5);
	assert_int_equal(l->c.thin, 0);
	assert_true(l->deaths <= 1);
}

/* Ways that stand behind those wished for are taken when these are dead, in their order. */
static void test_others(void **state)
{
	LAB l = lab_new(3, true);

	l->t.paths.n_own = 1;
	l->ways[1].delay_ms = 90;
	l->ways[2].delay_ms = 5;
	lab_warm(l);
	assert_int_equal(l->c.thin, 0);
	l->ways[0].dead = true;
	lab_run(l, 1000);
	assert_int_equal(l->c.thin, 1);
	l->ways[0].dead = false;
	lab_run(l, 3000);
	assert_int_equal(l->c.thin, 0);
}

static void test_pauses(void **state)
{
	LAB l = lab_new(3, true);

	l->ways[1].delay_ms = 150;
	l->ways[2].delay_ms = 400;
	lab_warm(l);
	for (int i = 0; i < 20; i++) {
		l->pause_ns = l->now_ns + 900 * MS;
		lab_run(l, 3000);
		l->deaf_ns = l->now_ns + 2500 * MS;
		lab_run(l, 7000);
	}
	assert_int_equal(l->deaths, 0);
	assert_int_equal(l->thin_moves, 0);
}

static void test_reports_lost(void **state)
{
	LAB l = lab_new(2, true);

	l->ways[1].delay_ms = 60;
	l->back_loss = 40;
	lab_warm(l);
	lab_run(l, 60000);
	assert_int_equal(l->thin_moves, 0);
	l->ways[0].dead = true;
	lab_run(l, 1500);
	assert_int_equal(l->c.thin, 1);
}

/* Both ends do as is written then. */
static void test_silence(void **state)
{
	LAB l = lab_new(3, true);

	l->ways[2].delay_ms = 5;
	lab_warm(l);
	assert_int_equal(l->c.thin, 2);
	l->ways[1].dead = true;
	lab_run(l, 3000);
	l->back_loss = 100;
	lab_run(l, 2000);
	assert_int_equal(l->c.thin, 2);
	lab_run(l, 2000);
	assert_int_equal(l->c.thin, 0);
	assert_int_equal(l->c.thin_reason, CHOICE_NO_REPORT);
	assert_int_equal(l->c.thick_reason, CHOICE_NO_REPORT);
	assert_int_equal(l->c.usable, 7);
	assert_false(choice_talks(&l->c, l->now_ns));
	l->back_loss = 0;
	lab_run(l, 10000);
	assert_int_equal(l->c.thin, 2);
	assert_int_not_equal(l->c.thin_reason, CHOICE_NO_REPORT);
}

/* All dead: as good as nothing known. */
static void test_all_dead(void **state)
{
	LAB l = lab_new(2, true);

	lab_warm(l);
	l->ways[0].dead = l->ways[1].dead = true;
	lab_run(l, 3000);
	assert_true(l->c.ways[0].dead && l->c.ways[1].dead);
	assert_int_equal(l->c.usable, 3);
	l->ways[1].dead = false;
	lab_run(l, 500);
	assert_int_equal(l->c.thin, 1);
}

/* A daemon on either side begins anew. */
static void test_restart(void **state)
{
	LAB l = lab_new(3, true);

	l->ways[1].delay_ms = 250;
	lab_warm(l);
	choice_arrivals_init(&l->a, PROBE_MS);
	choice_restarted(&l->c);
	lab_run(l, 5000);
	assert_int_equal(l->deaths, 0);
	choice_arrivals_init(&l->a, PROBE_MS);
	choice_init(&l->c, &l->t, PROBE_MS);
	memset(l->packets, 0, sizeof(l->packets));
	l->seq = 0;
	lab_run(l, 5000);
	assert_int_equal(l->deaths, 0);
}

/* Our daemon was killed while way 0 was dead, and begins again. */
static void test_resume(void **state)
{
	static const uint32_t delay_us[MESH_MAX_PATHS] = {0, 5000, 0};

	for (int automatic = 0; automatic < 2; automatic++) {
		LAB l = lab_new(3, automatic);

		l->ways[0].dead = true;
		l->ways[1].delay_ms = 15;
		choice_init(&l->c, &l->t, PROBE_MS);
		choice_resume(&l->c, 1, 1, 1, delay_us);
		lab_run(l, 20000);
		assert_int_equal(l->thin_moves + l->thick_moves + l->deaths, 0);
		assert_true(l->c.ways[0].dead && l->c.thin == 1);
		l->ways[0].dead = false;
		lab_run(l, 20000);
		assert_false(l->c.ways[0].dead);
		assert_int_equal(l->c.thick, 0);
	}
}

/* The peer says nothing: what was chosen once counts no longer. */
static void test_resume_alone(void **state)
{
	static const uint32_t delay_us[MESH_MAX_PATHS];
	LAB l = lab_new(2, false);

	l->back_loss = 100;
	choice_init(&l->c, &l->t, PROBE_MS);
	choice_resume(&l->c, 1, 1, 1, delay_us);
	lab_run(l, 3900);
	assert_int_equal(l->thin_moves, 0);
	assert_int_equal(l->c.usable, 2);
	lab_run(l, 500);
	assert_int_equal(l->c.thin, 0);
	assert_int_equal(l->c.usable, 3);
	choice_init(&l->c, &l->t, PROBE_MS);
	choice_resume(&l->c, 2, 0, 1, delay_us); /* there are two ways */
	assert_false(l->c.resumed);
}

/* -------- thick flows */

static struct lab *split(uint64_t rate_bps, bool metered)
{
	struct lab *l = lab_new(2, false);

	lab_wish(&l->t.bulk, 2, false);
	l->t.paths.order[0] = 1;
	l->t.paths.order[1] = 0;
	l->t.bulk.n_own = 1;
	l->ways[0].delay_ms = 55;
	l->ways[1].delay_ms = 15;
	l->t.ways[1].metered = metered;
	l->t.rate_bps = rate_bps;
	return l;
}

static void test_thick_loss(void **state)
{
	LAB l = split(0, false);
	LAB dear = split(0, true);
	LAB limited = split(20000000, true);
	struct lab *labs[] = {l, dear, limited};

	for (size_t i = 0; i < ARRAY_SIZE(labs); i++) {
		lab_warm(labs[i]);
		assert_int_equal(labs[i]->c.thin, 1);
		assert_int_equal(labs[i]->c.thick, 0);
		labs[i]->ways[0].loss = 4;
		lab_run(labs[i], 60000);
		assert_int_equal(labs[i]->c.thick, i != 1);
	}
	assert_int_equal(l->c.thick_reason, CHOICE_LESS_LOSS);
	l->ways[0].loss = 0;
	lab_run(l, 120000);
	assert_int_equal(l->c.thick, 0);
	assert_int_equal(l->c.thick_reason, CHOICE_PREFERRED);
	assert_true(l->thick_moves <= 6);
}

/* What a full pipe drops is not the way's. */
static void load_losing(struct lab *l)
{
	l->ways[0].loss = l->c.thick == 0 ? 3 : 0;
	choice_load(&l->c, l->c.thick, 5000000, l->now_ns);
}

static void test_thick_own_loss(void **state)
{
	LAB l = split(0, false);

	lab_warm(l);
	l->each = load_losing;
	lab_run(l, MINUTES_5);
	assert_int_equal(l->thick_moves, 0);
}

/* By measurement: in the order, metered ones last, whatever the delay. */
static void test_thick_auto(void **state)
{
	LAB l = lab_new(3, true);

	l->t.ways[0].metered = true;
	l->ways[1].delay_ms = 90;
	lab_warm(l);
	assert_int_equal(l->c.thick, 1);
	l->ways[1].loss = 5;
	lab_run(l, 60000);
	assert_int_equal(l->c.thick, 2);
	assert_int_equal(l->c.thick_reason, CHOICE_LESS_LOSS);
	l->ways[2].dead = l->ways[1].dead = true;
	lab_run(l, 1000);
	assert_int_equal(l->c.thick, 0);
}

/* -------- nonsense */

static uint64_t any(struct lab *l)
{
	static const uint64_t odd[] = {0,          1,         INT64_MAX, (uint64_t)INT64_MIN,
	                               UINT64_MAX, UINT32_MAX};

	if (lab_draw(l, 2))
		return odd[lab_draw(l, ARRAY_SIZE(odd))];
	return (uint64_t)lab_draw(l, UINT32_MAX) << lab_draw(l, 33);
}

static void test_nonsense(void **state)
{
	LAB l = lab_new(5, true);

	lab_wish(&l->t.bulk, 5, true);
	choice_init(&l->c, &l->t, PROBE_MS);
	for (int i = 0; i < 200000; i++) {
		struct choice_report r[5];

		l->now_ns += lab_draw(l, 200) * MS;
		for (size_t k = 0; k < 5; k++)
			r[k] = (struct choice_report){any(l), any(l), (int64_t)any(l), any(l),
			                              any(l)};
		choice_reports(&l->c, r, lab_draw(l, 20) ? 5 : any(l) % 9, l->now_ns, l->now_ns);
		choice_rtt(&l->c, any(l), l->now_ns);
		choice_sent(&l->c, any(l));
		choice_load(&l->c, any(l), any(l), l->now_ns);
		choice_arrived(&l->a, any(l), any(l), any(l), l->now_ns);
		choice_report(&l->a, lab_draw(l, 8), l->now_ns, &r[0]);
		assert_true(r[0].loss <= 1000);
		lab_judge(l);
		for (size_t k = 0; k < 5; k++)
			assert_true(l->c.ways[k].loss_ppm <= 1000000);
	}
}

/* What overtook it counts. */
static void test_old_report(void **state)
{
	LAB l = lab_new(2, true);
	struct choice_report r[2] = {{.seq = 1, .min_ns = 0}, {.seq = 1, .min_ns = 900 * MS}};

	lab_warm(l);
	choice_reports(&l->c, r, 2, l->c.stamp_ns - 1, l->now_ns);
	assert_true(l->c.ways[1].diff_ns < (int64_t)(100 * MS));
	choice_reports(&l->c, r, 2, l->c.stamp_ns, l->now_ns);
	assert_true(l->c.ways[1].diff_ns < (int64_t)(100 * MS));
	choice_reports(&l->c, r, 2, l->c.stamp_ns + 1, l->now_ns);
	assert_int_equal(l->c.ways[1].diff_ns, 900 * MS);
}

/* Nobody has got what was not sent: the other way would be dead for it. */
static void test_never_sent(void **state)
{
	LAB l = lab_new(2, true);
	struct choice_report r[2];

	lab_warm(l);
	r[0] = r[1] = l->c.ways[0].report;
	r[0].seq += 1000;
	r[1].age_ms = 500;
	r[1].seq = l->seq;
	choice_reports(&l->c, r, 2, l->c.stamp_ns + 1, l->now_ns);
	lab_judge(l);
	assert_int_equal(l->deaths, 0);
}

/* A receiver whose clock went back does not wait until it is where it was. */
static void test_clock_back(void **state)
{
	struct choice_arrivals a;
	struct choice_report r;

	choice_arrivals_init(&a, PROBE_MS);
	choice_arrived(&a, 0, 1, START - 20 * MS, START);
	choice_arrived(&a, 0, 2, START - 20 * MS, START - 100 * SECOND);
	choice_report(&a, 0, START - 97 * SECOND, &r);
	assert_true(r.min_ns == INT64_MAX && r.seq == 2);
}

/* Loss and delay of a window, and what does not count. */
static void test_report(void **state)
{
	struct choice_arrivals a;
	struct choice_report r;
	uint64_t now = START;

	choice_arrivals_init(&a, PROBE_MS);
	choice_report(&a, 3, now, &r);
	assert_true(r.age_ms == UINT32_MAX && r.min_ns == INT64_MAX && r.loss == 0);
	for (uint32_t i = 0; i < 10; i++, now += 100 * MS)
		if (i % 2 == 0)
			choice_arrived(&a, 3, 7 + i, now - 30 * MS - i, now);
	choice_arrived(&a, 3, 15, now, now);       /* twice */
	choice_arrived(&a, 3, 15 - 100, now, now); /* forged */
	choice_arrived(&a, 8, 15, now, now);
	choice_report(&a, 3, now, &r);
	assert_int_equal(r.seq, 15);
	assert_int_equal(r.age_ms, 200);
	assert_int_equal(r.min_ns, 30 * MS);
	assert_int_equal(r.loss, 200); /* 4 of the 20 of a whole window */
	choice_report(&a, 2, now, &r);
	assert_int_equal(r.seq, 6);
	choice_arrived(&a, 3, 14, now - 31 * MS, now); /* late */
	choice_report(&a, 3, now, &r);
	assert_int_equal(r.loss, 150);
	assert_true(choice_is_old(&a, 3, 14) && choice_is_old(&a, 3, 15 - 64));
	assert_false(choice_is_old(&a, 3, 12) || choice_is_old(&a, 3, 16) || choice_is_old(&a, 2, 14));
	choice_arrived(&a, 3, 14, now - 31 * MS, now); /* and again */
	choice_report(&a, 3, now, &r);
	assert_int_equal(r.loss, 150);
	now += 2 * SECOND;
	choice_report(&a, 3, now, &r);
	assert_true(r.min_ns == INT64_MAX && r.loss == 0 && r.seq == 15);
	choice_arrived(&a, 3, 500, now - 50 * MS, now); /* after an outage */
	choice_report(&a, 3, now, &r);
	assert_true(r.seq == 500 && r.loss == 0 && r.min_ns == (int64_t)(50 * MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_death),        cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_death_of_many),
		cmocka_unit_test(test_flapping),     cmocka_unit_test(test_static),
		cmocka_unit_test(test_others),       cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_reports_lost), cmocka_unit_test(test_silence),
		cmocka_unit_test(test_all_dead),     cmocka_unit_test(test_restart),
		cmocka_unit_test(test_thick_loss),   cmocka_unit_test(test_thick_own_loss),
		cmocka_unit_test(test_thick_auto),   cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_report),       cmocka_unit_test(test_old_report),
		cmocka_unit_test(test_never_sent),   cmocka_unit_test(test_clock_back),
		cmocka_unit_test(test_resume),       cmocka_unit_test(test_resume_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
