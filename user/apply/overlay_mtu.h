/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What packets to the nodes of a mesh are cut to: the MTU of our routes by the overlay device.  The
 * stack does the rest: it tells sockets and LANs, and clamps the MSS. */
#ifndef APPLY_OVERLAY_MTU_H
#define APPLY_OVERLAY_MTU_H

#include "core/mesh_plan.h"

/* By index of the node, the least of its routes; 0: it has none, or they have none.  0 or -errno.
 */
int overlay_mtu_read(const struct mesh_plan *p, uint16_t ret[MESH_MAX_NODES]);
/* Of those that are there; routes of others stay, whatever they lead to.  IPv6's are locked where
 * it is less than the plan's: else the device's holds for what is forwarded.  0 or -errno. */
int overlay_mtu_write(const struct mesh_plan *p, uint8_t node, uint16_t mtu);

#endif
