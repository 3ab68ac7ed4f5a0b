/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a mesh is in this network namespace: /run/asymbpf/COOKIE.mesh.  It is written before a
 * device is made, so that what a killed process left is known as ours.
 */
#ifndef APPLY_OVERLAY_STATE_H
#define APPLY_OVERLAY_STATE_H

#include "base/addr.h"
#include "core/mesh.h"

#define OVERLAY_ENDPOINT 80 /* "[2001:db8::1%eth0]:51820" with its NUL */

struct overlay_device {
	char name[IFNAMSIZ];
	uint32_t ifindex; /* 0: about to be made */
	bool adopted;	  /* somebody else's, whom it stays with */
	char host[MESH_ENDPOINT];	 /* of a tunnel's endpoint, as described; empty: none */
	char endpoint[OVERLAY_ENDPOINT]; /* its address, as set last */
};

struct overlay_state {
	char *description; /* of the mesh, mesh_print() */
	char node[MESH_NODE];
	struct overlay_device overlay; /* name empty: none */
	struct in6_addr addr[ASYM_FAMILIES]; /* on it; "::": none */
	struct overlay_device *tunnels;
	size_t n_tunnels;
};

/* 0; -ENOENT: there is none; -EBADMSG: the file is damaged; -errno.  Free with overlay_state_done. */
int overlay_state_read(struct overlay_state *ret, uint64_t cookie);
int overlay_state_write(const struct overlay_state *s, uint64_t cookie);
void overlay_state_remove(uint64_t cookie);
void overlay_state_done(struct overlay_state *s);

/* NULL: there is none of that name. */
struct overlay_device *overlay_state_tunnel(const struct overlay_state *s, const char *name);

#endif
