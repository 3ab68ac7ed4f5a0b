// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Measures gateways that the script has set up, one after the other in each round.
 * bench --cpu N [--softirqd PID] [--rounds N] [--scenario PATTERN] [--json FILE] GATEWAY...
 * GATEWAY: VARIANT:LINKS:NAMESPACE:ENDS:FLAGS.  Without --softirqd times are wall times,
 * taken for instructions: for a machine that runs one in each nanosecond (qemu -icount).
 */
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <string.h>

#include "inject.h"
#include "measure.h"
#include "report.h"
#include "user/base/defs.h"

struct options {
	unsigned int cpu;
	unsigned int softirqd;
	unsigned int rounds;
	const char *scenario; /* pattern of names */
	const char *json;
};

static int table_init(struct table *table, const struct gateway *gws, size_t n)
{
	table->rows = calloc(n, sizeof(*table->rows));
	if (!table->rows)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (scenario_admits(table->scenario, &gws[i]))
			table->rows[table->n++].gw = &gws[i];
	return 0;
}

static bool table_is_valid(const struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		if (row_flaw(table, &table->rows[i]))
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
	_cleanup_free_ struct table *tables = calloc(n_scenarios, sizeof(*tables));
	int worst = tables ? 0 : -ENOMEM;
	size_t k = 0;

	for (size_t i = 0; i < n_scenarios && (!worst || worst == -EBADMSG); i++) {
		const struct scenario *s = &scenarios[i];

		if (fnmatch(opt->scenario, s->name, FNM_EXTMATCH))
			continue;
		tables[k].scenario = s;
		tables[k].rounds = s->rounds ? MIN(s->rounds, opt->rounds) : opt->rounds;
		tables[k].instructions = !opt->softirqd;
		worst = run_scenario(gws, n, &tables[k++]) ?: worst;
	}
	if (json && tables)
		report_json(json, tables, k);
	for (size_t i = 0; i < k; i++)
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
	                                      {"scenario", required_argument, NULL, 'o'},
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
		case 'o':
			opt->scenario = optarg;
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
	struct options opt = {.rounds = 9, .scenario = "*"};
	int r = parse(argc, argv, &opt);

	if (!r)
		r = run(&opt, argv + optind, argc - optind);
	if (r)
		fprintf(stderr, "bench: %s\n", r == -EBADMSG ? "a row is invalid" : strerror(-r));
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
