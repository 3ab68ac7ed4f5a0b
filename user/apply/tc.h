/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One program on the tc ingress or egress of one device. */
#ifndef APPLY_TC_H
#define APPLY_TC_H

#include "nl/nl.h"
#include <stdbool.h>
#include <stdint.h>

/* The kernel allows no more programs on one tcx hook (BPF_MPROG_MAX). */
#define TC_MAX_PROGRAMS 64

struct tc_hook {
	uint32_t ifindex;
	bool egress;
	bool clsact; /* a filter of the clsact qdisc, else tcx */
};

/*
 * Ids of the programs on the hook in the order in which they run, at most n of them (clsact: only
 * the one filter that can be ours).  Returns their number or -errno.
 */
int tc_query(const struct tc_hook *hook, uint32_t *ret_ids, uint32_t n);

/* Puts program fd on the hook; in place of `before` unless that is negative.  *ret_made tells
 * whether a clsact qdisc had to be added.  0; -EOPNOTSUPP: no tcx in this kernel, use clsact;
 * -EBUSY: no room: an ingress qdisc where clsact is to be, or 64 programs (tcx); -errno. */
int tc_attach(const struct tc_hook *hook, int program, int before, bool *ret_made);

/* Whether a program can be put on the hook: without tcx, egress needs a clsact qdisc, which somebody's
 * ingress qdisc leaves no room for. */
bool tc_has_room(const struct tc_hook *hook);

/* Takes program fd off the hook.  0 or -errno. */
int tc_detach(const struct tc_hook *hook, int program);

/* Whether the ingress or clsact qdisc of the device has ingress filters that are not ours.  0 or
 * -errno. */
int tc_others(struct nl *nl, uint32_t ifindex, bool *ret);

/* Removes the device's clsact qdisc when no filter is left on it; fails silently, as a qdisc that
 * stays does no harm. */
void tc_remove_clsact(uint32_t ifindex);

#endif
