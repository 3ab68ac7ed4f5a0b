// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first process in the machines of scripts/vm, alone in its initramfs but for /modules (in the
 * order of loading).  It makes the host's root, read-only over 9p, the lower layer of its own, runs
 * "bash RUN/command" (RUN: vm_run= of the kernel's command line), passes its output to the serial ports
 * 1 and 2, kills what it leaves behind, writes its status to port 3 and resets the machine.
 * A failure here is a line in the kernel's log and no status.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OVER_9P "trans=virtio,version=9p2000.L,msize=512000,cache=loose"

static bool write_text(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* No orderly shutdown: it would take longer than most commands. */
static void __attribute__((noreturn)) reset(void)
{
	sync();
	write_text("/proc/sys/kernel/sysrq", "1");
	write_text("/proc/sysrq-trigger", "b");
	for (;;)
		pause();
}

static void require(bool good, const char *what)
{
	char line[512];

	if (good)
		return;
	snprintf(line, sizeof(line), "<2>vm: %s: %s\n", what, strerror(errno));
	write_text("/dev/kmsg", line);
	reset();
}

static bool attach(const char *type, const char *dir, unsigned long flags, const char *options)
{
	mkdir(dir, 0755);
	return !mount(type, dir, type, flags, options);
}

static void load_modules(void)
{
	struct dirent **list;
	int n = scandir("/modules", &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char path[300];
		int fd;

		if (list[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/modules/%s", list[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		require(fd >= 0 && (!syscall(SYS_finit_module, fd, "", 0) || errno == EEXIST), path);
		close(fd);
	}
}

static void enter_root(void)
{
	static const char *const moved[][2] = {
		{"/proc", "/root/proc"}, {"/sys", "/root/sys"}, {"/dev", "/root/dev"}};

	require(!mount("root", "/below", "9p", MS_RDONLY, OVER_9P), "the host's root");
	require(attach("tmpfs", "/above", 0, "mode=755,size=75%"), "tmpfs");
	mkdir("/above/files", 0755);
	mkdir("/above/work", 0755);
	require(attach("overlay", "/root", 0, "lowerdir=/below,upperdir=/above/files,workdir=/above/work"),
		"overlay");
	for (int i = 0; i < 3; i++)
		require(!mount(moved[i][0], moved[i][1], NULL, MS_MOVE, NULL), moved[i][1]);
	require(!chdir("/root") && !mount(".", "/", NULL, MS_MOVE, NULL) && !chroot("."), "new root");
	require(!chdir("/"), "/");
}

/* What a running Debian has; ip netns wants shared mounts. */
static void furnish(void)
{
	require(attach("tmpfs", "/run", 0, "mode=755"), "/run");
	mkdir("/run/lock", 0755);
	require(attach("devpts", "/dev/pts", 0, "gid=5,mode=620,ptmxmode=666"), "/dev/pts");
	require(attach("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777"), "/dev/shm");
	require(!symlink("/proc/self/fd", "/dev/fd") && !symlink("fd/0", "/dev/stdin") &&
			!symlink("fd/1", "/dev/stdout") && !symlink("fd/2", "/dev/stderr"),
		"links in /dev");
	require(attach("bpf", "/sys/fs/bpf", 0, "mode=700"), "bpffs");
	require(attach("cgroup2", "/sys/fs/cgroup", 0, NULL), "cgroup2");
	attach("debugfs", "/sys/kernel/debug", 0, NULL);
	attach("tracefs", "/sys/kernel/tracing", 0, NULL);
	require(!mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), "shared mounts");
}

/* The devices of the ports show up some time after their driver. */
static int open_port(int number)
{
	char path[32];
	int fd = -1;

	snprintf(path, sizeof(path), "/dev/vport0p%d", number);
	for (int tries = 0; fd < 0 && tries < 1000; tries++) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			usleep(10000);
	}
	require(fd >= 0, path);
	return fd;
}

static pid_t start_command(const char *run, const int out[2], const int err[2])
{
	pid_t pid = fork();
	sigset_t none;
	char path[4096];

	require(pid >= 0, "fork");
	if (pid)
		return pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	dup2(err[1], STDERR_FILENO);
	snprintf(path, sizeof(path), "%s/command", run);
	execl("/bin/bash", "bash", path, NULL);
	_exit(125);
}

/* One read's worth from a pipe to a port; false when nobody holds the pipe any more. */
static bool pass_on(int from, int to)
{
	static char buffer[65536];
	ssize_t n = read(from, buffer, sizeof(buffer));

	for (ssize_t done = 0, w; done < n; done += w) {
		w = write(to, buffer + done, n - done);
		if (w <= 0)
			return false;
	}
	return n > 0;
}

/* Reaps whoever has ended; true if the command is among them. */
static bool reap(pid_t command, int *ret_status)
{
	bool found = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != command)
			continue;
		*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		found = true;
	}
	return found;
}

/* Until the command has ended and all of its output is passed on; returns the command's status. */
static int serve(pid_t command, int children, const int from[2], const int to[2])
{
	struct pollfd p[] = {{.fd = from[0], .events = POLLIN},
			     {.fd = from[1], .events = POLLIN},
			     {.fd = children, .events = POLLIN}};
	struct signalfd_siginfo info;
	bool ended = false;
	int status = 125;

	while (!ended || p[0].fd >= 0 || p[1].fd >= 0) {
		poll(p, 3, -1);
		for (int i = 0; i < 2; i++)
			if (p[i].fd >= 0 && p[i].revents && !pass_on(p[i].fd, to[i]))
				p[i].fd = -1;
		if (!p[2].revents || read(children, &info, sizeof(info)) < 0 || !reap(command, &status))
			continue;
		ended = true;
		kill(-1, SIGKILL);
	}
	return status;
}

int main(void)
{
	const char *run = getenv("vm_run");
	int port[3], out[2], err[2], status;
	char text[16];
	sigset_t chld;
	pid_t command;

	attach("proc", "/proc", 0, NULL);
	attach("sysfs", "/sys", 0, NULL);
	attach("devtmpfs", "/dev", 0, NULL);
	require(run, "vm_run=");
	load_modules();
	enter_root();
	furnish();
	for (int i = 0; i < 3; i++)
		port[i] = open_port(i + 1);
	require(!pipe2(out, O_CLOEXEC) && !pipe2(err, O_CLOEXEC), "pipe");
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	/* the ports tell what the command says, the console all that the kernel does */
	write_text("/proc/sys/kernel/printk", "8");

	command = start_command(run, out, err);
	close(out[1]);
	close(err[1]);
	status = serve(command, signalfd(-1, &chld, SFD_CLOEXEC), (int[]){out[0], err[0]}, port);
	snprintf(text, sizeof(text), "%d\n", status);
	require(write(port[2], text, strlen(text)) > 0, "status");
	for (int i = 0; i < 3; i++)
		close(port[i]); /* waits until the host has it all */
	reset();
}
