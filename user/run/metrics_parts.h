/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the page; for metrics.c alone. */
#ifndef RUN_METRICS_PARTS_H
#define RUN_METRICS_PARTS_H

#include "run/metrics_page.h"

#define PART_FAMILIES(f) for (enum asym_family f = ASYM_V4; f < ASYM_FAMILIES; f++)
extern const char *const part_families[ASYM_FAMILIES]; /* "ipv4", "ipv6" */

void part_links(struct page *p, const struct metrics_view *v);
void part_traffic(struct page *p, const struct metrics_view *v); /* of the links */
void part_probes(struct page *p, const struct metrics_view *v);
void part_leases(struct page *p, const struct metrics_view *v);
void part_policies(struct page *p, const struct metrics_view *v, uint32_t bank);
void part_rules(struct page *p, const struct metrics_view *v, uint32_t bank);
void part_packets(struct page *p, const struct metrics_view *v);

#endif
