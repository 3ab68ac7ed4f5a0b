/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames through a gateway, and the CPU time they cost. */
#ifndef BENCH_INJECT_H
#define BENCH_INJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway.h"
#include "traffic.h"

struct inject_run {
	bool ipv6;
	uint32_t first;   /* flow numbers first..first+flows-1 in turn */
	uint32_t flows;
	uint32_t packets; /* >= 1 */
};

struct inject_result {
	uint64_t ns; /* CPU time of this thread and of the CPU's ksoftirqd, or wall time */
	struct traffic_count count;
};

/* Loads the programs and pins the thread to cpu.  softirqd: process id of ksoftirqd/cpu, 0: measure the
 * time until the last answer, on a machine where nothing else runs and time passes by instructions. */
int inject_init(int cpu, pid_t softirqd);
void inject_done(void);

/* Attaches the reflector and the sink around a gateway. */
int inject_prepare(const struct gateway *gw);

/* Sends, and waits until the answers are back or none has come for a while. */
int inject(const struct gateway *gw, const struct inject_run *run,
           struct inject_result *ret_result);

#endif
