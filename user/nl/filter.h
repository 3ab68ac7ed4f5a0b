/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tc filters on the ingress or clsact qdisc of a device. */
#ifndef NL_FILTER_H
#define NL_FILTER_H

#include "nl/nl.h"
#include <stdbool.h>

/* Where a filter is; no other can be there. */
struct filter_place {
	uint32_t handle;
	uint16_t priority;
};

/* Counts what the kernel tells of one side of the qdisc, filters and the priorities that they are
 * in, without what is at `but` (NULL: all).  *ret is 0 without a qdisc, a device or tc in the kernel.
 * 0 or -errno. */
int filter_count(struct nl *nl, uint32_t ifindex, bool egress, const struct filter_place *but,
		 unsigned int *ret);

/* Whether the device has an ingress qdisc, which unlike clsact takes a filter for its egress as one
 * for ingress (net/sched/sch_ingress.c, ingress_find).  False when the kernel does not tell. */
bool filter_ingress_only(struct nl *nl, uint32_t ifindex);

#endif
