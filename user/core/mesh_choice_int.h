/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files mesh_choice*.c. */
#ifndef CORE_MESH_CHOICE_INT_H
#define CORE_MESH_CHOICE_INT_H

#include "core/mesh_choice.h"

#include "base/defs.h"

#define CHOICE_MS 1000000ull /* ns */
#define CHOICE_S 1000000000ull
#define CHOICE_DELAY_MAX (10 * (int64_t)CHOICE_S) /* more is not told apart */

#define CHOICE_BACK_MS 1000 /* after a death; twice as long each time, if it happens again */

/* Nanoseconds: at least so many probes long, or as many as there are with one each 100 ms. */
static inline uint64_t choice_at_least(const struct choice *c, uint64_t ms, uint32_t probes)
{
	return MAX(ms, (uint64_t)c->probe_ms * probes) * CHOICE_MS;
}

static inline uint64_t choice_scaled(const struct choice *c, uint64_t ms)
{
	return choice_at_least(c, ms, ms / 100);
}

/* Half of the round trip of the fastest way and how much slower this one is; 0: not known. */
uint64_t choice_delay(const struct choice *c, uint8_t way);
/* Whether we load it, or did so just now, so that it may still show. */
bool choice_loaded(const struct choice *c, uint8_t way, uint64_t now_ns);

/* The first of the order that is usable, or the first. */
uint8_t choice_first(const struct mesh_wish *w, uint32_t usable, enum choice_reason *ret_reason);

/* mesh_choice_death.c: which ways are dead by what is reported now, or none since nobody reports.
 * Whether that is news. */
bool choice_deaths(struct choice *c, uint64_t now_ns);
bool choice_no_deaths(struct choice *c);

/* mesh_choice_thin.c, mesh_choice_thick.c: what they are to take from now on. */
uint8_t choice_thin(struct choice *c, const struct mesh_target *t, uint64_t now_ns,
                    enum choice_reason *ret_reason);
uint8_t choice_thick(struct choice *c, const struct mesh_target *t, uint64_t now_ns,
                     enum choice_reason *ret_reason);

#endif
