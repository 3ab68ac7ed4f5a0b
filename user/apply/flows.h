/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flow cache of the running programs, read while they write to it: the tables are mapped, an
 * entry counts only when its head is the same before and after it was copied.
 *
 * Positions number the ways of both tables.  Replies are found by an index of our own, so neither
 * the programs' hash nor its seed matters here.
 */
#ifndef APPLY_FLOWS_H
#define APPLY_FLOWS_H

#include "apply/object.h"
#include "core/flow.h"

struct flows_table {
	const void *ways; /* struct asym_entry4 or 6, one after the other; NULL: none */
	uint32_t n;
	size_t mapped; /* bytes; 0: not ours to unmap */
};

struct flows {
	struct flows_table table[ASYM_FAMILIES];
	const struct asym_hop *hops;
	uint32_t n_hops;
	size_t hops_mapped;
	uint16_t epoch; /* entries of another one are stale */
	struct flow_clock clock;
	uint32_t *index; /* positions of replies, plus 1; 0: free */
	uint32_t index_mask;
	uint32_t seed;
};

/* Maps the tables of o and indexes them.  0; -ENOENT: the programs have no flow cache; another
 * -errno.  End with flows_close. */
int flows_open(const struct object *o, struct flows *ret);
void flows_close(struct flows *f);

/* The same without the index, for who reads entries one by one: no flows_get.  Sizes of the tables are those
 * of whole blocks. */
int flows_map(const struct object *o, struct flows *ret);
/* The clock of now; flows_map reads that of its time.  0 or -errno. */
int flows_clock(const struct object *o, struct flow_clock *ret);
/* Map asym_written: bit n is set once a way was written in any block whose number is n modulo ASYM_WRITTEN,
 * of either family; a table of fewer blocks has several bits for each.  0 or -errno. */
int flows_written(const struct object *o, uint32_t ret[static ASYM_WRITTEN / 32]);

/* Of tables that are already there (tests).  0 or -ENOMEM. */
int flows_index(struct flows *f);

uint32_t flows_size(const struct flows *f);
/* The flow whose original direction is at this position.  False: there is none. */
bool flows_get(const struct flows *f, uint32_t position, struct flow_info *ret);

#endif
