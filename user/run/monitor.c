// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/monitor.h"

#include "apply/snapshot.h"
#include "base/log.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ull
#define GATHER_NS (2 * MS)  /* one event seldom comes alone */
#define BUSY_NS (20 * MS)   /* until the next try while somebody else changes something */
#define RETRY_NS (1000 * MS)
#define SHARE 4		    /* of a CPU at most one part in this many is spent on syncs, */
#define AT_ONCE_NS (100 * MS) /* but so much without a rest: events come in twos and threes */

/* --- when */

static void sync_in(struct monitor *m, uint64_t ns)
{
	uint64_t at = uv_hrtime() + ns;

	if (uv_is_active((uv_handle_t *)&m->sync) && m->sync_at_ns <= at)
		return;
	m->sync_at_ns = at;
	uv_update_time(&m->loop);
	uv_timer_start(&m->sync, monitor_sync, (ns + MS - 1) / MS, 0);
}

/* Of the CPU, by the daemon; waiting for the kernel costs nobody anything. */
static uint64_t spent_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000 * MS + now.tv_nsec;
}

/* What syncs took that no rest has made up for. */
static uint64_t owed_ns(const struct monitor *m, uint64_t now)
{
	uint64_t rested = (now - m->synced_ns) / (SHARE - 1);

	return m->owed_ns - MIN(m->owed_ns, rested);
}

void monitor_sync_soon(struct monitor *m)
{
	uint64_t owed = owed_ns(m, uv_hrtime());

	sync_in(m, owed > AT_ONCE_NS ? (SHARE - 1) * (owed - AT_ONCE_NS) + GATHER_NS : GATHER_NS);
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

int monitor_force(struct monitor *m, const char *name, enum plan_manual manual, uint32_t seconds)
{
	for (size_t i = 0; m->s && i < m->s->state.n_ids; i++) {
		struct plan_id *id = &m->s->state.ids[i];

		if (strcmp(id->name, name) || !plan_link_by_id(&m->s->plan, id->id))
			continue;
		id->manual = manual;
		id->manual_until = manual != PLAN_AUTO && seconds ? boot_seconds() + seconds : 0;
		m->state_changed = true;
		monitor_tell_manual(m, id);
		/* who asked for it finds it done */
		monitor_sync(&m->sync);
		return 0;
	}
	return -ENOENT;
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

/* --- a sync */

static void keep(struct monitor *m, struct host *host, struct plan *plan)
{
	plan_done(&m->s->plan);
	host_done(&m->s->host);
	m->s->plan = *plan;
	m->s->host = *host;
	m->settled = true;
}

/* A state that cannot be saved is in memory: the kernel holds the plan all the same. */
static void saved(struct monitor *m, const struct update *u)
{
	if (u->done & UPDATE_STATE) {
		m->state_changed = false;
		m->state_owed = u->state_changed;
		if (m->state_owed)
			backoff_failed(&m->save_again, uv_hrtime());
		else
			backoff_worked(&m->save_again);
	}
	if (m->state_owed)
		sync_in(m, backoff_left(&m->save_again, uv_hrtime()));
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
		.been_live = m->been_live,
		.state_changed = m->state_changed ||
				 (m->state_owed && !backoff_left(&m->save_again, uv_hrtime())),
		.ruleset = m->ruleset,
	};
	int r = update_apply(&u);

	watch_own(m->watch, u.port);
	m->been_live = u.been_live;
	m->ruleset = u.ruleset;
	m->unsure = u.failed & ~UPDATE_STATE;
	saved(m, &u);
	state_stamp(m->cookie, &m->stamp);
	monitor_tell(m, plan, &u);
	return m->unsure ? r : 0;
}

static int complain(int r, const char *what)
{
	log_once(true);
	log_err(r, "%s", what);
	log_once(false);
	return r;
}

static int renew(struct monitor *m)
{
	struct session *s = m->s;
	struct plan plan;
	struct host host;
	bool devices;
	int r = snapshot_take(&host);

	if (r)
		return complain(r, "cannot read the machine's network configuration");
	m->state_changed |= take_verdicts(m);
	state_mark_devices(&s->state, &host);
	r = plan_build(&plan, &s->model, &host, s->state.ids, s->state.n_ids);
	if (r) {
		host_done(&host);
		return complain(r, "cannot plan");
	}
	/* without memory for it the next sync tries again */
	state_note_devices(&s->state, &plan, &host, &devices);
	m->state_changed |= devices;
	monitor_drain_begin(m, &plan);
	r = update(m, &host, &plan);
	monitor_drain(m, &plan);
	keep(m, &host, &plan);
	monitor_dhcp_follow(m);
	return tracker_follow(&m->tracker, &s->plan, s->state.ids, s->state.n_ids, false) ?: r;
}

static int sync_locked(struct monitor *m)
{
	int r = monitor_follow(m);

	if (r == -ENOENT) {
		log_warn("unloaded: nothing is left to do");
		uv_stop(&m->loop);
		return 0;
	}
	return r ?: renew(m);
}

/* What happens because of the try itself is no reason for the next. */
static void load_lost(struct monitor *m)
{
	uint64_t left = backoff_left(&m->load_again, uv_hrtime());
	int r;

	if (left) {
		sync_in(m, left);
		return;
	}
	log_once(true);
	r = monitor_load(m, false);
	log_once(false);
	if (r)
		watch_skip(m->watch);
	/* whether it was of use only the next sync tells */
	backoff_failed(&m->load_again, uv_hrtime());
	sync_in(m, r ? backoff_left(&m->load_again, uv_hrtime()) : GATHER_NS);
}

static void works(struct monitor *m)
{
	if (m->load_again.failed_ns)
		log_line(LOG_NOTICE, "asymbpf: loaded again");
	backoff_worked(&m->load_again);
	log_forget();
}

void monitor_sync(uv_timer_t *timer)
{
	struct monitor *m = timer->data;
	uint64_t spent = spent_ns();
	int lock = state_lock(m->cookie), r;

	if (lock < 0) {
		sync_in(m, BUSY_NS);
		return;
	}
	r = sync_locked(m);
	state_unlock(m->cookie, lock);
	if (r == -ESRCH || r == -ENODATA)
		load_lost(m); /* the programs went with their devices */
	else if (r)
		sync_in(m, RETRY_NS);
	else
		works(m);
	m->owed_ns = owed_ns(m, uv_hrtime()) + spent_ns() - spent;
	m->synced_ns = uv_hrtime();
}
