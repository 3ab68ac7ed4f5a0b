// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/mesh_choice_int.h"

#include "base/defs.h"
#include <string.h>

#define LOSS_UP_MS 3000 /* time constants of losses */
#define LOSS_DOWN_MS 20000
#define LOSS_LONG_MS 15000
#define LOSS_STEP_MS 1000 /* of what a pause between reports counts for */
#define QUIET_MS 3000  /* no reports: nothing is known any more */
#define BEGIN_MS 4000  /* none to begin with; pings take their place before */
#define RTT_MS 5000
#define LOADED_BYTES_PER_S 100000
#define LOADED_MS 3000 /* the window, and what drains meanwhile */

const char *const choice_reason_names[] = {
	[CHOICE_PREFERRED] = "preferred", [CHOICE_ONLY] = "only",
	[CHOICE_FASTER] = "faster",       [CHOICE_LESS_LOSS] = "less-loss",
	[CHOICE_ALIVE] = "alive",         [CHOICE_NO_REPORT] = "no-report",
};
_Static_assert(ARRAY_SIZE(choice_reason_names) == CHOICE_REASON_MAX, "a name for each");

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
		c->ways[i].backoff_ns = c->ways[i].dead ? choice_scaled(c, CHOICE_BACK_MS) : 0;
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
	int64_t long_us = choice_scaled(c, LOSS_LONG_MS) / 1000;
	int64_t span_us = choice_scaled(c, now_ppm > old_ppm ? LOSS_UP_MS : LOSS_DOWN_MS) / 1000;
	int64_t step_us = MIN(passed_ns, choice_scaled(c, LOSS_STEP_MS)) / 1000;

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
	if (!c->rtt_ns || now_ns - c->rtt_since_ns > choice_scaled(c, RTT_MS)) {
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

	return loaded_ns && now_ns - loaded_ns < choice_at_least(c, LOADED_MS, 30);
}

uint64_t choice_delay(const struct choice *c, uint8_t way)
{
	uint64_t rtt_ns = c->rtt_before_ns ? MIN(c->rtt_ns, c->rtt_before_ns) : c->rtt_ns;

	return rtt_ns / 2 + (c->ways[way].diff_ns > 0 ? (uint64_t)c->ways[way].diff_ns : 0);
}

bool choice_talks(const struct choice *c, uint64_t now_ns)
{
	return c->reported_ns && now_ns - c->reported_ns < choice_at_least(c, QUIET_MS, 10);
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
	return c->resumed && !c->reported_ns && now_ns - c->begun_ns < choice_at_least(c, BEGIN_MS, 30);
}

bool choice_judge(struct choice *c, const struct mesh_target *t, uint64_t now_ns)
{
	uint8_t thin = c->thin, thick = c->thick;
	bool talks = choice_talks(c, now_ns), changed;
	uint32_t usable;

	if (is_early(c, now_ns))
		return false;
	changed = talks ? choice_deaths(c, now_ns) : choice_no_deaths(c);
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
