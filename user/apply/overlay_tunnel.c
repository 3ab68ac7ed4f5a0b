// SPDX-License-Identifier: GPL-2.0-or-later
/* The WireGuard devices. */
#include "apply/overlay_run.h"

#include "base/file.h"
#include "nl/device.h"
#include "nl/link.h"
#include <errno.h>
#include <string.h>

/* It needs no address of its own, and would look for routers with one; where there is no IPv6 there
 * is nothing to write. */
static void forgo_link_local(const char *device)
{
	char path[80];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/addr_gen_mode", device);
	file_write(path, "1", 1);
}

static int explain_create(struct overlay_run *run, int r, const char *device)
{
	switch (r) {
	case -EOPNOTSUPP:
		return overlay_fail(run, r,
				    "the kernel has no WireGuard, and there is no wireguard-go");
	case -EBUSY:
		return overlay_fail(run, r, "the device %s: a wireguard-go of another network "
				    "namespace has the socket of this name", device);
	case -EIO:
		return overlay_fail(run, r, "wireguard-go cannot make the device %s", device);
	default:
		return overlay_fail(run, r, "cannot make the device %s", device);
	}
}

static int make(struct overlay_run *run, struct overlay_tunnel *t)
{
	struct host_device d;
	int r = wireguard_create(t->t->device);

	if (r)
		return explain_create(run, r, t->t->device);
	t->made = true;
	forgo_link_local(t->t->device);
	r = link_find(&run->nl, t->t->device, &d);
	if (r)
		return overlay_fail(run, r, "the device %s has gone again", t->t->device);
	t->now->ifindex = d.ifindex;
	t->mtu_before = d.mtu;
	return 0;
}

static int set_mtu(struct overlay_run *run, const struct overlay_tunnel *t, uint32_t mtu)
{
	int r = t->mtu_before == mtu ? 0 : device_set_mtu(&run->nl, t->t->device, mtu);

	return r ? overlay_fail(run, r, "cannot set the MTU of %s to %u", t->t->device, mtu) : 0;
}

static int set(struct overlay_run *run, struct overlay_tunnel *t)
{
	int r = set_mtu(run, t, t->t->mtu);

	if (r)
		return r;
	t->changed = true;
	r = wireguard_set(t->t->device, &t->want, t->set_endpoint);
	if (r == -EADDRINUSE)
		return overlay_fail(run, r, "UDP port %u, which the tunnel %s listens at",
				    t->t->listen_port, t->t->device);
	if (r)
		return overlay_fail(run, r, "cannot set up the device %s", t->t->device);
	r = device_set_up(&run->nl, t->t->device, true);
	return r ? overlay_fail(run, r, "cannot take the device %s up", t->t->device) : 0;
}

/* Devices may change ports with one another: those that do get one of the kernel's choice first. */
static int release_port(struct overlay_run *run, struct overlay_tunnel *t)
{
	struct wireguard w = t->before;
	int r;

	if (t->now->adopted || t->made || !w.listen_port || w.listen_port == t->t->listen_port)
		return 0;
	t->changed = true;
	r = wireguard_release_port(t->t->device);
	return r ? overlay_fail(run, r, "cannot change the port of %s", t->t->device) : 0;
}

/* Devices that go have their ports until then. */
static int release_gone(struct overlay_run *run)
{
	int r = 0;

	for (size_t i = 0; i < run->was.n_tunnels && !r; i++) {
		const struct overlay_device *d = &run->was.tunnels[i];

		if (d->adopted || overlay_state_tunnel(&run->now, d->name))
			continue;
		r = wireguard_release_port(d->name);
		r = r == -ENODEV || r == -EMEDIUMTYPE ? 0 : r;
	}
	return r ? overlay_fail(run, r, "cannot change the port of a device that goes") : 0;
}

int overlay_tunnels_apply(struct overlay_run *run)
{
	size_t n = run->p->n_tunnels;
	int r = 0;

	for (size_t i = 0; i < n && !r; i++)
		r = release_port(run, &run->tunnels[i]);
	r = r ?: release_gone(run);
	for (size_t i = 0; i < n && !r; i++)
		if (!run->tunnels[i].now->ifindex)
			r = make(run, &run->tunnels[i]);
	for (size_t i = 0; i < n && !r; i++)
		if (!run->tunnels[i].now->adopted)
			r = set(run, &run->tunnels[i]);
	return r;
}

static void undo(struct overlay_run *run, const struct overlay_tunnel *t)
{
	if (t->made) {
		wireguard_remove(t->t->device);
	} else if (t->changed) {
		wireguard_set(t->t->device, &t->before, t->set_endpoint);
		device_set_mtu(&run->nl, t->t->device, t->mtu_before);
	}
}

void overlay_tunnels_undo(struct overlay_run *run)
{
	/* again, for those whose port another one had to give back first */
	for (size_t i = 2 * run->p->n_tunnels; i-- > 0;)
		undo(run, &run->tunnels[i % run->p->n_tunnels]);
}

int overlay_device_remove(struct overlay_run *run, const struct overlay_device *d, bool tunnel)
{
	struct host_device is;
	int r;

	if (d->adopted || !*d->name)
		return 0;
	r = link_find(&run->nl, d->name, &is);
	if (r == -ENODEV || (!r && d->ifindex && is.ifindex != d->ifindex))
		return 0;
	if (!r)
		r = tunnel ? wireguard_remove(d->name) : device_delete(&run->nl, d->name);
	/* its process was killed meanwhile, and it is gone with it */
	if (r == -ENODEV)
		return 0;
	return r ? overlay_fail(run, r, "cannot remove the device %s", d->name) : 0;
}
