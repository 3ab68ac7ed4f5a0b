// SPDX-License-Identifier: GPL-2.0-or-later
/* The largest packet that gets through a way: found, lost, found again, in simulated time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/defs.h"
#include "core/mesh_mtu.h"

#define MS 1000000ull
#define SECOND 1000000000ull
#define PROBE_MS 100
#define RAISE_S 600
#define START (1000 * SECOND)
#define RTT 2 /* intervals: what is reported now was sent so long ago */
#define HISTORY 8

/* A way, and what its far end has of it. */
struct lab {
	struct mtu m;
	uint64_t now_ns;
	uint16_t fits;       /* what gets through */
	uint32_t loss;       /* percent, of all */
	uint32_t large_loss; /* percent, of padded ones beside */
	uint32_t slow;       /* intervals that padded ones come later */
	bool dead, silent, old;
	uint32_t loss_ppm;
	uint32_t seq;
	uint16_t id[HISTORY]; /* the far end's, newest first */
	uint32_t arrived[HISTORY];
	bool speaks;
	uint64_t seed;
	unsigned int changes, padded;
	uint64_t changed_ns;
	uint16_t least, largest_sent;
};

static struct lab lab_of(uint16_t most, uint16_t fits)
{
	struct lab l = {.now_ns = START, .fits = fits, .seq = 1000, .seed = 1, .least = most};

	mtu_init(&l.m, most, most, 0xfff0, PROBE_MS, RAISE_S * 1000);
	return l;
}

static bool drops(struct lab *l, uint32_t percent)
{
	l->seed = l->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (l->seed >> 33) % 100 < percent;
}

static void far_end(struct lab *l, bool small, uint16_t size)
{
	for (int i = HISTORY - 1; i > 0; i--) {
		l->id[i] = l->id[i - 1];
		l->arrived[i] = l->arrived[i - 1];
	}
	if (l->dead)
		return;
	if (small)
		l->arrived[0] = l->seq;
	if (size && size <= l->fits && !l->old && !drops(l, l->loss) && !drops(l, l->large_loss))
		l->id[0] = l->m.id;
}

static void report(struct lab *l)
{
	struct mtu_heard h = {.id = l->id[RTT + l->slow],
	                      .seq = l->arrived[RTT],
	                      .many = mtu_many(l->loss_ppm, false),
	                      .speaks = l->speaks};
	uint16_t before = l->m.use;
	bool changed;

	h.speaks = l->speaks |= h.id;
	changed = mtu_hear(&l->m, &h, l->now_ns);
	assert_int_equal(changed, before != l->m.use);
	assert_in_range(l->m.use, MESH_MIN_MTU, l->m.most);
	assert_true(l->m.phase != MTU_RAISE || l->m.low < l->m.most);
	l->changes += changed;
	l->least = MIN(l->least, l->m.use);
	if (changed)
		l->changed_ns = l->now_ns;
}

static void step(struct lab *l)
{
	uint16_t size;

	l->now_ns += PROBE_MS * MS;
	l->seq++;
	size = l->silent ? 0 : mtu_next(&l->m, l->seq, l->now_ns);
	l->padded += !!size;
	l->largest_sent = MAX(l->largest_sent, size);
	assert_true(!size || (size >= MESH_MIN_MTU && size <= l->m.most && l->m.id));
	far_end(l, !drops(l, l->loss), size);
	if (!l->silent)
		report(l);
}

static void run(struct lab *l, uint64_t seconds)
{
	for (uint64_t i = 0; i < seconds * 10; i++)
		step(l);
}

/* Seconds until it uses that; fails when it takes longer. */
static uint64_t until(struct lab *l, uint16_t use, bool found, uint64_t seconds)
{
	uint64_t begin_ns = l->now_ns;

	for (uint64_t i = 0; i < seconds * 10; i++) {
		step(l);
		if (l->m.use == use && (!found || mtu_is_found(&l->m)))
			return (l->now_ns - begin_ns) / SECOND;
	}
	fail_msg("%u is used, not %u", l->m.use, use);
	return 0;
}

static uint16_t on_grid(uint16_t size)
{
	return MESH_MIN_MTU + (size - MESH_MIN_MTU) / MTU_STEP * MTU_STEP;
}

static void test_all_fits(void **state)
{
	struct lab l = lab_of(1420, 1500);

	until(&l, 1420, true, 2);
	assert_int_equal(l.changes, 0);
	l.padded = 0;
	run(&l, 60);
	assert_in_range(l.padded, 10, 13); /* each five seconds */
	assert_int_equal(l.largest_sent, 1420);
}

/* Whatever the limit is, the step below it is found. */
static void test_every_limit(void **state)
{
	for (uint16_t fits = 1280; fits <= 1420; fits++) {
		struct lab l = lab_of(1420, fits);

		until(&l, fits == 1420 ? 1420 : on_grid(fits), true, 12);
		run(&l, 20);
		assert_int_equal(l.m.use, fits == 1420 ? 1420 : on_grid(fits));
		/* one step down, one up */
		assert_in_range(l.changes, 0, 2);
	}
}

static void test_limits_of_the_most(void **state)
{
	static const uint16_t most[] = {1280, 1281, 1295, 1296, 1297, 1440, 8920, 9000};

	for (size_t i = 0; i < ARRAY_SIZE(most); i++) {
		struct lab l = lab_of(most[i], most[i]);
		struct lab narrow = lab_of(most[i], most[i] - 1);

		until(&l, most[i], true, 2);
		assert_int_equal(l.changes, 0);
		if (most[i] == MESH_MIN_MTU)
			continue;
		until(&narrow, on_grid(most[i] - 1), true, 20);
	}
}

/* What does not fit is not used while the search goes on. */
static void test_safe_soon(void **state)
{
	struct lab l = lab_of(1420, 1400);

	for (int i = 0; i < 25; i++)
		step(&l);
	assert_true(l.m.use <= 1400);
}

static void test_black_hole(void **state)
{
	struct lab l = lab_of(1420, 1420);

	run(&l, 30);
	l.fits = 1340;
	assert_in_range(until(&l, 1280, false, 10), 0, 7);
	l.largest_sent = 0;
	until(&l, 1328, true, 10);
	assert_int_equal(l.changes, 2);
	assert_in_range(l.largest_sent, 1328, 1408);
}

static void test_raised_again(void **state)
{
	struct lab l = lab_of(1420, 1340);

	until(&l, 1328, true, 12);
	l.changes = l.padded = 0;
	run(&l, RAISE_S - 20);
	assert_int_equal(l.changes, 0);
	assert_in_range(l.padded, 100, 130);
	/* more is tried, in vain */
	run(&l, 60);
	assert_int_equal(l.changes, 0);
	assert_int_equal(l.m.use, 1328);
	l.fits = 1500;
	assert_in_range(until(&l, 1420, true, RAISE_S + 20), RAISE_S - 100, RAISE_S + 20);
	assert_int_equal(l.changes, 1);
}

/* A way that carries more at times: it falls seldom, and more seldom each time. */
static void test_flapping(void **state)
{
	struct lab l = lab_of(1420, 1340);
	unsigned int falls = 0;

	run(&l, 20);
	for (int minute = 0; minute < 1500; minute++) {
		uint16_t before = l.m.use;

		l.fits = before == 1420 ? 1340 : 1420;
		run(&l, 60);
		falls += l.m.use < before;
	}
	assert_in_range(falls, 10, 13);
}

static void test_loss(void **state)
{
	for (uint32_t loss = 5; loss <= 30; loss += 5) {
		struct lab l = lab_of(1420, 1420);

		l.loss = loss;
		l.loss_ppm = loss * 10000;
		run(&l, 3600);
		assert_int_equal(l.m.use, 1420);
		assert_int_equal(l.changes, 0);
		l.fits = 1340;
		run(&l, 60);
		assert_true(l.m.use <= 1340);
	}
}

static void test_queue(void **state)
{
	assert_int_equal(mtu_many(0, false), 3);
	assert_int_equal(mtu_many(9999, false), 3);
	assert_int_equal(mtu_many(10000, false), 4);
	assert_int_equal(mtu_many(199999, false), 7);
	assert_int_equal(mtu_many(1000000, false), 10);
	assert_int_equal(mtu_many(0, true), 10);
}

/* Nothing is learnt of a way that carries nothing, for however long. */
static void test_dead(void **state)
{
	struct lab l = lab_of(1420, 1420);

	run(&l, 30);
	for (int i = 0; i < 200; i++) {
		l.dead = i % 2;
		run(&l, i % 7 + 1);
	}
	assert_int_equal(l.changes, 0);
	l.silent = true;
	run(&l, 100);
	l.silent = false;
	run(&l, 10);
	assert_int_equal(l.changes, 0);
	assert_true(mtu_is_found(&l.m));
}

/* The way is interrupted just when a padded one has been sent, again and again: both kinds are
 * lost. */
static void test_interrupted(void **state)
{
	struct lab l = lab_of(1420, 1420);

	run(&l, 30);
	l.large_loss = 100;
	for (int i = 0; i < 20; i++) {
		uint16_t id = l.m.id;

		while (l.m.id == id)
			step(&l);
		l.dead = true;
		run(&l, 2);
		l.dead = false;
	}
	l.large_loss = 0;
	run(&l, 10);
	assert_int_equal(l.changes, 0);
	assert_in_range(l.padded, 20, 40);
}

/* Large ones take longer. */
static void test_slow(void **state)
{
	struct lab l = lab_of(1420, 1420);

	l.slow = 2;
	until(&l, 1420, true, 4);
	run(&l, 100);
	assert_int_equal(l.changes, 0);
	l.fits = 1340;
	until(&l, 1328, true, 20);
}

static void test_never(void **state)
{
	struct lab l = lab_of(1420, 1420);

	l.dead = true;
	run(&l, 100);
	assert_int_equal(l.padded, 1);
	assert_false(mtu_is_found(&l.m));
	assert_int_equal(l.m.use, 1420);
}

/* Another version, which throws padded ones away: what was given stays. */
static void test_old_peer(void **state)
{
	struct lab l = lab_of(1420, 1340);

	l.old = true;
	run(&l, 600);
	assert_int_equal(l.changes, 0);
	assert_false(mtu_is_found(&l.m));
	assert_in_range(l.padded, 100, 180);
	assert_int_equal(l.largest_sent, MESH_MIN_MTU);
	l.old = false;
	until(&l, 1328, true, 30);
}

/* By another way it is known that the peer would say so. */
static void test_narrow(void **state)
{
	struct lab l = lab_of(1420, 1000);

	l.speaks = true;
	until(&l, 1280, false, 3);
	run(&l, 100);
	assert_int_equal(l.changes, 1);
	assert_false(mtu_is_found(&l.m));
	l.fits = 1420;
	until(&l, 1420, true, 20);
	for (l.fits = 1280; l.fits >= 1279; l.fits--) {
		until(&l, 1280, false, 10);
		run(&l, 15);
		assert_int_equal(mtu_is_found(&l.m), l.fits == 1280);
	}
	l.fits = 1420;
	until(&l, 1420, true, 20);
}

/* The peer's daemon, or ours, begins anew: what was found is tried first, and nothing is cut or
 * raised meanwhile. */
static void test_restart(void **state)
{
	struct lab l = lab_of(1420, 1340);

	until(&l, 1328, true, 12);
	l.changes = 0;
	memset(l.id, 0, sizeof(l.id));
	mtu_restart(&l.m);
	assert_false(mtu_is_found(&l.m));
	until(&l, 1328, true, 12);
	assert_int_equal(l.changes, 0);
	mtu_init(&l.m, 1420, 1333, 5, PROBE_MS, RAISE_S * 1000);
	until(&l, 1333, true, 12);
	assert_int_equal(l.changes, 0);
	mtu_init(&l.m, 1420, 9000, 5, PROBE_MS, RAISE_S * 1000);
	assert_int_equal(l.m.use, 1420);
	mtu_init(&l.m, 1420, 576, 0, PROBE_MS, RAISE_S * 1000);
	assert_int_equal(l.m.use, 1280);
	assert_int_equal(l.m.id, 1);
}

/* A suspended machine; a clock that goes back, which ours never should. */
static void test_clock(void **state)
{
	struct lab l = lab_of(1420, 1420);

	run(&l, 30);
	l.now_ns += 100000 * SECOND;
	run(&l, 30);
	assert_int_equal(l.changes, 0);
	l.now_ns -= 100000 * SECOND;
	l.padded = 0;
	run(&l, 30);
	assert_int_equal(l.changes, 0);
	assert_in_range(l.padded, 4, 8);
	l.fits = 1340;
	until(&l, 1328, true, 20);
	l.now_ns -= 500 * SECOND;
	l.fits = 1420;
	until(&l, 1420, true, RAISE_S + 20);
}

/* Numbers of both kinds wrap. */
static void test_wrap(void **state)
{
	struct lab l = lab_of(1420, 1420);

	l.seq = UINT32_MAX - 40;
	for (int i = 0; i < HISTORY; i++)
		l.arrived[i] = l.seq;
	run(&l, 400);
	assert_int_equal(l.changes, 0);
	assert_true(l.m.id < 0xfff0); /* 0 is none */
	l.fits = 1340;
	until(&l, 1328, true, 20);
}

/* Queues that have no room for large packets, now and then. */
static void test_large_ones_are_lost(void **state)
{
	struct lab l = lab_of(1420, 1420);

	run(&l, 10);
	l.large_loss = 5;
	run(&l, 3600);
	assert_true(l.least >= 1280 && l.changes <= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_fits),
		cmocka_unit_test(test_every_limit),
		cmocka_unit_test(test_limits_of_the_most),
		cmocka_unit_test(test_safe_soon),
		cmocka_unit_test(test_black_hole),
		cmocka_unit_test(test_raised_again),
		cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_old_peer),
		cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_large_ones_are_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
