/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a link works, judged from answers to probes: rounds, rise and fall, thresholds over a
 * window, hold-down.  Pure: the caller says what time it is and what came back, and asks when the
 * next round is due.  One struct health judges one family of one link.
 *
 * A round sends one probe to each target.  It is good as soon as `quorum` of them answered, bad when
 * so many have failed that the quorum is out of reach.
 */
#ifndef CORE_HEALTH_H
#define CORE_HEALTH_H

#include "core/model.h"

/* Why it is up or down. */
enum health_reason {
	HEALTH_INITIAL,	 /* not enough rounds yet */
	HEALTH_ANSWERS,	 /* rise */
	HEALTH_SILENCE,	 /* fall */
	HEALTH_LOSS,	 /* above the high level, or not yet below the low one again */
	HEALTH_LATENCY,
	HEALTH_JITTER,
	HEALTH_HELD,	 /* answers again, but flapped: hold-down */
	HEALTH_REASON_MAX
};
extern const char *const health_reason_names[HEALTH_REASON_MAX];

/* What the last `window` probes of one target say. */
struct health_figures {
	uint32_t n;	     /* probes that came to an end, at most the window */
	uint32_t loss;	     /* percent of n, rounded */
	uint32_t latency_us; /* mean of those that answered; 0: none */
	uint32_t jitter_us;  /* mean difference of one answer to the next (RFC 3550, 6.4.1) */
};

struct health_target {
	const struct model_target *conf;
	uint32_t *rtt_us; /* ring of `window`; 0: lost */
	uint32_t at, filled;
	bool pending;	/* of the running round */
	bool answers;	/* the last probe that came to an end did */
	uint64_t sent, lost;
};

struct health {
	const struct model_probe *conf; /* outlives it */
	struct health_target *targets; /* those of its family */
	size_t n;
	bool up;
	enum health_reason reason;
	bool degraded;	    /* a figure above its low level */
	uint64_t since_ns;  /* of the last change of `up` */
	/* the running round */
	bool running, decided;
	size_t answered, failed;
	uint64_t next_ns;   /* when the next round is due */
	uint32_t good, bad; /* rounds on end */
	/* hold-down */
	uint32_t flaps;
	uint64_t held_until_ns;
};

/* now: CLOCK_MONOTONIC, ns, in all that follows.  was_up: as it was before the daemon was started
 * again.  fresh: there is no before: initial_down counts.  0 or -ENOMEM.  A family without targets has
 * n == 0 and stays up for ever. */
int health_init(struct health *ret, const struct model_probe *conf, enum asym_family family,
		bool was_up, bool fresh, uint64_t now);
void health_done(struct health *h);

/* Begins a round; every target is pending then.  Rounds do not overlap: one that is still running (its
 * timeout is longer than the interval) goes on, and false is returned. */
bool health_round(struct health *h, uint64_t now);

/* One target's probe came to an end: rtt_us, at least 1, or 0 when no answer came in time.  Returns
 * whether `up` changed. */
bool health_result(struct health *h, size_t target, uint32_t rtt_us, uint64_t now);

/* A hold-down ends at next_ns without any result: returns whether `up` changed. */
bool health_tick(struct health *h, uint64_t now);

/* Real traffic was answered on this link a moment ago: a silence is not one.  Bad rounds begin anew. */
void health_evidence(struct health *h);

struct health_figures health_figures(const struct health *h, size_t target);

#endif
