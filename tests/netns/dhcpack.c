/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dhcpack [-n N] [-r RATE] DEVICE XID CHADDR YIADDR SERVER LEASE: a DHCPACK as a server on the line, or somebody
 * who would like to be one, would send it: a frame to CHADDR, from SERVER to YIADDR.  Without -r at once; XID "-": a
 * random one each time.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct frame {
	struct ether_header eth;
	struct iphdr ip;
	struct udphdr udp;
	struct {
		uint8_t op, htype, hlen, hops;
		uint32_t xid;
		uint16_t secs, flags;
		uint32_t ciaddr, yiaddr, siaddr, giaddr;
		uint8_t chaddr[16], sname[64], file[128];
	} bootp;
	uint8_t options[64];
} __attribute__((packed));

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static uint16_t ip_sum(const void *ip)
{
	uint16_t words[sizeof(struct iphdr) / 2];
	uint32_t sum = 0;

	memcpy(words, ip, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Without UDP checksum. */
static void fill(struct frame *f, char **args)
{
	uint32_t server = inet_addr(args[4]), lease = htonl(atoi(args[5]));
	uint8_t *mac = f->bootp.chaddr, *o = f->options;

	if (sscanf(args[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6)
		die("CHADDR");
	memcpy(f->eth.ether_dhost, mac, ETH_ALEN);
	memcpy(f->eth.ether_shost, (const uint8_t[]){2, 0, 0, 0, 0, 0x66}, ETH_ALEN);
	f->eth.ether_type = htons(ETHERTYPE_IP);
	f->bootp.op = 2;
	f->bootp.htype = 1;
	f->bootp.hlen = ETH_ALEN;
	f->bootp.yiaddr = inet_addr(args[3]);
	f->ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .saddr = server,
			       .daddr = f->bootp.yiaddr, .tot_len = htons(sizeof(*f) - sizeof(f->eth))};
	f->ip.check = ip_sum((char *)f + sizeof(f->eth));
	f->udp = (struct udphdr){.source = htons(67), .dest = htons(68),
				 .len = htons(sizeof(*f) - offsetof(struct frame, udp))};
	memcpy(o, (const uint8_t[]){0x63, 0x82, 0x53, 0x63, 53, 1, 5, 54, 4}, 9);
	memcpy(o + 9, &server, 4);
	memcpy(o + 13, (const uint8_t[]){51, 4}, 2);
	memcpy(o + 15, &lease, 4);
	o[19] = 255;
}

static void until(struct timespec *t, long ns)
{
	t->tv_nsec += ns;
	t->tv_sec += t->tv_nsec / 1000000000;
	t->tv_nsec %= 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, t, NULL);
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_IP), .sll_halen = ETH_ALEN};
	long n = 1, rate = 0;
	struct frame f = {0};
	struct timespec at;
	int option, fd;

	while ((option = getopt(argc, argv, "n:r:")) >= 0) {
		if (option == 'n')
			n = atol(optarg);
		else if (option == 'r')
			rate = atol(optarg);
		else
			return EXIT_FAILURE;
	}
	if (argc - optind != 6)
		return EXIT_FAILURE;
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	to.sll_ifindex = if_nametoindex(argv[optind]);
	if (fd < 0 || !to.sll_ifindex)
		die(argv[optind]);
	fill(&f, argv + optind);
	clock_gettime(CLOCK_MONOTONIC, &at);
	for (; n; n--) {
		f.bootp.xid = *argv[optind + 1] == '-' ? random() : htonl(strtoul(argv[optind + 1], NULL, 16));
		if (sendto(fd, &f, sizeof(f), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			die("sendto");
		if (rate)
			until(&at, 1000000000 / rate);
	}
	return EXIT_SUCCESS;
}
