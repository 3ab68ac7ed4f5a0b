// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/session.h"

#include "apply/netns.h"
#include "apply/snapshot.h"
#include "base/log.h"
#include "core/check.h"
#include "core/config.h"
#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#define LOCK_TRIES 200 /* 10 ms each */

static int read_running(struct session *s)
{
	int r = state_read(&s->state, s->cookie);

	s->damaged = r && r != -ENOENT;
	if (s->damaged)
		log_warn("/run/asymbpf/%llu.json: damaged (%s), ignoring",
			 (unsigned long long)s->cookie, strerror(-r));
	s->has_state = !r;
	r = object_find(&s->object, s->cookie);
	s->running = !r;
	s->loaded = s->has_state || s->damaged || !r || r == -EPROTO;
	if (r && r != -ENOENT && r != -EPROTO)
		return log_err(r, "cannot look for running programs");
	return 0;
}

/* The daemon holds it for some milliseconds at a time. */
static int wait_for_lock(uint64_t cookie)
{
	static const struct timespec pause = {.tv_nsec = 10000000};
	int fd = state_lock(cookie);

	for (int i = 0; fd == -EWOULDBLOCK && i < LOCK_TRIES; i++) {
		nanosleep(&pause, NULL);
		fd = state_lock(cookie);
	}
	return fd;
}

int session_open(struct session *s, bool lock)
{
	int r;

	memset(s, 0, sizeof(*s));
	s->lock = -1;
	object_init(&s->object);
	r = netns_cookie(&s->cookie);
	if (r)
		return log_err(r, "cannot tell the network namespace (Linux 5.14 or later)");
	if (lock) {
		s->lock = wait_for_lock(s->cookie);
		if (s->lock == -EWOULDBLOCK)
			return log_err(0, "another asymbpf is changing this network namespace"),
			       -EBUSY;
		if (s->lock < 0)
			return log_err(s->lock, "cannot take the lock");
	}
	r = read_running(s);
	if (r)
		return r;
	r = snapshot_take(&s->host);
	if (r)
		return log_err(r, "cannot read the machine's network configuration");
	state_mark_devices(&s->state, &s->host);
	return 0;
}

void session_close(struct session *s)
{
	plan_done(&s->plan);
	model_done(&s->model);
	host_done(&s->host);
	object_done(&s->object);
	state_done(&s->state);
	state_unlock(s->cookie, s->lock);
}

int session_plan(struct session *s)
{
	struct findings f = {};
	int r;

	if (!s->loaded)
		return log_err(0, "not loaded in this network namespace, see asymbpf load"),
		       -ENOENT;
	if (!s->has_state)
		return log_err(0, "loaded, but its state is gone: name links or a file to asymbpf "
				  "reload, or use asymbpf unload"),
		       -ENOENT;
	model_init(&s->model);
	r = config_parse(&s->model, "loaded configuration", s->state.config,
			 strlen(s->state.config), &f);
	r = r ?: model_add_defaults(&s->model);
	if (r)
		session_report(&f);
	findings_done(&f);
	r = r ?: plan_build(&s->plan, &s->model, &s->host, s->state.ids, s->state.n_ids);
	return r ? log_err(r, "cannot understand the loaded configuration") : 0;
}

int session_report(struct findings *f)
{
	findings_sort(f);
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *x = &f->items[i];
		const char *level = x->level == FINDING_ERROR ? "error" : "warning";
		int priority = x->level == FINDING_ERROR ? LOG_ERR : LOG_WARNING;

		if (x->file && x->line)
			log_line(priority, "%s:%d: %s: %s", x->file, x->line, level, x->text);
		else if (x->file)
			log_line(priority, "%s: %s: %s", x->file, level, x->text);
		else
			log_line(priority, "asymbpf: %s: %s", level, x->text);
	}
	return findings_errors(f) ? -EINVAL : 0;
}

static int add_flag(struct model *m, const char *flag, const char *value, struct findings *f)
{
	if (!strcmp(flag, "--iface"))
		return config_add_iface(m, value, f);
	if (!strcmp(flag, "--fastpath"))
		return config_set_fastpath(m, value, f);
	return config_add_lan(m, value, f);
}

static int add_flags(struct model *m, char **flags, size_t n, struct findings *f)
{
	int result = 0;

	for (size_t i = 0; i + 1 < n && result != -ENOMEM; i += 2) {
		int r = add_flag(m, flags[i], flags[i + 1], f);

		result = r == -EINVAL ? -EDOM : r ?: result;
	}
	return result;
}

int session_model(struct model *m, const char *config, char **flags, size_t n_flags)
{
	struct findings f = {};
	int r = 0, flags_r;

	model_init(m);
	if (config)
		r = config_read(m, config, &f);
	flags_r = add_flags(m, flags, n_flags, &f);
	/* what a broken file or flag left out would only be complained of again */
	if (!r && !flags_r)
		r = model_add_defaults(m);
	if (!r && !flags_r)
		check_model(m, &f);
	if (r == -ENOMEM || flags_r == -ENOMEM)
		r = log_err(-ENOMEM, "cannot build the configuration");
	r = session_report(&f) ?: r;
	findings_done(&f);
	return flags_r ?: r;
}
