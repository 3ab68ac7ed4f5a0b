// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health_int.h"

#define LEAST 5u /* results before figures are judged */

struct sums {
	uint32_t lost, answered;
	uint64_t rtt_us, steps_us; /* steps: answered - 1, from one answer to the next */
};

static struct sums sums_of(const struct health *h, const struct health_target *t)
{
	uint32_t window = h->conf->window, before = 0;
	struct sums s = {0};

	for (uint32_t i = t->filled; i; i--) {
		uint32_t rtt = t->rtt_us[(t->at + window - i) % window];

		if (!rtt) {
			s.lost++;
			continue;
		}
		if (s.answered++)
			s.steps_us += MAX(before, rtt) - MIN(before, rtt);
		s.rtt_us += rtt;
		before = rtt;
	}
	return s;
}

struct health_figures health_figures(const struct health *h, size_t target)
{
	const struct health_target *t = &h->targets[target];
	struct sums s = sums_of(h, t);

	return (struct health_figures){
		.n = t->filled,
		.loss = t->filled ? (s.lost * 100 + t->filled / 2) / t->filled : 0,
		.latency_us = s.answered ? s.rtt_us / s.answered : 0,
		.jitter_us = s.answered > 1 ? s.steps_us / (s.answered - 1) : 0,
	};
}

/* Results of rounds that overlap come in any order: what the latest sent said stands. */
static void feed_silence(struct health_target *t, uint32_t round, bool answered)
{
	if (round < t->last) {
		t->silent += !answered && !t->answers;
		return;
	}
	t->last = round;
	t->answers = answered;
	t->silent = answered ? 0 : t->silent + 1;
}

static void push(struct health_target *t, uint32_t window, uint32_t rtt_us)
{
	t->rtt_us[t->at] = rtt_us;
	t->at = (t->at + 1) % window;
	t->filled = MIN(t->filled + 1, window);
}

void health_excuse(struct health_target *t)
{
	t->at = t->filled = 0;
	t->excused = UINT32_MAX;
}

void health_feed(const struct health *h, struct health_target *t, uint32_t round, uint32_t rtt_us)
{
	if (rtt_us && t->excused == UINT32_MAX)
		t->excused = round;
	if (rtt_us || round >= t->excused)
		push(t, h->conf->window, rtt_us);
	t->lost += !rtt_us;
	feed_silence(t, round, rtt_us);
}

/* Of sums, so that no rounding decides. */
static bool above(uint64_t sum, uint64_t n, const struct model_levels *levels, bool high)
{
	return levels->high && sum > n * (high ? levels->high : levels->low);
}

/* A bit for each reason. */
static uint32_t faults_of(const struct health *h, const struct health_target *t, bool high)
{
	const struct model_probe *c = h->conf;
	struct sums s = sums_of(h, t);
	uint32_t faults = 0;

	if (t->filled < MIN(LEAST, c->window))
		return 0;
	if (above(s.lost * 100, t->filled, &c->loss, high))
		faults |= 1u << HEALTH_LOSS;
	if (above(s.rtt_us, s.answered * 1000ULL, &c->latency_ms, high))
		faults |= 1u << HEALTH_LATENCY;
	if (s.answered && above(s.steps_us, (s.answered - 1) * 1000ULL, &c->jitter_ms, high))
		faults |= 1u << HEALTH_JITTER;
	return faults;
}

enum health_reason health_fault(const struct health *h, bool high)
{
	uint32_t count[HEALTH_REASON_MAX] = {0}, fit = 0;
	enum health_reason most = HEALTH_ANSWERS;
	const struct model_probe *c = h->conf;

	if (!c->loss.high && !c->latency_ms.high && !c->jitter_ms.high)
		return HEALTH_ANSWERS;
	for (size_t i = 0; i < h->n; i++) {
		uint32_t faults;

		/* Whether its silence matters is for the rounds to say. */
		if (h->targets[i].silent >= c->fall)
			continue;
		faults = faults_of(h, &h->targets[i], high);
		fit += !faults;
		for (enum health_reason r = HEALTH_LOSS; r <= HEALTH_JITTER; r++)
			count[r] += faults >> r & 1;
	}
	for (enum health_reason r = HEALTH_LOSS; r <= HEALTH_JITTER; r++)
		if (count[r] > count[most])
			most = r;
	return fit < health_quorum(h) ? most : HEALTH_ANSWERS;
}
