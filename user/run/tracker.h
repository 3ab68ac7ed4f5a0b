/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes of all links, on time: rounds by core/health.c, sent by run/probe.c. */
#ifndef RUN_TRACKER_H
#define RUN_TRACKER_H

#include "core/health.h"
#include "core/plan.h"
#include "run/event.h"
#include "run/probe.h"

struct tracker;

/* A place for a probe of a track. */
struct track_probe {
	struct track *track;
	struct probe *probe; /* NULL: none under way */
	uint32_t round;
	uint32_t target;
};

/* What depends on the configuration of its targets. */
struct track_state {
	struct health health;
	struct track_probe *probes; /* by health_place(); NULL: there is no state here */
};

/* One family of one link. */
struct track {
	struct tracker *tracker;
	const struct model_link *conf; /* the model's */
	uint8_t id;
	enum asym_family family;
	struct health health;
	struct probe_path path;
	bool able;   /* the link could carry packets, but for what probes and operator say: it is tested */
	bool told[MODEL_MAX_TARGETS]; /* that a target is silent */
	struct track_probe *probes;   /* by health_place() */
	/* within tracker_follow */
	struct track_state anew;
	bool is_new;
	uv_timer_t timer;
};

struct tracker {
	uv_loop_t *loop;
	struct prober *prober;
	struct events *events;
	struct track **tracks; /* in no order */
	size_t n;
	void (*changed)(void *data); /* the health of a link has changed */
	void *data;
	/* NULL: nobody asks.  A link that is up misses its quorum: called before that counts. */
	void (*missing)(void *data, const struct track *t);
	void *missing_data;
};

/* 0 or -errno; end with tracker_close, then let the loop close its handles. */
int tracker_open(uv_loop_t *loop, struct events *events, void (*changed)(void *data), void *data,
		 struct tracker *ret);
void tracker_close(struct tracker *t);

/*
 * Follows a plan: links that are new are tested from now on, those that went are not any more, the
 * others by their devices and addresses of now.  First
 * rounds are spread over an interval, by the order of links in the plan.  The plan's model stays where it
 * is until the next call.  anew: it is another one than before (which must still be there); what did not change in it
 * keeps its state.  ids (n_ids): what was known of the links before.  0, or -ENOMEM with everything as it
 * was: the old plan and its model are still followed.
 */
int tracker_follow(struct tracker *t, const struct plan *plan, const struct plan_id *ids,
		   size_t n_ids, bool anew);

/* Whether probes say that the link fails in this family.  A family without targets of its own follows
 * the other. */
bool tracker_failed(const struct tracker *t, uint8_t id, enum asym_family family);

/* What real traffic says of a link; both as in core/health.h. */
void tracker_evidence(struct tracker *t, uint8_t id, enum asym_family family, uint64_t at_ns);
void tracker_doubt(struct tracker *t, uint8_t id);

/* NULL: there is none. */
const struct track *tracker_find(const struct tracker *t, uint8_t id, enum asym_family family);

/* Why a link is up or down: what probes say where it is for them to say, else the plan; a word of
 * health_reason_names or plan_down_names. */
const char *tracker_reason(const struct tracker *t, const struct plan_link *l, enum asym_family family);

/* A target as people write it, without its kind: "192.0.2.1", "[2001:db8::1]:443", a URL; the gateway by
 * its address of now, "-" when there is none. */
#define TRACKER_TARGET 300
void tracker_target_text(const struct track *t, size_t target, char ret[static TRACKER_TARGET]);

#endif
