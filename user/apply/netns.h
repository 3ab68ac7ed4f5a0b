/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network namespace this process is in. */
#ifndef APPLY_NETNS_H
#define APPLY_NETNS_H

#include <stdint.h>

/* Its cookie, unique until the machine restarts (SO_NETNS_COOKIE, Linux 5.14).  0 or -errno. */
int netns_cookie(uint64_t *ret);

/* The number of its inode: one that was deleted had it, or none; another that is there does not.  0: not
 * known. */
uint64_t netns_inode(void);

#endif
