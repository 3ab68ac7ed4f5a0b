/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose link a DHCP client's addresses are; for maps_bank.c alone. */
#ifndef APPLY_MAPS_OWNERS_H
#define APPLY_MAPS_OWNERS_H

#include "apply/object.h"
#include "core/plan.h"

/*
 * Makes the bank's owners the plan's (NULL: none), element by element, while the programs read
 * them.  MACs come before addresses where there is no room for all.  *ret_written: elements written
 * or deleted.  0 or -errno.
 */
int maps_owners_update(const struct object *o, const struct plan *p, uint32_t bank,
		       size_t *ret_written);

#endif
