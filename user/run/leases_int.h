/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What leases.c and its parts share. */
#ifndef RUN_LEASES_INT_H
#define RUN_LEASES_INT_H

#include "run/leases.h"
#include "run/leases_ring.h"

/* A link as it is now, by its id. */
struct leases_now {
	bool present;	    /* in the plan */
	char device[IFNAMSIZ];
	uint64_t minute_ns; /* when `events` began to count */
	uint32_t events;
};

struct leases {
	uint64_t cookie;
	struct events *events;
	struct courier *courier;
	uv_loop_t *loop;
	struct leases_ring *ring;
	uv_timer_t timer; /* the next look at all links */
	uv_timer_t save;
	bool changed; /* something that is not in the file yet */
	int save_error; /* of the last time, which was said */
	bool closed;
	int refs; /* handles and parcels under way */

	bool watchdog; /* renews */
	struct plan_owner *owners;
	size_t n_owners;
	struct leases_link links[ASYM_LINK_IDS]; /* by id, as is `now` */
	struct leases_now now[ASYM_LINK_IDS];
};

/* The device of a link that has the address of its lease, with the MAC that got it; 0: none. */
uint32_t leases_device(const struct leases *l, const struct leases_link *k);

/* In leases_watchdog.c: renews the leases that their clients do not.  Returns when it has to be
 * called again at the latest, CLOCK_BOOTTIME. */
uint64_t leases_watch(struct leases *l, uint64_t now_ns);
/* Whether the watchdog asked with this xid. */
bool leases_is_ours(const struct lease *lease, uint32_t xid);
/* The last handle or parcel frees it. */
void leases_unref(struct leases *l);

/* In leases_tell.c.  was: the lease before the answer, of which k->told still is. */
void leases_tell_answer(struct leases *l, struct leases_link *k, const struct lease *was,
			enum lease_answer answer, uint64_t now_ns);
/* What time alone has changed. */
void leases_tell_state(struct leases *l, struct leases_link *k, uint64_t now_ns);

#endif
