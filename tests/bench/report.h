/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was measured, one row per variant, and its forms: text, JSON. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "gateway.h"
#include "scenario.h"
#include "traffic.h"

#define REPORT_ROUNDS 99

struct row {
	const struct gateway *gw;
	uint64_t packets;          /* sent in all rounds */
	uint64_t cached;           /* packets that passed the fast path, of twice as many */
	uint64_t shown;            /* packets that the cache showed to the stack */
	struct traffic_count seen; /* in all rounds */
	double ns[REPORT_ROUNDS];  /* CPU time of one round trip, per round */
};

struct table {
	const struct scenario *scenario;
	struct row *rows; /* owned */
	size_t n;
	unsigned int rounds; /* 1..REPORT_ROUNDS */
	bool instructions;   /* are what the rows hold, not ns */
};

/* Why the row must not be believed, NULL if it may be. */
const char *row_flaw(const struct table *table, const struct row *row);

void report_text(FILE *f, const struct table *table);

/* An array of all rows of n tables. */
void report_json(FILE *f, const struct table *tables, size_t n);

#endif
