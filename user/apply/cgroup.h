/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs on the root of the cgroup tree. */
#ifndef APPLY_CGROUP_H
#define APPLY_CGROUP_H

#include "apply/object.h"
#include <stdint.h>

/*
 * A descriptor of the root of the cgroup v2 tree: where it is mounted here, else where process 1
 * sees it (ip netns exec hides it), else a mount of our own that nobody sees.  That comes last
 * because a new mount resets the tree's nsdelegate and its like (kernel/cgroup/cgroup.c,
 * apply_cgroup_root_flags).  -errno without cgroup v2.
 */
int cgroup_open(void);

/* Our program of this kind for the namespace.  A descriptor that the caller closes, or -ENOENT. */
int cgroup_find(int cgroup, uint64_t cookie, enum object_program which);

/*
 * Takes off the programs of namespaces that were deleted without unload: the tree outlives them, as
 * their devices with the tc programs do not.  Returns how many.
 */
unsigned int cgroup_remove_orphans(int cgroup);

/* Puts a program (a descriptor) on the root, in place of `before` unless that is negative, beside
 * others' programs.  0 or -errno. */
int cgroup_attach(int cgroup, enum object_program which, int program, int before);
int cgroup_detach(int cgroup, enum object_program which, int program);

#endif
