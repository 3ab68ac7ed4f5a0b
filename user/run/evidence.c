// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/evidence.h"

#include "base/clock.h"
#include "run/evidence_search.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull
#define LOOK_NS (250 * MS) /* between looks, for all links together */
#define SHARE 20	   /* of the time at most one part in this many is spent on looks */
#define LATELY_NS (60000 * MS)
#define REST_MS 5000	   /* without a look for so long the tables are let go of */

struct evidence {
	struct tracker *tracker;
	const struct session *session;
	uv_timer_t rest;
	struct flows flows;
	bool mapped;
	uint64_t next_ns; /* no look before */
	struct evidence_search search;
	uint32_t written[ASYM_WRITTEN / 32];
};

static void unmap(struct evidence *e)
{
	if (e->mapped)
		flows_close(&e->flows);
	e->mapped = false;
}

/* Mapped memory counts as ours as long as it is: up to a 16th of the machine's. */
static void on_rest(uv_timer_t *timer)
{
	unmap(timer->data);
}

static int map(struct evidence *e)
{
	int r;

	if (!e->session)
		return -ENOENT;
	if (e->mapped)
		return flows_clock(&e->session->object, &e->flows.clock);
	r = flows_map(&e->session->object, &e->flows);
	e->mapped = !r;
	return r;
}

static uint64_t tick_ns(const struct evidence *e)
{
	return 1000 * MS / e->flows.clock.hz;
}

static bool is_judged(const struct track *t)
{
	return t->able && t->health.n && t->health.up;
}

/* A connection younger than the last round excuses all rounds that there were. */
static uint32_t enough(const struct evidence *e, const struct track *t, uint64_t now)
{
	uint64_t ticks = (now - MIN(now, t->health.begun_ns)) / tick_ns(e);

	return ticks > 2 ? MIN(ticks - 2, (uint64_t)INT32_MAX) : 0;
}

static void ask(struct evidence *e, const struct track *missing, uint64_t now)
{
	memset(&e->search, 0, sizeof(e->search));
	for (size_t i = 0; i < e->tracker->n; i++) {
		const struct track *t = e->tracker->tracks[i];

		if (!is_judged(t))
			continue;
		e->search.ifindex[t->id] = t->path.ifindex;
		e->search.of[t->id][t->family] = (struct evidence_age){
			.urgent = t == missing || t->health.bad,
			.enough = enough(e, t, now),
		};
	}
}

static void tell(struct evidence *e, uint64_t now)
{
	for (size_t i = 0; i < e->tracker->n; i++) {
		const struct track *t = e->tracker->tracks[i];
		/* a tick for the one that had begun, one for what clocks are apart */
		uint64_t passed = (e->search.of[t->id][t->family].age + 2ull) * tick_ns(e);

		if (passed < MIN(now, LATELY_NS) && is_judged(t))
			tracker_evidence(e->tracker, t->id, t->family, now - passed);
	}
}

static void look(struct evidence *e, const struct track *missing, uint64_t now)
{
	if (map(e) || flows_written(&e->session->object, e->written))
		return;
	ask(e, missing, now);
	evidence_search(&e->search, &e->flows, e->written);
	tell(e, now);
	uv_timer_start(&e->rest, on_rest, REST_MS, 0);
}

static void on_missing(void *data, const struct track *t)
{
	struct evidence *e = data;
	uint64_t now = uv_hrtime(), begun;

	if (now < e->next_ns)
		return;
	begun = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	look(e, t, now);
	e->next_ns = now + MAX(LOOK_NS, SHARE * (clock_ns(CLOCK_THREAD_CPUTIME_ID) - begun));
}

void evidence_follow(struct evidence *e, const struct session *s)
{
	unmap(e);
	e->session = s;
}

int evidence_open(uv_loop_t *loop, struct tracker *tracker, struct evidence **ret)
{
	struct evidence *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->tracker = tracker;
	uv_timer_init(loop, &e->rest);
	uv_unref((uv_handle_t *)&e->rest);
	e->rest.data = e;
	tracker->missing = on_missing;
	tracker->missing_data = e;
	*ret = e;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void evidence_close(struct evidence *e)
{
	unmap(e);
	e->tracker->missing = NULL;
	uv_close((uv_handle_t *)&e->rest, on_closed);
}
