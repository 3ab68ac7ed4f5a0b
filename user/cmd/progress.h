/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "12 of 250 devices" on a terminal, for what takes longer than a second. */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <stddef.h>

void progress(size_t done, size_t total);

#endif
