/* SPDX-License-Identifier: GPL-2.0-or-later */
/* asymbpf's flow cache in the gateway whose network namespace the thread is in. */
#ifndef BENCH_CACHE_H
#define BENCH_CACHE_H

#include <stdint.h>

#include "user/apply/object.h"

/* Finds the maps of the running programs.  0, -errno; released by object_done(). */
int cache_open(struct object *ret_maps);

/* Packets that passed the cache so far, both directions. */
int cache_passed(const struct object *maps, uint64_t *ret_packets);

/* Makes all entries stale for good, as a reload does. */
int cache_forget(const struct object *maps);

#endif
