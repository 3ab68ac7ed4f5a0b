// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health_int.h"
#include <assert.h>

#define MS 1000000ULL
#define CALM_HOLDS 10     /* a flap is forgotten after so many times hold_ms of being up, */
#define CALM_MIN_MS 60000 /* and this */

const char *const health_reason_names[] = {
	[HEALTH_INITIAL] = "initial", [HEALTH_ANSWERS] = "answers", [HEALTH_SILENCE] = "silence",
	[HEALTH_LOSS] = "loss",       [HEALTH_LATENCY] = "latency", [HEALTH_JITTER] = "jitter",
	[HEALTH_HELD] = "held",
};
static_assert(ARRAY_SIZE(health_reason_names) == HEALTH_REASON_MAX, "a name for each reason");

uint32_t health_quorum(const struct health *h)
{
	uint32_t quorum = MIN(h->conf->quorum, (uint32_t)h->n);

	return MAX(quorum, 1u);
}

static void forget_flaps(struct health *h, uint64_t now)
{
	uint64_t calm = MAX(CALM_HOLDS * (uint64_t)h->conf->hold_ms, (uint64_t)CALM_MIN_MS) * MS;
	uint64_t periods = (now - h->calm_ns) / calm;

	h->flaps -= MIN(periods, (uint64_t)h->flaps);
	h->calm_ns += periods * calm;
}

static uint64_t hold_ns(const struct health *h)
{
	uint64_t hold_ms = (uint64_t)h->conf->hold_ms << MIN(h->flaps - 1, 31u);

	return MIN(hold_ms, (uint64_t)h->conf->hold_max_ms) * MS;
}

static void turn(struct health *h, bool up, enum health_reason reason, uint64_t now)
{
	h->up = up;
	h->reason = reason;
	h->since_ns = now;
	h->good = h->bad = 0;
	if (up) {
		h->calm_ns = now;
		return;
	}
	for (size_t i = 0; i < h->n; i++)
		h->targets[i].excused = 0;
	h->flaps++;
	h->held_until_ns = now + hold_ns(h);
}

static void judge_up(struct health *h, uint64_t now)
{
	enum health_reason high = health_fault(h, true);

	forget_flaps(h, now);
	if (h->bad >= h->conf->fall)
		turn(h, false, HEALTH_SILENCE, now);
	else if (high != HEALTH_ANSWERS)
		turn(h, false, high, now);
	else if (h->good >= h->conf->rise)
		h->reason = HEALTH_ANSWERS;
}

static void judge_down(struct health *h, enum health_reason low, uint64_t now)
{
	if (h->bad >= h->conf->fall)
		h->reason = HEALTH_SILENCE;
	if (h->good < h->conf->rise)
		return;
	if (low != HEALTH_ANSWERS)
		h->reason = low;
	else if (now < h->held_until_ns)
		h->reason = HEALTH_HELD;
	else
		turn(h, true, HEALTH_ANSWERS, now);
}

void health_judge(struct health *h, uint64_t now)
{
	enum health_reason low = health_fault(h, false);

	h->degraded = low != HEALTH_ANSWERS;
	if (h->up)
		judge_up(h, now);
	else
		judge_down(h, low, now);
}
