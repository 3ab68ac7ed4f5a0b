/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is to say of DHCP on the links: by the daemon, or by what it left; by the programs. */
#ifndef CMD_DHCP_VIEW_H
#define CMD_DHCP_VIEW_H

#include "run/session.h"
#include <json-c/json.h>

/* Renewals that left by their link, by who saw to it; each in one of these. */
struct dhcp_renewals {
	uint64_t right; /* nobody had to */
	uint64_t guard, shim;
	uint64_t watchdog; /* acknowledged ones that it asked for itself */
	uint64_t failed; /* left by another link all the same, or not at all */
};

struct dhcp_row {
	const struct plan_link *link;
	struct json_object *lease, *shim; /* as in run/control.h; NULL: none */
	bool counted;
	struct asym_dhcp counts; /* if counted */
	struct dhcp_renewals renewals;
};

struct dhcp_view {
	const struct session *s;
	struct json_object *daemon; /* NULL: none runs */
	struct dhcp_row *rows; /* one for each link */
	size_t n;
};

/* 0 or -ENOMEM; a file that makes no sense is said. */
int dhcp_view_open(struct dhcp_view *v, const struct session *s);
void dhcp_view_done(struct dhcp_view *v);

/* A member, or NULL, also of NULL. */
struct json_object *dhcp_view_get(struct json_object *o, const char *name);

#endif
