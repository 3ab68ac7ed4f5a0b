// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/limit.h"

#include "base/defs.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static struct rlimit before, ours; /* the process's; rlim_max 0: not raised */

void limit_raise(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur == files.rlim_max)
		return;
	before = ours = files;
	ours.rlim_cur = ours.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &ours))
		ours = before;
}

/* As many as it takes to make a child: a pipe for its error, and what it opens before exec(2). */
static bool has_room(void)
{
	int fd[4] = {-1, -1, -1, -1};
	bool has = !pipe2(fd, O_CLOEXEC) && !pipe2(fd + 2, O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		if (fd[i] >= 0)
			close(fd[i]);
	return has;
}

bool limit_lower(void)
{
	if (!ours.rlim_max)
		return true;
	if (!setrlimit(RLIMIT_NOFILE, &before) && has_room())
		return true;
	limit_restore();
	return false;
}

void limit_restore(void)
{
	if (ours.rlim_max)
		setrlimit(RLIMIT_NOFILE, &ours);
}

void limit_child(pid_t pid)
{
	if (ours.rlim_max)
		prlimit(pid, RLIMIT_NOFILE, &before, NULL);
}
