/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's socket, /run/asymbpf/COOKIE.sock (mode 0600: who may open it may command): one JSON
 * object per line, answered by one.
 *
 *	{"do": "status"}                         {"ok": true, "links": [...], ...}
 *	{"do": "link", "link": "wan", "set": "down" | "up" | "auto", "seconds": 60}
 *	{"do": "reload"}
 *	{"do": "events"}                         {"ok": true}, then every event as it happens
 *	anything else                            {"ok": false, "error": "..."}
 *
 * A line is at most CONTROL_LINE bytes; at most CONTROL_CLIENTS at once, the one silent for longest
 * goes; a subscriber who does not read is dropped.
 */
#ifndef RUN_CONTROL_H
#define RUN_CONTROL_H

#include "run/event.h"
#include <json-c/json.h>
#include <uv.h>

#define CONTROL_LINE 4096
#define CONTROL_CLIENTS 32

/* What the daemon does for its clients. */
struct control_ops {
	/* Adds members to ret. */
	void (*status)(void *data, struct json_object *ret);
	/* seconds 0: without end.  0; -ENOENT: no such link; -errno. */
	int (*link)(void *data, const char *link, enum plan_manual manual, uint32_t seconds);
	/* 0 or -errno, text (size bytes) filled then. */
	int (*reload)(void *data, char *text, size_t size);
};

struct control;
/* 0; -EADDRINUSE: another daemon answers there; -errno.  A socket that nobody answers is replaced. */
int control_open(uv_loop_t *loop, uint64_t cookie, struct events *events,
		 const struct control_ops *ops, void *data, struct control **ret);
void control_close(struct control *c);

/* The client's side, for verbs; blocking, 5 s at most for each line.  0; -ENOENT: no daemon runs;
 * -errno.  *ret: the answer, to be json_object_put. */
int control_ask(uint64_t cookie, struct json_object *request, struct json_object **ret);
/* Calls fn with every event until it returns false (0) or the daemon ends (-EPIPE). */
int control_listen(uint64_t cookie, bool (*fn)(const char *line, void *data), void *data);

#endif
