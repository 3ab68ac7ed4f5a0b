/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of links from within: each probe is one question by one link, sent by a socket that is bound
 * to the link's device and carries the mark PLAN_PROBE, so that neither rules, programs nor the flow
 * cache see to it.  Never blocks.
 */
#ifndef RUN_PROBE_H
#define RUN_PROBE_H

#include "core/plan.h"
#include <uv.h>

/* How a link is reached now.  Copied by probe_start. */
struct probe_path {
	char device[IFNAMSIZ];
	uint32_t ifindex;
	uint32_t mark;	     /* of the socket: PLAN_PROBE, shifted */
	bool ethernet;
	struct in6_addr source[ASYM_FAMILIES];	/* "::": the kernel's choice */
	struct in6_addr gateway[ASYM_FAMILIES]; /* "::": none */
};

/* rtt_us: microseconds until the answer, at least 1; 0: it did not come, why says so in a few words
 * ("timeout", "refused", "status 503", "no route").  Called once, never from within probe_start. */
typedef void probe_end(void *data, uint32_t rtt_us, const char *why);

/* The sockets that probes share, per device.  One for the daemon. */
struct prober;
int prober_open(uv_loop_t *loop, struct prober **ret);
/* Every probe is cancelled; memory goes once the loop has closed the handles. */
void prober_close(struct prober *p);

struct probe;

/* conf gives the timeout, the DNS name, the status range; both outlive the probe.  0, or -errno when
 * nothing was sent (and `end` is not called).  *ret is valid until `end` is called. */
int probe_start(struct prober *p, const struct probe_path *path, const struct model_target *target,
		const struct model_probe *conf, probe_end *end, void *data, struct probe **ret);
/* `end` is not called. */
void probe_cancel(struct probe *probe);

#endif
