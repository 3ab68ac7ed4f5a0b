/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way back: a machine without us. */
#ifndef APPLY_REMOVE_H
#define APPLY_REMOVE_H

#include "apply/attach.h"
#include "apply/state.h"

/*
 * Takes everything of ours off the machine: programs, ruleset, rules, routes, our bits in the marks
 * of connections, sysctls, and if all that went well, the state.  s NULL: there is none, so marks
 * and sysctls stay.  Goes on after an error; 0 or the first -errno, error (size bytes) says what is
 * left.
 */
int remove_all(uint64_t cookie, const struct host *h, const struct state *s,
	       attach_progress *progress, char *error, size_t size);

#endif
