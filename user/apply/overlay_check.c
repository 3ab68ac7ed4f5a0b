// SPDX-License-Identifier: GPL-2.0-or-later
/* What can be known to be wrong before anything is changed. */
#include "apply/overlay_run.h"

#include "apply/overlay_endpoint.h"
#include "nl/link.h"
#include <errno.h>
#include <string.h>

/* Whose the device of this name is. */
enum owner { OWNER_NONE, OWNER_US, OWNER_OTHER };

static int find_owner(struct overlay_run *run, const struct overlay_device *was, const char *name,
		      enum owner *ret, struct host_device *ret_device)
{
	int r = link_find(&run->nl, name, ret_device);

	if (r && r != -ENODEV)
		return overlay_fail(run, r, "cannot look at the device %s", name);
	if (r)
		*ret = OWNER_NONE;
	else if (was && !was->adopted && (!was->ifindex || was->ifindex == ret_device->ifindex))
		*ret = OWNER_US;
	else
		*ret = OWNER_OTHER;
	return 0;
}

static bool may_adopt(const struct overlay_run *run, const struct overlay_device *was,
		      const struct host_device *d)
{
	return run->o->adopt || (was && was->adopted && was->ifindex == d->ifindex);
}

static int fill_device(struct overlay_run *run, const struct overlay_device *was, const char *name,
		       struct overlay_device *now)
{
	struct host_device d = {};
	enum owner owner;
	int r = find_owner(run, was, name, &owner, &d);

	if (r)
		return r;
	if (owner == OWNER_OTHER && !may_adopt(run, was, &d))
		return overlay_fail(run, -EEXIST,
				    "there is a device %s that asymbpf did not make; use it with "
				    "--adopt, or take it away", name);
	snprintf(now->name, sizeof(now->name), "%s", name);
	now->ifindex = d.ifindex;
	now->adopted = owner == OWNER_OTHER;
	return 0;
}

static int check_adopted(struct overlay_run *run, const struct overlay_tunnel *t)
{
	const uint8_t *key = run->p->mesh->nodes[t->t->peer].public_key;
	struct wireguard is;
	int r;

	if (!wireguard_is(t->t->device))
		return overlay_fail(run, -EMEDIUMTYPE, "the device %s is there, but is not WireGuard",
				    t->t->device);
	r = wireguard_get(t->t->device, &is);
	explicit_bzero(is.private_key, sizeof(is.private_key));
	if (r)
		return overlay_fail(run, r, "cannot adopt the device %s", t->t->device);
	if (memcmp(is.peer, key, sizeof(is.peer)))
		return overlay_fail(run, -EMEDIUMTYPE, "the device %s has another peer than node %s",
				    t->t->device, run->p->mesh->nodes[t->t->peer].name);
	return 0;
}

/* A name that is not found now was perhaps found when the tunnel was made; that goes on. */
static int find_peer(struct overlay_run *run, struct overlay_tunnel *t)
{
	const struct mesh_endpoint *e = &t->t->endpoint;
	bool known = t->was && t->now->ifindex && *e->host && !strcmp(e->host, t->was->host);
	int r;

	if (!*e->host)
		return 0;
	snprintf(t->now->host, sizeof(t->now->host), "%s", e->host);
	r = overlay_endpoint_choose(e, overlay_names_find(run->o->names, e->host),
				    known ? t->was->endpoint : "", &t->want.endpoint, run->error,
				    run->size);
	if (!r) {
		overlay_endpoint_text(&t->want.endpoint, t->now->endpoint);
		t->set_endpoint = !known || strcmp(t->now->endpoint, t->was->endpoint);
		return 0;
	}
	if (!known)
		return r;
	snprintf(run->error, run->size, "%s", "");
	snprintf(t->now->endpoint, sizeof(t->now->endpoint), "%s", t->was->endpoint);
	return 0;
}

static int fill_tunnel(struct overlay_run *run, const struct mesh_tunnel *mesh_tunnel,
		       struct overlay_tunnel *t)
{
	int r;

	t->t = mesh_tunnel;
	t->was = overlay_state_tunnel(&run->was, mesh_tunnel->device);
	t->want.listen_port = mesh_tunnel->listen_port;
	t->want.keepalive_s = mesh_tunnel->keepalive_s;
	t->want.fwmark = OVERLAY_MARK_MASK;
	memcpy(t->want.private_key, run->o->private_key, sizeof(t->want.private_key));
	memcpy(t->want.peer, run->p->mesh->nodes[mesh_tunnel->peer].public_key,
	       sizeof(t->want.peer));
	r = fill_device(run, t->was, mesh_tunnel->device, t->now);
	if (r)
		return r;
	return t->now->adopted ? check_adopted(run, t) : find_peer(run, t);
}

/* What devices of ours are like, before. */
static int take_tunnel(struct overlay_run *run, struct overlay_tunnel *t)
{
	struct host_device d;
	int r;

	if (!t->now->ifindex || t->now->adopted)
		return 0;
	r = link_find(&run->nl, t->t->device, &d);
	if (!r)
		r = wireguard_get(t->t->device, &t->before);
	if (r && r != -ENOENT)
		return overlay_fail(run, r, "cannot read the device %s", t->t->device);
	t->mtu_before = d.mtu;
	return 0;
}

/* Ports of our own devices are going to be free when they are needed. */
static bool is_held(const struct overlay_run *run, uint16_t port)
{
	struct wireguard is;
	bool held = false;

	for (size_t i = 0; i < run->was.n_tunnels && !held; i++) {
		const struct overlay_device *d = &run->was.tunnels[i];
		int r = d->adopted ? -ENODEV : wireguard_get(d->name, &is);

		held = (!r || r == -ENOENT) && is.listen_port == port;
	}
	explicit_bzero(is.private_key, sizeof(is.private_key));
	return held;
}

static int check_port(struct overlay_run *run, const struct overlay_tunnel *t)
{
	int r;

	if (t->now->adopted || t->before.listen_port == t->t->listen_port)
		return 0;
	r = overlay_port_check(t->t->listen_port);
	if (r == -EADDRINUSE && is_held(run, t->t->listen_port))
		return 0;
	if (r)
		return overlay_fail(run, r, "UDP port %u, which the tunnel %s listens at",
				    t->t->listen_port, t->t->device);
	return 0;
}

int overlay_check(struct overlay_run *run)
{
	const struct mesh_plan *p = run->p;
	const struct overlay_device *was = &run->was.overlay;
	int r;

	if (strcmp(was->name, p->mesh->device))
		was = NULL;
	r = fill_device(run, was, p->mesh->device, &run->now.overlay);
	r = r ?: overlay_device_check(run);
	for (size_t i = 0; i < p->n_tunnels && !r; i++) {
		run->tunnels[i].now = &run->now.tunnels[i];
		r = fill_tunnel(run, &p->tunnels[i], &run->tunnels[i]);
	}
	for (size_t i = 0; i < p->n_tunnels && !r; i++)
		r = take_tunnel(run, &run->tunnels[i]);
	for (size_t i = 0; i < p->n_tunnels && !r; i++)
		r = check_port(run, &run->tunnels[i]);
	return r;
}
