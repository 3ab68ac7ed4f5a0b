/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What wg show found, between the file that finds it and the one that prints it. */
#ifndef CMD_WG_SHOW_H
#define CMD_WG_SHOW_H

#include "apply/overlay_read.h"
#include "apply/overlay_state.h"
#include "nl/wireguard.h"
#include <json-c/json.h>

struct wg_tunnel {
	const struct mesh_tunnel *t;
	bool there;	/* else the device is gone, or is no WireGuard */
	bool adopted;
	struct wireguard w;
	int64_t age_s;	/* of the last handshake; -1: none yet */
	char endpoint[80];
};

struct wg_way {
	unsigned int thin, thick; /* percent of the flows that begin now */
	bool dead;
	struct ov_traffic sent;
};

struct wg_node {
	const struct mesh_target *t;
	struct wg_way ways[MESH_MAX_PATHS];
};

struct wg_view {
	struct overlay_state state;
	struct mesh mesh; /* as applied */
	struct mesh_plan plan;
	struct wg_tunnel *tunnels; /* of the plan */
	struct wg_node *nodes;	   /* of the plan's targets */
	bool running;		   /* there are programs; else there is nothing of ways */
	uint64_t counters[OV_REASON_MAX];
	struct json_object *measured; /* as in run/mesh_run.h; NULL: nobody does */
};

/* wg_show_measured.c */
void wg_show_measured(struct json_object *measured);

void wg_show_text(const struct wg_view *v);
struct json_object *wg_show_json(const struct wg_view *v);

#endif
