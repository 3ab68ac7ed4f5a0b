/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real traffic as a witness against links: where connections go out and nothing at all comes in, probes are
 * made faster.  One look at counters a second.
 */
#ifndef RUN_DOUBT_H
#define RUN_DOUBT_H

#include "run/session.h"
#include "run/tracker.h"

struct doubt;

/* The tracker outlives it.  0 or -errno. */
int doubt_open(uv_loop_t *loop, struct tracker *tracker, struct doubt **ret);
void doubt_close(struct doubt *d);

/* What runs now: its plan is read until the next call.  NULL: nothing. */
void doubt_follow(struct doubt *d, const struct session *s);

#endif
