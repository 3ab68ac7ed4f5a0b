/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * renew [OPTION]... CIADDR CHADDR SERVER: sends one DHCP message as some client would.
 *
 *   -k KIND   udp (default), raw (a header of its own, UDP checksum 0, as dhcpcd), packet, cooked
 *             (AF_PACKET with and without its own Ethernet header; with -d)
 *   -a ADDR   bound to this address     -d DEV  bound to this device     -p PORT  from port (68)
 *   -o ADDR   the source that is written where the client writes it itself (CIADDR)
 *   -m MAC    destination MAC of -k packet and cooked (all)
 *   -r        a reply (op 2), from port 67 to 68: SERVER is to whom
 *   -g ADDR   giaddr    -x XID (1)
 *
 * renew -w DEV XID: says "ready", waits for a reply of this number on the device as most clients do, by
 * a packet socket for IP, and says "got".
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *kind, *device;
	struct in_addr bound, source, ciaddr, giaddr, server;
	struct ether_addr chaddr, mac, own;
	uint16_t sport, dport;
	uint32_t xid;
	bool reply;
};

struct frame {
	struct ether_header eth;
	struct iphdr ip;
	struct udphdr udp;
	uint8_t bootp[300];
} __attribute__((packed));

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static struct in_addr addr(const char *s)
{
	struct in_addr a;

	if (inet_pton(AF_INET, s, &a) != 1)
		die(s);
	return a;
}

static struct ether_addr mac(const char *s)
{
	struct ether_addr *a = ether_aton(s);

	if (!a)
		die(s);
	return *a;
}

static uint16_t sum(const void *data, size_t len, uint32_t from)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		from += i & 1 ? p[i] : p[i] << 8;
	while (from >> 16)
		from = (from & 0xffff) + (from >> 16);
	return htons(~from & 0xffff);
}

static void fill(struct frame *f, const struct options *o)
{
	uint8_t *b = f->bootp;

	*b = o->reply ? 2 : 1;
	b[1] = 1;
	b[2] = 6;
	memcpy(b + 4, &o->xid, 4);
	memcpy(b + 12, &o->ciaddr, 4);
	memcpy(b + 24, &o->giaddr, 4);
	memcpy(b + 28, &o->chaddr, 6);
	memcpy(b + 236, "\x63\x82\x53\x63\x35\x01", 6);
	b[242] = o->reply ? 5 : 3;
	b[243] = 0xff;
	f->eth.ether_type = htons(ETHERTYPE_IP);
	memcpy(f->eth.ether_dhost, &o->mac, 6);
	memcpy(f->eth.ether_shost, &o->own, 6);
	f->ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
				.tot_len = htons(sizeof(*f) - sizeof(f->eth)),
				.saddr = o->source.s_addr, .daddr = o->server.s_addr };
	f->ip.check = sum(&f->ip, sizeof(f->ip), 0);
	f->udp = (struct udphdr){ .source = htons(o->sport), .dest = htons(o->dport),
				  .len = htons(sizeof(f->udp) + sizeof(f->bootp)) };
}

static void bind_device(int fd, const struct options *o)
{
	if (o->device &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, o->device, strlen(o->device) + 1))
		die("SO_BINDTODEVICE");
}

static void send_udp(const struct frame *f, const struct options *o)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr = o->bound,
				    .sin_port = htons(o->sport) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = o->server,
				  .sin_port = htons(o->dport) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;

	bind_device(fd, o);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)))
		die("bind");
	if (sendto(fd, f->bootp, sizeof(f->bootp), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("sendto");
}

/* The kernel fills in what it likes to (raw(7), IP_HDRINCL). */
static void send_raw(const struct frame *f, const struct options *o)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = o->server };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	bind_device(fd, o);
	if (sendto(fd, &f->ip, sizeof(*f) - sizeof(f->eth), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("sendto");
}

static void send_packet(struct frame *f, const struct options *o, bool cooked)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_IP),
				  .sll_ifindex = (int)if_nametoindex(o->device), .sll_halen = 6 };
	int fd = socket(AF_PACKET, cooked ? SOCK_DGRAM : SOCK_RAW, 0);
	const uint8_t *from = cooked ? (uint8_t *)&f->ip : (uint8_t *)f;
	uint8_t pseudo[12] = { [9] = IPPROTO_UDP };
	uint32_t start = 0;

	memcpy(to.sll_addr, &o->mac, 6);
	memcpy(pseudo, &f->ip.saddr, 8);
	memcpy(pseudo + 10, &f->udp.len, 2);
	for (int i = 0; i < 12; i += 2)
		start += pseudo[i] << 8 | pseudo[i + 1];
	f->udp.check = sum(&f->udp, sizeof(f->udp) + sizeof(f->bootp), start) ?: 0xffff;
	if (sendto(fd, from, (size_t)((uint8_t *)(f + 1) - from), 0, (struct sockaddr *)&to,
		   sizeof(to)) < 0)
		die("sendto");
}

static int wait_reply(const char *device, uint32_t xid)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_IP),
				  .sll_ifindex = (int)if_nametoindex(device) };
	int fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETHERTYPE_IP));
	uint8_t packet[2048];
	const uint8_t *bootp = packet + sizeof(struct iphdr) + sizeof(struct udphdr);

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die("bind");
	puts("ready");
	fflush(stdout);
	while (recv(fd, packet, sizeof(packet), 0) > 0)
		if (*bootp == 2 && !memcmp(bootp + 4, &xid, sizeof(xid)))
			return puts("got") < 0;
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct options o = { .kind = "udp", .sport = 68, .dport = 67, .xid = htonl(1),
			     .mac = { { 255, 255, 255, 255, 255, 255 } } };
	struct frame f = {};
	const char *waits = NULL;
	bool sourced = false;
	int c;

	while ((c = getopt(argc, argv, "k:a:d:p:o:m:rg:x:w:")) != -1)
		switch (c) {
		case 'k': o.kind = optarg; break;
		case 'a': o.bound = addr(optarg); break;
		case 'd': o.device = optarg; break;
		case 'p': o.sport = (uint16_t)atoi(optarg); break;
		case 'o': o.source = addr(optarg); sourced = true; break;
		case 'm': o.mac = mac(optarg); break;
		case 'r': o.reply = true; o.sport = 67; o.dport = 68; break;
		case 'g': o.giaddr = addr(optarg); break;
		case 'x': o.xid = htonl((uint32_t)atoi(optarg)); break;
		case 'w': waits = optarg; break;
		default: return EXIT_FAILURE;
		}
	if (waits && argc - optind == 1)
		return wait_reply(waits, htonl((uint32_t)atoi(argv[optind])));
	if (argc - optind != 3)
		return EXIT_FAILURE;
	o.ciaddr = addr(argv[optind]);
	o.chaddr = o.own = mac(argv[optind + 1]);
	o.server = addr(argv[optind + 2]);
	o.source = sourced ? o.source : o.ciaddr;
	fill(&f, &o);
	if (!strcmp(o.kind, "udp"))
		send_udp(&f, &o);
	else if (!strcmp(o.kind, "raw"))
		send_raw(&f, &o);
	else
		send_packet(&f, &o, !strcmp(o.kind, "cooked"));
	return 0;
}
