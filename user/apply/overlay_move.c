// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/overlay_move.h"

#include "apply/state.h"
#include "nl/wireguard.h"
#include <string.h>

/* The state is written last: killed in between, we set it once more. */
static int move_device(uint64_t cookie, const struct overlay_state *s, struct overlay_device *d,
		       const struct mesh_endpoint *e, const struct resolved *found,
		       struct overlay_moved *ret)
{
	struct overlay_moved moved;
	union addr_socket to;
	char ignored[1];
	int r = overlay_endpoint_choose(e, found, d->endpoint, &to, ignored, 0);

	if (r)
		return r;
	memcpy(moved.before, d->endpoint, sizeof(moved.before));
	overlay_endpoint_text(&to, moved.now);
	if (!strcmp(moved.now, moved.before))
		return 0;
	r = wireguard_move_endpoint(d->name, &to);
	if (r)
		return r;
	memcpy(d->endpoint, moved.now, sizeof(d->endpoint));
	*ret = moved;
	return overlay_state_write(s, cookie) ?: 1;
}

static int move(uint64_t cookie, const struct mesh_tunnel *t, const struct resolved *found,
		struct overlay_moved *ret)
{
	struct overlay_state s = {};
	struct overlay_device *d;
	int r = overlay_state_read(&s, cookie);

	if (r)
		return r;
	d = overlay_state_tunnel(&s, t->device);
	if (d && !d->adopted && d->ifindex && !strcmp(d->host, t->endpoint.host))
		r = move_device(cookie, &s, d, &t->endpoint, found, ret);
	overlay_state_done(&s);
	return r;
}

int overlay_move(uint64_t cookie, const struct mesh_tunnel *t, const struct resolved *found,
		 struct overlay_moved *ret)
{
	int lock = state_lock(cookie), r;

	if (lock < 0)
		return lock;
	r = move(cookie, t, found, ret);
	state_unlock(cookie, lock);
	return r;
}
