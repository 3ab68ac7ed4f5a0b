/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lines DEVICE...: what is said about addresses on the provider's ends of access lines, until
 * SIGTERM.  One line of text for each frame, before any filter of the provider's has dropped it:
 *
 *   1 s    2 DEVICE  3 in|out  4 TYPE  5 xid  6 smac  7 dmac  8 src  9 sport  10 dst  11 dport
 *   12 ciaddr  13 chaddr  14 yiaddr  15 giaddr  16 ok|zero|bad     DHCP; 16: the UDP checksum
 *   1 s    2 DEVICE  3 in      4 ARP   5 op   6 smac  7 dmac  8 spa  9 -      10 tpa
 *   1 s    2 DEVICE  3 in      4 IP    5 protocol  6 smac  7 dmac  8 src  9 -  10 dst
 *
 * Seconds are CLOCK_BOOTTIME's.  "in" comes from the customer.  IP: other packets than DHCP to
 * addresses in 100.71.64.0/24 but the gateway's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "bootp.h"

#define MAX_LINES 64
#define MAX_FRAME 2048

struct frame {
	const char *device;
	bool out;
	bool partial; /* the UDP checksum is left to the device */
	size_t len;
	_Alignas(8) uint8_t pad[2]; /* so that what follows the Ethernet header is aligned */
	uint8_t data[MAX_FRAME];
};

static const char *const types[] = {"BOOTP", "DISCOVER", "OFFER",   "REQUEST", "DECLINE",
                                    "ACK",   "NAK",      "RELEASE", "INFORM"};
static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	stop = 1;
}

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static const char *mac_text(const uint8_t *mac, char ret[18])
{
	snprintf(ret, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
	         mac[5]);
	return ret;
}

static const char *ip_text(const void *addr, char ret[INET_ADDRSTRLEN])
{
	return inet_ntop(AF_INET, addr, ret, INET_ADDRSTRLEN);
}

static void print_head(const struct frame *f, const char *type, uint32_t number)
{
	const struct ether_header *eth = (const void *)f->data;
	struct timespec ts;
	char from[18], to[18];

	clock_gettime(CLOCK_BOOTTIME, &ts);
	printf("%lld.%03ld %s %s %s %08x %s %s ", (long long)ts.tv_sec, ts.tv_nsec / 1000000,
	       f->device, f->out ? "out" : "in", type, number, mac_text(eth->ether_shost, from),
	       mac_text(eth->ether_dhost, to));
}

static void print_arp(const struct frame *f)
{
	const struct ether_arp *arp = (const void *)(f->data + ETH_HLEN);
	char spa[INET_ADDRSTRLEN], tpa[INET_ADDRSTRLEN];

	if (f->out || f->len < ETH_HLEN + sizeof(*arp))
		return;
	print_head(f, "ARP", ntohs(arp->arp_op));
	printf("%s - %s\n", ip_text(arp->arp_spa, spa), ip_text(arp->arp_tpa, tpa));
}

/* Somebody else's packet for a customer: the router has forwarded what was for one of its own
 * lines. */
static bool for_customers(const struct iphdr *ip)
{
	uint32_t dst = ntohl(ip->daddr);

	return dst >> 8 == 0x644740 && (dst & 0xff) > 1 && (dst & 0xff) < 255; /* 100.71.64.0/24 */
}

static void print_ip(const struct frame *f, const struct iphdr *ip)
{
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN];

	if (f->out || !for_customers(ip))
		return;
	print_head(f, "IP", ip->protocol);
	printf("%s - %s\n", ip_text(&ip->saddr, src), ip_text(&ip->daddr, dst));
}

static const char *checksum(const struct frame *f, const struct iphdr *ip, const struct udphdr *udp)
{
	size_t len = ntohs(udp->len);
	uint16_t pseudo = bootp_pseudo_sum(ip->saddr, ip->daddr, len);

	if ((const uint8_t *)udp + len > f->data + f->len)
		return "bad";
	if (!udp->check)
		return "zero";
	if (f->partial)
		return udp->check == pseudo ? "ok" : "bad";
	return bootp_sum(pseudo, udp, len) == 0xffff ? "ok" : "bad";
}

static void print_dhcp(const struct frame *f, const struct iphdr *ip, const struct udphdr *udp)
{
	const struct bootp *b = (const void *)(udp + 1);
	size_t len = f->data + f->len - (const uint8_t *)b;
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN], ci[INET_ADDRSTRLEN], yi[INET_ADDRSTRLEN],
		gi[INET_ADDRSTRLEN], mac[18];
	uint8_t type = bootp_type(b, len);

	print_head(f, type < sizeof(types) / sizeof(types[0]) ? types[type] : "UNKNOWN",
	           ntohl(b->xid));
	printf("%s %u %s %u %s %s %s %s %s\n", ip_text(&ip->saddr, src), ntohs(udp->source),
	       ip_text(&ip->daddr, dst), ntohs(udp->dest), ip_text(&b->ciaddr, ci),
	       mac_text(b->chaddr, mac), ip_text(&b->yiaddr, yi), ip_text(&b->giaddr, gi),
	       checksum(f, ip, udp));
}

static void print_frame(const struct frame *f)
{
	const struct ether_header *eth = (const void *)f->data;
	const struct iphdr *ip = (const void *)(f->data + ETH_HLEN);
	const struct udphdr *udp;

	if (f->len >= ETH_HLEN && eth->ether_type == htons(ETHERTYPE_ARP)) {
		print_arp(f);
		return;
	}
	if (f->len < ETH_HLEN + sizeof(*ip) || eth->ether_type != htons(ETHERTYPE_IP))
		return;
	udp = (const void *)((const uint8_t *)ip + ip->ihl * 4);
	if (ip->protocol == IPPROTO_UDP &&
	    (const uint8_t *)udp + sizeof(*udp) + BOOTP_FIXED <= f->data + f->len &&
	    (udp->dest == htons(67) || udp->dest == htons(68)))
		print_dhcp(f, ip, udp);
	else
		print_ip(f, ip);
}

static bool read_frame(int fd, struct frame *f)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct sockaddr_ll from;
	struct iovec iov = {f->data, sizeof(f->data)};
	struct msghdr msg = {.msg_name = &from,
	                     .msg_namelen = sizeof(from),
	                     .msg_iov = &iov,
	                     .msg_iovlen = 1,
	                     .msg_control = &control,
	                     .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);

	if (n < 0)
		return false;
	f->len = n;
	f->out = from.sll_pkttype == PACKET_OUTGOING;
	f->partial = cm && cm->cmsg_type == PACKET_AUXDATA &&
	             ((struct tpacket_auxdata *)CMSG_DATA(cm))->tp_status & TP_STATUS_CSUMNOTREADY;
	return true;
}

static int open_line(const char *device)
{
	struct sockaddr_ll sll = {.sll_family = AF_PACKET,
	                          .sll_protocol = htons(ETH_P_ALL),
	                          .sll_ifindex = if_nametoindex(device)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || !sll.sll_ifindex ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&sll, sizeof(sll)) < 0)
		die(device);
	return fd;
}

int main(int argc, char **argv)
{
	struct sigaction term = {.sa_handler = on_term};
	struct pollfd fds[MAX_LINES];
	struct frame f;
	int n = argc - 1;

	if (n < 1 || n > MAX_LINES) {
		fprintf(stderr, "usage: lines DEVICE...\n");
		return 2;
	}
	sigaction(SIGTERM, &term, NULL);
	setlinebuf(stdout);
	for (int i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = open_line(argv[i + 1]), .events = POLLIN};
	while (!stop) {
		if (poll(fds, n, -1) < 0 && errno != EINTR)
			die("poll");
		for (int i = 0; i < n; i++) {
			f.device = argv[i + 1];
			while (fds[i].revents && read_frame(fds[i].fd, &f))
				print_frame(&f);
		}
	}
	return EXIT_SUCCESS;
}
