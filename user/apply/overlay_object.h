/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The overlay's programs (bpf/overlay.bpf.c) on its device and its tunnels.  Devices hold the
 * programs, the programs hold the maps; the maps name this network namespace.
 */
#ifndef APPLY_OVERLAY_OBJECT_H
#define APPLY_OVERLAY_OBJECT_H

#include "apply/overlay.h"

/*
 * Fills the maps from the plan, static preference for all nodes, or what was chosen last by the
 * plan `before` (NULL: none), and puts the programs on the devices.  Again: maps that are there are
 * used on (flows keep their ways, counters go on), each hook gets the new program in place of the
 * old one at once, other devices lose theirs.  tunnel_ifindex: of p->tunnels, 0 where there is no
 * device.  0; -errno, error (size bytes) tells why, and what was there goes on.
 */
int overlay_programs(const struct mesh_plan *p, const struct mesh_plan *before,
		     uint32_t overlay_ifindex, const uint32_t *tunnel_ifindex, char *error,
		     size_t size);

/* Takes the programs off every device of this namespace. */
void overlay_programs_remove(void);

#endif
