// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/maps.h"
#include "run/metrics_parts.h"
#include <string.h>

const char *const metrics_types[] = {
	[METRICS_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
	[METRICS_OPEN] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};
_Static_assert(ARRAY_SIZE(metrics_types) == METRICS_FORMAT_MAX, "metrics_types");

const char *const part_families[] = {[ASYM_V4] = "ipv4", [ASYM_V6] = "ipv6"};
_Static_assert(ARRAY_SIZE(part_families) == ASYM_FAMILIES, "part_families");

static void part_events(struct page *p, const struct metrics_view *v)
{
	page_family(p, "events", PAGE_COUNTER, "Events since the daemon was started");
	for (enum event_kind e = 0; e < EVENT_MAX; e++)
		page_count(p, PAGE_LABELS(p, "event", event_kind_names[e]), v->events->count[e]);
}

int metrics_print(const struct metrics_view *view, enum metrics_format format, struct str *out)
{
	struct page p = {.out = out, .format = format};
	struct asym_control control = {};
	int r;

	page_family(&p, "build", PAGE_INFO, "The version of asymbpf that runs");
	page_count(&p, PAGE_LABELS(&p, "version", VERSION), 1);
	part_links(&p, view);
	part_probes(&p, view);
	part_traffic(&p, view);
	part_leases(&p, view);
	if (!maps_control(view->object, &control)) {
		part_policies(&p, view, control.bank);
		part_rules(&p, view, control.bank);
		part_packets(&p, view);
	}
	part_events(&p, view);
	page_end(&p);
	r = out->err ?: p.labels.err;
	str_done(&p.labels);
	return r;
}
