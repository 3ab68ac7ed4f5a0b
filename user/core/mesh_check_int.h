/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside mesh_check*.c only. */
#ifndef CORE_MESH_CHECK_INT_H
#define CORE_MESH_CHECK_INT_H

#include "core/check_int.h"
#include "core/mesh_pairs.h"

/* Keys, addresses and LANs. */
void mesh_check_nodes(const struct mesh *m, struct findings *f);
void mesh_check_ports(const struct mesh *m, const struct mesh_pairs *p, struct findings *f);
void mesh_check_directions(const struct mesh *m, const struct mesh_pairs *p, struct findings *f);
void mesh_check_rules(const struct mesh *m, struct findings *f);

#endif
