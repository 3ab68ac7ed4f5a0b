// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/hooks.h"

#include "base/defs.h"
#include <errno.h>

/* The programs of one side, by the kind of device. */
struct side {
	bool egress;
	enum object_program lan_eth, lan_ip, link_eth, link_ip;
};

static const struct side ingress = {false, PROGRAM_LAN_ETH, PROGRAM_LAN_IP, PROGRAM_LINK_ETH,
				    PROGRAM_LINK_IP};
static const struct side egress = {true, PROGRAM_LEARN_ETH, PROGRAM_LEARN_IP, PROGRAM_LEARN_ETH,
				   PROGRAM_LEARN_IP};

bool hooks_is_egress(enum object_program which)
{
	return which == PROGRAM_LEARN_ETH || which == PROGRAM_LEARN_IP;
}

/* What is redirected to a device has no route with it: none is learned to leave by one that needs it. */
static bool has_hook(uint32_t ifindex, bool nbma, bool egress_side)
{
	return ifindex && !(nbma && egress_side);
}

bool hooks_has(const struct plan *p, uint32_t ifindex, bool egress_side)
{
	for (size_t i = 0; p && i < p->n_lans; i++)
		if (p->lans[i].ifindex == ifindex)
			return has_hook(ifindex, p->lans[i].nbma, egress_side);
	for (size_t i = 0; p && i < p->n_links; i++)
		if (p->links[i].ifindex == ifindex)
			return has_hook(ifindex, p->links[i].nbma, egress_side);
	return false;
}

static size_t list_side(const struct plan *p, const struct side *side, struct hook *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_lans; i++) {
		const struct plan_lan *l = &p->lans[i];

		if (has_hook(l->ifindex, l->nbma, side->egress))
			ret[n++] = (struct hook){l->ifindex, l->device,
						 l->ethernet ? side->lan_eth : side->lan_ip};
	}
	for (size_t i = 0; i < p->n_links; i++) {
		const struct plan_link *l = &p->links[i];

		if (has_hook(l->ifindex, l->nbma, side->egress))
			ret[n++] = (struct hook){l->ifindex, l->conf->device,
						 l->ethernet ? side->link_eth : side->link_ip};
	}
	return n;
}

int hooks_list(const struct plan *p, bool fastpath, struct hook **ret, size_t *ret_n)
{
	struct hook *hooks = calloc(2 * (p->n_lans + p->n_links) + 1, sizeof(*hooks));
	size_t n = 0;

	if (!hooks)
		return -ENOMEM;
	if (fastpath)
		n = list_side(p, &egress, hooks);
	n += list_side(p, &ingress, hooks + n);
	*ret = hooks;
	*ret_n = n;
	return 0;
}
