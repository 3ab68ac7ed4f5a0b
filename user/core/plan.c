// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/plan.h"

#include "core/plan_parts.h"
#include <errno.h>
#include <string.h>

const char *const plan_down_names[PLAN_DOWN_MAX] = {
	[PLAN_LIVE] = "live",		    [PLAN_NO_DEVICE] = "no-device",
	[PLAN_DEVICE_DOWN] = "down",	    [PLAN_NO_CARRIER] = "no-carrier",
	[PLAN_NO_ADDRESS] = "no-address",   [PLAN_NO_GATEWAY] = "no-gateway",
	[PLAN_PROBES] = "no-answer",	    [PLAN_FORCED] = "forced",
};

const char *const plan_manual_names[PLAN_MANUAL_MAX] = {
	[PLAN_AUTO] = "auto",
	[PLAN_MANUAL_UP] = "up",
	[PLAN_MANUAL_DOWN] = "down",
};

static int add_sysctl(struct plan *p, const char *path, const char *value,
		      enum plan_sysctl_when when)
{
	struct plan_sysctl *s = ARRAY_ADD(p->sysctls, p->n_sysctls);

	if (!s)
		return -ENOMEM;
	snprintf(s->path, sizeof(s->path), "%s", path);
	snprintf(s->value, sizeof(s->value), "%s", value);
	s->when = when;
	return 0;
}

/*
 * Two WANs on one LAN must each answer ARP for their own address only and ask with it
 * (Documentation/networking/ip-sysctl.rst).  Reverse path checks look at the mark, which also makes
 * the kernel's own check of sources cheaper, and are loose on links; the kernel takes the larger of
 * all/ and the device's rp_filter, so 2 beats a strict 1.  Where there are none, there stay none.
 */
static int link_sysctls(struct plan *p, const char *device)
{
	static const struct {
		const char *key, *value;
		enum plan_sysctl_when when;
	} wanted[] = {
		{ "rp_filter", "2", PLAN_SYSCTL_STRICT },
		{ "src_valid_mark", "1", PLAN_SYSCTL_SMALLER },
		{ "arp_ignore", "1", PLAN_SYSCTL_SMALLER },
		{ "arp_announce", "2", PLAN_SYSCTL_SMALLER },
		{ "arp_filter", "0", PLAN_SYSCTL_DIFFERS },
	};
	char path[96];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(wanted) && !r; i++) {
		snprintf(path, sizeof(path), "net/ipv4/conf/%s/%s", device, wanted[i].key);
		r = add_sysctl(p, path, wanted[i].value, wanted[i].when);
	}
	return r;
}

/*
 * conntrack misses the packets that pass the flow cache: it must not judge by the windows and
 * sequence numbers that it last saw (Documentation/networking/nf_conntrack-sysctl.rst; the latter
 * since Linux 5.14).
 */
static int cache_sysctls(struct plan *p)
{
	int r = add_sysctl(p, PLAN_TCP_BE_LIBERAL, "1", PLAN_SYSCTL_SMALLER);

	r = r ?: add_sysctl(p, "net/netfilter/nf_conntrack_tcp_ignore_invalid_rst", "1",
			    PLAN_SYSCTL_SMALLER);
	p->n_cache_sysctls = 2;
	return r;
}

static int plan_sysctls(struct plan *p)
{
	int r = 0;

	for (size_t i = 0; i < p->n_links && !r; i++)
		if (p->links[i].ifindex)
			r = link_sysctls(p, p->links[i].conf->device);
	if (p->model->forwarding) {
		r = r ?: add_sysctl(p, "net/ipv4/ip_forward", "1", PLAN_SYSCTL_SMALLER);
		r = r ?: add_sysctl(p, "net/ipv6/conf/all/forwarding", "1", PLAN_SYSCTL_SMALLER);
	}
	return p->model->fastpath ? r ?: cache_sysctls(p) : r;
}

size_t plan_useful_sysctls(const struct plan *p, bool liberal)
{
	return p->n_sysctls - (liberal ? 0 : p->n_cache_sysctls);
}

static int reserve_ids(struct plan *p)
{
	uint32_t top = p->model->mark_mask >> __builtin_ctz(p->model->mark_mask);

	/* ids are bytes in the maps */
	top = MIN(top, 255u);
	if (p->model->n_links + PLAN_RESERVED_MAX > top)
		return -ENOSPC;
	for (size_t i = 0; i < PLAN_RESERVED_MAX; i++)
		p->reserved[i] = top - i;
	return 0;
}

static int build(struct plan *p, const struct host *h, const struct plan_id *ids, size_t n_ids)
{
	int r = reserve_ids(p);

	p->buckets = calloc(ASYM_MAX_POLICIES, sizeof(*p->buckets));
	if (!p->buckets)
		return -ENOMEM;
	r = r ?: plan_links(p, h, ids, n_ids);
	r = r ?: plan_lans(p, h);
	r = r ?: plan_owners(p, h);
	r = r ?: plan_routes(p, h);
	if (!r)
		plan_router(p, h);
	r = r ?: plan_rules(p, h);
	r = r ?: plan_sysctls(p);
	return r ?: plan_bpf(p, h);
}

int plan_build(struct plan *ret, const struct model *m, const struct host *h,
	       const struct plan_id *ids, size_t n_ids)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->model = m;
	r = build(ret, h, ids, n_ids);
	if (r)
		plan_done(ret);
	return r;
}

void plan_done(struct plan *p)
{
	free(p->links);
	free(p->lans);
	free(p->owners);
	free(p->rules);
	free(p->routes);
	free(p->sysctls);
	free(p->buckets);
	free(p->specific);
	memset(p, 0, sizeof(*p));
}

const struct plan_link *plan_link_by_id(const struct plan *p, uint8_t id)
{
	for (size_t i = 0; i < p->n_links; i++)
		if (p->links[i].id == id)
			return &p->links[i];
	return NULL;
}

const struct plan_link *plan_link_of_device(const struct plan *p, const char *device)
{
	for (size_t i = 0; i < p->n_links; i++)
		if (!strcmp(p->links[i].conf->device, device))
			return &p->links[i];
	return NULL;
}

const struct plan_link *plan_link_by_name(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->n_links; i++)
		if (!strcmp(p->links[i].conf->name, name))
			return &p->links[i];
	return NULL;
}

uint32_t plan_mark(const struct plan *p, uint8_t id)
{
	return (uint32_t)id << __builtin_ctz(p->model->mark_mask);
}
