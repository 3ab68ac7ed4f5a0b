// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/dhcp_int.h"

#include <errno.h>
#include <string.h>

#define FRAGMENT 0x3fff /* more fragments, or an offset */

/* The UDP datagram to one of our ports, the length of which is found to fit. */
static int find_udp(const uint8_t *packet, size_t len, const struct dhcp_udp **ret)
{
	const struct dhcp_ip *ip = (const struct dhcp_ip *)packet;
	const struct dhcp_udp *udp;
	size_t header, total, port;

	if (len && ip->version_ihl >> 4 != 4)
		return -ENOENT;
	if (len < sizeof(*ip))
		return -EBADMSG;
	if (ip->protocol != IPPROTO_UDP || ip->fragment & htons(FRAGMENT))
		return -ENOENT;
	header = dhcp_ip_header_len(ip);
	total = ntohs(ip->len);
	if (header < sizeof(*ip) || total < header + sizeof(*udp) ||
	    total > MIN(len, (size_t)DHCP_MAX_PACKET))
		return -EBADMSG;
	udp = (const struct dhcp_udp *)(packet + header);
	port = ntohs(udp->dport);
	if (port != DHCP_SERVER_PORT && port != DHCP_CLIENT_PORT)
		return -ENOENT;
	if (ntohs(udp->len) < sizeof(*udp) || ntohs(udp->len) > total - header)
		return -EBADMSG;
	*ret = udp;
	return 0;
}

static int check_fixed(const struct dhcp_udp *udp, const struct dhcp_bootp *b)
{
	if (b->op != 1 && b->op != 2)
		return -EBADMSG;
	if (udp->dport != htons(b->op == 1 ? DHCP_SERVER_PORT : DHCP_CLIENT_PORT))
		return -ENOENT;
	return b->htype == 1 && b->hlen == 6 ? 0 : -EBADMSG;
}

static struct dhcp_message message(const struct dhcp_ip *ip, const struct dhcp_udp *udp,
				   const struct dhcp_bootp *b)
{
	struct dhcp_message m = {
		.src = ip->src,
		.dst = ip->dst,
		.sport = ntohs(udp->sport),
		.dport = ntohs(udp->dport),
		.reply = b->op == 2,
		.hops = b->hops,
		.secs = ntohs(b->secs),
		.flags = ntohs(b->flags),
		.xid = b->xid,
		.ciaddr = b->ciaddr,
		.yiaddr = b->yiaddr,
		.siaddr = b->siaddr,
		.giaddr = b->giaddr,
	};

	memcpy(m.chaddr, b->chaddr, sizeof(m.chaddr));
	return m;
}

int dhcp_parse(const void *packet, size_t len, struct dhcp_message *ret)
{
	const struct dhcp_udp *udp;
	const struct dhcp_bootp *b;
	const uint8_t *behind;
	struct dhcp_message m;
	size_t n;
	int r;

	r = find_udp(packet, len, &udp);
	if (r)
		return r;
	n = ntohs(udp->len) - sizeof(*udp);
	if (n < sizeof(*b))
		return -EBADMSG;
	b = (const struct dhcp_bootp *)(udp + 1);
	r = check_fixed(udp, b);
	if (r)
		return r;
	m = message(packet, udp, b);
	behind = (const uint8_t *)(b + 1);
	n -= sizeof(*b);
	if (n >= DHCP_COOKIE_LEN && !memcmp(behind, DHCP_COOKIE, DHCP_COOKIE_LEN))
		r = dhcp_read_options(b, behind + DHCP_COOKIE_LEN, n - DHCP_COOKIE_LEN, &m);
	if (r)
		return r;
	*ret = m;
	return 0;
}

bool dhcp_is_unicast(struct in_addr a)
{
	uint32_t first = ntohl(a.s_addr) >> 24;

	return first && first != IN_LOOPBACKNET && first < 224;
}

bool dhcp_is_renewal(const struct dhcp_message *m)
{
	return !m->reply && m->ciaddr.s_addr && !m->giaddr.s_addr && m->dst.s_addr &&
	       m->dst.s_addr != INADDR_BROADCAST && !IN_MULTICAST(ntohl(m->dst.s_addr));
}
