/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the flow cache knows of links: connections that were made lately, both ways.
 *
 * An entry is made when conntrack calls a TCP connection established: packets went out and answers came
 * back.  SENT, on the direction that arrives by the link, says that the stack has passed on a packet from
 * there since.  So the time when such an entry was made is one at which the link carried packets both
 * ways.  Later packets prove nothing of the kind: into a link that takes none of ours any more servers
 * retransmit for minutes.
 *
 * Connections that have ended count as long as nothing was written over their entries.
 *
 * An entry that is written again keeps the time at which it was made, over reloads too.  Only one that
 * made room for another flow, or whose connection conntrack forgot and picked up in the middle, comes
 * back as a new one, and may speak for a dead link once.
 */
#ifndef RUN_EVIDENCE_SEARCH_H
#define RUN_EVIDENCE_SEARCH_H

#include "apply/flows.h"

#define EVIDENCE_NONE UINT32_MAX

/* Of one family of one link; all times are ages in jiffies. */
struct evidence_age {
	bool urgent;	 /* the search goes on until it has an age of at most `enough` */
	uint32_t enough;
	uint32_t age;	 /* of the newest connection found; EVIDENCE_NONE */
};

struct evidence_search {
	uint32_t ifindex[ASYM_LINK_IDS]; /* the links' devices; 0: no such link */
	struct evidence_age of[ASYM_LINK_IDS][ASYM_FAMILIES];
};

/* Fills the ages.  Reads f's tables and clock; no index is needed.  written: see flows_written(). */
void evidence_search(struct evidence_search *s, const struct flows *f, const uint32_t *written);

#endif
