// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose DHCP messages are whose: addresses and MACs of the links. */
#include "core/plan_parts.h"
#include <errno.h>
#include <string.h>

static bool is_owner(const struct plan_link *l)
{
	return l->ifindex && l->ethernet;
}

/* VLANs have the MAC of the device below them. */
static bool shares_mac(const struct plan *p, const struct plan_link *l)
{
	for (size_t i = 0; i < p->n_links; i++) {
		const struct plan_link *other = &p->links[i];

		if (other != l && is_owner(other) && !memcmp(other->mac, l->mac, sizeof(l->mac)))
			return true;
	}
	return false;
}

static int add_owner(struct plan *p, const struct plan_link *l, const struct in6_addr *addr)
{
	struct plan_owner *o = ARRAY_ADD(p->owners, p->n_owners);

	if (!o)
		return -ENOMEM;
	*o = (struct plan_owner){.link = l->id, .ifindex = l->ifindex};
	memcpy(o->mac, l->mac, sizeof(o->mac));
	o->shared_mac = shares_mac(p, l);
	if (addr)
		o->addr = *addr;
	return 0;
}

static int link_owners(struct plan *p, const struct host *h, const struct plan_link *l)
{
	size_t before = p->n_owners;
	int r = 0;

	for (size_t i = 0; i < h->n_addrs && !r; i++)
		if (h->addrs[i].ifindex == l->ifindex && addr_is_v4(&h->addrs[i].prefix.addr))
			r = add_owner(p, l, &h->addrs[i].prefix.addr);
	if (!r && p->n_owners == before)
		r = add_owner(p, l, NULL);
	return r;
}

int plan_owners(struct plan *p, const struct host *h)
{
	int r = 0;

	if (p->model->dhcp == DHCP_OFF)
		return 0;
	for (size_t i = 0; i < p->n_links && !r; i++)
		if (is_owner(&p->links[i]))
			r = link_owners(p, h, &p->links[i]);
	return r;
}
