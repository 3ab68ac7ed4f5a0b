// SPDX-License-Identifier: GPL-2.0-or-later
/* The daemon's start and end, loads, and what the control socket asks for. */
#include "apply/netns.h"
#include "base/log.h"
#include "run/monitor.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- loading */

int monitor_load(struct monitor *m, bool first)
{
	struct load l = m->told;
	struct session s;
	int r = session_open(&s, true);

	if (!r && !(first && s.running)) {
		if (!first || (!l.config && !l.n_flags))
			r = load_again(&s, &l);
		l.from_state = true;
		r = r ?: load_apply(&s, &l);
		load_done(&l);
	}
	session_close(&s);
	return r;
}

static int reload(void *data, char *text, size_t size)
{
	struct monitor *m = data;
	int r;

	notify_reloading(m->notify);
	r = monitor_load(m, false);
	if (r)
		snprintf(text, size, "the configuration stays as it was: %s, see the daemon's log",
			 strerror(r == -EDOM ? EINVAL : -r));
	notify_ready(m->notify);
	monitor_sync_soon(m);
	return r;
}

static int force(void *data, const char *link, enum plan_manual manual, uint32_t seconds)
{
	return monitor_force(data, link, manual, seconds);
}

/* --- start and end */

static void on_signal(uv_signal_t *handle, int signo)
{
	struct monitor *m = handle->data;
	char text[160];

	if (signo == SIGHUP)
		reload(m, text, sizeof(text));
	else
		uv_stop(&m->loop);
}

/* Locks and sockets come and go in the same directory. */
static void on_state(uv_fs_event_t *handle, const char *name, int events, int status)
{
	struct monitor *m = handle->data;
	char file[32];

	snprintf(file, sizeof(file), "%llu.json", (unsigned long long)m->cookie);
	if (!name || !strcmp(name, file))
		monitor_sync_soon(m);
}

static void open_handles(struct monitor *m)
{
	uv_timer_init(&m->loop, &m->sync);
	uv_timer_init(&m->loop, &m->drain);
	uv_fs_event_init(&m->loop, &m->on_state);
	uv_signal_init(&m->loop, &m->on_term);
	uv_signal_init(&m->loop, &m->on_int);
	uv_signal_init(&m->loop, &m->on_hup);
	m->sync.data = m->drain.data = m->on_state.data = m;
	m->on_term.data = m->on_int.data = m->on_hup.data = m;
	uv_signal_start(&m->on_term, on_signal, SIGTERM);
	uv_signal_start(&m->on_int, on_signal, SIGINT);
	uv_signal_start(&m->on_hup, on_signal, SIGHUP);
}

static void sync_soon(void *data)
{
	monitor_sync_soon(data);
}

void monitor_changed(void *data)
{
	struct monitor *m = data;

	backoff_hurry(&m->load_again);
	monitor_sync_soon(m);
}

static int open_parts(struct monitor *m)
{
	static const struct control_ops ops = {monitor_status, force, reload};
	int r = control_open(&m->loop, m->cookie, &m->events, &ops, m, &m->control);

	if (r == -EADDRINUSE)
		return log_err(0, "another asymbpf monitor runs in this network namespace"), r;
	if (r)
		return log_err(r, "cannot open the control socket");
	r = hook_open(&m->loop, &m->events, &m->hook);
	if (!r && notify_open(&m->loop, &m->notify))
		log_warn("$NOTIFY_SOCKET is of no use: the service manager is told nothing");
	r = r ?: tracker_open(&m->loop, &m->events, sync_soon, m, &m->tracker);
	r = r ?: evidence_open(&m->loop, &m->tracker, &m->evidence);
	r = r ?: doubt_open(&m->loop, &m->tracker, &m->doubt);
	r = r ?: monitor_dhcp_open(m);
	r = r ?: watch_open(&m->loop, monitor_changed, m, &m->watch);
	return r ? log_err(r, "cannot start") : 0;
}

/* The state file is there once something is loaded. */
static int begin(struct monitor *m)
{
	int r = monitor_load(m, true);

	if (r)
		return r;
	uv_fs_event_start(&m->on_state, on_state, STATE_ROOT, 0);
	for (int tries = 0; !m->s && tries < 50; tries++) {
		if (tries)
			usleep(100000); /* somebody else is at it */
		monitor_sync(&m->sync);
	}
	if (!m->s)
		return log_err(0, "what is loaded cannot be taken over"), -EIO;
	r = control_serve(m->control);
	if (r)
		return log_err(r, "cannot open the control socket");
	monitor_tell_start(m);
	notify_ready(m->notify);
	return 0;
}

static void close_parts(struct monitor *m)
{
	if (m->watch)
		watch_close(m->watch);
	monitor_dhcp_close(m);
	if (m->evidence)
		evidence_close(m->evidence);
	if (m->doubt)
		doubt_close(m->doubt);
	if (m->tracker.loop)
		tracker_close(&m->tracker);
	if (m->notify)
		notify_close(m->notify);
	if (m->hook)
		hook_close(m->hook);
	if (m->control)
		control_close(m->control);
	if (m->metrics)
		metrics_close(m->metrics);
}

/* Handles of our own; those of the parts close themselves. */
static void close_handles(struct monitor *m)
{
	uv_close((uv_handle_t *)&m->sync, NULL);
	uv_close((uv_handle_t *)&m->drain, NULL);
	uv_close((uv_handle_t *)&m->on_state, NULL);
	uv_close((uv_handle_t *)&m->on_term, NULL);
	uv_close((uv_handle_t *)&m->on_int, NULL);
	uv_close((uv_handle_t *)&m->on_hup, NULL);
	while (uv_run(&m->loop, UV_RUN_DEFAULT))
		;
	uv_loop_close(&m->loop);
}

static int run(struct monitor *m)
{
	int r = netns_cookie(&m->cookie);

	if (r)
		return log_err(r, "cannot tell the network namespace (Linux 5.14 or later)");
	r = open_parts(m);
	r = r ?: begin(m);
	if (r)
		return r;
	uv_run(&m->loop, UV_RUN_DEFAULT);
	notify_stopping(m->notify);
	monitor_tell_stop(m);
	return 0;
}

int monitor_run(const struct load *told, bool json)
{
	struct monitor *m = calloc(1, sizeof(*m));
	int r = m ? uv_loop_init(&m->loop) : -ENOMEM;

	if (r) {
		free(m);
		return log_err(r, "cannot start");
	}
	m->told = *told;
	m->begun_ns = uv_hrtime();
	signal(SIGPIPE, SIG_IGN);
	log_never_wait();
	open_handles(m);
	events_add(&m->events, &event_log);
	if (json)
		events_add(&m->events, &event_json);
	r = run(m);
	close_parts(m);
	close_handles(m);
	monitor_drop(m->s);
	free(m);
	return r;
}
