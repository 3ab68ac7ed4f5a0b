/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sending and the way of answers; for nl.c and batch.c alone. */
#ifndef NL_EXCHANGE_H
#define NL_EXCHANGE_H

#include "nl/nl.h"

struct exchange {
	struct nl *nl;
	uint32_t first, n; /* answers with sequence numbers first .. first + n - 1 are ours */
	int (*fn)(const struct nlmsghdr *h, struct exchange *x); /* 0: go on, 1: done, -errno */
	void *data;
	bool restarts; /* a lost answer (ENOBUFS) is noted in lost, and the rest read */
	bool lost;
};

/* 0 or -errno. */
int exchange_send(struct nl *nl, const void *data, size_t len);

/* Reads answers until fn says done or, with flags MSG_DONTWAIT, none is left.  0 or -errno. */
int exchange_receive(struct exchange *x, int flags);

/* 0 or the -errno that an NLMSG_ERROR or NLMSG_DONE carries; the first error's text goes to
 * nl->error, which the caller has emptied. */
int exchange_verdict(struct nl *nl, const struct nlmsghdr *h);

#endif
