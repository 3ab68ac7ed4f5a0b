// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/mesh_run.h"

#include "apply/netns.h"
#include "apply/overlay_state.h"
#include "apply/state.h"
#include "base/defs.h"
#include "base/file.h"
#include "base/log.h"
#include "run/mesh_follow.h"
#include "run/mesh_names.h"
#include "run/mesh_own.h"
#include "run/mesh_status.h"
#include "run/notify.h"
#include "run/paths.h"
#include "run/watch.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#define PAUSE_MS 50  /* what changes together is looked at once */
#define STATUS_MS 2000
#define AGAIN_MS 5000 /* what could not be opened is tried again */

struct runner {
	uv_loop_t loop;
	uint64_t cookie;
	const struct mesh_source *source; /* NULL: somebody else applies it */
	struct mesh_apply *applying;
	bool again; /* asked to apply once more meanwhile */
	/* as applied */
	struct overlay_state state;
	struct mesh mesh;
	struct mesh_plan plan;
	struct paths *paths;
	struct mesh_names *names;
	uint64_t own; /* digest of our addresses */
	struct events events;
	struct event_sink sink;
	bool has_status; /* or one before us had */
	struct notify *notify;
	struct watch *watch;
	struct mesh_follow follow;
	uv_timer_t look, status;
	uv_signal_t on_term, on_int, on_hup;
};

static void tell(struct runner *r, enum event_kind kind, const char *text)
{
	const struct event e = {.kind = kind, .text = text};

	events_send(&r->events, &e);
}

/* -------- what is applied */

static void drop(struct runner *r)
{
	mesh_names_close(TAKE_PTR(r->names));
	paths_close(TAKE_PTR(r->paths));
	mesh_plan_done(&r->plan);
	mesh_done(&r->mesh);
	overlay_state_done(&r->state);
	r->plan = (struct mesh_plan){};
	r->state = (struct overlay_state){};
	mesh_init(&r->mesh);
}

static int open_mesh(struct runner *r)
{
	_cleanup_(findings_done) struct findings f = {};
	char text[80];
	int e = mesh_parse(&r->mesh, "mesh", r->state.description, strlen(r->state.description),
	                   &f);

	e = e ?: mesh_plan_build(&r->plan, &r->mesh, r->state.node);
	e = e ?: paths_open(&r->loop, &r->plan, &r->events, &r->paths);
	e = e ?: mesh_names_open(&r->loop, r->cookie, &r->plan, &r->state, r->paths, &r->events,
	                         &r->names);
	if (e)
		return e;
	snprintf(text, sizeof(text), "mesh %s, node %s: measuring the ways to %zu nodes",
	         r->mesh.name, r->state.node, r->plan.n_targets);
	tell(r, EVENT_START, text);
	notify_status(r->notify, "%s", text);
	return 0;
}

static bool same(const struct overlay_state *a, const struct overlay_state *b)
{
	return a->description && b->description && !strcmp(a->description, b->description) &&
	       !strcmp(a->node, b->node);
}

static void again(struct runner *r);

static int take_state(struct runner *r, struct overlay_state *now)
{
	int e;

	if (r->paths && same(&r->state, now)) {
		paths_refresh(r->paths);
		mesh_names_refresh(r->names, now);
		overlay_state_done(now);
		return 0;
	}
	drop(r);
	r->state = *now;
	e = open_mesh(r);
	if (!e)
		return 0;
	log_once(true);
	log_err(e, e == -EADDRINUSE ? "another asymbpf wg run is at it, or the port of probes is "
	                              "somebody else's"
	                            : "cannot measure the ways of the mesh");
	log_once(false);
	drop(r);
	again(r);
	return e;
}

/* -ENOENT: there is none. */
static int look_at_mesh(struct runner *r)
{
	struct overlay_state now = {};
	int e = overlay_state_read(&now, r->cookie);

	if (!e)
		return take_state(r, &now);
	overlay_state_done(&now);
	if (e != -ENOENT)
		log_err(e, "cannot read what is known of the mesh");
	if (r->paths)
		tell(r, EVENT_STOP, "the mesh has gone");
	drop(r);
	notify_status(r->notify, "there is no mesh");
	return e;
}

/* -------- what changes */

static void write_status(uv_timer_t *timer)
{
	struct runner *r = timer->data;
	struct json_object *o = json_object_new_object();
	char hash[17];

	if (!r->paths) {
		/* once: the directory may go with it, which is looked at */
		if (r->has_status)
			mesh_status_remove(r->cookie);
		r->has_status = false;
		json_object_put(o);
		return;
	}
	r->has_status = true;
	snprintf(hash, sizeof(hash), "%016" PRIx64, mesh_hash(&r->mesh));
	json_object_object_add(o, "hash", json_object_new_string(hash));
	paths_status(r->paths, o);
	mesh_status_write(r->cookie, o);
	json_object_put(o);
}

/* What has changed is to be seen soon. */
static void status_soon(struct event_sink *s, const struct event *e, const char *json, size_t len)
{
	struct runner *r = (struct runner *)((char *)s - offsetof(struct runner, sink));

	if (e->kind == EVENT_WAY)
		uv_timer_start(&r->status, write_status, PAUSE_MS, STATUS_MS);
}

static void on_look(uv_timer_t *timer)
{
	struct runner *r = timer->data;
	uint64_t own = mesh_own_digest(r->paths ? &r->plan : NULL);

	if (r->paths && own != r->own)
		paths_address_changed(r->paths);
	r->own = own;
	if (!r->paths)
		mesh_follow_look(&r->follow);
}

/* Something of the machine has: perhaps an address. */
static void changed(void *data)
{
	struct runner *r = data;

	if (!uv_is_active((uv_handle_t *)&r->look) || uv_timer_get_due_in(&r->look) > PAUSE_MS)
		uv_timer_start(&r->look, on_look, PAUSE_MS, 0);
}

static void again(struct runner *r)
{
	uv_timer_start(&r->look, on_look, AGAIN_MS, 0);
}

static void begun(void *data)
{
	struct runner *r = data;

	paths_hold(r->paths);
}

static void done(void *data)
{
	look_at_mesh(data);
}

static void reload(struct runner *r);

static void reloaded(void *data, int e)
{
	struct runner *r = data;

	r->applying = NULL;
	if (e)
		log_warn("the mesh stays as it was");
	look_at_mesh(r);
	notify_ready(r->notify);
	if (r->again)
		reload(r);
}

/* Names are asked for meanwhile, so it goes on measuring. */
static void reload(struct runner *r)
{
	r->again = r->applying;
	if (r->again)
		return;
	notify_reloading(r->notify);
	if (!r->source || mesh_apply_begin(&r->loop, r->source, reloaded, r, &r->applying))
		reloaded(r, 0);
}

static void on_signal(uv_signal_t *handle, int signo)
{
	struct runner *r = handle->data;

	if (signo == SIGHUP)
		reload(r);
	else
		uv_stop(&r->loop);
}

/* -------- start and end */

static void open_signal(struct runner *r, uv_signal_t *handle, int signo)
{
	uv_signal_init(&r->loop, handle);
	handle->data = r;
	uv_signal_start(handle, on_signal, signo);
}

static void open_handles(struct runner *r)
{
	uv_timer_init(&r->loop, &r->look);
	uv_timer_init(&r->loop, &r->status);
	r->look.data = r->status.data = r;
	open_signal(r, &r->on_term, SIGTERM);
	open_signal(r, &r->on_int, SIGINT);
	open_signal(r, &r->on_hup, SIGHUP);
}

static int begin(struct runner *r)
{
	int e = netns_cookie(&r->cookie);

	if (e)
		return log_err(e, "cannot tell the network namespace (Linux 5.14 or later)");
	if (notify_open(&r->loop, &r->notify))
		log_warn("$NOTIFY_SOCKET is of no use: the service manager is told nothing");
	e = r->source ? mesh_apply_now(r->source) : 0;
	if (e)
		return e;
	r->follow = (struct mesh_follow){
		.cookie = r->cookie, .begun = begun, .done = done, .data = r};
	e = mesh_follow_open(&r->loop, &r->follow) ?:
	    watch_open(&r->loop, changed, r, &r->watch);
	if (e)
		return log_err(e, "cannot start");
	e = look_at_mesh(r);
	if (e == -EADDRINUSE)
		return e;
	r->own = mesh_own_digest(r->paths ? &r->plan : NULL);
	if (e == -ENOENT)
		log_warn("there is no mesh here yet, see asymbpf wg apply");
	uv_timer_start(&r->status, write_status, 1000, STATUS_MS);
	notify_ready(r->notify);
	return 0;
}

static void close_all(struct runner *r)
{
	drop(r);
	mesh_apply_end(TAKE_PTR(r->applying));
	if (r->watch)
		watch_close(r->watch);
	if (r->notify)
		notify_close(r->notify);
	mesh_follow_close(&r->follow);
	uv_close((uv_handle_t *)&r->look, NULL);
	uv_close((uv_handle_t *)&r->status, NULL);
	uv_close((uv_handle_t *)&r->on_term, NULL);
	uv_close((uv_handle_t *)&r->on_int, NULL);
	uv_close((uv_handle_t *)&r->on_hup, NULL);
	while (uv_run(&r->loop, UV_RUN_DEFAULT))
		;
	uv_loop_close(&r->loop);
	free(r);
}

static int run(struct runner *r)
{
	int e = begin(r);

	if (e)
		return e;
	uv_run(&r->loop, UV_RUN_DEFAULT);
	notify_stopping(r->notify);
	mesh_status_remove(r->cookie);
	tell(r, EVENT_STOP, "packets go on by the ways that were chosen last");
	return 0;
}

int mesh_run(const struct mesh_source *source, bool json)
{
	struct runner *r = calloc(1, sizeof(*r));
	int e = r ? uv_loop_init(&r->loop) : -ENOMEM;

	if (e) {
		free(r);
		return log_err(e, "cannot start");
	}
	r->source = source;
	r->has_status = true;
	mesh_init(&r->mesh);
	signal(SIGPIPE, SIG_IGN);
	log_never_wait();
	open_handles(r);
	r->sink.take = status_soon;
	events_add(&r->events, &r->sink);
	events_add(&r->events, &event_log);
	if (json)
		events_add(&r->events, &event_json);
	e = run(r);
	close_all(r);
	return e;
}
