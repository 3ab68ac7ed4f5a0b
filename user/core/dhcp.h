/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DHCP messages (RFC 2131, options RFC 2132), IPv4.  Reads what anybody may have sent: nothing of
 * a message is believed before it has been measured.  Plain functions on bytes, however they are
 * aligned; no socket, no clock.
 */
#ifndef CORE_DHCP_H
#define CORE_DHCP_H

#include "base/defs.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68
#define DHCP_MAX_PACKET 1500 /* bytes from the IP header on; longer ones are not read */
#define DHCP_CLIENT_ID_MAX 255
#define DHCP_REPEAT_MAX 512 /* bytes of options that another request repeats */
#define DHCP_FOREVER UINT32_MAX /* lease time (RFC 2131, 3.3) */

/* Option 53 (RFC 2132, 9.6). */
enum dhcp_type {
	DHCP_BOOTP, /* the option is missing: BOOTP (RFC 951) */
	DHCP_DISCOVER,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
	DHCP_INFORM,
	DHCP_TYPE_MAX
};

struct dhcp_message {
	/* the datagram; addresses in network byte order, ports in the host's */
	struct in_addr src, dst;
	uint16_t sport, dport;
	/* the fixed part (RFC 2131, 2) */
	bool reply; /* op 2, else 1 */
	uint8_t hops;
	uint16_t secs, flags; /* host byte order */
	uint32_t xid;	      /* as on the wire */
	struct in_addr ciaddr, yiaddr, siaddr, giaddr;
	uint8_t chaddr[6]; /* htype 1, hlen 6: others are refused */
	/* options */
	enum dhcp_type type;
	struct in_addr server_id;     /* 54; 0: none */
	struct in_addr requested;     /* 50; 0: none */
	uint32_t lease_s, t1_s, t2_s; /* 51, 58, 59; 0: none */
	uint8_t client_id[DHCP_CLIENT_ID_MAX]; /* 61 */
	uint8_t client_id_len; /* 0: none; an identifier has at least 2 (RFC 2132, 9.14) */
	/* of a request: what servers know a client by, see dhcp_may_repeat; as they were, one after the
	 * other; if they are more than DHCP_REPEAT_MAX bytes, none */
	uint8_t repeat[DHCP_REPEAT_MAX];
	uint16_t repeat_len;
};

/*
 * Reads a packet of len bytes from its IP header on.  0, or with *ret untouched:
 * -ENOENT: not for here: another protocol, a fragment, neither a request to port 67 nor a reply to
 *	port 68 (replies to relays go to 67; source ports may be any, NAT changes them);
 * -EBADMSG: malformed: truncated, lengths that do not fit, htype or hlen of another kind, options
 *	that overrun, a length or a value that an option cannot have, a type unknown to RFC 2131.
 *
 * Option overload (52) is followed into file and sname.  An option that occurs again is joined
 * (RFC 3396) if it is the client's identifier, and must be the same otherwise.  The end option may
 * be missing.  Without magic cookie the message has no options.  What follows the UDP datagram is
 * not looked at, nor are checksums: they may not be there yet.
 */
int dhcp_parse(const void *packet, size_t len, struct dhcp_message *ret);

/*
 * Whether they are whole options that are sent alike in each request of a client, and that some
 * servers ask for: host name (12), parameters (55), size (57), classes (60, 77), name (81), classes of
 * vendors (124, 125), and of authentication (90) the token of RFC 3118, 4, which signs nothing.
 */
bool dhcp_may_repeat(const uint8_t *options, size_t len);

/* What the renewal of a lease needs to know of it (RFC 2131, 4.3.2 "RENEWING", 4.4.5). */
struct dhcp_renewal {
	uint32_t xid;	       /* as on the wire */
	struct in_addr ciaddr; /* the client's address */
	struct in_addr server; /* to whom it is sent */
	uint8_t chaddr[6];
	const uint8_t *client_id; /* NULL with client_id_len 0 */
	uint8_t client_id_len;
	uint16_t secs;
	uint16_t repeat_len;   /* at most DHCP_REPEAT_MAX */
	const uint8_t *repeat; /* options, dhcp_may_repeat; NULL with repeat_len 0 */
};

#define DHCP_RENEWAL_MIN 328 /* 300 bytes of BOOTP (RFC 1542, 2.1) and what is before it */
#define DHCP_RENEWAL_MAX (529 + DHCP_REPEAT_MAX) /* with an identifier of 255 bytes */

/*
 * Writes a DHCPREQUEST in state RENEWING, from ciaddr port 68 to server port 67, from the IP
 * header on, with checksums.  Returns its length, DHCP_RENEWAL_MIN..DHCP_RENEWAL_MAX; what is
 * behind it in ret stays as it was.
 */
size_t dhcp_write_renewal(const struct dhcp_renewal *r, uint8_t ret[DHCP_MAX_PACKET]);

/*
 * Makes a request of whatever origin one of `source`: source address, source port 68, checksums
 * of IP and UDP complete; a UDP checksum of zero stays (RFC 768).  packet: one that dhcp_parse
 * took, with its len.  Returns its length without what followed the IP packet.
 */
size_t dhcp_set_source(uint8_t *packet, size_t len, struct in_addr source);

/*
 * Whether it is to be looked after: a request to one server (neither broadcast nor multicast) by a
 * client that says its address, not relayed.  By this, as in the BPF program "guard", RELEASE and
 * INFORM are; DISCOVER, INIT-REBOOT and T2's broadcasts are not.
 */
bool dhcp_is_renewal(const struct dhcp_message *m);

/* Whether it can be the address of one machine: neither 0.x, loopback, multicast nor above. */
bool dhcp_is_unicast(struct in_addr a);

#endif
