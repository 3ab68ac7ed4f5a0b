// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/mesh_choice_int.h"

#include "base/defs.h"
#include <string.h>

/* All times are at least as long in probes as they are with one each 100 ms. */
#define USUAL_MS 100
#define LOSS_UP_MS 3000 /* time constants of losses */
#define LOSS_DOWN_MS 20000
#define LOSS_LONG_MS 15000
#define LOSS_STEP_MS 1000 /* of what a pause between reports counts for */
#define SILENT_MS 1000 /* by all ways: death without comparison */
#define QUIET_MS 3000  /* no reports: nothing is known any more */
#define BEGIN_MS 4000  /* none to begin with; pings take their place before */
#define RTT_MS 5000
#define BACK_FIRST_MS 1000 /* after a death; twice as long each time, if it happens again */
#define BACK_MOST_MS 60000
#define CALM_S 60 /* alive for so long: the death before is forgotten */
#define LOADED_BYTES_PER_S 100000
#define LOADED_MS 3000 /* the window, and what drains meanwhile */

const char *const choice_reason_names[] = {
	[CHOICE_PREFERRED] = "preferred", [CHOICE_ONLY] = "only",
	[CHOICE_FASTER] = "faster",       [CHOICE_LESS_LOSS] = "less-loss",
	[CHOICE_ALIVE] = "alive",         [CHOICE_NO_REPORT] = "no-report",
};
_Static_assert(ARRAY_SIZE(choice_reason_names) == CHOICE_REASON_MAX, "a name for each");

static uint64_t at_least(const struct choice *c, uint64_t ms, uint32_t probes)
{
	return MAX(ms, (uint64_t)c->probe_ms * probes) * CHOICE_MS;
}

static uint64_t scaled(const struct choice *c, uint64_t ms)
{
	return at_least(c, ms, ms / USUAL_MS);
}

static uint32_t all_ways(const struct choice *c)
{
	return (1u << c->n) - 1;
}

void choice_init(struct choice *c, const struct mesh_target *t, uint32_t probe_ms)
{
	const struct mesh_wish *thick = t->bulk.n ? &t->bulk : &t->paths;

	*c = (struct choice){.n = MIN(t->n, (size_t)MESH_MAX_PATHS), .probe_ms = probe_ms ?: 1};
	c->usable = all_ways(c);
	c->thin = choice_first(&t->paths, c->usable, &c->thin_reason);
	c->thick = choice_first(thick, c->usable, &c->thick_reason);
	c->thin_reason = c->thick_reason = CHOICE_NO_REPORT;
	for (size_t i = 0; i < MESH_MAX_PATHS; i++)
		c->ways[i] =
			(struct choice_way){.report = {.age_ms = UINT32_MAX, .min_ns = INT64_MAX},
		                            .diff_ns = -1,
		                            .calm_diff_ns = -1};
}

void choice_resume(struct choice *c, uint8_t thin, uint8_t thick, uint32_t dead,
                   const uint32_t delay_us[MESH_MAX_PATHS])
{
	if (thin >= c->n || thick >= c->n)
		return;
	c->thin = thin;
	c->thick = thick;
	c->usable = all_ways(c) & ~dead ?: all_ways(c);
	c->resumed = true;
	for (size_t i = 0; i < c->n; i++) {
		c->ways[i].diff_ns = delay_us[i] * 1000ll;
		c->ways[i].dead = dead >> i & 1;
		c->ways[i].backoff_ns = c->ways[i].dead ? scaled(c, BACK_FIRST_MS) : 0;
	}
}

void choice_sent(struct choice *c, uint32_t seq)
{
	c->sent = seq;
}

void choice_restarted(struct choice *c)
{
	c->stamp_ns = 0;
}

/* -------- what is reported */

static int64_t difference(int64_t a, int64_t b)
{
	int64_t d;

	if (__builtin_sub_overflow(a, b, &d))
		return CHOICE_DELAY_MAX;
	return MIN(d, CHOICE_DELAY_MAX);
}

static void take_loss(const struct choice *c, struct choice_way *w, uint64_t passed_ns)
{
	int64_t now_ppm = w->report.loss * 1000, old_ppm = w->loss_ppm;
	int64_t long_us = scaled(c, LOSS_LONG_MS) / 1000;
	int64_t span_us = scaled(c, now_ppm > old_ppm ? LOSS_UP_MS : LOSS_DOWN_MS) / 1000;
	int64_t step_us = MIN(passed_ns, scaled(c, LOSS_STEP_MS)) / 1000;

	w->loss_ppm = old_ppm + (now_ppm - old_ppm) * step_us / span_us;
	w->long_loss_ppm += (now_ppm - (int64_t)w->long_loss_ppm) * step_us / long_us;
}

static void take_delays(struct choice *c)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < c->n; i++)
		least = MIN(least, c->ways[i].report.min_ns);
	for (size_t i = 0; i < c->n; i++) {
		int64_t min_ns = c->ways[i].report.min_ns;

		c->ways[i].diff_ns = min_ns == INT64_MAX ? -1 : difference(min_ns, least);
	}
}

static void note_calm(struct choice *c, uint64_t now_ns)
{
	for (uint8_t i = 0; i < c->n; i++) {
		if (choice_loaded(c, i, now_ns))
			continue;
		c->ways[i].calm_diff_ns = c->ways[i].diff_ns;
		c->ways[i].calm_loss_ppm = c->ways[i].long_loss_ppm;
	}
}

void choice_reports(struct choice *c, const struct choice_report *r, size_t n, uint64_t stamp_ns,
                    uint64_t now_ns)
{
	uint64_t passed_ns = c->reported_ns ? now_ns - c->reported_ns : 0;

	if (n != c->n || stamp_ns <= c->stamp_ns)
		return;
	for (size_t i = 0; i < n; i++) {
		struct choice_report *own = &c->ways[i].report;

		*own = r[i];
		own->loss = MIN(own->loss, (uint16_t)1000);
		if ((int32_t)(c->sent - own->seq) < 0)
			own->seq = c->sent;
		take_loss(c, &c->ways[i], passed_ns);
	}
	take_delays(c);
	note_calm(c, now_ns);
	if (!choice_talks(c, now_ns))
		c->moved_ns = now_ns;
	c->stamp_ns = stamp_ns;
	c->reported_ns = now_ns;
}

void choice_rtt(struct choice *c, uint64_t rtt_ns, uint64_t now_ns)
{
	if (!rtt_ns || rtt_ns > (uint64_t)CHOICE_DELAY_MAX)
		return;
	if (!c->rtt_ns || now_ns - c->rtt_since_ns > scaled(c, RTT_MS)) {
		c->rtt_before_ns = c->rtt_ns;
		c->rtt_ns = rtt_ns;
		c->rtt_since_ns = now_ns;
	}
	c->rtt_ns = MIN(c->rtt_ns, rtt_ns);
}

void choice_load(struct choice *c, uint8_t way, uint64_t bytes_per_s, uint64_t now_ns)
{
	if (way < c->n && bytes_per_s >= LOADED_BYTES_PER_S)
		c->ways[way].loaded_ns = now_ns;
}

bool choice_loaded(const struct choice *c, uint8_t way, uint64_t now_ns)
{
	uint64_t loaded_ns = c->ways[way].loaded_ns;

	return loaded_ns && now_ns - loaded_ns < at_least(c, LOADED_MS, 30);
}

uint64_t choice_delay(const struct choice *c, uint8_t way)
{
	uint64_t rtt_ns = c->rtt_before_ns ? MIN(c->rtt_ns, c->rtt_before_ns) : c->rtt_ns;

	return rtt_ns / 2 + (c->ways[way].diff_ns > 0 ? (uint64_t)c->ways[way].diff_ns : 0);
}

bool choice_talks(const struct choice *c, uint64_t now_ns)
{
	return c->reported_ns && now_ns - c->reported_ns < at_least(c, QUIET_MS, 10);
}

/* -------- death */

/* How many in a row are too many to be loss: less likely than 1 in 100000. */
static uint32_t misses(const struct choice_way *w)
{
	static const struct {
		uint32_t loss_ppm;
		uint32_t misses;
	} steps[] = {{50000, 4}, {100000, 5}, {200000, 7}};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (w->loss_ppm < steps[i].loss_ppm)
			return steps[i].misses;
	return 10;
}

/* Probes that are still under way by a slower way are not missing; but by a much slower one they
 * are as good as that. */
static int32_t under_way(const struct choice *c, const struct choice_way *w)
{
	uint64_t diff_ms = w->diff_ns > 0 ? (uint64_t)w->diff_ns / CHOICE_MS : 0;

	return MIN(diff_ms / c->probe_ms, 5ull);
}

static uint32_t newest_seq(const struct choice *c)
{
	uint32_t seq = c->ways[0].report.seq;

	for (size_t i = 1; i < c->n; i++)
		if ((int32_t)(c->ways[i].report.seq - seq) > 0)
			seq = c->ways[i].report.seq;
	return seq;
}

static bool is_dead(const struct choice *c, const struct choice_way *w, uint32_t newest)
{
	int64_t gap = (int64_t)(uint32_t)(newest - w->report.seq) - under_way(c, w);
	uint32_t many = misses(w);

	if (w->dead && w->report.age_ms == UINT32_MAX)
		return true;
	if (gap >= many && w->report.age_ms >= many * c->probe_ms - c->probe_ms / 2)
		return true;
	return w->report.age_ms >= at_least(c, SILENT_MS, 10) / CHOICE_MS &&
	       w->report.age_ms != UINT32_MAX;
}

static void turn(const struct choice *c, struct choice_way *w, bool dead, uint64_t now_ns)
{
	uint64_t since_ns = now_ns - w->changed_ns;

	if (dead && w->backoff_ns && since_ns < w->backoff_ns + CALM_S * CHOICE_S)
		w->backoff_ns = MIN(2 * w->backoff_ns, at_least(c, BACK_MOST_MS, 10));
	else if (dead)
		w->backoff_ns = scaled(c, BACK_FIRST_MS);
	w->usable_ns = dead ? 0 : now_ns + w->backoff_ns;
	w->dead = dead;
	w->changed_ns = now_ns;
}

static bool judge_deaths(struct choice *c, uint64_t now_ns)
{
	uint32_t newest = newest_seq(c);
	bool changed = false;

	for (size_t i = 0; i < c->n; i++) {
		bool dead = is_dead(c, &c->ways[i], newest);

		if (dead == c->ways[i].dead)
			continue;
		turn(c, &c->ways[i], dead, now_ns);
		changed = true;
	}
	return changed;
}

/* Those that live, for long enough if there are any such; all when none does. */
static uint32_t usable_ways(const struct choice *c, uint64_t now_ns)
{
	uint32_t alive = 0, usable = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct choice_way *w = &c->ways[i];

		alive |= w->dead ? 0 : 1u << i;
		usable |= w->dead || now_ns < w->usable_ns ? 0 : 1u << i;
	}
	return usable ?: alive ?: all_ways(c);
}

static bool forget(struct choice *c)
{
	bool changed = false;

	for (size_t i = 0; i < c->n; i++) {
		changed |= c->ways[i].dead;
		c->ways[i].dead = c->ways[i].lossy = false;
		c->ways[i].usable_ns = 0;
	}
	return changed;
}

/* -------- the choice */

uint8_t choice_first(const struct mesh_wish *w, uint32_t usable, enum choice_reason *ret_reason)
{
	for (size_t i = 0; i < w->n; i++) {
		if (!(usable >> w->order[i] & 1))
			continue;
		*ret_reason = w->n == 1 ? CHOICE_ONLY : i ? CHOICE_ALIVE : CHOICE_PREFERRED;
		return w->order[i];
	}
	*ret_reason = CHOICE_PREFERRED;
	return w->n ? w->order[0] : 0;
}

/* The peer may still be going to say something. */
static bool is_early(struct choice *c, uint64_t now_ns)
{
	if (!c->begun_ns)
		c->begun_ns = now_ns;
	return c->resumed && !c->reported_ns && now_ns - c->begun_ns < at_least(c, BEGIN_MS, 30);
}

bool choice_judge(struct choice *c, const struct mesh_target *t, uint64_t now_ns)
{
	uint8_t thin = c->thin, thick = c->thick;
	bool talks = choice_talks(c, now_ns), changed;
	uint32_t usable;

	if (is_early(c, now_ns))
		return false;
	changed = talks ? judge_deaths(c, now_ns) : forget(c);
	usable = talks ? usable_ways(c, now_ns) : all_ways(c);
	changed |= usable != c->usable;
	c->usable = usable;
	if (!talks) {
		c->thin = choice_first(&t->paths, usable, &c->thin_reason);
		c->thick = choice_first(t->bulk.n ? &t->bulk : &t->paths, usable, &c->thick_reason);
		c->thin_reason = c->thick_reason = CHOICE_NO_REPORT;
		c->uneasy_ns = c->back_ns = 0;
	} else {
		c->thin = choice_thin(c, t, now_ns, &c->thin_reason);
		c->thick = choice_thick(c, t, now_ns, &c->thick_reason);
	}
	return changed || thin != c->thin || thick != c->thick;
}
