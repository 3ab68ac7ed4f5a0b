/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fills a table: variants take turns in every round. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "report.h"

/* 0 or -errno.  Whether a row is to be believed is the report's affair. */
int measure_table(struct table *table);

#endif
