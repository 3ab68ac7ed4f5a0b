/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the overlay's programs do and have done. */
#ifndef APPLY_OVERLAY_READ_H
#define APPLY_OVERLAY_READ_H

#include "apply/overlay.h"

/* 0 or -errno. */
int overlay_read_node(const struct overlay_maps *m, uint8_t node, struct ov_node *ret);
/* Sums over all CPUs, since the maps were made. */
int overlay_read_way(const struct overlay_maps *m, uint8_t node, uint8_t way,
		     struct ov_traffic *ret);
int overlay_read_counters(const struct overlay_maps *m, uint64_t ret[OV_REASON_MAX]);

#endif
