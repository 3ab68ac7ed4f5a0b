// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ARP (RFC 826) and neighbour solicitation (RFC 4861) to the link's gateway.  The first ARP request is
 * a broadcast; while the gateway answers it is asked by its own MAC address (RFC 1122, 2.3.2.1), so
 * that not everyone on an access network is woken every second.
 */
#include "base/defs.h"
#include "run/probe_port.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <sys/ioctl.h>

#define ND_HOPS 255
#define PACKET_ROOM 256

/* Ethernet and IPv4. */
struct arp {
	struct arphdr head;
	uint8_t sender_mac[ETH_ALEN], sender[4], target_mac[ETH_ALEN], target[4];
} __attribute__((packed));

struct solicit {
	struct nd_neighbor_solicit head;
	struct nd_opt_hdr option;
	uint8_t mac[ETH_ALEN];
} __attribute__((packed));

struct gateway_port {
	struct probe_port port;
	/* ARP: who has answered last; "::": nobody, or not the last time */
	struct in6_addr known;
	uint8_t mac[ETH_ALEN];
};

struct gateway {
	struct port_probe waiting;
	struct in6_addr gateway;
	bool answered;
};

/* -------- ARP */

static int arp_open(struct probe_port *port, const struct probe_path *path)
{
	_cleanup_close_ int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_ll here = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP),
				    .sll_ifindex = (int)path->ifindex };
	/* a packet begins with the ARP header */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct arphdr, ar_op)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPOP_REPLY, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ||
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &path->mark, sizeof(path->mark)) ||
	    bind(fd, (struct sockaddr *)&here, sizeof(here)))
		return -errno;
	return TAKE_FD(fd);
}

static bool arp_answers(const struct arp *a, const struct gateway *g)
{
	const struct probe_path *path = &g->waiting.probe.path;
	struct in6_addr sender = addr_from_wire(AF_INET, a->sender);
	size_t len;

	return addr_equal(&sender, &g->gateway) &&
	       (addr_is_zero(&path->source[ASYM_V4]) ||
		!memcmp(a->target, addr_wire(&path->source[ASYM_V4], &len), sizeof(a->target)));
}

static int arp_read(struct probe_port *port, int fd)
{
	struct gateway_port *ours = (struct gateway_port *)port;
	struct arp a;
	ssize_t len = recv(fd, &a, sizeof(a), 0);

	if (len < 0)
		return -errno;
	if ((size_t)len < sizeof(a) || a.head.ar_op != htons(ARPOP_REPLY) ||
	    a.head.ar_pro != htons(ETH_P_IP) || a.head.ar_hln != ETH_ALEN || a.head.ar_pln != 4)
		return 0;
	for (struct port_probe *p = port->waiting; p; p = p->next) {
		struct gateway *g = (struct gateway *)p;

		if (!arp_answers(&a, g))
			continue;
		ours->known = g->gateway;
		memcpy(ours->mac, a.sender_mac, ETH_ALEN);
		g->answered = true;
		probe_answered(&p->probe);
		break;
	}
	return 0;
}

static int arp_send(struct gateway *g, const uint8_t *mac)
{
	struct gateway_port *port = (struct gateway_port *)g->waiting.port;
	const struct probe_path *path = &g->waiting.probe.path;
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP),
				  .sll_ifindex = (int)path->ifindex, .sll_halen = ETH_ALEN };
	struct arp a = { .head = { htons(ARPHRD_ETHER), htons(ETH_P_IP), ETH_ALEN, 4,
				   htons(ARPOP_REQUEST) } };
	size_t len;

	memcpy(a.sender_mac, mac, ETH_ALEN);
	/* without an address: an ARP probe (RFC 5227) */
	if (!addr_is_zero(&path->source[ASYM_V4]))
		memcpy(a.sender, addr_wire(&path->source[ASYM_V4], &len), sizeof(a.sender));
	memcpy(a.target, addr_wire(&g->gateway, &len), sizeof(a.target));
	if (addr_equal(&port->known, &g->gateway))
		memcpy(to.sll_addr, port->mac, ETH_ALEN);
	else
		memset(to.sll_addr, 0xff, ETH_ALEN);
	len = sizeof(a);
	return sendto(port_fd(&g->waiting), &a, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ?
		-errno : 0;
}

/* -------- neighbour discovery */

static int nd_open(struct probe_port *port, const struct probe_path *path)
{
	_cleanup_close_ int fd = probe_socket(path, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	struct icmp6_filter types;
	int hops = ND_HOPS, one = 1;

	ICMP6_FILTER_SETBLOCKALL(&types);
	ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &types);
	if (fd < 0)
		return fd;
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &types, sizeof(types)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &one, sizeof(one)))
		return -errno;
	return TAKE_FD(fd);
}

/* Less than 255: it was forwarded, thus comes from elsewhere. */
static bool from_neighbour(struct msghdr *m)
{
	int hops = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)
			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
	return hops == ND_HOPS;
}

static int nd_read(struct probe_port *port, int fd)
{
	uint8_t data[PACKET_ROOM] __attribute__((aligned(4)));
	const struct nd_neighbor_advert *a = (const struct nd_neighbor_advert *)data;
	char control[64] __attribute__((aligned(__alignof__(struct cmsghdr))));
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(fd, &m, 0);

	if (len < 0)
		return -errno;
	if ((size_t)len < sizeof(*a) || !from_neighbour(&m) ||
	    !(a->nd_na_flags_reserved & ND_NA_FLAG_SOLICITED))
		return 0;
	for (struct port_probe *p = port->waiting; p; p = p->next) {
		if (!addr_equal(&a->nd_na_target, &((struct gateway *)p)->gateway))
			continue;
		probe_answered(&p->probe);
		break;
	}
	return 0;
}

/* To the gateway's solicited-node address: the kernel's own neighbour entry does not matter. */
static int nd_send(struct gateway *g, const uint8_t *mac)
{
	struct in6_addr group = { .s6_addr = { 0xff, 2, [11] = 1, 0xff } };
	struct solicit s = { .head.nd_ns_hdr.icmp6_type = ND_NEIGHBOR_SOLICIT,
			     .head.nd_ns_target = g->gateway,
			     .option = { ND_OPT_SOURCE_LINKADDR, 1 } };
	union addr_socket to;
	socklen_t len;

	memcpy(&group.s6_addr[13], &g->gateway.s6_addr[13], 3);
	memcpy(s.mac, mac, ETH_ALEN);
	len = addr_socket(&group, 0, g->waiting.probe.path.ifindex, &to);
	return sendto(port_fd(&g->waiting), &s, sizeof(s), 0, &to.sa, len) < 0 ? -errno : 0;
}

static const struct port_kind kinds[ASYM_FAMILIES] = {
	[ASYM_V4] = { sizeof(struct gateway_port), arp_open, arp_read },
	[ASYM_V6] = { sizeof(struct gateway_port), nd_open, nd_read },
};

/* -------- both */

/* -EOPNOTSUPP: it has neighbours whom nobody can ask. */
static int own_mac(int fd, uint32_t ifindex, uint8_t ret[ETH_ALEN])
{
	struct ifreq ifr = { .ifr_ifindex = (int)ifindex };

	if (ioctl(fd, SIOCGIFNAME, &ifr) || ioctl(fd, SIOCGIFFLAGS, &ifr))
		return -errno;
	if (ifr.ifr_flags & (IFF_NOARP | IFF_POINTOPOINT | IFF_LOOPBACK))
		return -EOPNOTSUPP;
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		return -errno;
	if (ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return -EOPNOTSUPP;
	memcpy(ret, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	return 0;
}

static void gateway_stop(struct probe *p)
{
	struct gateway *g = (struct gateway *)p;
	struct gateway_port *port = (struct gateway_port *)g->waiting.port;

	/* the next one is to find out whether it has another MAC address now */
	if (!g->answered && addr_equal(&port->known, &g->gateway))
		port->known = (struct in6_addr){ 0 };
	port_leave(&g->waiting);
}

static int gateway_start(struct probe *p)
{
	struct gateway *g = (struct gateway *)p;
	enum asym_family f = p->target->family;
	uint8_t mac[ETH_ALEN];
	int r;

	g->gateway = p->path.gateway[f];
	if (!p->path.ethernet || addr_is_zero(&g->gateway))
		return -EOPNOTSUPP;
	r = port_join(&g->waiting, &kinds[f]);
	if (r)
		return r;
	r = own_mac(port_fd(&g->waiting), p->path.ifindex, mac);
	r = r ?: f == ASYM_V4 ? arp_send(g, mac) : nd_send(g, mac);
	if (r)
		gateway_stop(p);
	return r;
}

const struct probe_kind probe_gateway = { sizeof(struct gateway), gateway_start, gateway_stop };
