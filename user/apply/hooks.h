/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where programs belong: the hooks of a plan's devices. */
#ifndef APPLY_HOOKS_H
#define APPLY_HOOKS_H

#include "apply/object.h"
#include "core/plan.h"

struct hook {
	uint32_t ifindex;
	const char *device; /* the plan's */
	enum object_program which;
};

/* Of every device that exists, those that learn (fastpath) or guard (unless dhcp = off) before those
 * that use what was learned.  free(*ret).  0 or -ENOMEM. */
int hooks_list(const struct plan *p, bool fastpath, struct hook **ret, size_t *ret_n);

/* Whether the plan (NULL: no) has a program on this side of a device. */
bool hooks_has(const struct plan *p, bool fastpath, uint32_t ifindex, bool egress);

/* Programs that learn or guard are on egress, the other ones of devices on ingress. */
bool hooks_is_egress(enum object_program which);

#endif
