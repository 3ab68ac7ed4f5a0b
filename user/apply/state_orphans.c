// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/state.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

static bool has_netns(uint64_t cookie, uint64_t netns)
{
	struct state s;
	bool same;

	if (state_read(&s, cookie))
		return false;
	same = s.netns == netns;
	state_done(&s);
	return same;
}

/* With its lock file, which a killed process left. */
static void remove_locked(uint64_t cookie)
{
	int lock = state_lock(cookie);

	if (lock < 0)
		return;
	state_remove(cookie);
	state_unlock(cookie, lock);
}

static bool parse_name(const char *name, uint64_t *ret_cookie)
{
	int end = 0;

	return sscanf(name, "%" SCNu64 ".json%n", ret_cookie, &end) == 1 && end && !name[end];
}

void state_remove_orphans(uint64_t netns, uint64_t cookie)
{
	DIR *dir = netns ? opendir(STATE_ROOT) : NULL;
	const struct dirent *file;
	uint64_t other;

	while (dir && (file = readdir(dir)))
		if (parse_name(file->d_name, &other) && other != cookie && has_netns(other, netns))
			remove_locked(other);
	if (dir)
		closedir(dir);
}
