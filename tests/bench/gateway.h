/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gateway under test: one network namespace for itself, one for all that is around it.  Both
 * are made by the script; this side only enters them.  Functions that enter a namespace leave the
 * thread there.
 */
#ifndef BENCH_GATEWAY_H
#define BENCH_GATEWAY_H

#include <stdbool.h>

struct mnl_socket;

struct gateway {
	char variant[32];
	unsigned int links;
	bool translates; /* has conntrack and NAT */
	bool ipv6;
	bool wire;              /* has the wire programs in place of an IP stack */
	unsigned int lan, wan1; /* ifindexes of lan0 and wan1 */
	int ns, ends;           /* namespace descriptors, owned */
	struct mnl_socket *conntrack;
};

/* "VARIANT:LINKS:NAMESPACE:ENDS:FLAGS", flags of "n" (translates), "6" (has IPv6), "w" (wire). */
int gateway_open(const char *spec, struct gateway *ret_gateway);
void gateway_close(struct gateway *gw);

/* Programs by descriptor. */
struct gateway_programs {
	int reflect;           /* for far1..farN, among the ends */
	int sink;              /* for client, there too */
	int wire_out, wire_in; /* for lan0 and wan1..wanN of a wire */
};

/* Hangs each in its place, and sets GRO on all devices that receive from another one. */
int gateway_attach(const struct gateway *gw, const struct gateway_programs *progs);

int gateway_enter(const struct gateway *gw);

/* Deletes all connections.  The hash table is the machine's, so each variant must find it empty. */
int gateway_flush(const struct gateway *gw);

#endif
