/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages to the operator on stderr.  Only cmd/ and run/ print; lower layers return errors. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/defs.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DETAIL };

/* Messages above this level are dropped.  Default LOG_INFO. */
void log_set_level(enum log_level level);

/* Prints "asymbpf: text: reason of -r" (r: a negative errno; 0 prints no reason) and returns r. */
int log_err(int r, const char *fmt, ...) PRINTF(2, 3);
/* Prints "asymbpf: error: text", for errors which have no errno. */
void log_error(const char *fmt, ...) PRINTF(1, 2);
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_info(const char *fmt, ...) PRINTF(1, 2);
void log_detail(const char *fmt, ...) PRINTF(1, 2);

#endif
