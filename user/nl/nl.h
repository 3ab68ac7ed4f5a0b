/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink requests over libmnl.  A message is built by puts that return nothing: the first one that
 * does not fit sticks in err and nl_talk reports it.
 */
#ifndef NL_NL_H
#define NL_NL_H

#include "base/addr.h"
#include "base/defs.h"
#include <libmnl/libmnl.h>

struct nl {
	struct mnl_socket *sock;
	uint32_t port;
	uint32_t seq;
	char error[160]; /* the kernel's own words (extended ack) for the last failure, or "" */
};

struct nl_msg {
	struct nlmsghdr *h;
	int err; /* 0 or -EMSGSIZE */
	char buf[2048];
};

/* bus: NETLINK_ROUTE, NETLINK_NETFILTER, ...; in the caller's network namespace.  0 or -errno. */
int nl_open(struct nl *nl, int bus);
void nl_close(struct nl *nl);

/* Starts a request of `type` with a family header (size bytes, copied).  NLM_F_REQUEST is added. */
void nl_begin(struct nl_msg *m, uint16_t type, uint16_t flags, const void *header, size_t size);
void nl_put_u8(struct nl_msg *m, uint16_t type, uint8_t v);
void nl_put_u32(struct nl_msg *m, uint16_t type, uint32_t v);
void nl_put_str(struct nl_msg *m, uint16_t type, const char *s);
void nl_put_addr(struct nl_msg *m, uint16_t type, const struct in6_addr *a);

/* Sends the request and waits for its acknowledgement.  0 or the kernel's -errno. */
int nl_talk(struct nl *nl, struct nl_msg *m);

/* Sends a dump request and hands every answer to fn (0: go on, -errno: stop).  Begins again, at most
 * 5 times and after reset(data), when the kernel says that the dump was torn (NLM_F_DUMP_INTR). */
int nl_dump(struct nl *nl, struct nl_msg *m, int (*fn)(const struct nlmsghdr *h, void *data),
	    void (*reset)(void *data), void *data);

#endif
