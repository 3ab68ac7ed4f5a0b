/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Follows what is applied in a network namespace: /run/asymbpf/COOKIE.mesh.  While a mesh is applied
 * that file is of what is going to be; who does that holds the lock (apply/state.h), so it is waited
 * for.
 */
#ifndef RUN_MESH_FOLLOW_H
#define RUN_MESH_FOLLOW_H

#include <uv.h>

struct mesh_follow {
	uint64_t cookie;
	void (*begun)(void *data); /* somebody applies a mesh, or has done so */
	void (*done)(void *data);  /* now it can be looked at: it may be another one, or none */
	void *data;
	uv_fs_event_t event;
	uv_timer_t timer;
};

/* The members above event are set.  0 or -errno; to be closed in any case, also when it is zero. */
int mesh_follow_open(uv_loop_t *loop, struct mesh_follow *f);
/* done is called, now or when nobody has the lock. */
void mesh_follow_look(struct mesh_follow *f);
/* f is to be there until the loop has closed its handles. */
void mesh_follow_close(struct mesh_follow *f);

#endif
