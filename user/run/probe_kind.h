/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For run/probe*.c alone: what the kinds of probes share. */
#ifndef RUN_PROBE_KIND_H
#define RUN_PROBE_KIND_H

#include "run/probe.h"
#include <netinet/in.h>
#include <sys/socket.h>

struct probe {
	struct prober *prober;
	struct probe *next, *prev; /* of all that run, the next to be due first */
	const struct probe_kind *kind;
	struct probe_path path;
	const struct model_target *target;
	const struct model_probe *conf;
	uint64_t begun_ns; /* uv_hrtime() when it was sent */
	uint64_t due_ns;   /* when it has failed */
	probe_end *end;
	void *data;
};

/* A kind embeds struct probe as its first member. */
struct probe_kind {
	size_t size;		       /* of the whole, allocated zeroed by probe_start */
	int (*start)(struct probe *p); /* 0, or -errno with nothing left behind */
	void (*stop)(struct probe *p); /* gives back all but the struct */
};

extern const struct probe_kind probe_ping, probe_gateway, probe_tcp, probe_dns, probe_http;

struct probe_port;
struct probe_name;
struct http_engine;

struct prober {
	uv_loop_t *loop;
	/* one timer for all probes; what is due is looked at once sockets were read: idle keeps the
	 * loop from waiting for them, looked comes after it */
	uv_timer_t timer;
	uv_idle_t idle;
	uv_check_t looked;
	unsigned int handles; /* of these, not yet closed */
	struct probe *first, *last;
	struct probe_port *ports;  /* probe_port.c's */
	struct probe_name *names; /* probe_name.c's */
	struct http_engine *http; /* probe_http.c's */
};

/* Answered now, or failed for this reason: calls `end` and frees the probe. */
void probe_answered(struct probe *p);
void probe_failed(struct probe *p, const char *why);

/* -------- sockets (probe_socket.c) */

static inline int probe_family(const struct probe *p)
{
	return p->target->family == ASYM_V4 ? AF_INET : AF_INET6;
}

/* A non-blocking, close-on-exec socket bound to the path's device, with its mark.  Or -errno. */
int probe_socket(const struct probe_path *path, int family, int type, int protocol);
/* The same, bound to the path's source as well; of SOCK_STREAM nothing is left when it is closed. */
int probe_socket_from(const struct probe_path *path, enum asym_family family, int type);

/* A socket in the loop. */
struct probe_io;
/* failed: the socket has an error. */
typedef void probe_ready(void *data, int fd, bool failed);
/* Takes *fd over (-1 then).  events: UV_READABLE, UV_WRITABLE.  0 or -errno. */
int probe_io_open(struct prober *p, int *fd, int events, probe_ready *ready, void *data,
		  struct probe_io **ret);
/* Closes the socket, also from within ready.  NULL is fine. */
void probe_io_close(struct probe_io *io);
int probe_io_fd(const struct probe_io *io);

/* For prober_close, when no probe is left; NULL is fine. */
void ports_close(struct prober *p);
void names_close(struct prober *p);
void http_engine_close(struct http_engine *h);

#endif
