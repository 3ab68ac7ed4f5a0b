/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `asymbpf wg run`: tests every way to every node, end to end, and has each direction take its best one.  Every probe_ms a
 * datagram by each way (its mark forces it), from overlay address to overlay address, port mesh.port - 1:
 * it carries what this side knows of the other direction's ways, so neither side needs the other's clock, and a direction whose
 * reports stop goes on by preference.
 */
#ifndef RUN_PATHS_H
#define RUN_PATHS_H

#include "apply/overlay.h"
#include "core/mesh_choice.h"
#include "run/event.h"
#include <json-c/json.h>
#include <uv.h>

struct paths;
/* p: applied; outlives it.  0 or -errno. */
int paths_open(uv_loop_t *loop, const struct mesh_plan *p, struct events *events, struct paths **ret);
void paths_close(struct paths *p);
/* For `asymbpf wg show`: per node, direction and way. */
void paths_status(const struct paths *p, struct json_object *ret);
/* Own addresses have changed: endpoints are set again and a packet is sent by every tunnel, now. */
void paths_address_changed(struct paths *p);

#endif
