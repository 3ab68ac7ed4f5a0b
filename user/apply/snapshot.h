/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine has, read from the kernel. */
#ifndef APPLY_SNAPSHOT_H
#define APPLY_SNAPSHOT_H

#include "core/host.h"

/* Everything of the caller's network namespace; free with host_done.  A kernel without nf_tables
 * has no marks in it.  0 or -errno, *ret untouched. */
int snapshot_take(struct host *ret);

#endif
