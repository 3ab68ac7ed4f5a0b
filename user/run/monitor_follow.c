// SPDX-License-Identifier: GPL-2.0-or-later
/* The daemon follows the state file: others load, reload and unload. */
#include "base/log.h"
#include "run/monitor.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void monitor_drop(struct session *s)
{
	if (s)
		session_close(s);
	free(s);
}

/* What can fail comes first: then all follow the old session still. */
static int configure(struct monitor *m, const struct session *s)
{
	int r = hook_configure(m->hook, s->model.hook, s->model.hook_timeout_ms);

	r = r ?: tracker_follow(&m->tracker, &s->plan, s->state.ids, s->state.n_ids, true);
	if (r)
		return log_err(r, "cannot follow the new configuration");
	evidence_follow(m->evidence, s);
	doubt_follow(m->doubt, s);
	return 0;
}

/* The operator's word came while another process was loading, which does not know it. */
static void keep_word(const struct state *old, struct state *now)
{
	for (size_t i = 0; i < old->n_ids; i++)
		for (size_t k = 0; k < now->n_ids; k++)
			if (!strcmp(old->ids[i].name, now->ids[k].name)) {
				now->ids[k].manual = old->ids[i].manual;
				now->ids[k].manual_until = old->ids[i].manual_until;
			}
}

/* What runs now is what we keep up from now on.  -ESRCH: no program does. */
static int adopt(struct monitor *m)
{
	struct session *s = calloc(1, sizeof(*s)), *old = m->s;
	int r = s ? 0 : -ENOMEM;

	log_once(true);
	r = r ?: session_open(s, false);
	r = r ?: session_plan(s);
	if (!r && !s->running)
		r = -ESRCH;
	r = r ?: configure(m, s);
	log_once(false);
	if (r) {
		monitor_drop(s);
		return r;
	}
	if (m->state_changed || m->state_owed)
		keep_word(&old->state, &s->state);
	m->s = s;
	m->settled = false;
	m->ruleset = 0;
	monitor_drain_keep(m, old);
	monitor_serve_metrics(m);
	monitor_dhcp_anew(m);
	if (old)
		monitor_tell_reload(m);
	monitor_drop(old);
	return 0;
}

/* The file alone may have gone: an unload takes the programs, too. */
static int restore_state(struct monitor *m)
{
	struct object object;
	int r = m->s ? object_find(&object, m->cookie) : -ENOENT;

	if (r)
		return -ENOENT;
	object_done(&object);
	m->state_changed |= !m->state_owed;
	return 0;
}

int monitor_follow(struct monitor *m)
{
	struct state_stamp now;
	int r = state_stamp(m->cookie, &now);

	if (r == -ENOENT)
		return restore_state(m);
	if (r || (m->s && now.inode == m->stamp.inode && now.changed_ns == m->stamp.changed_ns))
		return r;
	r = adopt(m);
	if (!r)
		m->stamp = now;
	return r;
}
