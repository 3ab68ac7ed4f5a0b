/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the map "asym_bootp" from within the loop. */
#ifndef RUN_LEASES_RING_H
#define RUN_LEASES_RING_H

#include "bpf/abi.h"
#include <stdbool.h>
#include <uv.h>

struct leases_ring;

struct leases_ring_ops {
	void (*record)(void *data, const struct asym_bootp *r); /* len is within data */
	void (*read)(void *data); /* after at most LEASES_RECORDS of them */
};

/* map: a descriptor, which need not stay open.  Two readers of one map do harm.  0 or -errno. */
int leases_ring_open(uv_loop_t *loop, int map, const struct leases_ring_ops *ops, void *data,
		     struct leases_ring **ret);
/* Calls nothing any more; memory goes once the loop has closed the handle.  NULL is fine. */
void leases_ring_close(struct leases_ring *r);

/* Whether it reads the map behind this descriptor; NULL reads none. */
bool leases_ring_reads(const struct leases_ring *r, int map);

#endif
