// SPDX-License-Identifier: GPL-2.0-or-later
/* wireguard-go as a process: one for each device. */
#include "nl/wireguard_int.h"

#include "base/defs.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#define SOCKET_DIR "/var/run/wireguard" /* ipc/uapi_unix.go */
#define PROGRAM "wireguard-go"
#define END_TRIES 100 /* 10 ms each */

extern char **environ;

void wireguard_socket_path(const char *device, char ret[WIREGUARD_SOCKET_PATH])
{
	snprintf(ret, WIREGUARD_SOCKET_PATH, SOCKET_DIR "/%s.sock", device);
}

/* Its parent ends when the device and the socket are there.  What it says is for those who start it
 * by hand. */
static int spawn(const char *device, pid_t *ret)
{
	char *argv[] = {(char *)PROGRAM, (char *)device, NULL};
	posix_spawn_file_actions_t files;
	int r = posix_spawn_file_actions_init(&files);

	if (r)
		return -r;
	for (int fd = 0; fd < 3 && !r; fd++)
		r = posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
	r = r ?: posix_spawnp(ret, PROGRAM, &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	return -r;
}

/* A name is a device's of this network namespace, but a file's of the machine. */
static bool is_taken(const char *device)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	wireguard_socket_path(device, to.sun_path);
	return fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to));
}

int wireguard_process_start(const char *device)
{
	int status, r;
	pid_t pid;

	if (is_taken(device))
		return -EBUSY;
	r = spawn(device, &pid);
	if (r)
		return r == -ENOENT ? -EOPNOTSUPP : r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? -EOPNOTSUPP : -EIO;
	return wireguard_process_listens(device) ? 0 : -EIO;
}

/* /proc/net/unix has the sockets of our network namespace alone, files are everybody's:
 * "ADDRESS: REFS PROTOCOL FLAGS TYPE STATE INODE PATH", FLAGS of a listening one __SO_ACCEPTCON. */
static bool is_listener(const char *line, const char *path)
{
	unsigned int flags;
	int at = 0;

	if (sscanf(line, "%*s %*x %*x %x %*x %*x %*u %n", &flags, &at) != 1 || !at)
		return false;
	return flags & 1 << 16 && !strncmp(line + at, path, strlen(path)) &&
	       line[at + strlen(path)] == '\n';
}

bool wireguard_process_listens(const char *device)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/thread-self/net/unix", "re");
	char path[WIREGUARD_SOCKET_PATH], line[512];
	bool found = false;

	wireguard_socket_path(device, path);
	while (f && !found && fgets(line, sizeof(line), f))
		found = is_listener(line, path);
	return found;
}

/* It takes its socket away at last. */
void wireguard_process_wait_end(const char *device)
{
	static const struct timespec pause = {.tv_nsec = 10000000};
	char path[WIREGUARD_SOCKET_PATH];
	bool there = true;

	wireguard_socket_path(device, path);
	for (int i = 0; i < END_TRIES && there; i++) {
		nanosleep(&pause, NULL);
		there = wireguard_process_listens(device) || !access(path, F_OK);
	}
	if (there && !is_taken(device))
		unlink(path);
}
