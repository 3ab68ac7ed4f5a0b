// SPDX-License-Identifier: GPL-2.0-or-later
/* Ways that die, and how long they have to live again before anybody takes them. */
#include "core/mesh_choice_int.h"

#define SILENT_MS 1000 /* by all ways: death without comparison */
#define BACK_MOST_MS 60000
#define CALM_S 60 /* alive for so long: the death before is forgotten */

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
	return w->report.age_ms >= choice_at_least(c, SILENT_MS, 10) / CHOICE_MS &&
	       w->report.age_ms != UINT32_MAX;
}

static void turn(const struct choice *c, struct choice_way *w, bool dead, uint64_t now_ns)
{
	uint64_t since_ns = now_ns - w->changed_ns;

	if (dead && w->backoff_ns && since_ns < w->backoff_ns + CALM_S * CHOICE_S)
		w->backoff_ns = MIN(2 * w->backoff_ns, choice_at_least(c, BACK_MOST_MS, 10));
	else if (dead)
		w->backoff_ns = choice_scaled(c, CHOICE_BACK_MS);
	w->usable_ns = dead ? 0 : now_ns + w->backoff_ns;
	w->dead = dead;
	w->changed_ns = now_ns;
}

bool choice_deaths(struct choice *c, uint64_t now_ns)
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

bool choice_no_deaths(struct choice *c)
{
	bool changed = false;

	for (size_t i = 0; i < c->n; i++) {
		changed |= c->ways[i].dead;
		c->ways[i].dead = c->ways[i].lossy = false;
		c->ways[i].usable_ns = 0;
	}
	return changed;
}
