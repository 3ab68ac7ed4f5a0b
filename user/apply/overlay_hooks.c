// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/overlay_hooks.h"

#include "apply/overlay_find.h"
#include "apply/tc.h"
#include "base/defs.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

/* A descriptor of our program on the hook, or -ENOENT. */
static int find_program(const struct tc_hook *hook)
{
	uint32_t ids[TC_MAX_PROGRAMS];
	int n = tc_query(hook, ids, TC_MAX_PROGRAMS);

	for (int i = 0; i < n; i++)
		if (overlay_owns(ids[i]))
			return bpf_prog_get_fd_by_id(ids[i]);
	return -ENOENT;
}

/* A filter that is there stays one: no hook has two of ours. */
static int put(uint32_t ifindex, bool egress, int program)
{
	struct tc_hook hook = {ifindex, egress, true};
	_cleanup_close_ int filter = find_program(&hook), before = -1;
	bool made;
	int r;

	if (filter >= 0)
		return tc_attach(&hook, program, filter, &made);
	hook.clsact = false;
	before = find_program(&hook);
	r = tc_attach(&hook, program, before, &made);
	if (r != -EOPNOTSUPP)
		return r;
	hook.clsact = true;
	return tc_attach(&hook, program, -1, &made);
}

static int put_or_tell(uint32_t ifindex, bool egress, int program, char *error, size_t size)
{
	char name[IF_NAMESIZE];
	int r = put(ifindex, egress, program);

	if (r)
		snprintf(error, size, "tc %s of %s", egress ? "egress" : "ingress",
			 if_indextoname(ifindex, name) ?: "a device that is gone");
	return r;
}

int overlay_hooks_attach(const struct overlay_hooks *h, char *error, size_t size)
{
	int r = 0;

	for (size_t i = 0; i < h->n_tunnels && !r; i++)
		if (h->tunnels[i])
			r = put_or_tell(h->tunnels[i], false, h->in, error, size);
	r = r ?: put_or_tell(h->overlay, true, h->out, error, size);
	if (!r)
		overlay_hooks_sweep(h);
	return r;
}

static void take_off(uint32_t ifindex, bool egress, bool clsact)
{
	struct tc_hook hook = {ifindex, egress, clsact};
	_cleanup_close_ int program = find_program(&hook);

	if (program >= 0 && !tc_detach(&hook, program) && clsact)
		tc_remove_clsact(ifindex);
}

static bool is_tunnel(const struct overlay_hooks *h, uint32_t ifindex)
{
	for (size_t i = 0; h && i < h->n_tunnels; i++)
		if (h->tunnels[i] == ifindex)
			return true;
	return false;
}

static void sweep(const struct overlay_hooks *h, uint32_t ifindex)
{
	for (int clsact = 0; clsact < 2; clsact++) {
		if (!is_tunnel(h, ifindex))
			take_off(ifindex, false, clsact);
		if (!h || h->overlay != ifindex)
			take_off(ifindex, true, clsact);
	}
}

void overlay_hooks_sweep(const struct overlay_hooks *h)
{
	struct if_nameindex *devices = if_nameindex();

	for (struct if_nameindex *d = devices; d && d->if_index; d++)
		sweep(h, d->if_index);
	if_freenameindex(devices);
}
