/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lease of one link, as its DHCP messages tell: what the server has promised and when the
 * client is to ask for more.  Time is handed in, CLOCK_BOOTTIME in nanoseconds, as leases go on
 * while the machine sleeps.  A struct lease of zeros knows of none.
 *
 * Believed is only what answers a request that was seen: same xid, same chaddr, of the last
 * LEASE_PATIENCE_S seconds; by the server that the request named or was sent to, if it named or
 * was sent to one.  A request is answered once.
 */
#ifndef CORE_LEASE_H
#define CORE_LEASE_H

#include "core/dhcp.h"

#define LEASE_PATIENCE_S 60
#define LEASE_REQUESTS 8 /* remembered; the oldest goes */

enum lease_state {
	LEASE_NONE,	 /* nothing was acknowledged, or it is over */
	LEASE_BOUND,	 /* before T1, or without end */
	LEASE_RENEWING,	 /* past T1, not acknowledged */
	LEASE_LATE,	 /* the same, and for longer than a client that is heard takes */
	LEASE_REBINDING, /* past T2, likewise not acknowledged */
	LEASE_EXPIRED,
	LEASE_STATE_MAX
};
extern const char *const lease_state_names[LEASE_STATE_MAX];

struct lease_request {
	uint32_t xid; /* as on the wire; no two requests have the same */
	enum dhcp_type type; /* DHCP_DISCOVER (RFC 4039: may be acknowledged) or DHCP_REQUEST */
	struct in_addr server; /* named, or sent to; 0: any */
	uint64_t ns;
	bool ours; /* the watchdog's */
	uint8_t chaddr[6];
	uint8_t client_id_len;
	uint8_t client_id[DHCP_CLIENT_ID_MAX];
	uint16_t repeat_len; /* as in struct dhcp_message */
	uint8_t repeat[DHCP_REPEAT_MAX];
};

struct lease {
	/* as acknowledged last */
	struct in_addr addr, server; /* addr 0: none; server: who has it, or 0 if nobody can be */
	uint8_t chaddr[6];
	uint8_t client_id_len;
	uint8_t client_id[DHCP_CLIENT_ID_MAX];
	uint16_t repeat_len;
	uint8_t repeat[DHCP_REPEAT_MAX]; /* options of the request, which a renewal repeats */
	uint64_t acked_ns;
	/* from acked_ns on; lease_s is at least 1; T1 and T2 by RFC 2131, 4.4.5, where the server
	 * does not say or says what cannot be: 0 < T1 < T2 < lease (in those of seconds: <=) */
	uint32_t lease_s, t1_s, t2_s;
	bool relayed;	  /* the ACK had passed a relay */
	bool by_watchdog; /* the last ACK answered a request of ours */

	struct lease_request requests[LEASE_REQUESTS]; /* the oldest first */
	size_t n_requests;
	uint64_t asked_ns;   /* first renewal since acked_ns, 0: none */
	uint32_t asked;	     /* how many since acked_ns, ours not counted */
	uint64_t tried_ns;   /* the watchdog's last, 0: none; ACKs leave it, so that it paces all */
	uint64_t acks, naks; /* that were believed */
	uint64_t renewed;    /* ACKs to requests of ours */
};

/*
 * A request of the link's client has left by its link, or of the watchdog: ours (it may be told
 * again as the client's when it is seen on the link; it stays ours).  RELEASE and DECLINE end the
 * lease.  What is not a client's request, or has passed a relay, is ignored.
 */
void lease_request(struct lease *l, const struct dhcp_message *m, bool ours, uint64_t now_ns);

enum lease_answer { LEASE_IGNORED, LEASE_ACKED, LEASE_MOVED, LEASE_REFUSED };
/*
 * A reply has arrived: ACKED: the same address goes on; MOVED: the first, or another one; REFUSED:
 * the lease is over.  An ACK to INFORM has no lease.
 */
enum lease_answer lease_reply(struct lease *l, const struct dhcp_message *m, uint64_t now_ns);

enum lease_state lease_state(const struct lease *l, uint64_t now_ns);

/* When the state changes next, or the watchdog is to act: after now_ns; UINT64_MAX: never. */
uint64_t lease_next_ns(const struct lease *l, uint64_t now_ns);

/*
 * Whether the watchdog is to renew now: LEASE_LATE or LEASE_REBINDING, and its own last try is
 * long enough ago (RFC 2131, 4.4.5: half of the time left to T2 or to the end, no less than 60 s,
 * or an eighth of the lease if that is less, but no less than a second).  A client's own renewal
 * is given LEASE_PATIENCE_S, or an eighth of T1 if that is less, past T1.  Never for a lease
 * without end, nor without a server.
 */
bool lease_wants_renewal(const struct lease *l, uint64_t now_ns);

/*
 * The renewal that the watchdog is to send, its client_id and options being l's.  For a lease with an address.
 * Whoever sends it tells lease_request first: a try that fails is one, too.
 */
void lease_renewal(const struct lease *l, uint32_t xid, uint64_t now_ns, struct dhcp_renewal *ret);

#endif
