/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real traffic as a witness for links whose targets are silent: connections that were made through a link
 * keep it up.  Looks into the flow cache only while probes of links that are up go unanswered.
 */
#ifndef RUN_EVIDENCE_H
#define RUN_EVIDENCE_H

#include "run/session.h"
#include "run/tracker.h"

struct evidence;

/* Takes the tracker's `missing`.  The tracker outlives it.  0 or -errno. */
int evidence_open(uv_loop_t *loop, struct tracker *tracker, struct evidence **ret);
void evidence_close(struct evidence *e);

/* What runs now: its object and plan are read until the next call.  NULL: nothing. */
void evidence_follow(struct evidence *e, const struct session *s);

#endif
