/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of links from within: each probe is one question by one link, sent by a socket that is bound
 * to the link's device and carries the mark PLAN_PROBE, so that neither rules, programs nor the flow
 * cache see to it.  Never blocks.
 *
 *	ping	 an echo request; answered by its reply
 *	tcp	 a SYN; answered by SYN and ACK, by a RST, or by the target's own ICMP error
 *	dns	 a query for the name's address ("." : for its name servers); answered by whatever
 *		 the server says to it, be it an error
 *	http	 GET of the URL up to the first byte of the body, no redirect followed; answered by a
 *		 status of the wanted range.  Certificates are verified if the URL names a host, not if
 *		 it has an address.  Names are asked of the machine's own resolver, not by the link;
 *		 an address once found stays in use when that does not answer.
 *	gateway  an ARP request or neighbour solicitation; answered by the gateway
 */
#ifndef RUN_PROBE_H
#define RUN_PROBE_H

#include "core/plan.h"
#include <uv.h>

/* How a link is reached now.  Copied by probe_start. */
struct probe_path {
	char device[IFNAMSIZ];
	uint32_t ifindex;    /* this is what sockets are bound to */
	uint32_t mark;	     /* of the socket: PLAN_PROBE, shifted */
	bool ethernet;
	struct in6_addr source[ASYM_FAMILIES];	/* "::": the kernel's choice */
	struct in6_addr gateway[ASYM_FAMILIES]; /* "::": none */
};

/*
 * rtt_us: microseconds until the answer, at least 1; 0: it did not come, why says so in a few words
 * ("timeout", "refused", "unreachable", "status 503", "device down"; of this call only).  Called once,
 * never from within probe_start, probe_cancel or prober_close.  It may start and cancel probes, but
 * not close the prober.
 *
 * An answer that is there when the daemon gets to look counts, and a time-out is told only after such
 * a look: a daemon that was held up takes no link down.
 */
typedef void probe_end(void *data, uint32_t rtt_us, const char *why);

/* The sockets that probes share, per device.  One for the daemon, whose limit of open files it raises
 * as far as it may. */
struct prober;
int prober_open(uv_loop_t *loop, struct prober **ret);
/* Every probe is cancelled; memory goes once the loop has closed the handles.  NULL is fine. */
void prober_close(struct prober *p);

struct probe;

/*
 * conf gives the timeout, the DNS name, the status range; target and conf outlive the probe.  0, or
 * -errno when nothing was sent (and `end` is not called); -EOPNOTSUPP: this link cannot be asked such
 * a thing, now (PROBE_GATEWAY without a gateway, or by a device that knows no ARP: point-to-point,
 * NOARP), so that the target says nothing about it and is to be left out.  *ret is valid until `end`
 * is called.
 */
int probe_start(struct prober *p, const struct probe_path *path, const struct model_target *target,
		const struct model_probe *conf, probe_end *end, void *data, struct probe **ret);
/* `end` is not called. */
void probe_cancel(struct probe *probe);

/* Of an errno, positive, that probe_start returned: whether it is none of the link's fault, but that it
 * cannot be asked, or that this machine is short of memory or sockets. */
bool probe_says_nothing(int error);
/* Of the same: a few words, as `end` is told. */
const char *probe_reason(int error);

#endif
