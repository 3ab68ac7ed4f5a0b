// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/dhcp_int.h"

#include <string.h>

#define DONT_FRAGMENT 0x4000
#define TTL 64 /* RFC 1700 */

/* RFC 1071; data begin at an even offset of what is summed up */
static uint32_t add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *b = data;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? b[i] : b[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return htons((uint16_t)~sum);
}

static void sum_ip(struct dhcp_ip *ip)
{
	ip->check = 0;
	ip->check = fold(add(0, ip, dhcp_ip_header_len(ip)));
}

/* RFC 768: a sum of zero is sent as all ones, as zero says that there is none. */
static void sum_udp(const struct dhcp_ip *ip, struct dhcp_udp *udp)
{
	uint32_t sum = add(IPPROTO_UDP + ntohs(udp->len), &ip->src, sizeof(ip->src));

	sum = add(sum, &ip->dst, sizeof(ip->dst));
	udp->check = 0;
	udp->check = fold(add(sum, udp, ntohs(udp->len))) ?: 0xffff;
}

size_t dhcp_set_source(uint8_t *packet, size_t len, struct in_addr source)
{
	struct dhcp_ip *ip = (struct dhcp_ip *)packet;
	struct dhcp_udp *udp = (struct dhcp_udp *)(packet + dhcp_ip_header_len(ip));

	ip->src = source;
	udp->sport = htons(DHCP_CLIENT_PORT);
	sum_ip(ip);
	if (udp->check)
		sum_udp(ip, udp);
	return ntohs(ip->len);
}

static uint8_t *write_option(uint8_t *p, uint8_t code, const void *data, uint8_t len)
{
	*p++ = code;
	*p++ = len;
	memcpy(p, data, len);
	return p + len;
}

/* RFC 2131, 4.3.2: neither a server's identifier nor a requested address while renewing. */
static uint8_t *write_options(const struct dhcp_renewal *r, uint8_t *p)
{
	static const uint8_t type = DHCP_REQUEST;

	memcpy(p, DHCP_COOKIE, DHCP_COOKIE_LEN);
	p = write_option(p + DHCP_COOKIE_LEN, DHCP_OPTION_TYPE, &type, sizeof(type));
	if (r->client_id_len)
		p = write_option(p, DHCP_OPTION_CLIENT_ID, r->client_id, r->client_id_len);
	if (r->repeat_len)
		memcpy(p, r->repeat, r->repeat_len);
	p += r->repeat_len;
	*p++ = DHCP_OPTION_END;
	return p;
}

static void write_bootp(const struct dhcp_renewal *r, struct dhcp_bootp *b)
{
	*b = (struct dhcp_bootp){
		.op = 1,
		.htype = 1,
		.hlen = sizeof(r->chaddr),
		.xid = r->xid,
		.secs = htons(r->secs),
		.ciaddr = r->ciaddr,
	};
	memcpy(b->chaddr, r->chaddr, sizeof(r->chaddr));
}

size_t dhcp_write_renewal(const struct dhcp_renewal *r, uint8_t ret[DHCP_MAX_PACKET])
{
	struct dhcp_ip *ip = (struct dhcp_ip *)ret;
	struct dhcp_udp *udp = (struct dhcp_udp *)(ip + 1);
	struct dhcp_bootp *b = (struct dhcp_bootp *)(udp + 1);
	size_t len;

	memset(ret, 0, DHCP_RENEWAL_MIN);
	write_bootp(r, b);
	len = MAX((size_t)(write_options(r, (uint8_t *)(b + 1)) - ret), (size_t)DHCP_RENEWAL_MIN);
	*ip = (struct dhcp_ip){
		.version_ihl = 0x45,
		.len = htons((uint16_t)len),
		.fragment = htons(DONT_FRAGMENT),
		.ttl = TTL,
		.protocol = IPPROTO_UDP,
		.src = r->ciaddr,
		.dst = r->server,
	};
	*udp = (struct dhcp_udp){
		.sport = htons(DHCP_CLIENT_PORT),
		.dport = htons(DHCP_SERVER_PORT),
		.len = htons((uint16_t)(len - sizeof(*ip))),
	};
	sum_ip(ip);
	sum_udp(ip, udp);
	return len;
}
