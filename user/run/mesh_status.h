/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /run/asymbpf/COOKIE.ways, see mesh_run.h. */
#ifndef RUN_MESH_STATUS_H
#define RUN_MESH_STATUS_H

#include <json-c/json.h>
#include <stdint.h>

/* Adds "pid" and "written_s".  0 or -errno. */
int mesh_status_write(uint64_t cookie, struct json_object *status);
void mesh_status_remove(uint64_t cookie);

#endif
