/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket's file: who listens at it, and who is gone. */
#ifndef RUN_CONTROL_SOCKET_H
#define RUN_CONTROL_SOCKET_H

#include <stdint.h>

/* A listening, non-blocking socket of mode 0600, under another name until control_socket_ready, so that
 * nobody waits for who cannot answer yet; -EADDRINUSE: somebody listens there, under either; -errno.  A
 * socket that refuses connections is replaced. */
int control_socket_listen(uint64_t cookie, int backlog);
int control_socket_ready(uint64_t cookie);
/* By who listens only. */
void control_socket_remove(uint64_t cookie);
/* What a daemon that was killed has left; a socket that somebody listens at stays. */
void control_socket_sweep(uint64_t cookie);
/* A blocking socket, which gives up connecting and writing after timeout_s; -ENOENT: nobody listens;
 * -EINPROGRESS: somebody will, soon; -errno. */
int control_socket_connect(uint64_t cookie, int timeout_s);

#endif
