/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs on the root of the cgroup tree, and what they share with those on devices; for attach.c. */
#ifndef APPLY_ATTACH_HOST_H
#define APPLY_ATTACH_HOST_H

#include "apply/attach.h"

/* Another change, to be taken back by attach_undo_to; before is its own then.  NULL: no memory. */
struct attach_change *attach_note(struct attachment *a, uint32_t ifindex, enum object_program which,
				  int before);
/* Takes back all but the first n changes. */
void attach_undo_to(struct attachment *a, size_t n);

/* Takes back one change of the cgroup tree. */
void attach_host_undo(struct attachment *a, const struct attach_change *c);

/* Takes all of our programs off the cgroup tree.  Returns how many. */
unsigned int attach_host_sweep(struct attachment *a);

#endif
