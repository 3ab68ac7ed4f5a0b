/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests every way to every node, end to end, and has each direction take its best one.  Every
 * mesh_probe_ms() a datagram by each way (its mark forces it), from overlay address to overlay address,
 * port mesh.port - 1: it carries what this side knows of the other direction's ways, so neither
 * side needs the other's clock, and a direction whose reports stop goes on as is written.
 *
 * Sockets are bound to the overlay device: what does not come through a tunnel is not seen.
 */
#ifndef RUN_PATHS_H
#define RUN_PATHS_H

#include "apply/overlay.h"
#include "core/mesh_choice.h"
#include "run/event.h"
#include <json-c/json.h>
#include <uv.h>

struct paths;
/* p: applied; outlives it.  0; -EADDRINUSE: another daemon is at it; -ENOENT: the overlay's
 * programs do not run; -errno. */
int paths_open(uv_loop_t *loop, const struct mesh_plan *p, struct events *events,
               struct paths **ret);
/* Everything stays as it was chosen last.  NULL is fine. */
void paths_close(struct paths *p);

/*
 * For `asymbpf wg show`, members of ret; what is not known is null:
 *
 *	"peers": [{
 *		"node":		its name
 *		"answers":	whether its daemon reports; else pings take its place
 *		"differs":	true: it has another description of the mesh
 *		"rtt_ms":	there and back, by the fastest ways
 *		"mtu":		of packets to it, the least of its ways
 *		"thin", "thick": {"way", "reason"}	chosen; of choice_reason_names
 *		"to": [{	what we send by each way, as the peer sees it
 *			"way", "device"
 *			"state":	"alive", "dead", "waits" (alive again, but not for long)
 *			"since_s":	of that state; null: since the beginning
 *			"delay_ms":	more than by the fastest way
 *			"loss":		percent, of the last seconds
 *			"mtu":		what was found to get through
 *		}],
 *		"from": [{"way", "delay_ms", "loss", "age_ms"}]	what it sends to us
 *	}]
 */
void paths_status(const struct paths *p, struct json_object *ret);

/* Own addresses have changed: endpoints are set again and a packet is sent by every tunnel, now. */
void paths_address_changed(struct paths *p);
/* Whether none of the ways by a tunnel (index of the plan's) is known to work, if it has any. */
bool paths_tunnel_silent(const struct paths *p, size_t tunnel);
/* A mesh is being applied, perhaps another one with other numbers for nodes: the programs are told
 * nothing until paths_refresh, or for 10 s.  NULL is fine. */
void paths_hold(struct paths *p);
/* Somebody has written the nodes' ways anew, or devices have: ours are written again. */
void paths_refresh(struct paths *p);

#endif
