/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OpenMetrics over HTTP (libmicrohttpd, inside the daemon's loop): GET /metrics. */
#ifndef RUN_METRICS_H
#define RUN_METRICS_H

#include "apply/object.h"
#include "base/str.h"
#include "core/plan.h"
#include "run/event.h"
#include "run/leases.h"
#include "run/shim.h"
#include "run/tracker.h"
#include <uv.h>

/* What there is to be told; the daemon's, valid while it serves. */
struct metrics_view {
	const struct plan *plan;
	const struct object *object;
	const struct tracker *tracker;
	const struct events *events;
	const struct leases *leases; /* NULL: none are known */
	const struct shim *shim;     /* NULL: there is none */
	const struct plan_id *ids; /* what the operator wants of the links */
	size_t n_ids;
};

enum metrics_format {
	METRICS_TEXT, /* Prometheus' text format 0.0.4 */
	METRICS_OPEN, /* OpenMetrics 1.0.0 */
	METRICS_FORMAT_MAX
};
extern const char *const metrics_types[METRICS_FORMAT_MAX]; /* of media, for Content-Type */

/* Which one a client wants by its Accept header (NULL: it has none). */
enum metrics_format metrics_format(const char *accept);

/* The page: links, probes, leases, policies, rules, reasons, flow cache, events; doc/asymbpf.8 has the list.
 * Devices, nftables and maps are read now; what cannot be read is not on the page.  0 or -ENOMEM. */
int metrics_print(const struct metrics_view *view, enum metrics_format format, struct str *out);

/* So many connections have METRICS_GUEST_MS from the first byte to the last; when there are more, the
 * oldest of them have METRICS_CROWD_MS. */
#define METRICS_GUESTS 16
#define METRICS_GUEST_MS 10000
#define METRICS_CROWD_MS 250

struct metrics;
/* view is called for each page.  0 or -errno (-EADDRINUSE, ...).  "::" takes IPv4, too.  The address may
 * still be missing on this machine. */
int metrics_open(uv_loop_t *loop, const struct in6_addr *addr, uint16_t port,
		 struct metrics_view (*view)(void *data), void *data, struct metrics **ret);
/* The loop closes its handles.  NULL is fine. */
void metrics_close(struct metrics *m);

#endif
