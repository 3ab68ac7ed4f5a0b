// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "report.h"
#include "user/base/defs.h"

struct summary {
	double median, min, max;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct summary summarise(const double *values, unsigned int n)
{
	double v[REPORT_ROUNDS];

	memcpy(v, values, n * sizeof(*v));
	qsort(v, n, sizeof(*v), compare);
	return (struct summary){
		.median = (v[(n - 1) / 2] + v[n / 2]) / 2, .min = v[0], .max = v[n - 1]};
}

static const struct row *find_row(const struct table *table, const char *variant)
{
	for (size_t i = 0; i < table->n; i++)
		if (!strcmp(table->rows[i].gw->variant, variant))
			return &table->rows[i];
	return NULL;
}

/* Median of the rounds' ratios, 0 without the other row: a disturbance hits both of one round. */
static double ratio_to(const struct table *table, const struct row *row, const char *variant)
{
	const struct row *base = find_row(table, variant);
	double ratios[REPORT_ROUNDS];

	if (!base)
		return 0;
	for (unsigned int i = 0; i < table->rounds; i++)
		ratios[i] = row->ns[i] / base->ns[i];
	return summarise(ratios, table->rounds).median;
}

static unsigned int links_used(const struct traffic_count *seen)
{
	unsigned int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(seen->device); i++)
		n += seen->device[i] > 0;
	return n;
}

static bool has_fast_path(const struct gateway *gw)
{
	return gateway_has(gw, GATEWAY_CACHE) || gateway_has(gw, GATEWAY_FLOWTABLE);
}

static double cached_share(const struct row *row)
{
	return row->cached / 2.0 / row->packets;
}

/* What the cache shows to the stack, its checks, is part of what it costs. */
static bool cached_too_little(const struct table *table, const struct row *row)
{
	uint64_t packets = 2 * row->packets;

	return has_fast_path(row->gw) && !table->scenario->fresh &&
	       (row->cached < packets * 0.9 || row->cached + row->shown < packets * 0.99);
}

const char *row_flaw(const struct table *table, const struct row *row)
{
	const struct traffic_count *seen = &row->seen;

	if (seen->returned < row->packets * 0.99)
		return "packets lost";
	if (seen->astray)
		return "answers at the wrong client";
	if (seen->translated != (gateway_has(row->gw, GATEWAY_NAT) ? seen->reflected : 0))
		return "sources not as the variant should leave them";
	if (links_used(seen) != row->gw->links)
		return "not all links used";
	if (cached_too_little(table, row))
		return "not by the fast path";
	return NULL;
}

static double busiest_share(const struct row *row)
{
	uint32_t most = 0;

	for (size_t i = 0; i < ARRAY_SIZE(row->seen.device); i++)
		most = MAX(most, row->seen.device[i]);
	return row->seen.reflected ? (double)most / row->seen.reflected : 0;
}

static void print_ratio(FILE *f, double ratio)
{
	if (ratio)
		fprintf(f, " %8.2f", ratio);
	else
		fprintf(f, " %8s", "-");
}

static void print_row(FILE *f, const struct table *table, const struct row *row)
{
	struct summary s = summarise(row->ns, table->rounds);
	const char *flaw = row_flaw(table, row);

	fprintf(f, "%-14s %8.0f %8.0f %8.0f", row->gw->variant, s.median, s.min, s.max);
	print_ratio(f, ratio_to(table, row, "plain"));
	print_ratio(f, ratio_to(table, row, "masquerade"));
	if (table->scenario->fresh)
		fprintf(f, " %10.0f", 1e9 / s.median);
	if (has_fast_path(row->gw))
		fprintf(f, " %6.1f%%", 100 * cached_share(row));
	if (flaw)
		fprintf(f, "  INVALID: %s (%ju of %ju back)", flaw, (uintmax_t)row->seen.returned,
		        (uintmax_t)row->packets);
	fputc('\n', f);
}

void report_text(FILE *f, const struct table *table)
{
	const struct scenario *s = table->scenario;

	fprintf(f, "\n%s: %s; %s, %u rounds\n", s->name, s->title,
	        table->instructions ? "instructions" : "CPU ns", table->rounds);
	fprintf(f, "%-14s %8s %8s %8s %8s %8s%s  cached\n", "variant", "median", "min", "max",
	        "/plain", "/masq", !s->fresh ? "" : table->instructions ? "  per 1e9  " : "  per CPU s");
	for (size_t i = 0; i < table->n; i++)
		print_row(f, table, &table->rows[i]);
	fflush(f);
}

static void json_ratio(FILE *f, const char *key, double ratio)
{
	if (ratio)
		fprintf(f, ", \"%s\": %.3f", key, ratio);
	else
		fprintf(f, ", \"%s\": null", key);
}

static void json_row(FILE *f, const struct table *table, const struct row *row)
{
	const struct scenario *s = table->scenario;
	struct summary sum = summarise(row->ns, table->rounds);

	fprintf(f,
	        "{\"scenario\": \"%s\", \"variant\": \"%s\", \"family\": %d, \"links\": %u, "
	        "\"flows\": %u, \"rounds\": %u",
	        s->name, row->gw->variant, s->ipv6 ? 6 : 4, s->links, s->flows, table->rounds);
	fprintf(f, ", \"ns_median\": %.1f, \"ns_min\": %.1f, \"ns_max\": %.1f", sum.median, sum.min,
	        sum.max);
	json_ratio(f, "ratio_plain", ratio_to(table, row, "plain"));
	json_ratio(f, "ratio_masquerade", ratio_to(table, row, "masquerade"));
	fprintf(f, ", \"sent\": %ju, \"returned\": %ju, \"busiest_link\": %.3f, \"cached\": %.4f, "
	        "\"valid\": %s}",
	        (uintmax_t)row->packets, (uintmax_t)row->seen.returned, busiest_share(row),
	        cached_share(row), row_flaw(table, row) ? "false" : "true");
}

void report_json(FILE *f, const struct table *tables, size_t n)
{
	const char *comma = "";

	fputc('[', f);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < tables[i].n; k++) {
			fprintf(f, "%s\n", comma);
			json_row(f, &tables[i], &tables[i].rows[k]);
			comma = ",";
		}
	}
	fputs("\n]\n", f);
}
