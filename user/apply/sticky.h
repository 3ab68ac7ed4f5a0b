/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sticky entries of links that are no good any more. */
#ifndef APPLY_STICKY_H
#define APPLY_STICKY_H

#include "apply/object.h"

/* By family and link id. */
struct link_set {
	bool has[ASYM_FAMILIES][ASYM_LINK_IDS];
};

/* Deletes the entries that name these links.  *ret_n: how many.  0, also without such a map; -errno,
 * with those before it deleted. */
int sticky_drop(const struct object *o, const struct link_set *links, size_t *ret_n);

#endif
