// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Measures gateways that the script has set up, one after the other in each round.
 * bench --cpu N --softirqd PID [--rounds N] [--json FILE] VARIANT:LINKS:NAMESPACE:ENDS:FLAGS...
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "inject.h"
#include "report.h"
#include "user/base/defs.h"

static const struct scenario scenarios[] = {
	{.name = "roundtrip", .links = 2, .flows = 1000, .packets = 40000},
	{.name = "roundtrip", .links = 2, .flows = 60000, .packets = 60000},
	{.name = "roundtrip", .links = 2, .flows = 1000, .packets = 40000, .ipv6 = true},
	{.name = "connect", .links = 2, .flows = 20000, .packets = 20000, .fresh = true},
	{.name = "connect", .links = 64, .flows = 20000, .packets = 20000, .fresh = true},
};

struct options {
	unsigned int cpu;
	unsigned int softirqd;
	unsigned int rounds;
	const char *json;
};

static bool takes_part(const struct scenario *s, const struct gateway *gw)
{
	return gw->links == s->links && (gw->translates || !s->fresh) && (gw->ipv6 || !s->ipv6);
}

/* Two passes before a round trip is measured: the second finds every connection seen both ways. */
static int measure(const struct scenario *s, const struct gateway *gw, struct inject_result *ret)
{
	struct inject_run warm = {.ipv6 = s->ipv6, .flows = s->flows, .packets = 2 * s->flows};
	struct inject_run run = {.ipv6 = s->ipv6, .flows = s->flows, .packets = s->packets};
	int r = gateway_flush(gw);

	if (!r)
		r = gateway_enter(gw);
	if (!r && !s->fresh)
		r = inject(gw, &warm, ret);
	if (!r)
		r = inject(gw, &run, ret);
	return r ? r : gateway_flush(gw);
}

static void add_count(struct traffic_count *sum, const struct traffic_count *c)
{
	sum->reflected += c->reflected;
	sum->translated += c->translated;
	sum->returned += c->returned;
	sum->astray += c->astray;
	for (size_t i = 0; i < TRAFFIC_DEVICES; i++)
		sum->device[i] += c->device[i];
}

static int measure_row(const struct scenario *s, unsigned int round, struct row *row)
{
	struct inject_result result;
	int r = measure(s, row->gw, &result);

	if (r < 0)
		return r;
	row->ns[round] = (double)result.ns / s->packets;
	row->packets += s->packets;
	add_count(&row->seen, &result.count);
	return 0;
}

/* Each round starts with another variant, so that none always follows the same one's caches. */
static int measure_round(struct table *table, unsigned int round)
{
	int r = 0;

	for (size_t i = 0; !r && i < table->n; i++)
		r = measure_row(table->scenario, round, &table->rows[(i + round) % table->n]);
	return r;
}

/* The first round only warms slabs and caches: its place is overwritten, its counts are kept. */
static int measure_table(struct table *table)
{
	int r = measure_round(table, 0);

	for (unsigned int round = 0; !r && round < table->rounds; round++)
		r = measure_round(table, round);
	return r;
}

static int table_init(struct table *table, const struct gateway *gws, size_t n)
{
	table->rows = calloc(n, sizeof(*table->rows));
	if (!table->rows)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (takes_part(table->scenario, &gws[i]))
			table->rows[table->n++].gw = &gws[i];
	return 0;
}

static bool table_is_valid(const struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		if (row_flaw(&table->rows[i]))
			return false;
	return true;
}

/* 0; -EBADMSG if a row is not to be believed. */
static int run_scenario(const struct gateway *gws, size_t n, struct table *table)
{
	int r = table_init(table, gws, n);

	if (r || !table->n)
		return r;
	r = measure_table(table);
	if (r)
		return r;
	report_text(stdout, table);
	return table_is_valid(table) ? 0 : -EBADMSG;
}

static int run_all(const struct options *opt, const struct gateway *gws, size_t n, FILE *json)
{
	struct table tables[ARRAY_SIZE(scenarios)] = {};
	int worst = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables) && (!worst || worst == -EBADMSG); i++) {
		tables[i].scenario = &scenarios[i];
		tables[i].rounds = opt->rounds;
		worst = run_scenario(gws, n, &tables[i]) ?: worst;
	}
	if (json)
		report_json(json, tables, ARRAY_SIZE(tables));
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		free(tables[i].rows);
	return worst;
}

static int open_gateways(char **specs, size_t n, struct gateway *gws)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++) {
		r = gateway_open(specs[i], &gws[i]);
		if (!r)
			r = inject_prepare(&gws[i]);
		if (r)
			fprintf(stderr, "bench: %s: %s\n", specs[i], strerror(-r));
	}
	return r;
}

static int run(const struct options *opt, char **specs, size_t n)
{
	_cleanup_fclose_ FILE *json = opt->json ? fopen(opt->json, "w") : NULL;
	_cleanup_free_ struct gateway *gws = calloc(n, sizeof(*gws));
	int r;

	if (!gws || (opt->json && !json))
		return -errno;
	r = inject_init(opt->cpu, opt->softirqd);
	if (!r)
		r = open_gateways(specs, n, gws);
	if (!r)
		r = run_all(opt, gws, n, json);
	inject_done();
	return r;
}

static int parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {{"cpu", required_argument, NULL, 'c'},
	                                      {"softirqd", required_argument, NULL, 's'},
	                                      {"rounds", required_argument, NULL, 'r'},
	                                      {"json", required_argument, NULL, 'j'},
	                                      {}};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		switch (c) {
		case 'c':
			opt->cpu = atoi(optarg);
			break;
		case 's':
			opt->softirqd = atoi(optarg);
			break;
		case 'r':
			opt->rounds = atoi(optarg);
			break;
		case 'j':
			opt->json = optarg;
			break;
		default:
			return -EINVAL;
		}
	}
	return opt->rounds >= 1 && opt->rounds <= REPORT_ROUNDS && optind < argc ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct options opt = {.rounds = 9};
	int r = parse(argc, argv, &opt);

	if (!r)
		r = run(&opt, argv + optind, argc - optind);
	if (r)
		fprintf(stderr, "bench: %s\n", r == -EBADMSG ? "a row is invalid" : strerror(-r));
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
