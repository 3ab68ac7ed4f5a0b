// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/control_socket.h"

#include "base/defs.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#define DIR "/run/asymbpf"

#define READY "sock"
#define STARTING "starting"

static struct sockaddr_un address(uint64_t cookie, const char *suffix)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), DIR "/%" PRIu64 ".%s", cookie, suffix);
	return a;
}

static int call(int (*fn)(int, const struct sockaddr *, socklen_t), int fd,
		const struct sockaddr_un *a)
{
	return fn(fd, (const struct sockaddr *)a, sizeof(*a)) ? -errno : 0;
}

/* 0 when nobody is there, any more. */
static int replace_stale(const struct sockaddr_un *a)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd < 0 ? -errno : call(connect, fd, a);

	if (r == -ENOENT)
		return 0;
	if (r == -ECONNREFUSED)
		return unlink(a->sun_path) && errno != ENOENT ? -errno : 0;
	return !r || r == -EAGAIN ? -EADDRINUSE : r; /* EAGAIN: its backlog is full */
}

/* The file gets the mode of the socket (unix_bind_bsd in the kernel's net/unix/af_unix.c), so there is
 * no moment at which others could open it. */
static int bind_and_listen(uint64_t cookie, int backlog)
{
	struct sockaddr_un ready = address(cookie, READY), a = address(cookie, STARTING);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0 || fchmod(fd, 0600))
		return -errno;
	r = replace_stale(&ready);
	r = r ?: replace_stale(&a);
	r = r ?: call(bind, fd, &a);
	if (r)
		return r;
	return listen(fd, backlog) ? -errno : TAKE_FD(fd);
}

/* One at a time, from the look at an old socket until the new one listens.  -ENOENT: somebody has just
 * removed the directory. */
static int try_listen(uint64_t cookie, int backlog)
{
	_cleanup_close_ int dir = -1;
	struct stat st;
	int r = file_mkdirs(DIR);

	if (r)
		return r;
	dir = open(DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || flock(dir, LOCK_EX) || fstat(dir, &st))
		return -errno;
	return st.st_nlink ? bind_and_listen(cookie, backlog) : -ENOENT;
}

int control_socket_listen(uint64_t cookie, int backlog)
{
	int fd = -ENOENT;

	for (int tries = 0; fd == -ENOENT && tries < 10; tries++)
		fd = try_listen(cookie, backlog);
	return fd;
}

int control_socket_ready(uint64_t cookie)
{
	struct sockaddr_un from = address(cookie, STARTING), to = address(cookie, READY);

	return rename(from.sun_path, to.sun_path) ? -errno : 0;
}

void control_socket_sweep(uint64_t cookie)
{
	struct sockaddr_un ready = address(cookie, READY), starting = address(cookie, STARTING);
	_cleanup_close_ int dir = open(DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || flock(dir, LOCK_EX))
		return;
	replace_stale(&ready);
	replace_stale(&starting);
	rmdir(DIR);
}

void control_socket_remove(uint64_t cookie)
{
	struct sockaddr_un ready = address(cookie, READY), starting = address(cookie, STARTING);

	unlink(ready.sun_path);
	unlink(starting.sun_path);
	rmdir(DIR);
}

static int try_connect(uint64_t cookie, const char *suffix, int timeout_s)
{
	struct timeval timeout = {.tv_sec = timeout_s};
	struct sockaddr_un a = address(cookie, suffix);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)))
		return -errno;
	r = call(connect, fd, &a);
	if (r)
		return r == -ECONNREFUSED ? -ENOENT : r == -EAGAIN ? -ETIMEDOUT : r;
	return TAKE_FD(fd);
}

/* Which may be over in the midst of it. */
int control_socket_connect(uint64_t cookie, int timeout_s)
{
	int fd = try_connect(cookie, READY, timeout_s), starting;

	if (fd != -ENOENT)
		return fd;
	starting = try_connect(cookie, STARTING, timeout_s);
	if (starting < 0)
		return try_connect(cookie, READY, timeout_s);
	close(starting);
	return -EINPROGRESS;
}
