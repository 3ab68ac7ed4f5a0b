/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon: keeps what the kernel holds equal to what is wanted on the machine of now, tests the
 * links, switches.  One thread, one loop.  Whatever happens leads to the same thing, a sync:
 *
 *	snapshot → verdicts of probes and operator → plan → update → events
 *
 * It owns nothing that traffic needs: killed at any moment, everything stays as it is.  Another process
 * may load, reload or unload meanwhile; the daemon sees the state file change and follows.
 */
#ifndef RUN_MONITOR_H
#define RUN_MONITOR_H

#include "apply/update.h"
#include "base/backoff.h"
#include "run/control.h"
#include "run/courier.h"
#include "run/doubt.h"
#include "run/event.h"
#include "run/evidence.h"
#include "run/hook.h"
#include "run/leases.h"
#include "run/load.h"
#include "run/metrics.h"
#include "run/notify.h"
#include "run/session.h"
#include "run/shim.h"
#include "run/tracker.h"
#include "run/watch.h"

struct monitor {
	uv_loop_t loop;
	struct load told;	/* by the command line; for a load when nothing is loaded */
	uint64_t cookie;	/* of the network namespace */
	struct session *s;	/* as of the last sync: state, object, host, model, plan; or NULL */
	bool settled;		/* there was a sync since it was read: its plan is what the kernel holds */
	struct state_stamp stamp; /* of the state file that s was read from, or that we wrote */
	uint64_t ruleset;	/* digest of our table as we left it */
	struct module module;	/* as of the last sync */
	struct link_set been_live; /* as in struct update */
	bool state_changed;	/* ids differ from the state file */
	bool unsure;		/* the last update failed: the kernel may not hold s->plan */
	unsigned int failing;	/* enum update_part that the last update said an error of: not said again */
	bool state_owed;	/* it could not be saved: again when it changes, or by save_again */
	struct backoff save_again;
	struct backoff load_again; /* the programs went with their devices */
	int result;		/* of monitor_run */
	struct link_set live;	/* as people know it */
	uint64_t since_ns[ASYM_LINK_IDS][ASYM_FAMILIES]; /* since when, CLOCK_MONOTONIC; 0: new */

	struct events events;
	struct event_sink text; /* the last event as text, for sd_notify's STATUS */
	struct watch *watch;
	struct tracker tracker;
	struct evidence *evidence;
	struct doubt *doubt;
	struct courier *courier;
	struct leases *leases;
	struct shim *shim;	/* NULL: none is needed, or none can be */
	int leases_error;	/* why they are not watched, which was said */
	int shim_error;		/* why it cannot be, which was said; for this configuration */
	uint32_t guarded[ASYM_LINK_IDS]; /* ifindex of links whose guard was seen */
	struct control *control;
	struct hook *hook;
	struct metrics *metrics;
	struct in6_addr metrics_addr;
	uint16_t metrics_port;
	struct notify *notify;
	uv_timer_t sync;	/* the next one */
	uint64_t sync_at_ns;	/* when it is due, uv_hrtime() */
	uv_fs_event_t on_state;	/* the state file's directory */
	uv_timer_t drain;
	/* when connections follow to the better tier, CLOCK_BOOTTIME as in the state file; 0: none */
	int64_t drain_at_ns[ASYM_MAX_POLICIES];
	uint64_t begun_ns;	/* when the daemon was started, uv_hrtime() */
	uint64_t synced_ns;	/* end of the last sync, uv_hrtime() */
	uint64_t owed_ns;	/* what syncs until then took of a CPU, less the rests between them */
	uv_signal_t on_term, on_int, on_hup;
};

/* Runs until SIGTERM, SIGINT or an unload.  told: filled by the caller.  json: events on stdout.  0, or
 * -errno, said. */
int monitor_run(const struct load *told, bool json);

/* In monitor_status.c: what {"do": "status"} answers. */
void monitor_status(void *data, struct json_object *ret);

/* In monitor_drain.c: connections on links that their policies have something better for again, by
 * the step from m->s->plan to plan: until when they may stay, into the state too; and those whose time is
 * up are ended, after the update. */
void monitor_drain_begin(struct monitor *m, const struct plan *plan);
void monitor_drain(struct monitor *m, const struct plan *plan);
/* Times that run go on in m->s if its policies are those of old; NULL: those that the state file has. */
void monitor_drain_keep(struct monitor *m, const struct session *old);

/* In monitor_event.c: what happened, to people.  monitor_tell: the step from m->s->plan to plan. */
void monitor_tell(struct monitor *m, const struct plan *plan, const struct update *u);
void monitor_tell_manual(struct monitor *m, const struct plan_id *id);
void monitor_tell_reload(struct monitor *m);
void monitor_tell_start(struct monitor *m);
void monitor_tell_stop(struct monitor *m);

/* In monitor_metrics.c: serves metrics where the model in force wants them, or not. */
void monitor_serve_metrics(struct monitor *m);

/* In monitor_dhcp.c: courier, leases and shim.  0 or -errno. */
int monitor_dhcp_open(struct monitor *m);
void monitor_dhcp_close(struct monitor *m);
/* m->s->plan is what the kernel holds now. */
void monitor_dhcp_follow(struct monitor *m);
/* Another configuration is in force. */
void monitor_dhcp_anew(struct monitor *m);

/* In monitor.c.  A sync as soon as may be; one now. */
void monitor_sync_soon(struct monitor *m);
void monitor_sync(uv_timer_t *timer);
/* The operator's word on a link, for so many seconds (0: without end).  0; -ENOENT: no such link. */
int monitor_force(struct monitor *m, const char *link, enum plan_manual manual, uint32_t seconds);

/* In monitor_follow.c: takes over what another process has loaded since, if anything.  0; -ENOENT:
 * unloaded; -ESRCH: no program runs; -errno, said. */
int monitor_follow(struct monitor *m);
/* Closes and frees; NULL is fine. */
void monitor_drop(struct session *s);

/* In monitor_run.c.  The machine has changed. */
void monitor_changed(void *data);
/*  first: loads what the command line says, if nothing runs yet; else loads again what
 * the last load said.  0, or -errno, said. */
int monitor_load(struct monitor *m, bool first);

#endif
