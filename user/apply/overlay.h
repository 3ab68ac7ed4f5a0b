/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mesh plan into the kernel: WireGuard devices, the overlay device (a persistent TUN that nobody
 * reads) with its addresses and routes, the programs on them, an nftables table "asymbpf-mesh" that
 * clamps the MSS.  Again, it changes only what differs, while packets pass.  What was made is in
 * /run/asymbpf/COOKIE.mesh, so that overlay_remove takes away that and nothing else.
 *
 * Who calls overlay_apply or overlay_remove holds the lock of the network namespace (apply/state.h).
 */
#ifndef APPLY_OVERLAY_H
#define APPLY_OVERLAY_H

#include "apply/overlay_names.h"
#include "bpf/overlay_abi.h"

/* Of the overlay's marks: 8 bits that no link's mark uses by default. */
#define OVERLAY_MARK_MASK 0x00ff0000u

struct overlay_options {
	uint8_t private_key[MESH_KEY];
	const struct overlay_names *names; /* of all endpoints of the plan */
	bool adopt; /* devices of the plan's names that somebody else made (wg-quick, networkd) are
		     * used as they are */
	bool keep;  /* somebody measures ways: what was chosen last stays, where the plan has it */
};

/* 0 or -errno with error (size bytes): what is in the way, a device of that name that is not ours, a
 * port in use; all is as it was then. */
int overlay_apply(const struct mesh_plan *p, const struct overlay_options *o, char *error,
		  size_t size);
/* 0; -ENOENT: nothing of ours is here; -errno with error: what of ours could not be removed is still
 * known as ours. */
int overlay_remove(char *error, size_t size);

/* The maps of the programs that run here; descriptors, to be closed by overlay_maps_done. */
struct overlay_maps {
	int config, prefixes, nodes, budget, rules, flows, counters, ways;
};
/* 0, -ENOENT, -EPROTO: of another version. */
int overlay_maps_find(struct overlay_maps *ret);
void overlay_maps_done(struct overlay_maps *m);

/* What the programs do with flows to one node, written in place. */
int overlay_write_node(const struct overlay_maps *m, uint8_t node, const struct ov_node *value);
/* As static preference has it, nothing being known of the ways. */
void overlay_node_of(const struct mesh_plan *p, const struct mesh_target *t,
		     const uint32_t *ifindex_of_tunnels, struct ov_node *ret);

#endif
