// SPDX-License-Identifier: GPL-2.0-or-later
/* Thin flows by measurement: what moves a direction, how soon, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/choice_lab.h"

#define MINUTES_5 300000

/* The relay is way 0 where not said otherwise, and the faster one. */
static struct lab *two_ways(bool automatic, uint32_t first_ms, uint32_t second_ms)
{
	struct lab *l = lab_new(2, automatic);

	l->ways[0].delay_ms = first_ms;
	l->ways[1].delay_ms = second_ms;
	return l;
}

static void test_noise(void **state)
{
	static const uint32_t delays[][2] = {{15, 55}, {30, 30},   {30, 33},  {33, 30},
	                                     {5, 6},   {100, 110}, {250, 250}};

	for (uint32_t i = 0; i < ARRAY_SIZE(delays) * 3; i++) {
		LAB l = two_ways(true, delays[i / 3][0], delays[i / 3][1]);

		l->seed = i;
		l->ways[0].noise = l->ways[1].noise = 20;
		lab_warm(l);
		assert_int_equal(l->c.thin, 0);
		lab_run(l, MINUTES_5);
		assert_int_equal(l->thin_moves, 0);
		assert_int_equal(l->deaths, 0);
	}
}

static void test_slower(void **state)
{
	for (uint32_t i = 0; i < 20; i++) {
		LAB there = two_ways(true, 15, 55);
		LAB back = two_ways(true, 15, 15);
		uint64_t at_ns;

		there->seed = back->seed = i;
		there->ways[0].noise = there->ways[1].noise = back->ways[0].noise = 20;
		lab_warm(there);
		lab_warm(back);
		lab_run(there, i * 7);
		at_ns = there->now_ns;
		there->ways[0].delay_ms += 112;
		lab_run(there, 20000);
		lab_run(back, 20000);
		assert_int_equal(there->c.thin, 1);
		assert_int_equal(there->c.thin_reason, CHOICE_FASTER);
		assert_int_equal(there->thin_moves, 1);
		assert_in_range((there->thin_ns - at_ns) / MS, 1000, 5000);
		assert_int_equal(back->thin_moves, 0);
		there->ways[0].delay_ms -= 112;
		lab_run(there, 20000);
		assert_int_equal(there->c.thin, 0);
		assert_int_equal(there->c.thin_reason, CHOICE_PREFERRED);
	}
}

static void test_loss(void **state)
{
	uint64_t worst_ms = 0;

	for (uint32_t i = 0; i < 30; i++) {
		LAB l = two_ways(true, 15, 25);
		uint64_t at_ns;

		l->seed = i * 77;
		lab_warm(l);
		at_ns = l->now_ns;
		l->ways[0].loss = 25;
		lab_run(l, 10000);
		assert_int_equal(l->c.thin, 1);
		assert_true(l->c.thin_reason == CHOICE_LESS_LOSS ||
		            l->c.thin_reason == CHOICE_ALIVE);
		worst_ms = MAX(worst_ms, (l->thin_ns - at_ns) / MS);
	}
	print_message("# 25 %% of loss: left after %u ms at most\n", (unsigned int)worst_ms);
	assert_true(worst_ms <= 5000);
}

/* One that is lost says nothing, whenever it is. */
static void test_one_lost(void **state)
{
	static const uint32_t intervals_ms[] = {20, 100, 392, 1016, 10000};

	for (uint32_t i = 0; i < ARRAY_SIZE(intervals_ms) * 50; i++) {
		uint32_t interval_ms = intervals_ms[i / 50];
		LAB l = two_ways(true, 15, 16);

		lab_interval(l, interval_ms);
		lab_warm(l);
		lab_run(l, i % 50 * interval_ms / 20);
		l->ways[0].dead = true;
		lab_run(l, interval_ms);
		l->ways[0].dead = false;
		lab_run(l, MAX(30000u, 300 * interval_ms));
		assert_int_equal(l->thin_moves, 0);
		assert_int_equal(l->thick_moves, 0);
	}
}

/* The receiver begins to listen, or to believe us, between the arrivals of one probe by two ways: what
 * came before is not lost. */
static void test_begin(void **state)
{
	static const uint32_t delays[][2] = {{15, 16}, {15, 55}, {16, 15}, {55, 15}};

	for (uint32_t i = 0; i < ARRAY_SIZE(delays) * 100; i++) {
		const uint32_t *ms = delays[i / 100];
		LAB l = two_ways(true, ms[0], ms[1]);
		unsigned int needed = ms[0] > 40;

		choice_init(&l->c, &l->t, PROBE_MS);
		l->refuse_ns = START + (500 + i % 100) * MS;
		lab_run(l, 10000);
		assert_int_equal(l->c.thin, needed);
		lab_run(l, 60000);
		assert_int_equal(l->thin_moves, needed);
		assert_int_equal(l->thick_moves, 0);
		assert_int_equal(l->deaths, 0);
	}
}

/* Where it is the same everywhere, it is no reason. */
static void test_same_loss(void **state)
{
	unsigned int moves = 0;

	for (uint32_t i = 0; i < 10; i++) {
		LAB l = two_ways(true, 15, 15);

		l->seed = i;
		l->ways[0].loss = l->ways[1].loss = 3;
		lab_warm(l);
		lab_run(l, MINUTES_5);
		moves += l->thin_moves;
	}
	print_message("# 3 %% of loss on both of two ways: %u moves in 50 minutes\n", moves);
	assert_true(moves <= 20);
}

/* A little slower, and not for long. */
static void test_short(void **state)
{
	LAB l = two_ways(true, 30, 30);

	lab_warm(l);
	l->ways[0].delay_ms = 37;
	lab_run(l, 4000);
	l->ways[0].delay_ms = 30;
	lab_run(l, 10000);
	assert_int_equal(l->thin_moves, 0);
	l->ways[0].delay_ms = 37;
	lab_run(l, 10000);
	assert_int_equal(l->thin_moves, 1);
}

/* Half of what is better pays for no money. */
static void test_metered(void **state)
{
	LAB l = two_ways(true, 20, 15); /* margin 3.5 */
	LAB m = two_ways(true, 20, 5);

	l->t.ways[1].metered = m->t.ways[1].metered = true;
	lab_warm(l);
	lab_warm(m);
	assert_int_equal(l->c.thin, 0);
	assert_int_equal(m->c.thin, 1);
	m->ways[0].delay_ms = 5;
	lab_run(m, 20000);
	assert_int_equal(m->c.thin, 0);
	l->t.ways[1].metered = false;
	lab_run(l, 20000);
	assert_int_equal(l->c.thin, 1);
}

static void test_many_ways(void **state)
{
	for (size_t n = 1; n <= MESH_MAX_PATHS; n++) {
		LAB l = lab_new(n, true);
		size_t best = n * 5 / 8;

		for (size_t i = 0; i < n; i++) {
			l->ways[i].delay_ms = i == best ? 20 : 40 + 5 * i;
			l->ways[i].noise = 20;
		}
		lab_warm(l);
		assert_int_equal(l->c.thin, best);
		if (n == 1)
			assert_int_equal(l->c.thin_reason, CHOICE_ONLY);
		l->ways[best].dead = true;
		lab_run(l, 1000);
		if (n > 1)
			assert_int_not_equal(l->c.thin, best);
		for (size_t i = 0; i < n; i++)
			l->ways[i].dead = i != n - 1;
		lab_run(l, 5000);
		assert_int_equal(l->c.thin, n - 1);
	}
}

/* Clocks of either side: all ways seem faster or slower at once. */
static void test_clock(void **state)
{
	static const int64_t jumps_s[] = {-3600, 3600, -1, 1, 86400 * 365};

	for (size_t i = 0; i < ARRAY_SIZE(jumps_s); i++)
		for (uint32_t phase = 0; phase < 100; phase += 7) {
			LAB l = two_ways(true, 30, 30);

			l->seed = i;
			l->ways[0].noise = l->ways[1].noise = 20;
			l->ways[1].loss = 10;
			l->offset_ns = 100 * 86400 * (int64_t)SECOND;
			lab_warm(l);
			lab_run(l, phase);
			l->jump_ns += jumps_s[i] * (int64_t)SECOND;
			lab_run(l, 20000);
			assert_int_equal(l->thin_moves, 0);
			l->offset_ns += jumps_s[i] * (int64_t)SECOND;
			choice_arrivals_init(&l->a, PROBE_MS);
			choice_restarted(&l->c);
			lab_run(l, 20000);
			assert_int_equal(l->deaths, 0);
			assert_int_equal(l->thin_moves, 0);
		}
}

/* -------- own load */

/* Packets queue on the way of thick flows. */
static void load_thick(struct lab *l)
{
	for (uint8_t i = 0; i < l->t.n; i++) {
		l->ways[i].queue_ms = i == l->c.thick ? 100 + lab_draw(l, 30) : 0;
		choice_load(&l->c, i, i == l->c.thick ? 5000000 : 3000, l->now_ns);
	}
}

static void load_thin(struct lab *l)
{
	for (uint8_t i = 0; i < l->t.n; i++) {
		l->ways[i].queue_ms = i == l->c.thin ? 100 + lab_draw(l, 30) : 0;
		choice_load(&l->c, i, i == l->c.thin ? 5000000 : 3000, l->now_ns);
	}
}

static void no_load(struct lab *l)
{
	for (uint8_t i = 0; i < l->t.n; i++)
		l->ways[i].queue_ms = 0;
}

/* Thin flows leave the queue to thick ones, once, and come back once. */
static void test_thick_load(void **state)
{
	LAB l = two_ways(true, 15, 15);

	lab_warm(l);
	l->each = load_thick;
	lab_run(l, MINUTES_5);
	assert_int_equal(l->thick_moves, 0);
	assert_int_equal(l->thin_moves, 1);
	l->each = no_load;
	lab_run(l, 60000);
	assert_int_equal(l->c.thin, 0);
	assert_int_equal(l->thin_moves, 2);
}

/* What would come along to any way is not fled from. */
static void test_thin_load(void **state)
{
	LAB l = two_ways(true, 15, 15);

	lab_warm(l);
	l->each = load_thin;
	lab_run(l, MINUTES_5);
	assert_true(l->thin_moves <= 1);
	assert_int_equal(l->thick_moves, 0);
}

/* Load that comes and goes, 10 s each. */
static void load_now_and_then(struct lab *l)
{
	(l->now_ns / (10 * SECOND) % 2 ? load_thick : no_load)(l);
}

static void test_pulsing_load(void **state)
{
	LAB l = two_ways(true, 15, 15);

	lab_warm(l);
	l->each = load_now_and_then;
	lab_run(l, MINUTES_5);
	print_message("# load of 10 s every 20 s for 5 minutes: %u moves of thin flows\n",
	              l->thin_moves);
	assert_int_equal(l->thick_moves, 0);
	assert_true(l->thin_moves <= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_noise),        cmocka_unit_test(test_slower),
		cmocka_unit_test(test_loss),         cmocka_unit_test(test_same_loss),
		cmocka_unit_test(test_metered),      cmocka_unit_test(test_many_ways),
		cmocka_unit_test(test_clock),        cmocka_unit_test(test_thick_load),
		cmocka_unit_test(test_thin_load),    cmocka_unit_test(test_short),
		cmocka_unit_test(test_pulsing_load), cmocka_unit_test(test_one_lost),
		cmocka_unit_test(test_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
