/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages to the operator on stderr; only cmd/ and run/ print.  Where stderr is the journal
 * ($JOURNAL_STREAM), every line begins with its priority, "<4>" (sd-daemon(3)). */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/defs.h"
#include <stdbool.h>

/* Prints "asymbpf: error: text: reason of -r" (r: a negative errno; 0 prints no reason) and returns r. */
int log_err(int r, const char *fmt, ...) PRINTF(2, 3);
/* Prints "asymbpf: error: text", for errors which have no errno. */
void log_error(const char *fmt, ...) PRINTF(1, 2);
/* Prints "asymbpf: warning: text". */
void log_warn(const char *fmt, ...) PRINTF(1, 2);
/* Prints the text alone.  priority: LOG_ERR, ... of syslog.h. */
void log_line(int priority, const char *fmt, ...) PRINTF(2, 3);

/* For what is tried again and again: between log_once(true) and log_once(false) a line is not printed that
 * was printed there before, since log_forget() (of the last LOG_MEMORY different ones). */
#define LOG_MEMORY 32
void log_once(bool on);
void log_forget(void);

/* From now on no message waits for its reader: a line that there is no room for is lost, and how many
 * were is said later.  For a daemon. */
void log_never_wait(void);

#endif
