/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The leases of all links: reads what the BPF programs saw of DHCP (map "asym_bootp"), and renews
 * what a client renews in vain (the watchdog).  What is known is in /run/asymbpf/COOKIE.leases, so
 * that it outlives the daemon, and `asymbpf dhcp` needs none.
 */
#ifndef RUN_LEASES_H
#define RUN_LEASES_H

#include "apply/object.h"
#include "core/lease.h"
#include "core/model.h"
#include "core/plan.h"
#include "run/courier.h"
#include "run/event.h"
#include <json-c/json.h>
#include <uv.h>

/* Records of the ring that are read before the loop has its turn again. */
#define LEASES_RECORDS 64
/* Renewals of the watchdog, of all links together, that are sent at once; when the next follow. */
#define LEASES_SENDS 8
#define LEASES_SENDS_MS 200
/* Events of a link in a minute; what is more is not told. */
#define LEASES_EVENTS 6

/* What is known of a link. */
struct leases_link {
	uint8_t id; /* 0: unused */
	char name[MODEL_NAME];
	struct lease lease;
	enum asym_sender sender; /* what sort of socket the client renewed with last */
	enum lease_state told;	 /* as people know it */
	uint64_t sent, failed;	 /* renewals of the watchdog; those of them that could not leave */
	int error;		 /* why the last one could not leave, -errno; 0: it did */
};

struct leases;
/* Reads what an earlier daemon left.  0 or -errno.  events, courier: outlive it. */
int leases_open(uv_loop_t *loop, uint64_t cookie, struct events *events, struct courier *courier,
		struct leases **ret);
/* Writes what is not written yet, unless all was unloaded.  NULL is fine; memory goes once the loop
 * has closed the handles and the courier has answered. */
void leases_close(struct leases *l);

/* The links of now; o's ring is read from now on.  Leases of links that are gone are kept until
 * they expire, but not renewed; nor are those of addresses that their link does not have.  0 or
 * -errno: no ring is read. */
int leases_plan(struct leases *l, const struct plan *p, const struct object *o);

/* A link's by its id, or NULL: nothing was ever acknowledged or refused. */
const struct leases_link *leases_find(const struct leases *l, uint8_t id);

/* In leases_json.c.  As run/control.h has it. */
struct json_object *leases_json(const struct leases_link *k, uint64_t now_ns);
/* "packet", "raw", "udp", "udp-address", "udp-device"; NULL: unknown. */
extern const char *const leases_sender_names[ASYM_SENDER_MAX];

/* CLOCK_BOOTTIME in nanoseconds, in which leases are told. */
uint64_t leases_now_ns(void);

#endif
