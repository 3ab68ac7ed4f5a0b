// SPDX-License-Identifier: GPL-2.0-or-later
/* Which tracks there are, by a plan. */
#include "run/tracker_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull
#define SPREAD_MS 1000 /* first rounds of all links are over by then, however long the interval is */

/* --- tracks */

static void free_track(uv_handle_t *timer)
{
	struct track *t = timer->data;

	health_done(&t->health);
	free(t->probes);
	free(t);
}

void tracker_drop(struct track *t)
{
	tracker_cancel(t);
	uv_close((uv_handle_t *)&t->timer, free_track);
}

static const struct plan_id *known(const struct plan_id *ids, size_t n, uint8_t id)
{
	static const struct plan_id none;

	for (size_t i = 0; i < n; i++)
		if (ids[i].id == id)
			return &ids[i];
	return &none;
}

/* up: as it was.  0 or -ENOMEM. */
static int judge(const struct track *t, const struct model_link *conf, bool up, bool fresh,
		 struct track_state *ret)
{
	struct track_state state;
	int r = health_init(&state.health, &conf->probe, t->family, up, fresh, uv_hrtime());

	if (r)
		return r;
	state.probes = calloc(HEALTH_ROUNDS * state.health.n + 1, sizeof(*state.probes));
	if (!state.probes) {
		health_done(&state.health);
		return -ENOMEM;
	}
	*ret = state;
	return 0;
}

static struct track *new_track(struct tracker *tracker, const struct plan_link *l,
			       enum asym_family family, const struct plan_id *before)
{
	struct track *t = calloc(1, sizeof(*t));
	struct track_state state;

	if (!t)
		return NULL;
	t->tracker = tracker;
	t->family = family;
	t->id = l->id;
	t->conf = l->conf;
	t->is_new = true;
	if (judge(t, l->conf, !before->failed[family], !before->tested, &state)) {
		free(t);
		return NULL;
	}
	t->health = state.health;
	t->probes = state.probes;
	uv_timer_init(tracker->loop, &t->timer);
	t->timer.data = t;
	return t;
}

static void drop_state(struct track_state *state)
{
	if (!state->probes)
		return;
	health_done(&state->health);
	free(state->probes);
	*state = (struct track_state){};
}

/* Another model, with or without other targets; t->anew is ready for these. */
static void renew(struct track *t, const struct model_link *conf)
{
	tracker_cancel(t);
	t->conf = conf;
	if (!health_adopt(&t->health, &conf->probe, uv_hrtime())) {
		struct track_state old = {t->health, t->probes};

		t->health = t->anew.health;
		t->probes = t->anew.probes;
		t->anew = old;
		memset(t->told, 0, sizeof(t->told));
	}
	drop_state(&t->anew);
}

/* --- following a plan */

static struct probe_path path_of(const struct plan *p, const struct plan_link *l)
{
	struct probe_path path = {
		.ifindex = l->ifindex,
		.mark = plan_mark(p, p->reserved[PLAN_PROBE]),
		.ethernet = l->ethernet,
		.source = {l->addr[ASYM_V4], l->addr[ASYM_V6]},
		.gateway = {l->gateway[ASYM_V4], l->gateway[ASYM_V6]},
	};

	memcpy(path.device, l->conf->device, sizeof(path.device));
	return path;
}

static bool is_able(enum plan_down down)
{
	return down == PLAN_LIVE || down == PLAN_PROBES || down == PLAN_FORCED;
}

/* Starts and stops with the link's device and address. */
static void walk(struct track *t, const struct plan *p, const struct plan_link *l)
{
	bool able = is_able(l->down[t->family]);

	t->path = path_of(p, l);
	if (t->able && !able)
		tracker_cancel(t);
	if (t->able == able)
		return;
	t->able = able;
	tracker_schedule(t);
}

/* All that takes memory.  0 or -ENOMEM. */
static int prepare(struct tracker *t, const struct plan_link *l, enum asym_family family,
		   const struct plan_id *before, bool anew)
{
	struct track *track = tracker_place(t, l->id, family), *new, **at;

	if (track)
		return anew ? judge(track, l->conf, track->health.up, false, &track->anew) : 0;
	new = new_track(t, l, family, before);
	at = new ? ARRAY_ADD(t->tracks, t->n) : NULL;
	if (at)
		*at = new;
	else if (new)
		tracker_drop(new);
	return at ? 0 : -ENOMEM;
}

/* Rounds that begin together would go on so: the i-th of n links has its own part of the interval. */
static void stagger(struct track *t, size_t i, size_t n)
{
	uint64_t spread_ms = MIN(t->conf->probe.interval_ms, (uint32_t)SPREAD_MS);

	if (t->health.n)
		t->health.next_ns += spread_ms * MS * (2 * i + t->family) / (2 * n);
}

static int prepare_all(struct tracker *t, const struct plan *plan, const struct plan_id *ids,
		       size_t n_ids, bool anew)
{
	size_t before = t->n;
	int r = 0;

	for (size_t i = 0; i < plan->n_links; i++)
		for (int f = 0; f < ASYM_FAMILIES && !r; f++) {
			const struct plan_link *l = &plan->links[i];

			r = prepare(t, l, f, known(ids, n_ids, l->id), anew);
		}
	if (!r)
		return 0;
	while (t->n > before)
		tracker_drop(t->tracks[--t->n]);
	for (size_t i = 0; i < t->n; i++)
		drop_state(&t->tracks[i]->anew);
	return r;
}

static void follow_link(struct tracker *t, const struct plan *p, const struct plan_link *l,
			enum asym_family family)
{
	struct track *track = tracker_place(t, l->id, family);
	bool anew = track->anew.probes;

	if (anew)
		renew(track, l->conf);
	if (anew || track->is_new)
		stagger(track, l - p->links, p->n_links);
	track->is_new = false;
	walk(track, p, l);
	if (anew)
		tracker_schedule(track);
}

static void drop_gone(struct tracker *t, const struct plan *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (plan_link_by_id(p, t->tracks[i]->id))
			t->tracks[kept++] = t->tracks[i];
		else
			tracker_drop(t->tracks[i]);
	}
	t->n = kept;
}

int tracker_follow(struct tracker *t, const struct plan *plan, const struct plan_id *ids,
		   size_t n_ids, bool anew)
{
	int r = prepare_all(t, plan, ids, n_ids, anew);

	if (r)
		return r;
	drop_gone(t, plan);
	for (size_t i = 0; i < plan->n_links; i++)
		for (int f = 0; f < ASYM_FAMILIES; f++)
			follow_link(t, plan, &plan->links[i], f);
	return 0;
}
