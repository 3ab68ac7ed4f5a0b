/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon of a mesh: measures the ways of what is applied in this network namespace, and of what
 * is applied instead of it later.  How it is, is in /run/asymbpf/COOKIE.ways, for `asymbpf wg
 *show`:
 *
 *	"pid", "written_s" (CLOCK_BOOTTIME), "hash" of the description, and what paths_status says
 */
#ifndef RUN_MESH_RUN_H
#define RUN_MESH_RUN_H

#include "run/mesh_apply.h"
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/* source: applied at the beginning and at SIGHUP; NULL: what is applied is taken as it is.  Ends at SIGTERM and SIGINT; packets go on as was chosen last.  0 or -errno, said. */
int mesh_run(const struct mesh_source *source, bool json);

/* What the daemon of this namespace has said of late, to be json_object_put; NULL: none runs. */
struct json_object *mesh_run_status(uint64_t cookie);

#endif
