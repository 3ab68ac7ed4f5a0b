/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leases of links without daemon, file or ring: link n is "wanN" with the address 192.0.2.n. */
#ifndef TESTS_UNIT_LEASES_LAB_H
#define TESTS_UNIT_LEASES_LAB_H

#include "loop.h"
#include "base/clock.h"
#include "run/leases_int.h"
#include <arpa/inet.h>

#define LAB_NOW (1000000 * NS_PER_S)
#define LAB_NO_DEVICE 0x7ffffff0 /* ifindex */

struct lab {
	struct events events;
	struct seen seen;
	struct leases leases;
};

static inline struct in_addr lab_addr(uint8_t n)
{
	return (struct in_addr){htonl(0xc0000200 | n)};
}

static inline struct lab *lab_new(void)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	assert_non_null(lab);
	lab->seen.sink.take = seen_take;
	lab->seen.only = EVENT_LEASE;
	events_add(&lab->events, &lab->seen.sink);
	lab->leases.events = &lab->events;
	lab->leases.watchdog = true;
	lab->leases.refs = 1;
	return lab;
}

static inline void lab_free(struct lab *lab)
{
	free(lab->leases.owners);
	free(lab);
}

/* Acknowledged at LAB_NOW: T1 after 1800 s, late after 1860 s, T2 after 3150 s, over after 3600 s. */
static inline struct leases_link *lab_lease(struct lab *lab, uint8_t id)
{
	struct leases_link *k = &lab->leases.links[id];
	struct plan_owner *o = ARRAY_ADD(lab->leases.owners, lab->leases.n_owners);

	assert_non_null(o);
	k->id = id;
	snprintf(k->name, sizeof(k->name), "wan%u", id);
	k->lease = (struct lease){.addr = lab_addr(id), .server = lab_addr(254),
				  .chaddr = {2, 0, 0, 0, 0, id}, .acked_ns = LAB_NOW,
				  .lease_s = 3600, .t1_s = 1800, .t2_s = 3150, .acks = 1};
	k->told = LEASE_BOUND;
	*o = (struct plan_owner){.link = id, .ifindex = LAB_NO_DEVICE,
				 .addr = addr_from_wire(AF_INET, &k->lease.addr)};
	memcpy(o->mac, k->lease.chaddr, sizeof(o->mac));
	return k;
}

static inline uint64_t lab_after(uint32_t s)
{
	return LAB_NOW + s * NS_PER_S;
}

#endif
