/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection to the control socket: lines in, lines out, and never more of either than is bounded. */
#ifndef RUN_CONTROL_PEER_H
#define RUN_CONTROL_PEER_H

#include "run/control.h"

struct peer;
struct peer_ops {
	/* A line without its newline; the next one comes when peer_answer has been called and its line
	 * is written.  NULL: too long; the peer is closed after the answer. */
	void (*line)(struct peer *p, const char *line, size_t len);
	/* It is gone; p is the caller's to free. */
	void (*closed)(struct peer *p);
};

struct peer {
	uv_pipe_t pipe;
	const struct peer_ops *ops;
	void *data; /* the caller's */
	struct peer *next; /* the caller's */
	uint64_t heard; /* the caller's: order in which peers said something */
	bool deaf; /* what it says from now on is not read */
	bool last; /* closed when the answer is written */
	char in[CONTROL_LINE];
	size_t n;
};

/* Takes the connection that the listener has.  p is zeroed but for ops and data; what fails closes
 * it. */
void peer_accept(struct peer *p, uv_pipe_t *listener);
void peer_close(struct peer *p);
bool peer_is_closing(const struct peer *p);

/* text is copied, a newline is added.  Nothing if the peer is closing. */
void peer_answer(struct peer *p, const char *text, size_t len);
/* The same for what it has not asked for; a peer that owes more than CONTROL_BACKLOG is closed. */
void peer_tell(struct peer *p, const char *text, size_t len);

#endif
