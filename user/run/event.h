/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens to links, told to everyone who listens: log, --json, subscribers, hook, metrics. */
#ifndef RUN_EVENT_H
#define RUN_EVENT_H

#include "core/plan.h"
#include <stddef.h>
#include <stdint.h>

/* X(NAME, "name"): what `event` is in JSON, and ASYMBPF_EVENT of hooks. */
#define EVENTS(X)                                                                                  \
	X(START, "start")   /* the daemon has taken over */                                        \
	X(STOP, "stop")	    /* it ends; everything stays as it is */                               \
	X(LINK, "link")	    /* a link, in one family, went up or down, or its reason changed */    \
	X(MANUAL, "manual") /* the operator forced a link, or let it go */                         \
	X(TARGET, "target") /* a target began or ceased to answer */                               \
	X(RELOAD, "reload") /* another configuration is in force */                                \
	X(REPAIR, "repair") /* somebody took something of ours away; it is back */                 \
	X(ERROR, "error")   /* something could not be done, and will be tried again */

enum event_kind {
#define X(name, text) EVENT_##name,
	EVENTS(X)
#undef X
	EVENT_MAX
};

struct event {
	enum event_kind kind;
	const char *link;	 /* name, or NULL */
	const char *device;	 /* of the link, or NULL */
	int family;		 /* AF_INET, AF_INET6; 0: none in particular */
	const char *state;	 /* "up", "down"; of MANUAL "up", "down", "auto"; or NULL */
	const char *reason;	 /* a word of plan_down_names or health_reason_names, or NULL */
	const char *text;	 /* for people, without newline, or NULL */
};

struct event_sink {
	/* json: the event as one line, without newline */
	void (*take)(struct event_sink *s, const struct event *e, const char *json, size_t len);
	struct event_sink *next;
};

struct events {
	struct event_sink *sinks;
	uint64_t count[EVENT_MAX];
};

void events_add(struct events *e, struct event_sink *s);
/* Also from within take(). */
void events_remove(struct events *e, struct event_sink *s);
/* Adds the time ("2026-11-22T10:00:00.123Z"). */
void events_send(struct events *e, const struct event *event);

/* One line for people: "link wan: IPv4 down (no-answer): ...". */
void event_text(const struct event *e, char *ret, size_t size);

/* Sinks with no state of their own. */
extern struct event_sink event_log;  /* stderr, or the journal: priority prefixes when stderr is one */
extern struct event_sink event_json; /* stdout, a line each, flushed */

#endif
