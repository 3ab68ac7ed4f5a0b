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
	X(LINK, "link")	    /* a link, in one family, went up or down */    \
	X(MANUAL, "manual") /* the operator forced a link, or let it go */                         \
	X(TARGET, "target") /* a target began or ceased to answer */                               \
	X(LEASE, "lease")   /* of a DHCP client: bound, renewed, moved, refused, late, expired */      \
	X(RELOAD, "reload") /* another configuration is in force */                                \
	X(DHCP, "dhcp")     /* a client's renewal was to leave by another link than its own */        \
	X(REPAIR, "repair") /* somebody took something of ours away; it is back */                 \
	X(WAY, "way")	    /* of a mesh: it died, came back, or was chosen */                      \
	X(ENDPOINT, "endpoint") /* of a mesh: the name of a peer or forwarder has another address */ \
	X(ERROR, "error")   /* something could not be done, and will be tried again */

enum event_kind {
#define X(name, text) EVENT_##name,
	EVENTS(X)
#undef X
	EVENT_MAX
};

extern const char *const event_kind_names[EVENT_MAX];

struct event {
	enum event_kind kind;
	const char *link;	 /* name, or NULL */
	const char *device;	 /* of the link, or NULL */
	int family;		 /* AF_INET, AF_INET6; 0: none in particular */
	/* of ENDPOINT "moved"; of WAY "dead", "alive", "chosen", "mtu", "differs",
	 * "agrees"; "up", "down"; of MANUAL "up", "down", "auto"; of DHCP "moved", "failed"; of LEASE as there */
	const char *state;
	const char *reason;	 /* a word of plan_down_names, health_reason_names or choice_reason_names,
				  * or NULL */
	const char *text;	 /* for people, without newline, or NULL */
};

/* A line of JSON is shorter than this (a text that is longer is cut), so that a pipe takes it whole. */
#define EVENT_LINE 4096

struct event_sink {
	/* json: the event as one line, without newline.  It must not block; it may send events. */
	void (*take)(struct event_sink *s, const struct event *e, const char *json, size_t len);
	struct event_sink *next;
};

struct events {
	struct event_sink *sinks;
	struct event_walk *walks; /* events_send in progress */
	uint64_t count[EVENT_MAX];
};

void events_add(struct events *e, struct event_sink *s);
/* Also from within take(). */
void events_remove(struct events *e, struct event_sink *s);
/*
 * Adds the time.  In JSON, members that do not apply are left out:
 *	{"time": "2026-11-22T10:00:00.123Z", "event": "link", "link": "wan", "device": "eth1",
 *	 "family": "ipv4", "state": "down", "reason": "no-answer", "text": "..."}
 */
void events_send(struct events *e, const struct event *event);

/* One line for people: "link wan: IPv4 down (no-answer): ...". */
void event_text(const struct event *e, char *ret, size_t size);
/* The line of JSON, shorter than EVENT_LINE; returns its length. */
size_t event_json_line(const struct event *e, char ret[EVENT_LINE]);
/* "ipv4", "ipv6", or NULL. */
const char *event_family_name(int family);

/*
 * Sinks for one list of events each.  A reader who is slow, a full disk, a closed descriptor: lines are
 * lost, and how many is said when there is room again ({"lost": 3}).  The process ignores SIGPIPE and
 * has called log_never_wait.
 */
extern struct event_sink event_log;  /* stderr, by base/log.h */
extern struct event_sink event_json; /* stdout, a line each */

#endif
