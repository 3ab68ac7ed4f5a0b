/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A description that is applied: read, its names asked for, then applied under the lock.  Nobody holds
 * the lock, and no loop stands still, while the resolver has no answer.
 */
#ifndef RUN_MESH_APPLY_H
#define RUN_MESH_APPLY_H

#include "apply/overlay_names.h"
#include <uv.h>

/* Who knows the description.  0 or -errno, said. */
struct mesh_source {
	/* Adds what is to be asked for. */
	int (*read)(void *data, struct overlay_names *names);
	/* What was read last.  -EAGAIN, not said: it is another one by now, to be read again. */
	int (*apply)(void *data, const struct overlay_names *names);
	void *data;
};

/* Waits.  0 or -errno, said. */
int mesh_apply_now(const struct mesh_source *s);

/* In a loop; done is called once, after which *ret is no more, unless it was ended before.  r: 0 or
 * -errno, said. */
struct mesh_apply;
int mesh_apply_begin(uv_loop_t *loop, const struct mesh_source *s, void (*done)(void *data, int r),
		     void *data, struct mesh_apply **ret);
/* NULL is fine. */
void mesh_apply_end(struct mesh_apply *a);

#endif
