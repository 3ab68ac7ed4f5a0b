/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The leases of all links: reads what the BPF programs saw of DHCP (map "asym_bootp"), and renews
 * what a client renews in
 * vain (the watchdog).  What is known is in /run/asymbpf/COOKIE.leases, so that it outlives the
 * daemon, and `asymbpf dhcp`
 * needs none.
 */
#ifndef RUN_LEASES_H
#define RUN_LEASES_H

#include "apply/object.h"
#include "core/lease.h"
#include "core/plan.h"
#include "run/courier.h"
#include "run/event.h"
#include <json-c/json.h>
#include <uv.h>

struct leases;
/* Reads what an earlier daemon left.  0 or -errno.  events, courier: outlive it. */
int leases_open(uv_loop_t *loop, uint64_t cookie, struct events *events, struct courier *courier, struct leases **ret);
void leases_close(struct leases *l);

/* The links of now; o's ring is read from now on (again, if it is the same).  Leases of links or addresses that are gone are kept in memory until
 * they expire, but not renewed.  0 or -errno. */
int leases_plan(struct leases *l, const struct plan *p, const struct object *o);

/* A link's by its id, or NULL. */
const struct lease *leases_find(const struct leases *l, uint8_t link);
/* What sort of socket the link's client renewed with last, enum asym_sender. */
enum asym_sender leases_sender(const struct leases *l, uint8_t link);

#endif
