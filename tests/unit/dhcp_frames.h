/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DHCP packets as they were on a wire, and what a test does to them. */
#ifndef TESTS_UNIT_DHCP_FRAMES_H
#define TESTS_UNIT_DHCP_FRAMES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/defs.h"
#include "core/dhcp.h"
#include <arpa/inet.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* Offsets without IP options. */
enum {
	AT_UDP = 20, AT_BOOTP = 28, AT_HLEN = 30, AT_CIADDR = 40, AT_SNAME = 72, AT_FILE = 136,
	AT_COOKIE = 264, AT_OPTIONS = 268,
};

/* dhclient renews at 100.71.64.1 the address 100.71.64.62 of 02:00:00:5e:02:01. */
static const uint8_t renew_frame[] = {
	0x45, 0x00, 0x01, 0x48, 0x1c, 0x46, 0x40, 0x00, 0x40, 0x11, 0xd4, 0x91,
	100, 71, 64, 62, 100, 71, 64, 1,
	0x00, 0x44, 0x00, 0x43, 0x01, 0x34, 0x86, 0xe4,
	0x01, 0x01, 0x06, 0x00, 0x39, 0x03, 0xf3, 0x26, 0x00, 0x05, 0x00, 0x00,
	100, 71, 64, 62, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0x02, 0x00, 0x00, 0x5e, 0x02, 0x01,
	[AT_COOKIE] = 0x63, 0x82, 0x53, 0x63,
	53, 1, 3,
	12, 4, 'w', 'a', 'n', '2',
	55, 7, 1, 28, 2, 3, 15, 6, 12,
	61, 7, 1, 0x02, 0x00, 0x00, 0x5e, 0x02, 0x01,
	255, [327] = 0,
};

/* The answer: 3600 s, T1 1801, T2 3151. */
static const uint8_t ack_frame[] = {
	0x45, 0x10, 0x01, 0x48, 0x00, 0x00, 0x00, 0x00, 0x80, 0x11, 0xf0, 0xc7,
	100, 71, 64, 1, 100, 71, 64, 62,
	0x00, 0x43, 0x00, 0x44, 0x01, 0x34, 0xa2, 0x77,
	0x02, 0x01, 0x06, 0x01, 0x39, 0x03, 0xf3, 0x26, 0x00, 0x05, 0x80, 0x00,
	100, 71, 64, 62, 100, 71, 64, 62, 100, 71, 64, 2, 100, 71, 64, 3,
	0x02, 0x00, 0x00, 0x5e, 0x02, 0x01,
	[AT_COOKIE] = 0x63, 0x82, 0x53, 0x63,
	53, 1, 5,
	54, 4, 203, 0, 113, 10,
	51, 4, 0x00, 0x00, 0x0e, 0x10,
	58, 4, 0x00, 0x00, 0x07, 0x09,
	59, 4, 0x00, 0x00, 0x0c, 0x4f,
	1, 4, 255, 255, 192, 0,
	3, 4, 100, 71, 64, 1,
	255, [327] = 0,
};

struct packet {
	uint8_t data[2048];
	size_t len;
};

static inline void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* Makes both headers say what len says. */
static inline void packet_fit(struct packet *p)
{
	size_t header = (p->data[0] & 15) * 4U;

	put16(p->data + 2, p->len);
	put16(p->data + header + 4, p->len - header);
}

static inline struct packet packet_of(const uint8_t *frame, size_t len)
{
	struct packet p = { .len = len };

	memcpy(p.data, frame, len);
	return p;
}

/* The renewal with these options behind the cookie and no padding. */
static inline struct packet packet_with(const void *options, size_t len)
{
	struct packet p = packet_of(renew_frame, AT_OPTIONS);

	memcpy(p.data + AT_OPTIONS, options, len);
	p.len += len;
	packet_fit(&p);
	return p;
}

/* Room of len bytes, behind which nothing may be touched; for one packet at a time. */
static inline uint8_t *edge_room(size_t len)
{
	static uint8_t *edge;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!edge) {
		edge = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
		assert_true(edge != MAP_FAILED);
		edge += page;
		assert_int_equal(mprotect(edge, page, PROT_NONE), 0);
	}
	return edge - len;
}

/* A byte too far crashes; a refusal leaves m alone. */
static inline int packet_parse_len(const struct packet *p, size_t len, struct dhcp_message *m)
{
	struct dhcp_message before;
	int r;

	memset(m, 0xa5, sizeof(*m));
	before = *m;
	r = dhcp_parse(memcpy(edge_room(len), p->data, len), len, m);
	if (r)
		assert_memory_equal(m, &before, sizeof(before));
	return r;
}

static inline int packet_parse(const struct packet *p, struct dhcp_message *m)
{
	return packet_parse_len(p, p->len, m);
}

static inline const char *text(struct in_addr a)
{
	return inet_ntoa(a);
}

/* All one's complement sums of what bears its own right checksum are 0xffff (RFC 1071). */
static inline uint32_t ones_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i & 1 ? p[i] : p[i] * 256U;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

static inline uint32_t ip_sum(const uint8_t *ip)
{
	return ones_sum(0, ip, (ip[0] & 15) * 4U);
}

static inline uint32_t udp_sum(const uint8_t *ip)
{
	const uint8_t *udp = ip + (ip[0] & 15) * 4U;
	uint8_t pseudo[] = {0, IPPROTO_UDP, udp[4], udp[5]};
	uint32_t sum = ones_sum(0, ip + 12, 8);

	sum = ones_sum(sum, pseudo, sizeof(pseudo));
	return ones_sum(sum, udp, udp[4] * 256U + udp[5]);
}

#endif
