// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets of probes, and sockets in the loop. */
#include "base/defs.h"
#include "run/probe_kind.h"
#include <errno.h>
#include <string.h>

/* By index: a name may have gone to another device meanwhile. */
int probe_socket(const struct probe_path *path, int family, int type, int protocol)
{
	_cleanup_close_ int fd =
		socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	int ifindex = (int)path->ifindex;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &ifindex, sizeof(ifindex)) ||
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &path->mark, sizeof(path->mark)))
		return -errno;
	return TAKE_FD(fd);
}

/* With a linger time of 0 what is closed is gone: no minutes in TIME_WAIT, two a second for each link. */
static void no_traces(int fd)
{
	struct linger none = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

int probe_socket_from(const struct probe_path *path, enum asym_family family, int type)
{
	_cleanup_close_ int fd =
		probe_socket(path, family == ASYM_V4 ? AF_INET : AF_INET6, type, 0);
	union addr_socket from;
	socklen_t len;

	if (fd < 0)
		return fd;
	if (type == SOCK_STREAM)
		no_traces(fd);
	if (addr_is_zero(&path->source[family]))
		return TAKE_FD(fd);
	len = addr_socket(&path->source[family], 0, path->ifindex, &from);
	if (bind(fd, &from.sa, len))
		return -errno;
	return TAKE_FD(fd);
}

/* -------- in the loop */

struct probe_io {
	uv_poll_t poll; /* the loop's until it is closed */
	int fd;
	probe_ready *ready;
	void *data;
};

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct probe_io *io = poll->data;

	io->ready(io->data, io->fd, status < 0);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

int probe_io_open(struct prober *p, int *fd, int events, probe_ready *ready, void *data,
		  struct probe_io **ret)
{
	struct probe_io *io = calloc(1, sizeof(*io));
	int r;

	if (!io)
		return -ENOMEM;
	r = uv_poll_init(p->loop, &io->poll, *fd);
	if (r) {
		free(io);
		return r;
	}
	io->poll.data = io;
	io->fd = TAKE_FD(*fd);
	io->ready = ready;
	io->data = data;
	uv_poll_start(&io->poll, events, on_ready);
	*ret = io;
	return 0;
}

void probe_io_close(struct probe_io *io)
{
	if (!io)
		return;
	uv_close((uv_handle_t *)&io->poll, on_closed);
	close(io->fd);
}

int probe_io_fd(const struct probe_io *io)
{
	return io->fd;
}
