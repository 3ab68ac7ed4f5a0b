/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a link works, judged from answers to probes: rounds, rise and fall, thresholds over a
 * window, hold-down.  Pure: the caller says what time it is and what came back, and asks when to
 * come again.  One struct health judges one family of one link.
 *
 * A round sends one probe to each target.  It is good as soon as `quorum` of them answered, bad
 * when so many have failed that the quorum is out of reach.  A new one begins each interval,
 * whether those before it have ended or not: waiting for a timeout that is longer than the interval
 * would make a silence take longer to notice.  Rounds have numbers, results name theirs, and rounds
 * count in the order in which they began.
 *
 * The caller's timer, set anew to health_due() after each call of a function that is told the time:
 *	changed = health_tick(h, now);
 *	round = health_round(h, now);
 *	if (round)
 *		for each target: send, and call health_result when that probe has ended or could not
 *		be sent; at once is fine.
 * The probe of target i in that round may have place health_place(h, round, i) in an array of
 * HEALTH_ROUNDS * h->n: it is free again.
 */
#ifndef CORE_HEALTH_H
#define CORE_HEALTH_H

#include "core/model.h"

#define HEALTH_ROUNDS 8 /* under way at a time; the next one waits for the oldest to end */

/* Why it is up or down. */
enum health_reason {
	HEALTH_INITIAL,	 /* not enough rounds yet */
	HEALTH_ANSWERS,	 /* rise */
	HEALTH_SILENCE,	 /* fall */
	HEALTH_LOSS,	 /* above the high level, or not yet at the low one again */
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
	uint32_t jitter_us;  /* mean difference of one answer to the next, as they came */
};

struct health_target {
	const struct model_target *conf;
	uint32_t *rtt_us;    /* ring of `window`; 0: lost */
	uint32_t at, filled;
	bool answers;	     /* the latest sent of the probes that came to an end did */
	uint32_t silent;     /* probes on end without an answer, up to that one */
	uint32_t last;	     /* its round; 0: none */
	uint32_t excused;    /* losses of earlier rounds are not the link's; UINT32_MAX: of all */
	uint64_t sent, lost; /* since health_init; those under way are in `sent` only */
};

enum health_verdict { HEALTH_OPEN, HEALTH_GOOD, HEALTH_BAD, HEALTH_VOID };

struct health_round {
	uint64_t begun_ns;
	uint32_t pending; /* bit i: target i */
	uint8_t answered, failed;
	uint8_t verdict; /* enum health_verdict */
};

/* For reading, except by health.c. */
struct health {
	const struct model_probe *conf;
	enum asym_family family;
	struct health_target *targets; /* those of its family, in the order of conf */
	uint32_t *rings;	       /* theirs */
	size_t n;
	bool up;
	enum health_reason reason;
	bool degraded;	    /* as HEALTH_LOSS, _LATENCY, _JITTER, but above the low level */
	uint64_t since_ns;  /* of the last change of `up` */
	uint32_t good, bad; /* rounds on end since then */
	/* rounds: first..next-1 have probes under way, those before `counted` have been counted */
	struct health_round rounds[HEALTH_ROUNDS]; /* by number % HEALTH_ROUNDS */
	uint32_t first, counted, next;
	uint64_t begun_ns;    /* of the last round; 0: the next does not depend on it */
	uint64_t next_ns;     /* when the next round is due; UINT64_MAX: wait for a result */
	uint64_t seen_ns;     /* the latest call */
	uint64_t evidence_ns; /* 0: none */
	uint32_t doubted;     /* rounds before this one do not remove the doubt; 0: no doubt */
	uint64_t doubted_ns;  /* since when; evidence from before does not remove it either */
	/* hold-down */
	uint32_t flaps;
	uint64_t calm_ns; /* since when the next flap to be forgotten is waited for */
	uint64_t held_until_ns;
};

/*
 * now: CLOCK_MONOTONIC, ns, in all that follows; never less than before.  It may jump ahead: when
 * nobody came for a second after the next round or the first timeout was due, the process or the
 * machine was asleep, and the rounds under way are void.
 *
 * was_up: as it was before the daemon was started again.  fresh: there is no before: initial_down
 * counts.  conf outlives *ret, or health_adopt is told another.  The first round is due at once; to
 * spread links over time the caller may put next_ns off before it.  0 or -ENOMEM.  A family without
 * targets has n == 0, no rounds, and stays up for ever.
 */
int health_init(struct health *ret, const struct model_probe *conf, enum asym_family family,
		bool was_up, bool fresh, uint64_t now);
void health_done(struct health *h);

/* conf takes the place of the one of before, say after a reload, and holds from now on: true.
 * False, and nothing has changed, if it has other targets in this family or another window: the
 * caller goes on with another health_init(..., h->up, false, now).  Probes under way that know the
 * old conf are the caller's to cancel (and health_cancel's to forget).  The old one must still be
 * there, for comparison. */
bool health_adopt(struct health *h, const struct model_probe *conf, uint64_t now);

/* When to come again: a round is due or a hold-down ends.  UINT64_MAX: after the next result. */
uint64_t health_due(const struct health *h);

/* Begins a round if one is due; every target is pending then.  Its number, or 0: not now. */
uint32_t health_round(struct health *h, uint64_t now);

/* In 0..HEALTH_ROUNDS * h->n - 1; no two probes under way have the same. */
size_t health_place(const struct health *h, uint32_t round, size_t target);

/* One target's probe of a round came to an end: rtt_us, at least 1, or 0 when no answer came in
 * time.  What is not pending is ignored.  Returns whether `up` changed; `reason` may change
 * without. */
bool health_result(struct health *h, uint32_t round, size_t target, uint32_t rtt_us, uint64_t now);

/* The caller has cancelled all probes under way, say because the link lost its carrier: their
 * rounds count for nothing, and the next one is due at once. */
void health_cancel(struct health *h, uint64_t now);

/* Ends a hold-down that is over.  Returns whether `up` changed. */
bool health_tick(struct health *h, uint64_t now);

/*
 * Real traffic was answered on this link at at_ns (not later; if only a span is known, its begin):
 * bad rounds that began before count for nothing, and what targets lose that have been silent for
 * `fall` probes says nothing of the link: their windows are empty until they answer again, or the
 * link goes down.  To keep a link up against targets that do not answer it has to come again before
 * `fall` rounds that began after at_ns have failed, which takes (fall - 1) * failure_ms +
 * timeout_ms: look as often as each round.
 */
void health_evidence(struct health *h, uint64_t at_ns);

/* Real traffic goes out on this link and nothing comes back: the failure interval holds until a
 * round that begins from now on is good, or evidence of now or later comes. */
void health_doubt(struct health *h, uint64_t now);

struct health_figures health_figures(const struct health *h, size_t target);

#endif
