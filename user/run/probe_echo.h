/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Echo packets, and the filters of sockets that wait for them. */
#ifndef RUN_PROBE_ECHO_H
#define RUN_PROBE_ECHO_H

#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <stdint.h>

#define ECHO_COOKIE 16

/* The same in both families (RFC 792, RFC 4443); id and seq in network order. */
struct echo {
	uint8_t type, code;
	uint16_t sum, id, seq;
	uint8_t cookie[ECHO_COOKIE];
};

/* Where our request is in an ICMP error about it, from the error's ICMP header on; we send no options
 * and no extension headers. */
#define ECHO_QUOTED4 (sizeof(struct icmphdr) + sizeof(struct iphdr))
#define ECHO_QUOTED6 (sizeof(struct icmp6_hdr) + sizeof(struct ip6_hdr))

/* Only replies with our identifier, and errors about requests with it, wake us: other pings of this
 * machine are none of our business.  fd: a raw socket.  0 or -errno. */
int echo_filter(int fd, int family, uint16_t id);

#endif
