/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's socket, /run/asymbpf/COOKIE.sock (mode 0600: who may open it may command): one JSON
 * object per line, answered by one, in order.
 *
 *	{"do": "status"}			{"ok": true, "links": [...], ...}
 *	{"do": "link", "link": "wan", "set": "down" | "up" | "auto", "seconds": 60}
 *	{"do": "reload"}
 *	{"do": "events"}			{"ok": true}, then every event as it happens (event.h),
 *						and nothing else is read from this client any more
 *	anything else				{"ok": false, "error": "..."}
 *
 * "seconds", up to CONTROL_MAX_SECONDS, may be missing, or 0: without end.  Members that are not named here are refused.
 *
 * What status answers besides "ok" (members that are not known are null):
 *
 *	"pid":		of the daemon
 *	"running_s":	seconds since it began
 *	"links": [{
 *		"name": "wan", "id": 1,
 *		"ipv4", "ipv6": {
 *			"state":	"up" or "down": whether connections are given to it
 *			"reason":	of plan_down_names when something but probes keeps it down, else of
 *					health_reason_names
 *			"since_s":	seconds since "state" changed last
 *			"degraded":	true: a figure is above its low level
 *			"targets": [{
 *				"kind":		of model_probe_names
 *				"target":	as the configuration has it
 *				"answers":	true, false; null: not asked yet
 *				"loss":		percent of the window
 *				"latency_ms", "jitter_ms":	with fractions
 *			}]
 *		},
 *		"lease": {	null: its client has no lease that was seen acknowledged or refused
 *			"state":	of lease_state_names
 *			"address", "server":	null: none
 *			"client":	the socket that it last renewed with: "packet" (raw frames), "raw"
 *					(raw IP), "udp", "udp-address" and "udp-device" (bound to one)
 *			"t1_s", "t2_s", "expires_s":	until then, negative if it is past; null: never
 *			"relayed":	the server is behind a relay
 *			"by_watchdog":	the last renewal was the daemon's
 *			"asked":	how often the client has tried to renew since it was acknowledged
 *			"acks", "naks":	that answered what it, or the watchdog, asked
 *			"watchdog": {	renewals that the daemon sent, that were acknowledged, that
 *					could not leave, and why the last one could not
 *				"sent", "acknowledged", "failed", "error"
 *			}
 *		}
 *		"shim": {	renewals that the shim saw; null: there is no shim
 *			"right":	left as they were, by this link
 *			"moved":	were about to leave otherwise, and were sent by this link
 *			"failed":	likewise, but could not be sent by it
 *		}
 *		"manual":	of plan_manual_names
 *		"manual_left_s":	until it ends; null: without end, or "auto"
 *	}]
 *
 * A line is at most CONTROL_LINE bytes with its newline; a longer one, or bytes that are no JSON, are
 * answered by an error; after a longer one the client is cut off.  Nothing more is read from a client
 * until its answer is on its way.  At most CONTROL_CLIENTS at once: the one silent for longest goes,
 * but not the subscribers, of whom there are at most CONTROL_SUBSCRIBERS; one who does not read is
 * dropped.
 */
#ifndef RUN_CONTROL_H
#define RUN_CONTROL_H

#include "run/event.h"
#include <json-c/json.h>
#include <uv.h>

#define CONTROL_LINE 4096
#define CONTROL_CLIENTS 32
#define CONTROL_MAX_SECONDS (365u * 86400)
#define CONTROL_SUBSCRIBERS 16
#define CONTROL_BACKLOG (256u << 10) /* bytes that a subscriber may owe */

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
/* 0; -EADDRINUSE: another daemon answers there, or is starting; -errno.  A socket that nobody answers is
 * replaced.  Clients are told that the daemon is starting, until control_serve.
 * The process ignores SIGPIPE from now on. */
int control_open(uv_loop_t *loop, uint64_t cookie, struct events *events,
		 const struct control_ops *ops, void *data, struct control **ret);
/* 0 or -errno. */
int control_serve(struct control *c);
/* Removes the socket; memory goes once the loop has closed the handles.  NULL is fine. */
void control_close(struct control *c);

/* The client's side, for verbs; blocking, 5 s at most for each line, 60 s for the answer to "reload".
 * 0; -ENOENT: no daemon runs; -EINPROGRESS: it is starting; -ETIMEDOUT; -EPIPE: it ended; -EBADMSG: its answer is none; -errno.
 * *ret: the answer, an object with the boolean "ok", to be json_object_put. */
int control_ask(uint64_t cookie, struct json_object *request, struct json_object **ret);
/* Calls fn with every event until it returns false (0) or the daemon ends (-EPIPE).  -EBUSY: there are
 * too many subscribers.  Otherwise as above. */
int control_listen(uint64_t cookie, bool (*fn)(const char *line, void *data), void *data);

#endif
