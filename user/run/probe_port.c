// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/probe_port.h"
#include "base/defs.h"
#include <errno.h>
#include <net/if.h>

/* So many packets are read before others get their turn. */
#define PACKETS_AT_ONCE 64

/* No probe finds it any more. */
static void port_take_out(struct probe_port *port)
{
	*port->prev = port->next;
	if (port->next)
		port->next->prev = port->prev;
	probe_io_close(TAKE_PTR(port->io));
}

/* `end` may cancel others that wait here, and start new ones, which open a new port. */
static void port_broken(struct probe_port *port, int error)
{
	port_take_out(port);
	while (port->waiting)
		probe_failed(&port->waiting->probe, probe_reason(error));
	free(port);
}

static void on_readable(void *data, int fd, bool failed)
{
	struct probe_port *port = data;
	int r = failed ? -ENETDOWN : 0;

	port->reading = true;
	for (int i = 0; i < PACKETS_AT_ONCE && !r; i++)
		r = port->kind->read(port, fd);
	port->reading = false;
	if (r && r != -EAGAIN)
		port_broken(port, -r);
}

static int port_open(struct prober *p, const struct probe_path *path, const struct port_kind *kind,
		     struct probe_port **ret)
{
	_cleanup_free_ struct probe_port *port = calloc(1, kind->size);
	_cleanup_close_ int fd = -1;
	int r;

	if (!port)
		return -ENOMEM;
	port->kind = kind;
	port->ifindex = path->ifindex;
	port->mark = path->mark;
	fd = kind->open(port, path);
	if (fd < 0)
		return fd;
	r = probe_io_open(p, &fd, UV_READABLE, on_readable, port, &port->io);
	if (r)
		return r;
	port->next = p->ports;
	port->prev = &p->ports;
	if (port->next)
		port->next->prev = &port->next;
	p->ports = port;
	*ret = TAKE_PTR(port);
	return 0;
}

/* Those of devices that are gone, and of another mark than the one in use now. */
static void sweep(struct prober *p, uint32_t mark)
{
	struct probe_port *next;
	char name[IF_NAMESIZE];

	for (struct probe_port *port = p->ports; port; port = next) {
		next = port->next;
		if (port->waiting || port->reading ||
		    (port->mark == mark && if_indextoname(port->ifindex, name)))
			continue;
		port_take_out(port);
		free(port);
	}
}

static struct probe_port *port_find(const struct prober *p, const struct probe_path *path,
				    const struct port_kind *kind)
{
	for (struct probe_port *port = p->ports; port; port = port->next)
		if (port->ifindex == path->ifindex && port->kind == kind && port->mark == path->mark)
			return port;
	return NULL;
}

int port_join(struct port_probe *p, const struct port_kind *kind)
{
	struct prober *prober = p->probe.prober;
	struct probe_port *port = port_find(prober, &p->probe.path, kind);
	int r;

	if (!port) {
		sweep(prober, p->probe.path.mark);
		r = port_open(prober, &p->probe.path, kind, &port);
		if (r)
			return r;
	}
	p->port = port;
	p->next = port->waiting;
	p->prev = &port->waiting;
	if (p->next)
		p->next->prev = &p->next;
	port->waiting = p;
	return 0;
}

void port_leave(struct port_probe *p)
{
	*p->prev = p->next;
	if (p->next)
		p->next->prev = p->prev;
}

int port_fd(const struct port_probe *p)
{
	return probe_io_fd(p->port->io);
}

void ports_close(struct prober *p)
{
	struct probe_port *next;

	for (struct probe_port *port = p->ports; port; port = next) {
		next = port->next;
		port_take_out(port);
		free(port);
	}
}
