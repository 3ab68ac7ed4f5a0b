// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/cgroup.h"

#include "base/defs.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

/* The kernel allows no more programs on one hook (BPF_CGROUP_MAX_PROGS). */
#define MAX_PROGRAMS 64

static enum bpf_attach_type hook_of(enum object_program which)
{
	switch (which) {
	case PROGRAM_CONNECT4:
		return BPF_CGROUP_INET4_CONNECT;
	case PROGRAM_CONNECT6:
		return BPF_CGROUP_INET6_CONNECT;
	case PROGRAM_SENDMSG4:
		return BPF_CGROUP_UDP4_SENDMSG;
	case PROGRAM_SENDMSG6:
		return BPF_CGROUP_UDP6_SENDMSG;
	case PROGRAM_RECVMSG4:
		return BPF_CGROUP_UDP4_RECVMSG;
	default:
		return BPF_CGROUP_UDP6_RECVMSG;
	}
}

/* Opens the first cgroup2 mount that a process lists, under that process's root directory. */
static int open_mounted(const char *process)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[4096], type[64], table[64];
	int fd = -ENOENT;

	snprintf(table, sizeof(table), "/proc/%s/mounts", process);
	f = fopen(table, "re");
	while (f && fd < 0 && fscanf(f, "%*s %4000s %63s %*[^\n]", path, type) == 2) {
		char full[4096 + 64];

		if (strcmp(type, "cgroup2"))
			continue;
		snprintf(full, sizeof(full), "/proc/%s/root%s", process, path);
		fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd;
}

static int open_unseen(void)
{
	_cleanup_close_ int fs = fsopen("cgroup2", FSOPEN_CLOEXEC), mount_fd = -1;
	int fd;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount_fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mount_fd < 0)
		return -errno;
	fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int cgroup_open(void)
{
	int fd = open_mounted("self");

	if (fd < 0)
		fd = open_mounted("1");
	return fd < 0 ? open_unseen() : fd;
}

int cgroup_find(int cgroup, uint64_t cookie, enum object_program which)
{
	uint32_t ids[MAX_PROGRAMS], n = MAX_PROGRAMS;
	enum object_program found;

	if (bpf_prog_query(cgroup, hook_of(which), 0, NULL, ids, &n))
		return -errno;
	for (uint32_t i = 0; i < n; i++)
		if (object_owns(ids[i], cookie, &found) && found == which) {
			int fd = bpf_prog_get_fd_by_id(ids[i]);

			return fd < 0 ? -errno : fd;
		}
	return -ENOENT;
}

/* A namespace that is loaded has programs on its devices. */
static bool has_tc_programs(uint64_t cookie)
{
	enum object_program which;
	uint64_t found;
	uint32_t id = 0;

	while (!bpf_prog_get_next_id(id, &id))
		if (object_identify(id, &which, &found) && found == cookie &&
		    which < PROGRAM_HOST_FIRST)
			return true;
	return false;
}

static unsigned int remove_orphans_of(int cgroup, enum object_program which)
{
	uint32_t ids[MAX_PROGRAMS], n = MAX_PROGRAMS;
	enum object_program found;
	unsigned int removed = 0;
	uint64_t cookie;

	if (bpf_prog_query(cgroup, hook_of(which), 0, NULL, ids, &n))
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		_cleanup_close_ int fd = -1;

		if (!object_identify(ids[i], &found, &cookie) || found != which ||
		    has_tc_programs(cookie))
			continue;
		fd = bpf_prog_get_fd_by_id(ids[i]);
		removed += fd >= 0 && !cgroup_detach(cgroup, which, fd);
	}
	return removed;
}

unsigned int cgroup_remove_orphans(int cgroup)
{
	unsigned int removed = 0;

	for (int i = PROGRAM_HOST_FIRST; i < PROGRAM_MAX; i++)
		removed += remove_orphans_of(cgroup, i);
	return removed;
}

int cgroup_attach(int cgroup, enum object_program which, int program, int before)
{
	LIBBPF_OPTS(bpf_prog_attach_opts, opts,
		    .flags = BPF_F_ALLOW_MULTI | (before < 0 ? 0 : BPF_F_REPLACE),
		    .replace_prog_fd = MAX(before, 0));

	return bpf_prog_attach_opts(program, cgroup, hook_of(which), &opts) ? -errno : 0;
}

int cgroup_detach(int cgroup, enum object_program which, int program)
{
	return bpf_prog_detach2(program, cgroup, hook_of(which)) ? -errno : 0;
}
