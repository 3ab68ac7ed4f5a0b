/* SPDX-License-Identifier: GPL-2.0-or-later */
/* asymbpf's flow cache in the gateway whose network namespace the thread is in. */
#ifndef BENCH_CACHE_H
#define BENCH_CACHE_H

#include <stdint.h>

#include "user/apply/object.h"

/* Finds the maps of the running programs.  0, -errno; released by object_done(). */
int cache_open(struct object *ret_maps);

struct cache_count {
	uint64_t passed; /* packets that passed, both directions */
	uint64_t shown;  /* packets of known flows that the stack was shown */
};

/* So far. */
int cache_read(const struct object *maps, struct cache_count *ret_count);

/* Makes all entries stale for good, as a reload does. */
int cache_forget(const struct object *maps);

#endif
