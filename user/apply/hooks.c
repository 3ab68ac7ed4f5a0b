// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/hooks.h"

#include "base/defs.h"
#include <errno.h>

/* Programs by the kind of device; PROGRAM_MAX: none belongs there. */
struct pair {
	enum object_program eth, ip;
};

struct side {
	bool egress;
	struct pair lan, link;
};

#define NO_PROGRAM {PROGRAM_MAX, PROGRAM_MAX}
static const struct pair learn = {PROGRAM_LEARN_ETH, PROGRAM_LEARN_IP};
static const struct pair guard = {PROGRAM_GUARD_ETH, PROGRAM_GUARD_IP};

static struct side side_of(const struct plan *p, bool fastpath, bool egress)
{
	struct side s = {egress, NO_PROGRAM, NO_PROGRAM};

	if (!egress)
		return (struct side){false, {PROGRAM_LAN_ETH, PROGRAM_LAN_IP},
				     {PROGRAM_LINK_ETH, PROGRAM_LINK_IP}};
	if (fastpath)
		s.lan = s.link = learn;
	if (p->model->dhcp != DHCP_OFF)
		s.link = guard;
	return s;
}

bool hooks_is_egress(enum object_program which)
{
	return which >= PROGRAM_LEARN_ETH && which <= PROGRAM_GUARD_IP;
}

/* What is redirected to a device has no route with it: none is learned to leave by one that needs it. */
static enum object_program program_for(const struct side *s, const struct pair *pair,
				       uint32_t ifindex, bool ethernet, bool nbma)
{
	if (!ifindex || (nbma && s->egress))
		return PROGRAM_MAX;
	return ethernet ? pair->eth : pair->ip;
}

static enum object_program of_lan(const struct side *s, const struct plan_lan *l)
{
	return program_for(s, &s->lan, l->ifindex, l->ethernet, l->nbma);
}

static enum object_program of_link(const struct side *s, const struct plan_link *l)
{
	return program_for(s, &s->link, l->ifindex, l->ethernet, l->nbma);
}

bool hooks_has(const struct plan *p, bool fastpath, uint32_t ifindex, bool egress)
{
	struct side s = p ? side_of(p, fastpath, egress) : (struct side){};

	for (size_t i = 0; p && i < p->n_lans; i++)
		if (p->lans[i].ifindex == ifindex)
			return of_lan(&s, &p->lans[i]) != PROGRAM_MAX;
	for (size_t i = 0; p && i < p->n_links; i++)
		if (p->links[i].ifindex == ifindex)
			return of_link(&s, &p->links[i]) != PROGRAM_MAX;
	return false;
}

static size_t list_side(const struct plan *p, const struct side *side, struct hook *ret)
{
	enum object_program which;
	size_t n = 0;

	for (size_t i = 0; i < p->n_lans; i++) {
		which = of_lan(side, &p->lans[i]);
		if (which != PROGRAM_MAX)
			ret[n++] = (struct hook){p->lans[i].ifindex, p->lans[i].device, which};
	}
	for (size_t i = 0; i < p->n_links; i++) {
		which = of_link(side, &p->links[i]);
		if (which != PROGRAM_MAX)
			ret[n++] = (struct hook){p->links[i].ifindex, p->links[i].conf->device, which};
	}
	return n;
}

int hooks_list(const struct plan *p, bool fastpath, struct hook **ret, size_t *ret_n)
{
	struct hook *hooks = calloc(2 * (p->n_lans + p->n_links) + 1, sizeof(*hooks));
	struct side ingress = side_of(p, fastpath, false), egress = side_of(p, fastpath, true);
	size_t n;

	if (!hooks)
		return -ENOMEM;
	n = list_side(p, &egress, hooks);
	n += list_side(p, &ingress, hooks + n);
	*ret = hooks;
	*ret_n = n;
	return 0;
}
