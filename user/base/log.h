/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages to the operator on stderr.  Only cmd/ prints; lower layers return errors. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/defs.h"

/* Prints "asymbpf: text: reason of -r" (r: a negative errno; 0 prints no reason) and returns r. */
int log_err(int r, const char *fmt, ...) PRINTF(2, 3);
/* Prints "asymbpf: error: text", for errors which have no errno. */
void log_error(const char *fmt, ...) PRINTF(1, 2);
/* Prints "asymbpf: warning: text". */
void log_warn(const char *fmt, ...) PRINTF(1, 2);

#endif
