// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/attach_host.h"

#include "apply/cgroup.h"
#include "base/defs.h"
#include <errno.h>

void attach_host_undo(struct attachment *a, const struct attach_change *c)
{
	_cleanup_close_ int now = cgroup_find(a->cgroup, a->cookie, c->which);

	if (now < 0)
		return;
	if (c->before >= 0)
		cgroup_attach(a->cgroup, c->which, c->before, now);
	else
		cgroup_detach(a->cgroup, c->which, now);
}

/* The kernel allows 64 programs on a hook, and others may have claimed the hook for themselves: all
 * of our programs are put there, or none. */
int attach_host(struct attachment *a, const struct object *o, uint32_t programs)
{
	size_t n = a->n;

	cgroup_remove_orphans(a->cgroup);
	for (int i = PROGRAM_HOST_FIRST; i < PROGRAM_MAX; i++) {
		struct attach_change *c;
		int before, r;

		if (!(programs >> i & 1))
			continue;
		before = cgroup_find(a->cgroup, a->cookie, i);
		c = attach_note(a, 0, i, before);
		r = c ? cgroup_attach(a->cgroup, i, o->program[i], before) : -ENOMEM;
		if (!r)
			continue;
		if (c)
			a->n--;
		attach_undo_to(a, n);
		return r;
	}
	return 0;
}

uint32_t attach_host_missing(const struct attachment *a)
{
	uint32_t missing = 0;

	for (int i = PROGRAM_HOST_FIRST; i < PROGRAM_MAX && a->cgroup >= 0; i++) {
		_cleanup_close_ int fd = cgroup_find(a->cgroup, a->cookie, i);

		missing |= fd == -ENOENT ? 1u << i : 0;
	}
	return missing;
}

bool attach_host_attached(uint64_t cookie)
{
	_cleanup_close_ int cgroup = cgroup_open();
	_cleanup_close_ int fd = cgroup >= 0 ? cgroup_find(cgroup, cookie, PROGRAM_HOST_FIRST) : -ENOENT;

	return fd >= 0;
}

unsigned int attach_host_sweep(struct attachment *a)
{
	unsigned int n = 0;

	for (int i = PROGRAM_HOST_FIRST; i < PROGRAM_MAX; i++) {
		_cleanup_close_ int fd = cgroup_find(a->cgroup, a->cookie, i);

		n += fd >= 0 && !cgroup_detach(a->cgroup, i, fd);
	}
	return n;
}
