/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forge DEVICE MAC tcp|udp SRC SPORT DST DPORT [OPTION]...: sends IPv4 packets that no socket would.
 *
 *   -n N      so many (1)                -l N      bytes of payload (100)
 *   -t TTL    (64)                       -f FLAGS  of TCP, letters of FSRPA (A)
 *   -s SEQ    -a ACK  of TCP (0)         -o        with an IP option, four NOPs
 *   -i        in two fragments           -p N      padded to N bytes from the IP header on
 *   -z        UDP without checksum       -x        with a wrong checksum
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tool.h"

static struct {
	uint8_t proto, ttl, flags;
	int count, payload, pad;
	uint32_t seq, ack;
	bool option, split, no_sum, bad_sum;
} opt = { .ttl = 64, .flags = TH_ACK, .count = 1, .payload = 100 };

static uint8_t segment[65536]; /* from the TCP or UDP header on */
static size_t segment_len;
static struct in_addr src, dst;

static uint32_t sum_of(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

static uint16_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static void fill_tcp(uint16_t sport, uint16_t dport)
{
	struct tcphdr h = { .th_sport = htons(sport), .th_dport = htons(dport), .th_seq = htonl(opt.seq),
			    .th_ack = htonl(opt.ack), .th_off = 5, .th_flags = opt.flags,
			    .th_win = htons(512) };

	memcpy(segment, &h, sizeof(h));
	segment_len = sizeof(h) + opt.payload;
}

static void fill_udp(uint16_t sport, uint16_t dport)
{
	struct udphdr h = { .uh_sport = htons(sport), .uh_dport = htons(dport) };

	segment_len = sizeof(h) + opt.payload;
	h.uh_ulen = htons(segment_len);
	memcpy(segment, &h, sizeof(h));
}

static void fill_checksum(void)
{
	size_t field = opt.proto == IPPROTO_TCP ? 16 : 6;
	uint32_t sum = sum_of(&src, 4) + sum_of(&dst, 4) + opt.proto + segment_len +
		       sum_of(segment, segment_len);
	uint16_t check = checksum(sum);

	if (opt.bad_sum)
		check ^= 0x5555;
	if (!opt.no_sum)
		memcpy(segment + field, &check, sizeof(check));
}

/* One packet with part of the segment; frag as in the header, in host order. */
static void send_part(int fd, const struct sockaddr_ll *to, size_t begin, size_t len, uint16_t frag)
{
	size_t header = opt.option ? 24 : 20, total = header + len;
	uint8_t packet[66000] = {};
	struct iphdr ip = { .version = 4, .ihl = header / 4, .tot_len = htons(total), .id = htons(4711),
			    .frag_off = htons(frag), .ttl = opt.ttl, .protocol = opt.proto,
			    .saddr = src.s_addr, .daddr = dst.s_addr };

	memset(packet + 20, 1, header - 20);
	memcpy(packet, &ip, sizeof(ip));
	ip.check = checksum(sum_of(packet, header));
	memcpy(packet, &ip, sizeof(ip));
	memcpy(packet + header, segment + begin, len);
	if (total < (size_t)opt.pad)
		total = opt.pad;
	if (sendto(fd, packet, total, 0, (const void *)to, sizeof(*to)) < 0)
		die("sendto");
}

static void send_packet(int fd, const struct sockaddr_ll *to)
{
	size_t half = segment_len / 2 & ~7ul;

	if (!opt.split) {
		send_part(fd, to, 0, segment_len, IP_DF);
		return;
	}
	send_part(fd, to, 0, half, IP_MF);
	send_part(fd, to, half, segment_len - half, half / 8);
}

static uint8_t tcp_flags(const char *letters)
{
	static const char names[] = "FSRPA";
	uint8_t flags = 0;

	for (; *letters; letters++)
		flags |= 1 << (strchr(names, *letters) - names);
	return flags;
}

static void options(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "n:l:t:f:s:a:p:oizx")) != -1) {
		switch (o) {
		case 'n': opt.count = atoi(optarg); break;
		case 'l': opt.payload = atoi(optarg); break;
		case 't': opt.ttl = atoi(optarg); break;
		case 'f': opt.flags = tcp_flags(optarg); break;
		case 's': opt.seq = strtoul(optarg, NULL, 0); break;
		case 'a': opt.ack = strtoul(optarg, NULL, 0); break;
		case 'p': opt.pad = atoi(optarg); break;
		case 'o': opt.option = true; break;
		case 'i': opt.split = true; break;
		case 'z': opt.no_sum = true; break;
		case 'x': opt.bad_sum = true; break;
		default: exit(2);
		}
	}
	if (argc - optind != 7) {
		fputs("usage: forge DEVICE MAC tcp|udp SRC SPORT DST DPORT [OPTION]...\n", stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_halen = 6 };
	uint8_t *m = to.sll_addr;
	char **arg;
	int fd;

	options(argc, argv);
	arg = argv + optind;
	to.sll_ifindex = if_nametoindex(arg[0]);
	if (sscanf(arg[1], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", m, m + 1, m + 2, m + 3, m + 4, m + 5) != 6)
		to.sll_halen = 0; /* "-": the device has none */
	opt.proto = strcmp(arg[2], "tcp") ? IPPROTO_UDP : IPPROTO_TCP;
	if (!to.sll_ifindex || inet_pton(AF_INET, arg[3], &src) != 1 || inet_pton(AF_INET, arg[5], &dst) != 1)
		die("arguments");
	memset(segment, 'x', sizeof(segment));
	if (opt.proto == IPPROTO_TCP)
		fill_tcp(atoi(arg[4]), atoi(arg[6]));
	else
		fill_udp(atoi(arg[4]), atoi(arg[6]));
	fill_checksum();
	fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (fd < 0)
		die("socket");
	while (opt.count--)
		send_packet(fd, &to);
	return EXIT_SUCCESS;
}
