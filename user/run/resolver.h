/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * getaddrinfo() blocks, for many seconds when no server answers.  Here it runs in a thread that
 * shares nothing with us but a socket, so that nobody has to wait for it, not even the end of the
 * process; libuv and libcurl wait for theirs.
 */
#ifndef RUN_RESOLVER_H
#define RUN_RESOLVER_H

#include "base/resolve.h"
#include <uv.h>

/* Asks for a name, see resolve().  *ret_fd can be read from when there is an answer; the caller
 * closes it, whether it waits for the answer or not.  0 or -errno. */
int resolver_ask(const char *host, int family, int *ret_fd);
/* The answer, once fd can be read from; without one n is 0. */
void resolver_take(int fd, struct resolved *ret);

/* The same in a loop, of any family: answered is called once, and *ret is no more then; unless it was
 * ended before. */
struct asking;
int asking_begin(uv_loop_t *loop, const char *host,
		 void (*answered)(void *data, const struct resolved *a), void *data,
		 struct asking **ret);
/* Nobody waits any more.  NULL is fine. */
void asking_end(struct asking *a);

#endif
