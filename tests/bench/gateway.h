/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gateway under test: one network namespace for itself, one for all that is around it.  Both
 * are made by the script; this side only enters them.  Functions that enter a namespace leave the
 * thread there.
 */
#ifndef BENCH_GATEWAY_H
#define BENCH_GATEWAY_H

#include <stdbool.h>

#include "user/apply/object.h"

struct mnl_socket;

enum gateway_flag {
	GATEWAY_NAT = 'n',    /* has conntrack and NAT */
	GATEWAY_IPV6 = '6',
	GATEWAY_WIRE = 'w',   /* has the wire programs in place of an IP stack */
	GATEWAY_TUN = 't',    /* its links are TUN devices */
	GATEWAY_CACHE = 'k',  /* asymbpf with its flow cache ... */
	GATEWAY_COMMON = 'c', /* ... as it is by default, */
	GATEWAY_SELDOM = 's', /* ... or with entries that are checked only twice a minute, */
	GATEWAY_BIG = 'b',    /* ... or with room for many */
	GATEWAY_FLOWTABLE = 'f',
};

struct gateway {
	char variant[32];
	char flags[8]; /* enum gateway_flag */
	unsigned int links;
	unsigned int lan, wan1; /* ifindexes of lan0 and wan1 */
	int ns, ends;           /* namespace descriptors, owned */
	struct mnl_socket *conntrack;
	struct object maps; /* GATEWAY_CACHE: of asymbpf's programs */
};

bool gateway_has(const struct gateway *gw, enum gateway_flag flag);

/* "VARIANT:LINKS:NAMESPACE:ENDS:FLAGS" */
int gateway_open(const char *spec, struct gateway *ret_gateway);
void gateway_close(struct gateway *gw);

/* Programs by descriptor. */
struct gateway_programs {
	int reflect;           /* for far1..farN, among the ends */
	int reflect_tun;       /* for the egress of wan1..wanN, if these are TUN devices */
	int sink;              /* for client, among the ends */
	int wire_out, wire_in; /* for lan0 and wan1..wanN of a wire */
	int wire_in_tun;       /* the latter for TUN devices */
};

/* Hangs each in its place, and sets GRO on all devices that receive from another one. */
int gateway_attach(const struct gateway *gw, const struct gateway_programs *progs);

int gateway_enter(const struct gateway *gw);

/* Deletes all connections, and makes the flow cache forget its entries.  conntrack's hash table is the
 * machine's, so each variant must find it empty. */
int gateway_flush(const struct gateway *gw);

#endif
