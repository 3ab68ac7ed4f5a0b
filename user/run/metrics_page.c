// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/metrics_page.h"

#include <inttypes.h>
#include <string.h>

#define PREFIX "asymbpf_"

/* Of the sample.  OpenMetrics names the family without it, the older format knows no families. */
static const char *const suffixes[] = {
	[PAGE_COUNTER] = "_total",
	[PAGE_GAUGE] = "",
	[PAGE_INFO] = "_info",
};
_Static_assert(ARRAY_SIZE(suffixes) == PAGE_TYPE_MAX, "suffixes");

static const char *const types[METRICS_FORMAT_MAX][PAGE_TYPE_MAX] = {
	[METRICS_TEXT] = {"counter", "gauge", "gauge"},
	[METRICS_OPEN] = {"counter", "gauge", "info"},
};

/* OpenMetrics wants to be told the unit that a name ends in. */
static const char *unit_of(const char *name)
{
	static const char *const units[] = {"seconds", "bytes", "ratio"};
	const char *last = strrchr(name, '_');

	for (size_t i = 0; last && i < ARRAY_SIZE(units); i++)
		if (!strcmp(last + 1, units[i]))
			return units[i];
	return NULL;
}

void page_family(struct page *p, const char *name, enum page_type type, const char *help)
{
	bool open = p->format == METRICS_OPEN;
	const char *suffix = open ? "" : suffixes[type], *unit = unit_of(name);

	p->name = name;
	p->type = type;
	str_add(p->out, "# HELP " PREFIX "%s%s %s.\n# TYPE " PREFIX "%s%s %s\n", name, suffix, help,
		name, suffix, types[p->format][type]);
	if (open && unit)
		str_add(p->out, "# UNIT " PREFIX "%s %s\n", name, unit);
}

/* Backslash, quote and newline are all that both formats escape. */
static void add_value(struct str *out, const char *s)
{
	while (*s) {
		size_t plain = strcspn(s, "\\\"\n");

		str_add(out, "%.*s", (int)plain, s);
		s += plain;
		if (*s)
			str_add(out, "\\%c", *s == '\n' ? 'n' : *s), s++;
	}
}

const char *page_labels(struct page *p, const char *const *pairs)
{
	p->labels.len = 0;
	for (size_t i = 0; pairs[i]; i += 2) {
		str_add(&p->labels, "%c%s=\"", i ? ',' : '{', pairs[i]);
		add_value(&p->labels, pairs[i + 1]);
		str_add(&p->labels, "\"");
	}
	str_add(&p->labels, "}");
	return p->labels.err ? "" : p->labels.s;
}

void page_count(struct page *p, const char *labels, uint64_t value)
{
	str_add(p->out, PREFIX "%s%s%s %" PRIu64 "\n", p->name, suffixes[p->type], labels, value);
}

void page_value(struct page *p, const char *labels, double value)
{
	str_add(p->out, PREFIX "%s%s%s %.15g\n", p->name, suffixes[p->type], labels, value);
}

void page_end(struct page *p)
{
	if (p->format == METRICS_OPEN)
		str_add(p->out, "# EOF\n");
}
