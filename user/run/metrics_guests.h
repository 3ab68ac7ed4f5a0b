/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is connected, and for how long yet.  With a limit alone the first who connect and say nothing
 * would keep all others out. */
#ifndef RUN_METRICS_GUESTS_H
#define RUN_METRICS_GUESTS_H

#include "run/metrics.h"

/* Who comes when there is no room waits until somebody goes. */
#define GUESTS_ROOM (3 * METRICS_GUESTS)

struct guest {
	int fd; /* libmicrohttpd's */
	bool here;
	bool dismissed; /* but libmicrohttpd has not yet noticed */
	uint64_t since_ns; /* uv_hrtime() */
};

struct guests {
	struct guest all[GUESTS_ROOM];
};

/* NULL: there is no room. */
struct guest *guests_add(struct guests *g, int fd);
/* NULL is fine. */
void guests_remove(struct guest *guest);
/* Dismisses those whose time is over.  When to come again, uv_hrtime(); UINT64_MAX: never. */
uint64_t guests_look(struct guests *g);

#endif
