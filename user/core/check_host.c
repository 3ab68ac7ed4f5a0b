// SPDX-License-Identifier: GPL-2.0-or-later
/* The devices of a machine against those the configuration names. */
#include "base/str.h"
#include "core/check_int.h"
#include "core/plan_parts.h"
#include <string.h>

static const char *nearest_device(const struct host *h, const char *name)
{
	_cleanup_free_ const char **names = calloc(h->n_devices + 1, sizeof(*names));

	for (size_t i = 0; names && i < h->n_devices; i++)
		names[i] = h->devices[i].name;
	return names ? str_nearest(name, names, h->n_devices) : NULL;
}

static void missing(struct findings *f, enum finding_level level, const struct place *p,
		    const char *key, const char *name, const struct host *h)
{
	const char *near = nearest_device(h, name);
	void (*report)(struct findings *, const struct place *, const char *, ...) =
		level == FINDING_ERROR ? check_error : check_warn;

	report(f, p, "%s: there is no device \"%s\"%s%s%s", key, name,
	       near ? ", did you mean \"" : level == FINDING_ERROR ? ", expected one that exists" :
								     " now", near ? near : "",
	       near ? "\"?" : "");
}

static bool is_port(const struct host_device *d)
{
	return d->master && (!strcmp(d->master_kind, "bridge") || !strcmp(d->master_kind, "bond") ||
			     !strcmp(d->master_kind, "team"));
}

static bool has_addr(const struct host *h, uint32_t ifindex, int family)
{
	for (size_t i = 0; i < h->n_addrs; i++)
		if (h->addrs[i].ifindex == ifindex && !h->addrs[i].link_scope &&
		    addr_family(&h->addrs[i].prefix.addr) == family)
			return true;
	return false;
}

static void check_addrs(const struct model_link *l, const struct host_device *d,
			const struct host *h, struct findings *f)
{
	static const int families[ASYM_FAMILIES] = { AF_INET, AF_INET6 };
	bool any = false;

	for (int i = 0; i < ASYM_FAMILIES; i++) {
		if (!has_addr(h, d->ifindex, families[i]))
			continue;
		any = true;
		if (d->point_to_point || !addr_is_zero(&l->gateway[i]) ||
		    plan_main_default(h, d->ifindex, families[i]))
			continue;
		check_warn(f, &l->place, "gateway%s: link \"%s\" has an IPv%d address but no "
			   "gateway, expected a default route over \"%s\" or a gateway%s",
			   i ? "6" : "", l->name, i ? 6 : 4, d->name, i ? "6" : "");
	}
	if (!any)
		check_warn(f, &l->place, "device: \"%s\" of link \"%s\" has no address", d->name,
			   l->name);
}

static const char *master_name(const struct host *h, const struct host_device *d)
{
	const struct host_device *master = host_device_by_index(h, d->master);

	return master ? master->name : "?";
}

static void check_link(const struct model_link *l, const struct host *h, struct findings *f)
{
	const struct host_device *d = host_device_find(h, l->device);

	if (!d) {
		missing(f, l->from_flags ? FINDING_ERROR : FINDING_WARNING, &l->place,
			l->from_flags ? "--iface" : "device", l->device, h);
		return;
	}
	if (d->loopback)
		check_error(f, &l->place, "device: \"%s\" of link \"%s\" is the loopback, expected "
			    "a device towards the outside", d->name, l->name);
	else if (is_port(d))
		check_error(f, &l->place, "device: \"%s\" of link \"%s\" is a port of %s \"%s\", "
			    "expected \"%s\" itself", d->name, l->name, d->master_kind,
			    master_name(h, d), master_name(h, d));
	else if (!d->up)
		check_warn(f, &l->place, "device: \"%s\" of link \"%s\" is down", d->name, l->name);
	else if (!d->carrier)
		check_warn(f, &l->place, "device: \"%s\" of link \"%s\" has no carrier", d->name,
			   l->name);
	else
		check_addrs(l, d, h, f);
}

static void check_lan(const struct model *m, size_t i, const struct host *h, struct findings *f)
{
	bool from_flags = i + m->n_lans_from_flags >= m->n_lans;
	const char *device = m->lans[i];
	const struct host_device *d = host_device_find(h, device);

	if (!d)
		missing(f, from_flags ? FINDING_ERROR : FINDING_WARNING, NULL,
			from_flags ? "--lan" : "lan", device, h);
	else if (!d->up)
		check_warn(f, NULL, "lan: device \"%s\" is down", device);
}

/* Not for links that are not to be cached anyway. */
static void check_filters(const struct model *m, const struct host *h, struct findings *f)
{
	for (size_t i = 0; i < h->n_devices && m->fastpath; i++) {
		const struct host_device *d = &h->devices[i];
		const struct model_link *l = model_link_of_device(m, d->name);

		if (!d->ingress_filters || !(l || plan_is_lan(m, h, d)) ||
		    (l && l->fastpath == ASYM_FASTPATH_OFF))
			continue;
		check_warn(f, l ? &l->place : NULL, "%s: has ingress filters of others; what arrives "
			   "there does not pass the flow cache", d->name);
	}
}

static void check_rule_devices(const struct model_rule *r, const struct host *h,
			       struct findings *f)
{
	for (size_t i = 0; i < r->devices; i++)
		if (!host_device_find(h, r->device[i]))
			missing(f, FINDING_WARNING, &r->place, "in", r->device[i], h);
}

void check_host(const struct model *m, const struct host *h, const struct plan_id *ids,
		size_t n_ids, struct findings *f)
{
	for (size_t i = 0; i < m->n_links; i++)
		check_link(&m->links[i], h, f);
	for (size_t i = 0; i < m->n_lans; i++)
		check_lan(m, i, h, f);
	for (size_t i = 0; i < m->n_rules; i++)
		check_rule_devices(&m->rules[i], h, f);
	check_filters(m, h, f);
	check_marks(m, h, ids, n_ids, f);
}
