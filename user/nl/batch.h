/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many netlink requests at the cost of a few system calls. */
#ifndef NL_BATCH_H
#define NL_BATCH_H

#include "nl/nl.h"

/* Many requests on their way to the kernel.  Zero it, or set transaction alone, before use. */
struct nl_batch {
	char *buf; /* the messages one after the other */
	size_t len, room;
	struct nl_request {
		size_t at;    /* offset into buf */
		uint32_t len; /* bytes with padding */
		int err;      /* after nl_batch_talk: 0, or this request's -errno */
	} *requests;
	size_t n;
	bool transaction; /* all in one datagram, as an nfnetlink batch must be */
	int err;	  /* 0, -ENOMEM, -EMSGSIZE */
};

/* Copies a request into the batch; the second one takes a message that a library has built.  Its
 * NLM_F_ACK is as the caller set it: rtnetlink answers errors alone without it. */
void nl_batch_add(struct nl_batch *b, const struct nl_msg *m);
void nl_batch_add_raw(struct nl_batch *b, const struct nlmsghdr *h);

/*
 * Sends all of them, in order, and collects the answers in requests[].err.  rtnetlink carries out
 * every request whatever became of those before; a transaction is carried out whole or not at all.
 * 0, or the first error: *ret_first is its index, nl->error its text.  -errno with *ret_first == n:
 * the socket failed, and requests without an answer have -ECANCELED.
 */
int nl_batch_talk(struct nl *nl, struct nl_batch *b, size_t *ret_first);
void nl_batch_done(struct nl_batch *b);
#define _cleanup_batch_ _cleanup_(nl_batch_done)

#endif
