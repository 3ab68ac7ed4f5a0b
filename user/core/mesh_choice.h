/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which way a direction takes, by what its far end says of each.  Pure: time is handed in (CLOCK_MONOTONIC, ns).
 *
 * Delays are relative: the receiver's clock less the sender's, whose unknown difference is the same for all ways of a
 * direction.  They are minima over a window, so that the load that we put on a way ourselves does not chase us off it.
 */
#ifndef CORE_MESH_CHOICE_H
#define CORE_MESH_CHOICE_H

#include "core/mesh_plan.h"

#define CHOICE_WINDOW_NS 2000000000ull /* of minima and losses */
#define CHOICE_BUCKETS 8	       /* that the window moves by */

/* What the receiver knows of a way, and reports. */
struct choice_arrivals {
	uint32_t seq;	     /* highest that came */
	uint64_t last_ns;    /* when; 0: none yet */
	int64_t min_ns[CHOICE_BUCKETS]; /* of receive less send time */
	uint32_t got[CHOICE_BUCKETS], expected[CHOICE_BUCKETS];
	uint64_t bucket_ns;  /* begin of the newest */
};
void choice_arrived(struct choice_arrivals *a, uint32_t seq, uint64_t sent_ns, uint64_t now_ns);

/* On the wire, one for each way of the direction towards the reporter. */
struct choice_report {
	uint32_t seq;	  /* highest that came */
	uint32_t age_ms;  /* since; UINT32_MAX: none yet */
	int64_t min_ns;	  /* INT64_MAX: none */
	uint16_t loss;	  /* per mille, of the window */
};
void choice_report(const struct choice_arrivals *a, uint64_t now_ns, struct choice_report *ret);

enum choice_reason { CHOICE_PREFERRED, CHOICE_FASTER, CHOICE_LESS_LOSS, CHOICE_ALIVE, CHOICE_ONLY, CHOICE_NO_REPORT, CHOICE_REASON_MAX };
extern const char *const choice_reason_names[CHOICE_REASON_MAX];

struct choice_way {
	struct choice_report report;
	uint64_t reported_ns; /* 0: never */
	uint32_t sent;	      /* highest sequence that we sent */
	uint64_t sent_ns;     /* when the one after report.seq was sent: no report of it for long enough is death */
	bool dead;
	uint64_t changed_ns;  /* when dead changed */
};

struct choice {
	struct choice_way ways[MESH_MAX_PATHS];
	uint8_t thin, thick;  /* chosen */
	enum choice_reason thin_reason, thick_reason;
	uint64_t moved_ns;
	uint32_t probe_ms;
};

void choice_init(struct choice *c, const struct mesh_target *t, uint32_t probe_ms);
void choice_sent(struct choice *c, uint8_t way, uint32_t seq, uint64_t now_ns);
void choice_reported(struct choice *c, uint8_t way, const struct choice_report *r, uint64_t now_ns);
/* Judges anew; true: thin, thick or a way's death has changed. */
bool choice_judge(struct choice *c, const struct mesh_target *t, uint64_t now_ns);

#endif
