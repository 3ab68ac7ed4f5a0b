/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of a struct ov_node, for who writes it anew by what was measured; see also overlay_node_of.
 */
#ifndef APPLY_OVERLAY_NODE_H
#define APPLY_OVERLAY_NODE_H

#include "apply/overlay.h"

/* alive: bit n: way n lives.  By weights, if there are any among those: flows stay where they are
 * when another way dies or comes back; else all by the first that lives, or by the first. */
void overlay_spread(const struct mesh_wish *w, uint32_t alive, uint8_t ret[OV_SPREAD]);

/* The way of flows that find no budget: the first one wished for that costs nothing; OV_WAYS: none.
 */
uint8_t overlay_spill(const struct mesh_target *t, uint32_t alive);

/*
 * What was chosen, and is dead, in n (by overlay_node_of of t) as well, as far as t has the same
 * ways and wishes as before: ways are the same that have the name and the device.  was: what the
 * programs did, by t_was.
 */
void overlay_node_keep(const struct mesh_target *t, const struct mesh_target *t_was,
		       const struct ov_node *was, struct ov_node *n);

#endif
