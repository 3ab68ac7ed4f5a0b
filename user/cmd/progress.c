// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Seconds are whole ones, so nothing is printed in the first; the last call wipes what was. */
void progress(size_t done, size_t total)
{
	static time_t begun;
	time_t now = time(NULL);

	if (!done)
		begun = now;
	if (now - begun < 2 || !isatty(STDERR_FILENO))
		return;
	if (done + 1 < total)
		fprintf(stderr, "\r%zu of %zu devices ", done, total);
	else
		fprintf(stderr, "\r%30s\r", "");
}
