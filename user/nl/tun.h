/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TUN devices that nobody reads. */
#ifndef NL_TUN_H
#define NL_TUN_H

/* Makes a TUN device (no link-layer header, no packet information) that stays without a process,
 * down.  0; -EEXIST: the name is taken, by whatever kind of device; -errno: there is no
 * /dev/net/tun, or it is not allowed. */
int tun_create(const char *name);

#endif
