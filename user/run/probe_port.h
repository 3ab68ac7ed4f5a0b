/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets that all probes of one kind and family by one device share. */
#ifndef RUN_PROBE_PORT_H
#define RUN_PROBE_PORT_H

#include "run/probe_kind.h"

/* Answers to one probe are found among those that wait, of which a device has a few. */
struct port_probe {
	struct probe probe;
	struct probe_port *port;
	struct port_probe *next, **prev;
};

struct probe_port {
	struct probe_port *next, **prev; /* of the prober's */
	const struct port_kind *kind;
	uint32_t ifindex, mark;
	struct probe_io *io;
	struct port_probe *waiting;
	bool reading;
};

/* A kind embeds struct probe_port as its first member. */
struct port_kind {
	size_t size; /* of the whole, allocated zeroed */
	/* Makes its socket: a descriptor or -errno. */
	int (*open)(struct probe_port *port, const struct probe_path *path);
	/* Reads one packet; the probe that it answers is told, at the very end.  0; -EAGAIN: there is
	 * none; -errno: the socket is of no use any more. */
	int (*read)(struct probe_port *port, int fd);
};

/* Has the probe wait at the port of its path, which is opened if there is none.  0 or -errno. */
int port_join(struct port_probe *p, const struct port_kind *kind);
void port_leave(struct port_probe *p);
int port_fd(const struct port_probe *p);

#endif
