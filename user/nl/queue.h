/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of packets that the kernel wants a verdict on (NFQUEUE).  It fails open: what finds the
 * queue full, or its socket, goes on as it is, and so does what comes when nobody has the queue (the
 * rules have to say "bypass").  What is held when the queue is closed, or its process dies, is
 * dropped, as the kernel does also whenever a netfilter hook of the namespace is taken away.
 */
#ifndef NL_QUEUE_H
#define NL_QUEUE_H

#include "nl/nl.h"

#define QUEUE_HELD 256 /* packets without verdict, at most */
#define QUEUE_PACKET 1500 /* bytes of a packet that are read, from the IP header on */

struct queue {
	struct nl nl;
	uint16_t number;
};

struct queue_packet {
	uint32_t id;	  /* for the verdict */
	uint32_t out;	  /* ifindex of the device it is about to leave by, 0: none */
	const void *data; /* the queue's, until the next read */
	size_t len;	  /* cut at QUEUE_PACKET */
};

/* Opens the first queue that is free from this number on.  0 or -errno, *ret closed. */
int queue_open(struct queue *ret, uint16_t from);
void queue_close(struct queue *q);
/* To be polled for reading. */
int queue_fd(const struct queue *q);

/* Hands the packets that are there to take, each of which owes a verdict, at most `max` of them.  Does
 * not wait.  0 or -errno of recv(2). */
int queue_read(struct queue *q, unsigned int max,
	       void (*take)(const struct queue_packet *p, void *data), void *data);

/* 0 or -errno. */
int queue_verdict(struct queue *q, uint32_t id, bool accept);

#endif
