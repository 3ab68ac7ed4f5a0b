/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DHCP messages as the lab's own tools write and read them (RFC 2131, 2).  Not the product's code:
 * it is what is tested. */
#ifndef ASYM_TESTS_BOOTP_H
#define ASYM_TESTS_BOOTP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BOOTP_FIXED 236 /* bytes before the magic cookie */
#define BOOTP_MAGIC 0x63825363

struct bootp {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr;
	uint8_t chaddr[16];
	char sname[64], file[128];
	uint32_t magic;
	uint8_t options[308];
};

/* The sum of 16 bit words in ones' complement, not inverted; all in network byte order. */
static inline uint16_t bootp_sum(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint16_t word;

	for (; len > 1; p += 2, len -= 2) {
		memcpy(&word, p, 2);
		sum += word;
	}
	if (len)
		sum += htons(*p << 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline uint16_t bootp_pseudo_sum(uint32_t src, uint32_t dst, uint16_t udp_len)
{
	uint32_t head[3] = {src, dst, htonl(IPPROTO_UDP << 16 | udp_len)};

	return bootp_sum(0, head, sizeof(head));
}

/* The first option of this code, or NULL; its length is in p[1].  len: bytes from the fixed part
 * on. */
static inline const uint8_t *bootp_option(const struct bootp *b, size_t len, uint8_t code)
{
	const uint8_t *p = b->options, *end = (const uint8_t *)b + len;

	if (len < offsetof(struct bootp, options) || ntohl(b->magic) != BOOTP_MAGIC)
		return NULL;
	while (p + 2 <= end && *p != 255 && *p != code)
		p += *p ? 2 + p[1] : 1;
	return p + 2 <= end && *p == code && p + 2 + p[1] <= end ? p : NULL;
}

static inline uint8_t bootp_type(const struct bootp *b, size_t len)
{
	const uint8_t *o = bootp_option(b, len, 53);

	return o && o[1] == 1 ? o[2] : 0;
}

#endif
