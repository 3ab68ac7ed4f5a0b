/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink requests over libmnl.  A message is built by puts that return nothing: the first one that
 * does not fit sticks in err and nl_ask or nl_dump reports it.  Answers are read with nl/attr.h.
 */
#ifndef NL_NL_H
#define NL_NL_H

#include "base/addr.h"
#include "base/defs.h"
#include <libmnl/libmnl.h>

struct nl {
	struct mnl_socket *sock; /* NULL: closed */
	uint32_t port;
	uint32_t seq;
	char error[160]; /* the kernel's own words (extended ack) for the last failure, or "" */
};

struct nl_msg {
	struct nlmsghdr *h; /* into buf: not to be copied by value */
	int err;	    /* 0 or -EMSGSIZE */
	char buf[2048] __attribute__((aligned(8)));
};

/* bus: NETLINK_ROUTE, NETLINK_NETFILTER, ...; in the caller's network namespace.  0 or -errno;
 * *ret is closed after a failure. */
int nl_open(struct nl *ret, int bus);
void nl_close(struct nl *nl);
#define _cleanup_nl_ _cleanup_(nl_close)

/* Starts a request of `type` with a family header (size bytes, copied).  NLM_F_REQUEST is added. */
void nl_begin(struct nl_msg *m, uint16_t type, uint16_t flags, const void *header, size_t size);
void nl_put(struct nl_msg *m, uint16_t type, const void *data, size_t size);
void nl_put_u8(struct nl_msg *m, uint16_t type, uint8_t v);
void nl_put_u16(struct nl_msg *m, uint16_t type, uint16_t v);
void nl_put_u32(struct nl_msg *m, uint16_t type, uint32_t v);
void nl_put_str(struct nl_msg *m, uint16_t type, const char *s); /* with its NUL */
void nl_put_addr(struct nl_msg *m, uint16_t type, const struct in6_addr *a); /* 4 or 16 bytes */
/* What is put between the two stands in a nest.  NULL, which nl_nest_end takes, after a failure. */
struct nlattr *nl_nest_begin(struct nl_msg *m, uint16_t type);
void nl_nest_end(struct nl_msg *m, struct nlattr *nest);

/* Sends the request and waits for its acknowledgement.  fn (or NULL) gets the message that comes
 * before it and returns 0 or -errno.  0 or the kernel's -errno, its words in nl->error. */
int nl_ask(struct nl *nl, struct nl_msg *m, int (*fn)(const struct nlmsghdr *h, void *data),
	   void *data);

/*
 * Sends a dump request and hands every answer to fn (0: go on, -errno: stop).  Begins again, at
 * most 5 times and after reset(data), when the kernel says that the dump was torn (NLM_F_DUMP_INTR)
 * or that answers were lost (ENOBUFS).  -EINTR: torn to the last.
 */
int nl_dump(struct nl *nl, struct nl_msg *m, int (*fn)(const struct nlmsghdr *h, void *data),
	    void (*reset)(void *data), void *data);

#endif
