/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page under construction: families of samples in either format.  Allocations that fail stick in
 * out->err and labels.err. */
#ifndef RUN_METRICS_PAGE_H
#define RUN_METRICS_PAGE_H

#include "run/metrics.h"

enum page_type { PAGE_COUNTER, PAGE_GAUGE, PAGE_INFO, PAGE_TYPE_MAX };

struct page {
	struct str *out;
	enum metrics_format format;
	const char *name; /* of the family, without prefix and suffix */
	enum page_type type;
	struct str labels; /* of the last page_labels */
};

/* Samples that follow are this family's.  name: without "asymbpf_" and without what the type adds to
 * it: "_total", "_info".  help: a sentence without its full stop. */
void page_family(struct page *p, const char *name, enum page_type type, const char *help);

/* Names and values in turn, as a sample has them; valid until the next call. */
#define PAGE_LABELS(p, ...) page_labels(p, (const char *const[]){__VA_ARGS__, NULL})
const char *page_labels(struct page *p, const char *const *pairs);

void page_count(struct page *p, const char *labels, uint64_t value);
void page_value(struct page *p, const char *labels, double value);

void page_end(struct page *p);

#endif
