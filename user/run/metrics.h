/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OpenMetrics over HTTP (libmicrohttpd, inside the daemon's loop): GET /metrics. */
#ifndef RUN_METRICS_H
#define RUN_METRICS_H

#include "apply/object.h"
#include "base/str.h"
#include "core/plan.h"
#include "run/event.h"
#include "run/tracker.h"
#include <uv.h>

/* What there is to be told; the daemon's, valid while it serves. */
struct metrics_view {
	const struct plan *plan;
	const struct object *object;
	const struct host *host;
	const struct tracker *tracker;
	const struct events *events;
};

/* The page: links (state by family, manual, loss, latency, jitter per target, device bytes and packets,
 * connections, weight, share wanted and got), policies, rules, reasons, flow cache, events.  0 or
 * -errno. */
int metrics_print(const struct metrics_view *view, struct str *out);

struct metrics;
/* view is called for each request.  0 or -errno (-EADDRINUSE, ...). */
int metrics_open(uv_loop_t *loop, const struct in6_addr *addr, uint16_t port,
		 struct metrics_view (*view)(void *data), void *data, struct metrics **ret);
void metrics_close(struct metrics *m);

#endif
