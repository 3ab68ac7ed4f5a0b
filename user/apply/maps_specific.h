/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The set of destinations that main knows best; for maps_bank.c alone. */
#ifndef APPLY_MAPS_SPECIFIC_H
#define APPLY_MAPS_SPECIFIC_H

#include "apply/object.h"
#include "core/plan.h"

struct asym_set_key maps_set_key(uint32_t bank, size_t set, const struct prefix *prefix);

/* Makes the bank's ASYM_SET_SPECIFIC the plan's, from `old`, which made it, or (NULL) from what it holds.
 * *ret_written: how many came and went.  0 or -errno. */
int maps_specific_update(const struct object *o, const struct plan *p, const struct plan *old,
			 uint32_t bank, size_t *ret_written);

#endif
