/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For run/probe*.c alone: what the kinds of probes share. */
#ifndef RUN_PROBE_KIND_H
#define RUN_PROBE_KIND_H

#include "run/probe.h"

struct probe {
	struct prober *prober;
	struct probe *next, **prev; /* among all that run */
	const struct probe_kind *kind;
	struct probe_path path;
	const struct model_target *target;
	const struct model_probe *conf;
	uint64_t begun_ns; /* uv_hrtime() when it was sent */
	uint64_t due_ns;   /* when it has failed; one timer of the prober serves all probes */
	probe_end *end;
	void *data;
};

/* A kind embeds struct probe as its first member and allocates it. */
struct probe_kind {
	size_t size;				/* of the whole, allocated zeroed by probe_start */
	int (*start)(struct probe *p);		/* 0, or -errno with nothing left behind */
	void (*stop)(struct probe *p);		/* gives back all but the struct; handles may close later */
};

extern const struct probe_kind probe_ping, probe_gateway, probe_tcp, probe_dns, probe_http;

struct prober {
	uv_loop_t *loop;
	uv_timer_t timer;
	struct probe *running;
	struct ping_sockets *ping;	 /* probe_ping.c's */
	struct gateway_sockets *gateway; /* probe_gateway.c's */
	struct http_engine *http;	 /* probe_http.c's: libcurl's multi handle */
};

/* Answered now, or failed for this reason: calls `end` and frees the probe. */
void probe_answered(struct probe *p);
void probe_failed(struct probe *p, const char *why);

/* A non-blocking, close-on-exec socket bound to the path's device, with its mark.  Or -errno. */
int probe_socket(const struct probe_path *path, int family, int type, int protocol);

/* Freed by prober_close; NULL is fine. */
void ping_sockets_close(struct ping_sockets *s);
void gateway_sockets_close(struct gateway_sockets *s);
void http_engine_close(struct http_engine *h);

#endif
