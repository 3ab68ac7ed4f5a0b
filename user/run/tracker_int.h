/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For run/tracker*.c alone: tracker.c has the rounds, tracker_follow.c says which tracks there are. */
#ifndef RUN_TRACKER_INT_H
#define RUN_TRACKER_INT_H

#include "run/tracker.h"

/* Sets the timer by what its health says. */
void tracker_schedule(struct track *t);
/* Nothing is under way then. */
void tracker_cancel(struct track *t);
/* Freed once the loop has closed its timer. */
void tracker_drop(struct track *t);
/* NULL: there is none. */
struct track *tracker_place(const struct tracker *t, uint8_t id, enum asym_family family);

#endif
