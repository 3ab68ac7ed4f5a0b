/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of a mesh for the overlay's programs. */
#ifndef APPLY_OVERLAY_RULES_H
#define APPLY_OVERLAY_RULES_H

#include "apply/overlay.h"

/* Those for what the node sends itself, in order.  ret: room for OV_RULES.  How many. */
size_t overlay_rules_of(const struct mesh_plan *p, struct ov_rule *ret);

/* Into the list that the programs do not use; *ret_first: what to put into ov_config.rules
 * afterwards.  0 or -errno. */
int overlay_rules_write(int config, int rules, const struct mesh_plan *p, uint32_t *ret_first);

#endif
