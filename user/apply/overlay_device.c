// SPDX-License-Identifier: GPL-2.0-or-later
/* The overlay device: a TUN that nobody reads, and what it has. */
#include "apply/overlay_run.h"

#include "base/file.h"
#include "core/host_text.h"
#include "nl/addr.h"
#include "nl/batch.h"
#include "nl/device.h"
#include "nl/link.h"
#include "nl/tun.h"
#include <errno.h>
#include <string.h>

#define NO_CARRIER "ignore_routes_with_linkdown"

static void write_setting(const char *family, const char *device, const char *name, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, device, name);
	file_write(path, value, 1);
}

/* All that it has is given to it, and its routes count though nobody reads it, so that it has no
 * carrier.  Where there is no IPv6 there is nothing to write. */
static void prepare(const char *device)
{
	write_setting("ipv6", device, "addr_gen_mode", "1");
	write_setting("ipv4", device, NO_CARRIER, "0");
	write_setting("ipv6", device, NO_CARRIER, "0");
}

int overlay_device_check(struct overlay_run *run)
{
	static const char path[] = "/proc/sys/net/ipv4/conf/all/" NO_CARRIER;
	_cleanup_free_ char *text = NULL;
	size_t len;

	/* the kernel takes this one or the device's, whichever is 1 */
	if (file_read(path, 16, &text, &len) || *text != '1' || run->now.overlay.adopted)
		return 0;
	return overlay_fail(run, -EMEDIUMTYPE, "net.ipv4.conf.all." NO_CARRIER " is 1, so routes by "
			    "%s, which has no carrier, would not count", run->now.overlay.name);
}

static int make(struct overlay_run *run)
{
	struct overlay_device *d = &run->now.overlay;
	struct host_device is;
	int r = tun_create(d->name);

	if (r)
		return overlay_fail(run, r, "cannot make the TUN device %s", d->name);
	run->made = true;
	prepare(d->name);
	r = link_find(&run->nl, d->name, &is);
	if (r)
		return overlay_fail(run, r, "the device %s has gone again", d->name);
	d->ifindex = is.ifindex;
	return 0;
}

static int set(struct overlay_run *run)
{
	const char *name = run->now.overlay.name;
	struct host_device is;
	int r = link_find(&run->nl, name, &is);

	if (!r)
		run->mtu_before = run->made ? 0 : is.mtu;
	r = r ?: device_set_mtu(&run->nl, name, run->p->mtu);
	if (r)
		return overlay_fail(run, r, "cannot set the MTU of %s to %u", name, run->p->mtu);
	r = device_set_up(&run->nl, name, true);
	return r ? overlay_fail(run, r, "cannot take the device %s up", name) : 0;
}

static int add_address(struct overlay_run *run, const struct in6_addr *a)
{
	char text[ADDR_STRLEN];
	struct nl_msg m;
	int r;

	if (addr_is_zero(a))
		return 0;
	addr_fill_add(&m, run->now.overlay.ifindex, a);
	r = nl_ask(&run->nl, &m, NULL, NULL);
	if (r && r != -EEXIST)
		return overlay_fail(run, r, "cannot give %s the address %s",
				    run->now.overlay.name, addr_str(a, text));
	return 0;
}

int overlay_device_apply(struct overlay_run *run)
{
	int r = run->now.overlay.ifindex ? 0 : make(run);

	if (!r && !run->now.overlay.adopted)
		r = set(run);
	if (r)
		return r;
	run->addressed = true;
	memcpy(run->now.addr, run->p->mesh->nodes[run->p->self].addr, sizeof(run->now.addr));
	for (size_t i = 0; i < ARRAY_SIZE(run->now.addr) && !r; i++)
		r = add_address(run, &run->now.addr[i]);
	return r;
}

void overlay_device_undo(struct overlay_run *run)
{
	if (run->made)
		device_delete(&run->nl, run->now.overlay.name);
	else if (run->addressed)
		overlay_addresses_remove(run, &run->now, &run->was);
}

static int remove_address(struct overlay_run *run, uint32_t ifindex, const struct in6_addr *a)
{
	char text[ADDR_STRLEN];
	struct nl_msg m;
	int r;

	addr_fill_delete(&m, ifindex, a);
	r = nl_ask(&run->nl, &m, NULL, NULL);
	if (r && r != -EADDRNOTAVAIL && r != -ENODEV)
		return overlay_fail(run, r, "cannot remove the address %s", addr_str(a, text));
	return 0;
}

int overlay_addresses_remove(struct overlay_run *run, const struct overlay_state *from,
			     const struct overlay_state *keep)
{
	bool other = from->overlay.ifindex != keep->overlay.ifindex;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(from->addr) && !r; i++)
		if (!addr_is_zero(&from->addr[i]) &&
		    (other || !addr_equal(&from->addr[i], &keep->addr[i])))
			r = remove_address(run, from->overlay.ifindex, &from->addr[i]);
	return r;
}
