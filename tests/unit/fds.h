/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a test left open.  Include cmocka.h before. */
#ifndef TESTS_UNIT_FDS_H
#define TESTS_UNIT_FDS_H

#include <dirent.h>

/* Descriptors that are open; always the same few too many. */
static inline int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

#endif
