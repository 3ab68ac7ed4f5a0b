/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nftables' flowtable in the gateway whose network namespace the thread is in. */
#ifndef BENCH_FLOWTABLE_H
#define BENCH_FLOWTABLE_H

#include <stdint.h>

/* Packets that the stack has forwarded so far, since the flowtable did not: the counter "stack" of
 * lib.sh.  0, -errno. */
int flowtable_missed(uint64_t *ret_packets);

#endif
