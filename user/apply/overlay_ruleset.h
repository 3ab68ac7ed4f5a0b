/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nftables table "inet asymbpf-mesh" of this network namespace: TCP that is forwarded to or from
 * the overlay device agrees on segments that fit the mesh.  It is ours when it carries our comment;
 * one that does not is never touched.
 */
#ifndef APPLY_OVERLAY_RULESET_H
#define APPLY_OVERLAY_RULESET_H

#include <stddef.h>

/* 0; -EEXIST: the table is somebody else's; -errno.  error (size bytes) tells why. */
int overlay_ruleset_apply(const char *device, char *error, size_t size);
/* 0, also when there is none of ours. */
int overlay_ruleset_remove(char *error, size_t size);

#endif
