/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of hosts, asked of the machine's own resolver, which no link in particular answers for: so
 * once is enough for all links, and what was known stays in use when it does not answer.
 */
#ifndef RUN_PROBE_NAME_H
#define RUN_PROBE_NAME_H

#include "run/probe_kind.h"

#define NAME_ADDRS 4

struct name_addrs {
	struct in6_addr addr[NAME_ADDRS];
	uint32_t n;
};

struct probe_name;

/* Who waits for a name; embedded, zeroed. */
struct name_wait {
	struct probe_name *name; /* NULL: it does not wait */
	struct name_wait *next, **prev;
	/* Once; a: NULL when there is no such name. */
	void (*known)(struct name_wait *w, const struct name_addrs *a);
};

/* 0: known, *ret is set.  -EINPROGRESS: w waits.  -ENODATA: there is no such name, as we have just
 * heard.  -errno. */
int name_ask(struct prober *p, const char *host, enum asym_family family, struct name_wait *w,
	     struct name_addrs *ret);
/* Waits no longer, if it does. */
void name_leave(struct name_wait *w);

#endif
