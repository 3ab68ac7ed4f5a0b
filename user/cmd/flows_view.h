/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verb flows found, between the file that finds it and the one that prints it. */
#ifndef CMD_FLOWS_VIEW_H
#define CMD_FLOWS_VIEW_H

#include "apply/flows.h"
#include "cmd/options.h"
#include "run/session.h"

/* Rows are sorted by what was found first, and read again when they are printed: a full cache has
 * too many to keep. */
struct flows_row {
	uint64_t weight;
	uint32_t position;
};

struct flows_view {
	const struct session *s;
	const struct options *o;
	struct flows flows;
	struct flow_filter filter;
	enum flow_sort sort;
	struct flows_row *rows;
	size_t n_rows;
	size_t count[ASYM_LINK_IDS]; /* flows of each link */
};

/* Calls `each` for as many flows as --limit allows, in order. */
void flows_view_each(struct flows_view *v,
		     void (*each)(struct flows_view *, const struct flow_info *, void *), void *arg);

/* NULL: the link has no name. */
const char *flows_view_link(const struct flows_view *v, uint8_t id);

void flows_view_print(struct flows_view *v);

#endif
