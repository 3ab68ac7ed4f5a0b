/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mimic DEVICE OUT SRC DST WAY KIND [N [PER_S]]: takes a genuine probe of a mesh's daemon (SRC to
 * DST, IPv4) off DEVICE, has it say that DST's way number WAY to SRC is dead, spoils it as KIND
 * says, and sends it N times (1) by OUT, as fast as it goes or PER_S:
 *
 *	true	not at all: what a member of the mesh could do
 *	magic, version, short, long, count	it is no probe
 *	hash, session	of somebody else
 *	node, source, port	from somebody else
 *	ahead, jump	sent an hour later, a million probes later
 *	again	as it is, but this says nothing new
 *
 * See core/mesh_wire.h for the bytes.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tool.h"

#define HEAD 52
#define REPORT 20
#define NS_PER_MS 1000000ull

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t probe[512];
} __attribute__((packed));

static struct packet packet;
static size_t probe_len;

static uint64_t get64(size_t at)
{
	uint64_t v;

	memcpy(&v, packet.probe + at, sizeof(v));
	return be64toh(v);
}

static void put64(size_t at, uint64_t value)
{
	value = htobe64(value);
	memcpy(packet.probe + at, &value, sizeof(value));
}

static uint32_t get32(size_t at)
{
	uint32_t v;

	memcpy(&v, packet.probe + at, sizeof(v));
	return ntohl(v);
}

static void put32(size_t at, uint32_t value)
{
	value = htonl(value);
	memcpy(packet.probe + at, &value, sizeof(value));
}

/* -------- a genuine one */

static bool is_probe(ssize_t len, in_addr_t src, in_addr_t dst)
{
	if (len < (ssize_t)(sizeof(packet.ip) + sizeof(packet.udp) + HEAD) || packet.ip.ihl != 5 ||
	    packet.ip.protocol != IPPROTO_UDP || packet.ip.saddr != src || packet.ip.daddr != dst)
		return false;
	probe_len = len - sizeof(packet.ip) - sizeof(packet.udp);
	/* padded ones report nothing */
	return packet.udp.source == packet.udp.dest && !memcmp(packet.probe, "amsh", 4) &&
	       packet.probe[48];
}

/* ETH_P_ALL: what tc redirects is seen by nobody else. */
static void capture(const char *device, in_addr_t src, in_addr_t dst)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET,
	                        .sll_protocol = htons(ETH_P_ALL),
	                        .sll_ifindex = if_nametoindex(device)};
	int fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));

	if (fd < 0 || !a.sll_ifindex || bind(fd, (void *)&a, sizeof(a)) < 0)
		die(device);
	alarm(5);
	while (!is_probe(recv(fd, &packet, sizeof(packet), 0), src, dst))
		;
	alarm(0);
	close(fd);
}

/* -------- a lie */

/* Newer than what came, older than what comes next. */
static void lie(unsigned int way)
{
	size_t at = HEAD + way * REPORT;

	if (way >= packet.probe[48])
		die("no such way");
	put64(24, get64(24) + 90 * NS_PER_MS);
	put32(32, get32(32) + 1);
	put32(at, get32(at) - 30);
	put32(at + 4, 5000);
}

static bool spoil(const char *kind)
{
	uint8_t *p = packet.probe;

	if (!strcmp(kind, "magic"))
		p[0]++;
	else if (!strcmp(kind, "version"))
		p[4]++;
	else if (!strcmp(kind, "short"))
		probe_len--;
	else if (!strcmp(kind, "long"))
		probe_len++;
	else if (!strcmp(kind, "count"))
		p[48] = 200;
	else if (!strcmp(kind, "hash"))
		p[15]++;
	else if (!strcmp(kind, "session"))
		p[23]++;
	else if (!strcmp(kind, "node"))
		p[5] = 1;
	else if (!strcmp(kind, "source"))
		packet.ip.saddr ^= htonl(3);
	else if (!strcmp(kind, "port"))
		packet.udp.source ^= htons(1);
	else if (!strcmp(kind, "ahead"))
		put64(24, get64(24) + 3600 * 1000 * NS_PER_MS);
	else if (!strcmp(kind, "jump"))
		put32(32, get32(32) + 1000000);
	else
		return !strcmp(kind, "true");
	return true;
}

/* -------- out */

static void finish(void)
{
	size_t len = sizeof(packet.udp) + probe_len;

	packet.ip.tot_len = htons(sizeof(packet.ip) + len);
	packet.ip.ttl = 64;
	packet.udp.len = htons(len);
	packet.udp.check = 0; /* RFC 768: none */
}

/* Until the nth is due. */
static void pace(int64_t begin_us, unsigned long n, unsigned long per_s)
{
	int64_t due_us = per_s ? begin_us + (int64_t)(n * 1000000 / per_s) : 0;
	int64_t left_us = due_us - clock_us(CLOCK_MONOTONIC);

	if (left_us > 1000)
		usleep(left_us);
}

static void send_all(const char *device, unsigned long n, unsigned long per_s)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = packet.ip.daddr};
	size_t len = sizeof(packet.ip) + sizeof(packet.udp) + probe_len;
	int64_t begin_us = clock_us(CLOCK_MONOTONIC);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device) + 1) < 0)
		die(device);
	for (unsigned long i = 0; i < n; i++) {
		pace(begin_us, i, per_s);
		if (sendto(fd, &packet, len, 0, (void *)&to, sizeof(to)) < 0)
			die("sendto");
	}
}

int main(int argc, char **argv)
{
	struct in_addr src, dst;

	if (argc < 7 || argc > 9 || inet_pton(AF_INET, argv[3], &src) != 1 ||
	    inet_pton(AF_INET, argv[4], &dst) != 1) {
		fputs("usage: mimic DEVICE OUT SRC DST WAY KIND [N [PER_S]]\n", stderr);
		return 2;
	}
	capture(argv[1], src.s_addr, dst.s_addr);
	if (strcmp(argv[6], "again")) {
		lie(atoi(argv[5]));
		if (!spoil(argv[6]))
			die(argv[6]);
	}
	finish();
	send_all(argv[2], argc > 7 ? strtoul(argv[7], NULL, 10) : 1,
	         argc > 8 ? strtoul(argv[8], NULL, 10) : 0);
	return EXIT_SUCCESS;
}
