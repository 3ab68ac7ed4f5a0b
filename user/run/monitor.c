// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/monitor.h"

#include "apply/netns.h"
#include "apply/snapshot.h"
#include "base/log.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ull
#define GATHER_NS (2 * MS)  /* one event seldom comes alone */
#define BUSY_NS (20 * MS)   /* until the next try while somebody else changes something */
#define RETRY_NS (1000 * MS)
#define SHARE 4		    /* of the time at most one part in this many is spent on syncs */

/* --- when */

static void on_sync(uv_timer_t *timer);

static void sync_in(struct monitor *m, uint64_t ns)
{
	uint64_t at = uv_hrtime() + ns;

	if (uv_is_active((uv_handle_t *)&m->sync) && m->sync_at_ns <= at)
		return;
	m->sync_at_ns = at;
	uv_update_time(&m->loop);
	uv_timer_start(&m->sync, on_sync, (ns + MS - 1) / MS, 0);
}

void monitor_sync_soon(struct monitor *m)
{
	uint64_t now = uv_hrtime(), rested = m->synced_ns + (SHARE - 1) * m->cost_ns;

	sync_in(m, rested > now + GATHER_NS ? rested - now : GATHER_NS);
}

static void sync_soon(void *data)
{
	monitor_sync_soon(data);
}

/* --- what the operator and the probes say */

static int64_t boot_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

/* True when it has ended. */
static bool end_manual(struct monitor *m, struct plan_id *id)
{
	int64_t left = id->manual_until - boot_seconds();

	if (id->manual == PLAN_AUTO || !id->manual_until)
		return false;
	if (left > 0) {
		sync_in(m, (uint64_t)left * 1000 * MS);
		return false;
	}
	id->manual = PLAN_AUTO;
	id->manual_until = 0;
	monitor_tell_manual(m, id);
	return true;
}

/* Into the state's ids.  True when one of them changed. */
static bool take_verdicts(struct monitor *m)
{
	bool changed = false;

	for (size_t i = 0; i < m->s->state.n_ids; i++) {
		struct plan_id *id = &m->s->state.ids[i];

		changed |= end_manual(m, id) || !id->tested;
		id->tested = true;
		for (int f = 0; f < ASYM_FAMILIES; f++) {
			bool failed = tracker_failed(&m->tracker, id->id, f);

			changed |= failed != id->failed[f];
			id->failed[f] = failed;
		}
	}
	return changed;
}

/* --- following the state file */

static void drop_session(struct session *s)
{
	if (s)
		session_close(s);
	free(s);
}

static int configure(struct monitor *m)
{
	const struct model *model = &m->s->model;
	int r = hook_configure(m->hook, model->hook, model->hook_timeout_ms);

	monitor_serve_metrics(m);
	return r ?: tracker_follow(&m->tracker, &m->s->plan, m->s->state.ids, m->s->state.n_ids,
				   true);
}

/* What runs now is what we keep up from now on.  -ESRCH: no program does. */
static int adopt(struct monitor *m)
{
	struct session *s = calloc(1, sizeof(*s)), *old = m->s;
	int r = s ? session_open(s, false) : -ENOMEM;

	r = r ?: session_plan(s);
	if (!r && !s->running)
		r = -ESRCH;
	if (r) {
		drop_session(s);
		return r;
	}
	m->s = s;
	m->settled = false;
	m->ruleset = 0;
	memset(m->drain_at_ns, 0, sizeof(m->drain_at_ns));
	r = configure(m);
	if (old)
		monitor_tell_reload(m);
	drop_session(old);
	return r;
}

/* -ENOENT: unloaded. */
static int follow_state(struct monitor *m)
{
	struct state_stamp now;
	int r = state_stamp(m->cookie, &now);

	if (r || (m->s && now.inode == m->stamp.inode && now.changed_ns == m->stamp.changed_ns))
		return r;
	m->stamp = now;
	return adopt(m);
}

/* --- a sync */

static void keep(struct monitor *m, struct host *host, struct plan *plan)
{
	plan_done(&m->s->plan);
	host_done(&m->s->host);
	m->s->plan = *plan;
	m->s->host = *host;
	m->settled = true;
}

static int update(struct monitor *m, const struct host *host, const struct plan *plan)
{
	struct update u = {
		.cookie = m->cookie,
		.object = &m->s->object,
		.host = host,
		.plan = plan,
		.old = m->settled && !m->unsure ? &m->s->plan : NULL,
		.state = &m->s->state,
		.state_changed = m->state_changed,
		.ruleset = m->ruleset,
	};
	int r = update_apply(&u);

	m->ruleset = u.ruleset;
	m->unsure = r;
	m->state_changed = u.state_changed;
	state_stamp(m->cookie, &m->stamp);
	monitor_tell(m, plan, &u);
	return r;
}

static int renew(struct monitor *m)
{
	struct session *s = m->s;
	struct plan plan;
	struct host host;
	int r = snapshot_take(&host);

	if (r)
		return log_err(r, "cannot read the machine's network configuration");
	m->state_changed |= take_verdicts(m);
	r = plan_build(&plan, &s->model, &host, s->state.ids, s->state.n_ids);
	if (r) {
		host_done(&host);
		return log_err(r, "cannot plan");
	}
	r = update(m, &host, &plan);
	monitor_drain(m, &plan);
	keep(m, &host, &plan);
	return tracker_follow(&m->tracker, &s->plan, s->state.ids, s->state.n_ids, false) ?: r;
}

/* The programs went with their devices. */
static int load(struct monitor *m, bool first);

static int sync_locked(struct monitor *m)
{
	int r = follow_state(m);

	if (r == -ENOENT) {
		log_warn("unloaded: nothing is left to do");
		uv_stop(&m->loop);
		return 0;
	}
	return r ?: renew(m);
}

static void on_sync(uv_timer_t *timer)
{
	struct monitor *m = timer->data;
	uint64_t begun = uv_hrtime();
	int lock = state_lock(m->cookie), r;

	if (lock < 0) {
		sync_in(m, BUSY_NS);
		return;
	}
	r = sync_locked(m);
	state_unlock(m->cookie, lock);
	if (r == -ESRCH || r == -ENODATA)
		r = load(m, false) ?: -EAGAIN;
	m->synced_ns = uv_hrtime();
	m->cost_ns = m->synced_ns - begun;
	if (r)
		sync_in(m, RETRY_NS);
}

/* --- loading */

/* first: what the command line says, if nothing runs yet; else what the last load said, again. */
static int load(struct monitor *m, bool first)
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
	r = load(m, false);
	if (r)
		snprintf(text, size, "the configuration stays as it was: %s, see the daemon's log",
			 strerror(r == -EDOM ? EINVAL : -r));
	notify_ready(m->notify);
	monitor_sync_soon(m);
	return r;
}

static int force_link(void *data, const char *name, enum plan_manual manual, uint32_t seconds)
{
	struct monitor *m = data;

	for (size_t i = 0; m->s && i < m->s->state.n_ids; i++) {
		struct plan_id *id = &m->s->state.ids[i];

		if (strcmp(id->name, name) || !plan_link_by_id(&m->s->plan, id->id))
			continue;
		id->manual = manual;
		id->manual_until = manual != PLAN_AUTO && seconds ? boot_seconds() + seconds : 0;
		m->state_changed = true;
		monitor_tell_manual(m, id);
		sync_in(m, 0);
		return 0;
	}
	return -ENOENT;
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

static int open_parts(struct monitor *m)
{
	static const struct control_ops ops = {monitor_status, force_link, reload};
	int r = control_open(&m->loop, m->cookie, &m->events, &ops, m, &m->control);

	if (r == -EADDRINUSE)
		return log_err(0, "another asymbpf monitor runs in this network namespace"), r;
	if (r)
		return log_err(r, "cannot open the control socket");
	r = hook_open(&m->loop, &m->events, &m->hook);
	r = r ?: notify_open(&m->loop, &m->notify);
	r = r ?: tracker_open(&m->loop, &m->events, sync_soon, m, &m->tracker);
	r = r ?: watch_open(&m->loop, sync_soon, m, &m->watch);
	return r ? log_err(r, "cannot start") : 0;
}

/* The state file is there once something is loaded. */
static int begin(struct monitor *m)
{
	int r = load(m, true);

	if (r)
		return r;
	uv_fs_event_start(&m->on_state, on_state, STATE_DIR, 0);
	on_sync(&m->sync);
	if (!m->s)
		return log_err(0, "what is loaded cannot be taken over"), -EIO;
	monitor_tell_start(m);
	notify_ready(m->notify);
	return 0;
}

static void close_parts(struct monitor *m)
{
	if (m->watch)
		watch_close(m->watch);
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
	open_handles(m);
	events_add(&m->events, &event_log);
	if (json)
		events_add(&m->events, &event_json);
	r = run(m);
	close_parts(m);
	close_handles(m);
	drop_session(m->s);
	free(m);
	return r;
}
