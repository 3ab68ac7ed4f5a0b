/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the overlay's programs are: tc egress of its device, tc ingress of its tunnels. */
#ifndef APPLY_OVERLAY_HOOKS_H
#define APPLY_OVERLAY_HOOKS_H

#include <stddef.h>
#include <stdint.h>

struct overlay_hooks {
	int out, in; /* descriptors of the programs */
	uint32_t overlay;
	const uint32_t *tunnels; /* 0: none there */
	size_t n_tunnels;
};

/* Each new program in place of the old one, tunnels first; then off every other device.  0 or
 * -errno, with error (size bytes). */
int overlay_hooks_attach(const struct overlay_hooks *h, char *error, size_t size);

/* Takes the programs off every device of this namespace that is not one of these (NULL: none is).
 */
void overlay_hooks_sweep(const struct overlay_hooks *h);

#endif
