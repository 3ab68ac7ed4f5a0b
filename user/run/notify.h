/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells the service manager how the daemon is (sd_notify(3)'s protocol), if one wants to know. */
#ifndef RUN_NOTIFY_H
#define RUN_NOTIFY_H

#include "base/defs.h"
#include <uv.h>

struct notify;

/* From $NOTIFY_SOCKET; and from $WATCHDOG_USEC and $WATCHDOG_PID, after half of which the loop shows
 * that it runs, again and again.  *ret NULL, which every function takes: nobody wants to know.  0 or
 * -errno. */
int notify_open(uv_loop_t *loop, struct notify **ret);
/* Memory goes once the loop has closed the timer. */
void notify_close(struct notify *n);

/* Everything is in place; also after notify_reloading. */
void notify_ready(struct notify *n);
void notify_reloading(struct notify *n);
void notify_stopping(struct notify *n);
/* A line for systemctl status. */
void notify_status(struct notify *n, const char *fmt, ...) PRINTF(2, 3);

#endif
