/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to try again what has failed: after 1, 2, 4 .. 30 s; who tries sooner puts nothing off.  Zero it before use.  Times: ns of any clock that
 * does not go back, not 0. */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

struct backoff {
	uint64_t failed_ns; /* the last time; 0: it works */
	uint64_t next_ns;
	uint64_t wait_ns;
};

void backoff_failed(struct backoff *b, uint64_t now);
void backoff_worked(struct backoff *b);
/* Something has happened that it may depend on: now, but not sooner than 1 s after the last time. */
void backoff_hurry(struct backoff *b);
/* Until the next try, ns; 0: now. */
uint64_t backoff_left(const struct backoff *b, uint64_t now);

#endif
