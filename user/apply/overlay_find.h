/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The overlay's programs and maps that are in the kernel, of whatever namespace. */
#ifndef APPLY_OVERLAY_FIND_H
#define APPLY_OVERLAY_FIND_H

#include "apply/overlay.h"

/* In the order of struct overlay_maps. */
enum { OVERLAY_MAP_MAX = sizeof(struct overlay_maps) / sizeof(int) };
extern const char *const overlay_map_names[OVERLAY_MAP_MAX];

/* Whether the program with this id is one of the overlay's, of this namespace. */
bool overlay_owns(uint32_t program_id);

#endif
