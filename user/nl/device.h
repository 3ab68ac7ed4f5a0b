/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making, changing and removing network devices.  Names are those of this namespace. */
#ifndef NL_DEVICE_H
#define NL_DEVICE_H

#include "nl/nl.h"

/* A device of a kind ("wireguard") that needs no more to be told, down.  0; -EEXIST; -EOPNOTSUPP:
 * the kernel knows no such kind; -errno. */
int device_create(struct nl *nl, const char *name, const char *kind);
/* 0, -ENODEV, -errno. */
int device_delete(struct nl *nl, const char *name);
int device_set_up(struct nl *nl, const char *name, bool up);
int device_set_mtu(struct nl *nl, const char *name, uint32_t mtu);

#endif
