/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files mesh_choice*.c. */
#ifndef CORE_MESH_CHOICE_INT_H
#define CORE_MESH_CHOICE_INT_H

#include "core/mesh_choice.h"

#define CHOICE_MS 1000000ull /* ns */
#define CHOICE_S 1000000000ull
#define CHOICE_DELAY_MAX (10 * (int64_t)CHOICE_S) /* more is not told apart */

/* Half of the round trip of the fastest way and how much slower this one is; 0: not known. */
uint64_t choice_delay(const struct choice *c, uint8_t way);
/* Whether we load it, or did so just now, so that it may still show. */
bool choice_loaded(const struct choice *c, uint8_t way, uint64_t now_ns);

/* The first of the order that is usable, or the first. */
uint8_t choice_first(const struct mesh_wish *w, uint32_t usable, enum choice_reason *ret_reason);

/* mesh_choice_thin.c, mesh_choice_thick.c: what they are to take from now on. */
uint8_t choice_thin(struct choice *c, const struct mesh_target *t, uint64_t now_ns,
                    enum choice_reason *ret_reason);
uint8_t choice_thick(struct choice *c, const struct mesh_target *t, uint64_t now_ns,
                     enum choice_reason *ret_reason);

#endif
