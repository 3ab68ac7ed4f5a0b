// SPDX-License-Identifier: GPL-2.0-or-later
/* Of links: their state, and what passed them. */
#include "apply/ruleset.h"
#include "nl/stats.h"
#include "run/metrics_parts.h"
#include <linux/netlink.h>

static const char *family_labels(struct page *p, const struct plan_link *l, enum asym_family f)
{
	return PAGE_LABELS(p, "link", l->conf->name, "device", l->conf->device, "family",
			   part_families[f]);
}

static const char *state_labels(struct page *p, const struct metrics_view *v,
				const struct plan_link *l, enum asym_family f)
{
	return PAGE_LABELS(p, "link", l->conf->name, "family", part_families[f], "state",
			   l->down[f] == PLAN_LIVE ? "up" : "down", "reason",
			   tracker_reason(v->tracker, l, f));
}

static bool is_degraded(const struct tracker *t, uint8_t id, enum asym_family f)
{
	const struct track *track = tracker_find(t, id, f);

	return track && track->health.degraded;
}

static enum plan_manual manual_of(const struct metrics_view *v, uint8_t id)
{
	for (size_t i = 0; i < v->n_ids; i++)
		if (v->ids[i].id == id)
			return v->ids[i].manual;
	return PLAN_AUTO;
}

static void add_forced(struct page *p, const struct metrics_view *v, const struct plan_link *l)
{
	enum plan_manual now = manual_of(v, l->id);

	for (enum plan_manual m = PLAN_MANUAL_UP; m < PLAN_MANUAL_MAX; m++)
		page_count(p, PAGE_LABELS(p, "link", l->conf->name, "state", plan_manual_names[m]),
			   m == now);
}

void part_links(struct page *p, const struct metrics_view *v)
{
	const struct plan_link *links = v->plan->links, *end = links + v->plan->n_links;

	page_family(p, "link_up", PAGE_GAUGE, "Whether the link carries connections");
	for (const struct plan_link *l = links; l < end; l++)
		PART_FAMILIES(f)
			page_count(p, family_labels(p, l, f), l->down[f] == PLAN_LIVE);
	page_family(p, "link_state", PAGE_GAUGE, "State of the link and why, always 1");
	for (const struct plan_link *l = links; l < end; l++)
		PART_FAMILIES(f)
			page_count(p, state_labels(p, v, l, f), 1);
	page_family(p, "link_degraded", PAGE_GAUGE,
		    "Whether loss, latency or jitter are between the link's levels");
	for (const struct plan_link *l = links; l < end; l++)
		PART_FAMILIES(f)
			page_count(p, family_labels(p, l, f), is_degraded(v->tracker, l->id, f));
	page_family(p, "link_forced", PAGE_GAUGE, "Whether the operator forced the link to the state");
	for (const struct plan_link *l = links; l < end; l++)
		add_forced(p, v, l);
}

/* --- what passed */

static void add_device(struct page *p, const struct plan *plan, const struct stats *stats,
		       size_t offset)
{
	for (size_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *l = &plan->links[i];
		const struct stats_device *d = stats_find(stats, l->ifindex);

		if (d)
			page_count(p, PAGE_LABELS(p, "link", l->conf->name, "device",
						  l->conf->device),
				   *(const uint64_t *)((const char *)d + offset));
	}
}

static void add_devices(struct page *p, const struct plan *plan)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} families[] = {
		{"link_receive_bytes", "Bytes that the link's device received",
		 offsetof(struct stats_device, rx_bytes)},
		{"link_transmit_bytes", "Bytes that the link's device sent",
		 offsetof(struct stats_device, tx_bytes)},
		{"link_receive_packets", "Packets that the link's device received",
		 offsetof(struct stats_device, rx_packets)},
		{"link_transmit_packets", "Packets that the link's device sent",
		 offsetof(struct stats_device, tx_packets)},
	};
	_cleanup_(stats_done) struct stats stats = {};
	_cleanup_nl_ struct nl nl = {};

	if (nl_open(&nl, NETLINK_ROUTE) || stats_dump(&nl, &stats))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		page_family(p, families[i].name, PAGE_COUNTER, families[i].help);
		add_device(p, plan, &stats, families[i].offset);
	}
}

static void add_connections(struct page *p, const struct plan *plan)
{
	_cleanup_free_ struct ruleset_count *counts = calloc(plan->n_links + 1, sizeof(*counts));

	if (!counts || ruleset_counters(plan, counts))
		return;
	page_family(p, "link_connections", PAGE_COUNTER,
		    "Connections by who opened them: from here or from outside");
	for (size_t i = 0; i < plan->n_links; i++) {
		const char *name = plan->links[i].conf->name;

		page_count(p, PAGE_LABELS(p, "link", name, "direction", "out"), counts[i].out);
		page_count(p, PAGE_LABELS(p, "link", name, "direction", "in"), counts[i].in);
	}
}

void part_traffic(struct page *p, const struct metrics_view *v)
{
	add_devices(p, v->plan);
	add_connections(p, v->plan);
}
