/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a peer is: names to addresses, and ports of our own. */
#ifndef APPLY_OVERLAY_ENDPOINT_H
#define APPLY_OVERLAY_ENDPOINT_H

#include "apply/overlay_state.h"
#include "base/resolve.h"

/* "192.0.2.1:51820", "[2001:db8::1]:51820"; "" of family 0. */
void overlay_endpoint_text(const union addr_socket *e, char ret[OVERLAY_ENDPOINT]);

/* The address of an endpoint, out of those that its name has: the one that was used before (as text),
 * if it is among them, else the first.  0, or -EHOSTUNREACH with words in error: it has none. */
int overlay_endpoint_choose(const struct mesh_endpoint *e, const struct resolved *found,
			    const char *before, union addr_socket *ret, char *error, size_t size);

/* -EADDRINUSE: somebody has this UDP port, of whatever address; -errno. */
int overlay_port_check(uint16_t port);

#endif
