/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is measured, and which gateways take part. */
#ifndef BENCH_SCENARIO_H
#define BENCH_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway.h"

struct scenario {
	const char *name, *title;
	unsigned int links; /* of the gateways that take part */
	const char *needs;  /* all of these flags, enum gateway_flag */
	const char *bars;   /* none of these */
	uint32_t flows;
	uint32_t packets;     /* in one round */
	unsigned int seconds; /* how long a round goes on sending so many again and again, 0: once */
	unsigned int rounds;  /* at most, 0: as many as asked for */
	bool ipv6;
	bool fresh; /* every packet opens a connection */
};

extern const struct scenario scenarios[];
extern const size_t n_scenarios;

bool scenario_admits(const struct scenario *s, const struct gateway *gw);

#endif
