/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootp KIND CIADDR CHADDR SERVER [OPTION]...: sends DHCP renewals as clients do, by a socket that is
 *
 *   unbound   UDP, bound to port 68 alone (dhclient)
 *   bound     UDP, bound to CIADDR (busybox udhcpc up to 1.32)
 *   raw       raw IP, no checksum (dhcpcd)
 *
 *   -n N        so many (1)              -r N        so many a second (as fast as it can)
 *   -c N        the first N bytes only   -w AT=BYTE  with this byte there; may be given again
 *   -z SEED     random bytes after the fixed part, and random lengths
 *
 * Ends with the number of those that the kernel refused, if any, on stderr and status 1.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define FIXED 236
#define MESSAGE 300
#define ROOM 1400

struct message {
	struct udphdr udp; /* of raw sockets */
	uint8_t bootp[ROOM];
} __attribute__((packed));

static struct message m;
static size_t len = MESSAGE;
static bool raw, noise;

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static int open_socket(const char *kind, struct in_addr ciaddr)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(68) };
	int fd, on = 1;

	raw = !strcmp(kind, "raw");
	fd = socket(AF_INET, raw ? SOCK_RAW : SOCK_DGRAM, raw ? IPPROTO_UDP : 0);
	if (fd < 0)
		die("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)))
		die("setsockopt");
	if (!strcmp(kind, "bound"))
		here.sin_addr = ciaddr;
	if (!raw && bind(fd, (struct sockaddr *)&here, sizeof(here)))
		die("bind");
	return fd;
}

static void fill(struct in_addr ciaddr, const char *chaddr)
{
	static const uint8_t options[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, 3, 255 };
	uint8_t *mac = m.bootp + 28;

	memcpy(m.bootp, (const uint8_t[]){ 1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78 }, 8);
	memcpy(m.bootp + 12, &ciaddr, 4);
	memcpy(m.bootp + FIXED, options, sizeof(options));
	if (sscanf(chaddr, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4,
		   mac + 5) != 6)
		die("CHADDR");
}

static void make_noise(void)
{
	len = FIXED + 4 + random() % (ROOM - FIXED - 4);
	for (size_t i = FIXED + 4; i < ROOM; i++)
		m.bootp[i] = random() % 4 ? random() : random() % 64;
}

static bool send_one(int fd, const struct sockaddr_in *to)
{
	if (noise)
		make_noise();
	if (!raw)
		return sendto(fd, m.bootp, len, 0, (const void *)to, sizeof(*to)) >= 0;
	m.udp = (struct udphdr){ .source = htons(68), .dest = htons(67),
				 .len = htons(sizeof(m.udp) + len) };
	return sendto(fd, &m, sizeof(m.udp) + len, 0, (const void *)to, sizeof(*to)) >= 0;
}

static void pause_for(long per_s)
{
	const struct timespec t = { .tv_sec = per_s == 1, .tv_nsec = 1000000000 / per_s % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static void set_byte(const char *text)
{
	unsigned int at, value;

	if (sscanf(text, "%u=%u", &at, &value) != 2 || at >= ROOM)
		exit(2);
	m.bootp[at] = value;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(67) };
	long n = 1, per_s = 0, refused = 0;
	struct in_addr ciaddr;
	int o, fd;

	if (argc < 5 || inet_pton(AF_INET, argv[2], &ciaddr) != 1 ||
	    inet_pton(AF_INET, argv[4], &to.sin_addr) != 1)
		exit(2);
	fill(ciaddr, argv[3]);
	optind = 5;
	while ((o = getopt(argc, argv, "n:r:c:w:z:")) != -1) {
		switch (o) {
		case 'n': n = atol(optarg); break;
		case 'r': per_s = atol(optarg); break;
		case 'c': len = atol(optarg); break;
		case 'w': set_byte(optarg); break;
		case 'z': noise = true; srandom(atol(optarg)); break;
		default: exit(2);
		}
	}
	if (len > ROOM)
		exit(2);
	fd = open_socket(argv[1], ciaddr);
	while (n--) {
		refused += !send_one(fd, &to);
		if (per_s)
			pause_for(per_s);
	}
	if (!refused)
		return EXIT_SUCCESS;
	fprintf(stderr, "%ld refused\n", refused);
	return EXIT_FAILURE;
}
