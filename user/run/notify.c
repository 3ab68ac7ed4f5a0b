// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/notify.h"

#include "base/clock.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd;
	struct sockaddr_un to; /* not connected to: the manager may make its socket anew */
	socklen_t to_len;
	uv_timer_t timer;
};

/* Whether it arrives is not ours to wait for. */
static void tell(struct notify *n, const char *text)
{
	if (n)
		sendto(n->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
		       (struct sockaddr *)&n->to, n->to_len);
}

static void on_timer(uv_timer_t *timer)
{
	tell(timer->data, "WATCHDOG=1");
}

/* 0: no watchdog, or it is another process's. */
static uint64_t watchdog_us(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!us || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	return strtoull(us, NULL, 10);
}

/* "@name" is an abstract address, which begins with NUL and has no final one. */
static int set_address(struct notify *n, const char *path)
{
	size_t len = strlen(path);

	if ((*path != '/' && *path != '@') || len < 2)
		return -EAFNOSUPPORT;
	if (len >= sizeof(n->to.sun_path))
		return -ENAMETOOLONG;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, path, len);
	if (*path == '@')
		n->to.sun_path[0] = 0;
	n->to_len = offsetof(struct sockaddr_un, sun_path) + len;
	return 0;
}

/* Takes n over if it succeeds. */
static int start(struct notify *n, uv_loop_t *loop)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t us = watchdog_us();
	int r = fd < 0 ? -errno : uv_timer_init(loop, &n->timer);

	if (r)
		return r;
	n->fd = TAKE_FD(fd);
	n->timer.data = n;
	uv_unref((uv_handle_t *)&n->timer);
	if (us)
		uv_timer_start(&n->timer, on_timer, 0, MAX(us / 2000, (uint64_t)1));
	return 0;
}

int notify_open(uv_loop_t *loop, struct notify **ret)
{
	const char *path = getenv("NOTIFY_SOCKET");
	_cleanup_free_ struct notify *n = NULL;
	int r;

	if (!path) {
		*ret = NULL;
		return 0;
	}
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	r = set_address(n, path);
	r = r ?: start(n, loop);
	if (!r)
		*ret = TAKE_PTR(n);
	return r;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void notify_close(struct notify *n)
{
	if (!n)
		return;
	close(n->fd);
	uv_close((uv_handle_t *)&n->timer, on_closed);
}

void notify_ready(struct notify *n)
{
	tell(n, "READY=1");
}

/* Type=notify-reload (systemd 253) wants the time. */
void notify_reloading(struct notify *n)
{
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 clock_ns(CLOCK_MONOTONIC) / 1000);
	tell(n, text);
}

void notify_stopping(struct notify *n)
{
	tell(n, "STOPPING=1");
}

void notify_status(struct notify *n, const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int len = snprintf(line, sizeof(line), "STATUS=");

	va_start(ap, fmt);
	vsnprintf(line + len, sizeof(line) - len, fmt, ap);
	va_end(ap);
	tell(n, line);
}
