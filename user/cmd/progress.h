/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "12 of 250 devices" on a terminal, for what takes longer than a second or two. */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <stddef.h>

/* An attach_progress (apply/attach.h). */
void progress(size_t done, size_t total);

#endif
