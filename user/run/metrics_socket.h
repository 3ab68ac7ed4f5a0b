/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RUN_METRICS_SOCKET_H
#define RUN_METRICS_SOCKET_H

#include <netinet/in.h>
#include <stdint.h>

/* A TCP socket that listens there, non-blocking, or -errno. */
int metrics_listen(const struct in6_addr *addr, uint16_t port);

#endif
