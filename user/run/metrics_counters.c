// SPDX-License-Identifier: GPL-2.0-or-later
/* What the programs count: rules, packets, the flow cache. */
#include "apply/maps.h"
#include "apply/room.h"
#include "run/metrics_parts.h"

void part_rules(struct page *p, const struct metrics_view *v, uint32_t bank)
{
	const struct model *m = v->plan->model;
	struct asym_hits hits[ASYM_MAX_RULES];

	if (maps_hits(v->object, bank, hits))
		return;
	page_family(p, "rule_packets", PAGE_COUNTER,
		    "Packets that matched the rule since the last load or reload");
	for (size_t i = 0; i < m->n_rules; i++)
		page_count(p, PAGE_LABELS(p, "rule", m->rules[i].name, "policy", m->rules[i].policy),
			   hits[i].packets);
	page_family(p, "rule_bytes", PAGE_COUNTER,
		    "Bytes that matched the rule since the last load or reload");
	for (size_t i = 0; i < m->n_rules; i++)
		page_count(p, PAGE_LABELS(p, "rule", m->rules[i].name, "policy", m->rules[i].policy),
			   hits[i].bytes);
}

/* Those that tell of the flow cache count packets again. */
#define CACHE_FIRST ASYM_CACHE_NEW
#define CACHE_PREFIX (sizeof("cache_") - 1)

static void add_cache(struct page *p, const struct object *o)
{
	page_family(p, "flow_cache_on", PAGE_GAUGE, "Whether there is a flow cache");
	page_count(p, "", o->fastpath);
	if (!o->fastpath)
		return;
	page_family(p, "flow_cache_room", PAGE_GAUGE, "Connections of one family that the flow cache has room for");
	PART_FAMILIES(f)
		page_count(p, PAGE_LABELS(p, "family", part_families[f]),
			   room_pairs(o->flow_blocks, f));
	page_family(p, "flow_cache_size_bytes", PAGE_GAUGE, "Memory that the flow cache takes");
	page_count(p, "", room_bytes(o->flow_blocks));
}

void part_packets(struct page *p, const struct metrics_view *v)
{
	static const char *const reasons[] = {
#define X(id, label, text) [ASYM_##id] = label,
		ASYM_REASONS(X)
#undef X
	};
	uint64_t counters[ASYM_REASON_MAX];

	add_cache(p, v->object);
	if (maps_counters(v->object, counters))
		return;
	page_family(p, "packets", PAGE_COUNTER, "Packets by what became of them");
	for (size_t i = 0; i < CACHE_FIRST; i++)
		page_count(p, PAGE_LABELS(p, "reason", reasons[i]), counters[i]);
	page_family(p, "flow_cache_events", PAGE_COUNTER,
		    "What the flow cache did besides passing packets");
	for (size_t i = CACHE_FIRST; i < ASYM_REASON_MAX; i++)
		page_count(p, PAGE_LABELS(p, "event", reasons[i] + CACHE_PREFIX), counters[i]);
}
