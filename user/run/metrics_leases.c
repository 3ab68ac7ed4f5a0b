// SPDX-License-Identifier: GPL-2.0-or-later
/* Of the links' DHCP clients: leases, and which way renewals go. */
#include "apply/maps.h"
#include "run/metrics_parts.h"

#define S 1e9

struct lease_of {
	const char *link;
	const struct leases_link *k;
};

/* Of the links that have one. */
static struct lease_of *collect(const struct metrics_view *v, size_t *ret_n)
{
	struct lease_of *found = calloc(v->plan->n_links + 1, sizeof(*found));
	size_t n = 0;

	for (size_t i = 0; found && v->leases && i < v->plan->n_links; i++) {
		const struct plan_link *l = &v->plan->links[i];
		const struct leases_link *k = leases_find(v->leases, l->id);

		if (k)
			found[n++] = (struct lease_of){l->conf->name, k};
	}
	*ret_n = found ? n : 0;
	return found;
}

/* Until then; negative: it is past. */
static void add_left(struct page *p, const struct lease_of *found, size_t n, uint64_t now,
		     size_t offset)
{
	for (size_t i = 0; i < n; i++) {
		const struct lease *l = &found[i].k->lease;
		uint32_t s = *(const uint32_t *)((const char *)l + offset);
		double passed = (now - l->acked_ns) / S;

		if (l->addr.s_addr && l->lease_s != DHCP_FOREVER)
			page_value(p, PAGE_LABELS(p, "link", found[i].link), s - passed);
	}
}

static void add_count(struct page *p, const struct lease_of *found, size_t n, size_t offset)
{
	for (size_t i = 0; i < n; i++)
		page_count(p, PAGE_LABELS(p, "link", found[i].link),
			   *(const uint64_t *)((const char *)found[i].k + offset));
}

static void add_leases(struct page *p, const struct lease_of *found, size_t n)
{
	uint64_t now = leases_now_ns();

	page_family(p, "lease_state", PAGE_GAUGE, "State of the link's DHCP lease, always 1");
	for (size_t i = 0; i < n; i++) {
		enum lease_state state = lease_state(&found[i].k->lease, now);

		page_count(p, PAGE_LABELS(p, "link", found[i].link, "state",
					  lease_state_names[state]), 1);
	}
	page_family(p, "lease_renewal_seconds", PAGE_GAUGE,
		    "Time until the client is to renew its lease, negative when it is past");
	add_left(p, found, n, now, offsetof(struct lease, t1_s));
	page_family(p, "lease_expiry_seconds", PAGE_GAUGE,
		    "Time until the lease ends, negative when it is past");
	add_left(p, found, n, now, offsetof(struct lease, lease_s));
	page_family(p, "lease_acks", PAGE_COUNTER, "Requests that the server acknowledged");
	add_count(p, found, n, offsetof(struct leases_link, lease.acks));
	page_family(p, "lease_naks", PAGE_COUNTER, "Requests that the server refused");
	add_count(p, found, n, offsetof(struct leases_link, lease.naks));
	page_family(p, "lease_watchdog_sent", PAGE_COUNTER, "Renewals that the watchdog asked for");
	add_count(p, found, n, offsetof(struct leases_link, sent));
	page_family(p, "lease_watchdog_acks", PAGE_COUNTER,
		    "Those of them that the server acknowledged");
	add_count(p, found, n, offsetof(struct leases_link, lease.renewed));
	page_family(p, "lease_watchdog_failures", PAGE_COUNTER,
		    "Those of them that could not leave");
	add_count(p, found, n, offsetof(struct leases_link, failed));
}

/* --- what the programs and the shim saw */

static void add_by(struct page *p, const char *link, const char *by, const char *result, uint64_t n)
{
	page_count(p, PAGE_LABELS(p, "link", link, "by", by, "result", result), n);
}

static void add_requests(struct page *p, const struct metrics_view *v, const struct plan_link *l)
{
	const struct shim_count *shim = v->shim ? shim_counts(v->shim, l->id) : NULL;
	const char *link = l->conf->name;
	struct asym_dhcp c;

	if (!maps_dhcp(v->object, l->id, &c)) {
		add_by(p, link, "guard", "right", c.right);
		add_by(p, link, "guard", "mended", c.mended);
		add_by(p, link, "guard", "moved", c.moved);
		add_by(p, link, "guard", "failed", c.failed);
	}
	if (shim) {
		add_by(p, link, "shim", "right", shim->right);
		add_by(p, link, "shim", "moved", shim->moved);
		add_by(p, link, "shim", "failed", shim->failed);
	}
}

static void add_replies(struct page *p, const struct metrics_view *v, const struct plan_link *l)
{
	struct asym_dhcp c;

	if (maps_dhcp(v->object, l->id, &c))
		return;
	page_count(p, PAGE_LABELS(p, "link", l->conf->name, "result", "returned"), c.returned);
	page_count(p, PAGE_LABELS(p, "link", l->conf->name, "result", "kept"), c.kept);
}

void part_leases(struct page *p, const struct metrics_view *v)
{
	const struct plan_link *links = v->plan->links, *end = links + v->plan->n_links;
	_cleanup_free_ struct lease_of *found = NULL;
	size_t n;

	found = collect(v, &n);
	if (n)
		add_leases(p, found, n);
	page_family(p, "dhcp_renewals", PAGE_COUNTER,
		    "Renewals of the link's DHCP client by who saw them and what became of them");
	for (const struct plan_link *l = links; l < end; l++)
		add_requests(p, v, l);
	page_family(p, "dhcp_replies", PAGE_COUNTER,
		    "Replies to the link's DHCP client that had come another way");
	for (const struct plan_link *l = links; l < end; l++)
		add_replies(p, v, l);
}
