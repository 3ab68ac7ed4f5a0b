/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A caller of core/health.h with a clock and a network of its own, and rounds by hand. */
#ifndef TESTS_HEALTH_LAB_H
#define TESTS_HEALTH_LAB_H

#include "core/health.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#define MS 1000000ULL
#define SECOND (1000 * MS)
#define START (1000 * SECOND)

struct flight {
	bool flies;
	uint32_t round, rtt_us;
	size_t target;
	uint64_t end_ns;
};

struct lab {
	struct model_target targets[MODEL_MAX_TARGETS];
	struct model_probe conf;
	struct health h;
	uint64_t now;
	struct flight flights[HEALTH_ROUNDS * MODEL_MAX_TARGETS];
	uint32_t rtt_us[MODEL_MAX_TARGETS]; /* how fast targets answer; 0: they do not */
	uint64_t silent_from, silent_until; /* nothing gets back then */
	bool refused[MODEL_MAX_TARGETS];    /* they say at once that they do not */
	/* NULL is fine.  Before a probe is sent; after the timer, with the round begun, if any;
	 * after a probe ended. */
	void (*weather)(struct lab *l, size_t target);
	void (*timer)(struct lab *l, uint32_t round);
	void (*ended)(struct lab *l, const struct flight *f);
	unsigned int turns, rounds;
	uint64_t turned_ns; /* the last time */
};

/* At model_probe_default, with so many targets, all of which answer in 10 ms. */
static inline void lab_configure(struct lab *l, size_t targets)
{
	*l = (struct lab){.conf = model_probe_default, .now = START};
	for (size_t i = 0; i < targets; i++) {
		l->targets[i].family = ASYM_V4;
		l->targets[i].addr.s6_addr[15] = i + 1;
		l->rtt_us[i] = 10000;
	}
	l->conf.targets = l->targets;
	l->conf.n = targets;
}

static inline void lab_open(struct lab *l)
{
	assert_int_equal(health_init(&l->h, &l->conf, ASYM_V4, true, true, l->now), 0);
}

static inline void lab_close(struct lab *l)
{
	health_done(&l->h);
}

static inline void lab_note(struct lab *l, bool changed)
{
	if (!changed)
		return;
	l->turns++;
	l->turned_ns = l->now;
}

static inline void lab_send(struct lab *l, uint32_t round, size_t target)
{
	struct flight *f = &l->flights[health_place(&l->h, round, target)];
	uint64_t back_ns = l->now + l->rtt_us[target] * 1000ULL;
	bool answers = l->rtt_us[target] && l->rtt_us[target] < l->conf.timeout_ms * 1000 &&
		       !l->refused[target] &&
		       (back_ns < l->silent_from || back_ns >= l->silent_until);
	uint64_t lost_ns = l->now + (l->refused[target] ? 0 : l->conf.timeout_ms * MS);

	assert_false(f->flies);
	*f = (struct flight){true, round, answers ? l->rtt_us[target] : 0, target,
			     answers ? back_ns : lost_ns};
}

static inline struct flight *lab_next(struct lab *l)
{
	struct flight *first = NULL;

	for (size_t i = 0; i < HEALTH_ROUNDS * l->h.n; i++)
		if (l->flights[i].flies && (!first || l->flights[i].end_ns < first->end_ns))
			first = &l->flights[i];
	return first;
}

static inline void lab_land(struct lab *l, struct flight *f)
{
	f->flies = false;
	lab_note(l, health_result(&l->h, f->round, f->target, f->rtt_us, l->now));
	if (l->ended)
		l->ended(l, f);
}

/* What the caller's timer does. */
static inline void lab_timer(struct lab *l)
{
	uint32_t round;

	lab_note(l, health_tick(&l->h, l->now));
	round = health_round(&l->h, l->now);
	if (round) {
		l->rounds++;
		for (size_t i = 0; i < l->h.n; i++) {
			if (l->weather)
				l->weather(l, i);
			lab_send(l, round, i);
		}
	}
	assert_true(health_due(&l->h) > l->now);
	if (l->timer)
		l->timer(l, round);
}

/* All that is due up to then. */
static inline void lab_run(struct lab *l, uint64_t until)
{
	for (;;) {
		struct flight *f = lab_next(l);
		uint64_t due = health_due(&l->h);

		if (MIN(due, f ? f->end_ns : UINT64_MAX) > until)
			break;
		l->now = MAX(l->now, f && f->end_ns <= due ? f->end_ns : due);
		if (f && f->end_ns <= due)
			lab_land(l, f);
		else
			lab_timer(l);
	}
	l->now = until;
}

/* A round that ends at once.  answers: bit i: target i does, in rtt_us[i]. */
static inline void lab_round(struct lab *l, uint32_t answers)
{
	uint32_t round;

	l->now = MAX(l->now, health_due(&l->h));
	lab_note(l, health_tick(&l->h, l->now));
	round = health_round(&l->h, l->now);
	assert_true(round);
	for (size_t i = 0; i < l->h.n; i++)
		lab_note(l, health_result(&l->h, round, i,
					  answers >> i & 1 ? MAX(l->rtt_us[i], 1u) : 0, l->now));
}

static inline void lab_rounds(struct lab *l, unsigned int n, uint32_t answers)
{
	while (n--)
		lab_round(l, answers);
}

#endif
