/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which way a direction takes, by what its far end says of each.  Pure: time is handed in
 * (CLOCK_BOOTTIME, ns; never 0).
 *
 * The sender puts the same sequence number into a probe by every way; the receiver says of each way
 * what came last, how much is missing, and its delay: the receiver's clock less the sender's, whose
 * unknown difference is the same for all ways of a direction, so that only differences count.
 * Delays are minima over a window.
 *
 * Death is to miss several probes that came by another way, so nobody's pauses are taken for it.
 * What was not wished for by measurement moves by death alone.  Thin flows, where "auto" is
 * written, take the way of least delay and loss; for a move it must be better by a margin, for some
 * time, and more so towards a metered way; back goes slowly, and more slowly each time.  Thick
 * flows keep to the order, unless loss makes TCP worse there than elsewhere: delay is what they
 * cause themselves.
 */
#ifndef CORE_MESH_CHOICE_H
#define CORE_MESH_CHOICE_H

#include "core/mesh_plan.h"

#define CHOICE_BUCKETS 8 /* of a window of 2 s, or of 20 probes if these take longer */

/* -------- the receiver's side: one for each node that sends to us */

struct choice_bucket {
	int64_t min_ns; /* of receive less send time; INT64_MAX: none */
	uint32_t got, expected;
};

struct choice_arrival {
	uint32_t seq;     /* highest that came */
	uint64_t seen;    /* bit n: seq - n came */
	uint64_t last_ns; /* when; 0: none yet */
	struct choice_bucket buckets[CHOICE_BUCKETS];
};

struct choice_arrivals {
	uint64_t bucket_ns; /* length of a bucket */
	uint32_t full;      /* probes by a way in a window */
	uint64_t newest;    /* number of the newest one: time divided by length */
	uint32_t before;    /* the sequence number before the first that came by any way */
	bool any;
	struct choice_arrival ways[MESH_MAX_PATHS];
};

/* On the wire, one for each way of the direction towards the reporter. */
struct choice_report {
	uint32_t seq;    /* highest that came; none: the one before the first by any way */
	uint32_t age_ms; /* since; UINT32_MAX: none yet */
	int64_t min_ns;  /* INT64_MAX: none within the window */
	uint16_t loss;   /* per mille, of the window; an outage is none */
	uint16_t padded; /* number of the last padded probe that came, see mesh_mtu.h; 0: none; of
	                  * no concern here */
};

/* Also to begin anew: the sender has started again. */
void choice_arrivals_init(struct choice_arrivals *a, uint32_t probe_ms);
/* Whether it came by this way before, or is of so long ago that it may have. */
bool choice_is_old(const struct choice_arrivals *a, uint8_t way, uint32_t seq);
/* What is old is ignored. */
void choice_arrived(struct choice_arrivals *a, uint8_t way, uint32_t seq, uint64_t sent_ns,
                    uint64_t now_ns);
void choice_report(struct choice_arrivals *a, uint8_t way, uint64_t now_ns,
                   struct choice_report *ret);

/* -------- the sender's side: one for each node that we send to */

enum choice_reason {
	CHOICE_PREFERRED, /* first of the order */
	CHOICE_ONLY,      /* there is no other */
	CHOICE_FASTER,
	CHOICE_LESS_LOSS,
	CHOICE_ALIVE, /* those before it in the order are dead, or have not been back for long */
	CHOICE_NO_REPORT, /* nothing is known: first of the order */
	CHOICE_REASON_MAX
};
extern const char *const choice_reason_names[CHOICE_REASON_MAX];

struct choice_way {
	struct choice_report report;
	uint32_t loss_ppm;      /* goes up quickly and down slowly */
	uint32_t long_loss_ppm; /* of half a minute */
	uint32_t calm_loss_ppm; /* the same while we did not load the way */
	int64_t diff_ns;        /* of delay to the fastest way; -1: not known */
	int64_t calm_diff_ns;   /* while we did not load the way; -1: not known */
	uint64_t loaded_ns;     /* when we last sent much by it; 0: never */
	bool dead;
	bool lossy;          /* too much so for thick flows */
	uint64_t changed_ns; /* when dead changed; 0: never */
	uint64_t usable_ns;  /* not before, after a death */
	uint64_t backoff_ns; /* how long that was last time */
};

struct choice {
	uint8_t n; /* ways */
	struct choice_way ways[MESH_MAX_PATHS];
	uint8_t thin, thick; /* chosen */
	enum choice_reason thin_reason, thick_reason;
	uint32_t usable; /* bit n: way n; those of the tables of weights; never 0 */
	uint32_t probe_ms;
	bool resumed;                   /* what is chosen is what was chosen before we began */
	uint64_t begun_ns;              /* when it was first judged; 0: not yet */
	uint32_t sent;                  /* highest sequence number */
	uint64_t reported_ns;           /* when the last report came; 0: never */
	uint64_t stamp_ns;              /* when it was sent, by the peer's clock */
	uint64_t rtt_ns, rtt_before_ns; /* least of this and the last few seconds; 0: not known */
	uint64_t rtt_since_ns;
	uint64_t moved_ns;  /* thin, by measurement; or when reports began */
	uint64_t uneasy_ns; /* since when another way is better by the margin; 0: none is */
	uint64_t back_ns;   /* since when one before it in the order is good again; 0: none is */
	uint64_t back_after_ns; /* how long that has to last */
};

void choice_init(struct choice *c, const struct mesh_target *t, uint32_t probe_ms);
/* Goes on from what was chosen by another one: until the peer reports, or has had the time to,
 * nothing changes, and what was dead stays so until a probe has come by it.  dead: bit n: way n;
 * delay_us: more than that of the fastest way, of each. */
void choice_resume(struct choice *c, uint8_t thin, uint8_t thick, uint32_t dead,
                   const uint32_t delay_us[MESH_MAX_PATHS]);
/* A probe with this number has been sent by every way. */
void choice_sent(struct choice *c, uint32_t seq);
/* Of ways 0..n-1, out of one datagram sent at stamp_ns by the peer's clock; older ones than the
 * last are ignored.  Whatever they say is made to fit. */
void choice_reports(struct choice *c, const struct choice_report *r, size_t n, uint64_t stamp_ns,
                    uint64_t now_ns);
/* The peer's daemon is another one now: its clock may be. */
void choice_restarted(struct choice *c);
/* What it takes to the peer and back, by any way: margins depend on it. */
void choice_rtt(struct choice *c, uint64_t rtt_ns, uint64_t now_ns);
/* What we sent by this way of late.  Delay and loss that come with it are not the way's fault. */
void choice_load(struct choice *c, uint8_t way, uint64_t bytes_per_s, uint64_t now_ns);
/* Judges anew; true: thin, thick, a way's death or usable has changed.  t: that of choice_init. */
bool choice_judge(struct choice *c, const struct mesh_target *t, uint64_t now_ns);
/* Whether the peer has reported of late. */
bool choice_talks(const struct choice *c, uint64_t now_ns);

#endif
