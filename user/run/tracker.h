/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes of all links, on time: rounds by core/health.c, sent by run/probe.c. */
#ifndef RUN_TRACKER_H
#define RUN_TRACKER_H

#include "core/health.h"
#include "core/plan.h"
#include "run/event.h"
#include "run/probe.h"

/* One family of one link. */
struct track {
	struct tracker *tracker;
	struct health health;
	struct probe_path path;
	enum asym_family family;
	const struct model_link *conf;
	uint8_t id;
	bool able; /* the link could carry packets now, but for what probes say: it is tested */
	struct track_probe *probes; /* one place for each target */
	uv_timer_t *timer;
};

struct tracker {
	uv_loop_t *loop;
	struct prober *prober;
	struct events *events;
	struct track **tracks; /* two for each link of the plan, in its order */
	size_t n;
	/* Told when a link's health changed. */
	void (*changed)(void *data);
	void *data;
};

int tracker_open(uv_loop_t *loop, struct events *events, void (*changed)(void *data), void *data,
		 struct tracker *ret);
void tracker_close(struct tracker *t);

/*
 * Follows a plan: links that are new are tested from now on, those that went are not any more, the
 * others by their devices and addresses of now.  model is the plan's.  anew: the model is another one
 * than the last time; what of it did not change keeps its state.  ids: what was known of the links.
 * 0 or -ENOMEM.
 */
int tracker_follow(struct tracker *t, const struct plan *plan, const struct plan_id *ids,
		   size_t n_ids, bool anew);

/* Whether probes say that the link fails in this family.  A family without targets of its own follows
 * the other. */
bool tracker_failed(const struct tracker *t, uint8_t id, enum asym_family family);

/* NULL: there is no such track. */
const struct track *tracker_find(const struct tracker *t, uint8_t id, enum asym_family family);

#endif
