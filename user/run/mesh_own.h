/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By which addresses tunnels leave. */
#ifndef RUN_MESH_OWN_H
#define RUN_MESH_OWN_H

#include "core/mesh_plan.h"

/* A number that changes with the addresses of this machine, but for those of the plan's own devices
 * (NULL: of all). */
uint64_t mesh_own_digest(const struct mesh_plan *p);

#endif
