/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of links, and their connections; for update*.c alone. */
#ifndef APPLY_UPDATE_LINKS_H
#define APPLY_UPDATE_LINKS_H

#include "apply/sticky.h"
#include "core/plan.h"

struct update_links {
	struct link_set dead; /* cannot carry packets, and have connections from when they did */
	bool any_died;	      /* one of them since the plan before */
	bool any_came; /* some carries packets that did not */
};

/* From the plan before (NULL: none), from what the policies in the maps, one for each of the plan's
 * (NULL: not known), have in use, and from the links that have been live (see struct update). */
void update_links_judge(const struct plan *p, const struct plan *old,
			const struct asym_policy *policies, struct link_set *been_live,
			struct update_links *ret);

/* Keeps those links whose connections have somewhere better to go: some policy that has the link has now
 * a live one, or main.  False: none. */
bool update_links_leave(const struct plan *p, struct link_set *links);

/* Has connections begin anew that began while our table was away: without a mark, not translated, and
 * that would not change any more, how often the client may ask.  0 or -errno. */
int update_links_again(const struct plan *p);

/* Ends connections and sticky entries of these links.  0 or the first -errno, all tried. */
int update_links_end(const struct object *o, const struct plan *p, const struct link_set *links);

#endif
