// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/mesh_follow.h"

#include "apply/state.h"
#include "base/file.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define WAIT_MS 20 /* between looks whether the lock is free */
#define PATH 80

/* To give the lock back may take the directory away, which would be noticed here. */
static bool is_there(const struct mesh_follow *f)
{
	char path[PATH];

	snprintf(path, sizeof(path), STATE_ROOT "/%" PRIu64 ".mesh", f->cookie);
	return !access(path, F_OK);
}

static void on_timer(uv_timer_t *timer)
{
	mesh_follow_look(timer->data);
}

void mesh_follow_look(struct mesh_follow *f)
{
	int lock = is_there(f) ? state_lock(f->cookie) : -ENOENT;

	if (lock == -EWOULDBLOCK) {
		uv_timer_start(&f->timer, on_timer, WAIT_MS, 0);
		return;
	}
	uv_timer_stop(&f->timer);
	f->done(f->data);
	state_unlock(f->cookie, lock);
}

static int watch(struct mesh_follow *f);

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
	const char *directory = strrchr(STATE_ROOT, '/') + 1;
	struct mesh_follow *f = event->data;
	char file[PATH];

	snprintf(file, sizeof(file), "%" PRIu64 ".mesh", f->cookie);
	/* the last to leave a namespace takes the directory away */
	if (name && !strcmp(name, directory))
		watch(f);
	else if (name && strcmp(name, file))
		return;
	f->begun(f->data);
	uv_timer_start(&f->timer, on_timer, WAIT_MS, 0);
}

static int watch(struct mesh_follow *f)
{
	int r = file_mkdirs(STATE_ROOT);

	uv_fs_event_stop(&f->event);
	return r ?: uv_fs_event_start(&f->event, on_event, STATE_ROOT, 0);
}

int mesh_follow_open(uv_loop_t *loop, struct mesh_follow *f)
{
	uv_timer_init(loop, &f->timer);
	uv_fs_event_init(loop, &f->event);
	f->timer.data = f->event.data = f;
	return watch(f);
}

void mesh_follow_close(struct mesh_follow *f)
{
	if (!f->timer.data)
		return;
	uv_close((uv_handle_t *)&f->timer, NULL);
	uv_close((uv_handle_t *)&f->event, NULL);
}
