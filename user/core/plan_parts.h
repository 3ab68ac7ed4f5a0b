/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of plan_build that have files of their own, in the order in which it takes them.  Each
 * that can fail returns 0 or -ENOMEM. */
#ifndef CORE_PLAN_PARTS_H
#define CORE_PLAN_PARTS_H

#include "core/plan.h"

/* Offsets from model.priority_base; doc/design.md says what each is for. */
enum plan_priority {
	PRIO_MAIN_MARK = 0,
	PRIO_SHARED_MARK = 10,	  /* + id */
	PRIO_SHARED_SOURCE = 300, /* + id */
	PRIO_CONNECTED = 600,
	PRIO_ROUTER_DEVICE = 605,
	PRIO_TREE = 610, /* + branch */
	PRIO_MARK = 700, /* + id */
	PRIO_TREE_END = 999,
	PRIO_SOURCE = 1000, /* + id */
	PRIO_DEVICE = 1300, /* + id */
	PRIO_LAST_RESORT = 1600,
};

/*
 * The ids of the links of m in their order, at most ASYM_MAX_LINKS: that of its name among ids
 * (n_ids of them, as for plan_build), or a free one.  0: the mark has no value left.  check_mark.c
 * judges by the same ids that plan_links gives.
 */
void plan_link_ids(const struct model *m, const struct plan_id *ids, size_t n_ids, uint8_t *ret);
/* links: ids, state and addresses (plan_link.c); -ENOSPC: more than ASYM_MAX_LINKS */
int plan_links(struct plan *p, const struct host *h, const struct plan_id *ids, size_t n_ids);
int plan_lans(struct plan *p, const struct host *h);   /* plan_link.c */
int plan_owners(struct plan *p, const struct host *h); /* plan_dhcp.c */
int plan_routes(struct plan *p, const struct host *h); /* plan_route.c */
void plan_router(struct plan *p, const struct host *h); /* plan_router.c */
int plan_rules(struct plan *p, const struct host *h);  /* plan_rule.c */
int plan_bpf(struct plan *p, const struct host *h);    /* plan_bpf.c: what the maps hold */

/* Whether a device is a LAN: one of those that the model names; if it names none, up, with an address,
 * neither loopback nor port nor link. */
bool plan_is_lan(const struct model *m, const struct host *h, const struct host_device *d);
/* The default route of least metric that main has by this device, or NULL. */
const struct route *plan_main_default(const struct host *h, uint32_t ifindex, int family);
/* The on-link prefix that a is an address of. */
struct prefix plan_on_link(const struct host_addr *a);
/* Whether a is an address that the device's on-link prefixes and sources come from. */
bool plan_on_link_addr(const struct host_addr *a, uint32_t ifindex, int family);
/* Whether a device other than this one has a prefix that holds it. */
bool plan_prefix_shared(const struct host *h, uint32_t ifindex, const struct prefix *p);

static inline int plan_family(enum asym_family f)
{
	return f == ASYM_V4 ? AF_INET : AF_INET6;
}

#endif
