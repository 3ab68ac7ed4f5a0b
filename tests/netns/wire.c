/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire in|out DEVICE: what crosses a device, until SIGTERM; then what it was, a line for each flow:
 *
 *   PROTO SRC SPORT DST DPORT TTL PACKETS BYTES LARGEST BAD
 *
 * PROTO is tcp, udp, icmp (SPORT and DPORT are type and code; both families), frag (all fragments but
 * the first) or a number.  BYTES count from the IP header on.  BAD packets have a wrong checksum, a wrong
 * length or, on a device without link-layer header, padding.  A checksum that hardware would complete
 * must be the pseudo header's.  The last line is "lost N": packets that came too fast for us.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tool.h"

#define MAX_FLOWS 65536

struct key {
	uint8_t src[16], dst[16]; /* IPv4 in the first four */
	uint16_t sport, dport;    /* host byte order */
	uint8_t version, proto, ttl, tail;
};

struct flow {
	struct key key;
	unsigned long packets, bytes, largest, bad;
};

struct packet {
	const uint8_t *ip;
	size_t len;   /* of the frame, from the IP header on */
	bool partial; /* the checksum is left to hardware */
	bool ethernet;
};

static struct flow flows[MAX_FLOWS];

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

/* The Internet checksum's sum of 16-bit words (RFC 1071), not folded. */
static uint64_t sum_of(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	for (; len > 1; p += 2, len -= 2)
		sum += get16(p);
	return len ? sum + (*p << 8) : sum;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static bool checksum_good(const struct packet *p, const struct key *k, const uint8_t *l4, size_t len)
{
	size_t addresses = k->version == 4 ? 8 : 32;
	const uint8_t *addr = p->ip + (k->version == 4 ? 12 : 8);
	uint64_t pseudo = sum_of(addr, addresses) + k->proto + len;
	size_t field = k->proto == IPPROTO_TCP ? 16 : k->proto == IPPROTO_UDP ? 6 : 2;

	if (len < field + 2)
		return false;
	if (k->proto == IPPROTO_ICMP)
		pseudo = 0;
	if (p->partial)
		return get16(l4 + field) == fold(pseudo);
	if (k->proto == IPPROTO_UDP && !get16(l4 + field))
		return k->version == 4;
	return fold(pseudo + sum_of(l4, len)) == 0xffff;
}

/* Fills ports or type and code; whether the packet is good. */
static bool read_l4(const struct packet *p, struct key *k, const uint8_t *l4, size_t len)
{
	bool ports = k->proto == IPPROTO_TCP || k->proto == IPPROTO_UDP;
	bool icmp = k->proto == IPPROTO_ICMP || k->proto == IPPROTO_ICMPV6;

	if (!ports && !icmp)
		return true;
	if (len < 8)
		return false;
	k->sport = ports ? get16(l4) : l4[0];
	k->dport = ports ? get16(l4 + 2) : l4[1];
	if (k->proto == IPPROTO_UDP && get16(l4 + 4) != len)
		return false;
	return checksum_good(p, k, l4, len);
}

/* More fragments or an offset. */
static bool read_fragment(struct key *k, uint16_t offset, const uint8_t *l4)
{
	k->tail = !!offset;
	k->sport = k->tail ? 0 : get16(l4);
	k->dport = k->tail ? 0 : get16(l4 + 2);
	return true;
}

static bool read_v4(const struct packet *p, struct key *k, size_t *ret_len)
{
	size_t header = (p->ip[0] & 15) * 4, len = get16(p->ip + 2);
	uint16_t fragment = get16(p->ip + 6);

	*ret_len = len;
	k->proto = p->ip[9];
	k->ttl = p->ip[8];
	memcpy(k->src, p->ip + 12, 4);
	memcpy(k->dst, p->ip + 16, 4);
	if (len > p->len || header < 20 || len < header + 4 || fold(sum_of(p->ip, header)) != 0xffff)
		return false;
	if (fragment & 0x3fff)
		return read_fragment(k, fragment & 0x1fff, p->ip + header);
	return read_l4(p, k, p->ip + header, len - header);
}

static bool read_v6(const struct packet *p, struct key *k, size_t *ret_len)
{
	size_t len = get16(p->ip + 4);
	const uint8_t *l4 = p->ip + 40;

	*ret_len = len + 40;
	k->proto = p->ip[6];
	k->ttl = p->ip[7];
	memcpy(k->src, p->ip + 8, 16);
	memcpy(k->dst, p->ip + 24, 16);
	if (p->len < len + 40)
		return false;
	if (k->proto != IPPROTO_FRAGMENT)
		return read_l4(p, k, l4, len);
	k->proto = l4[0];
	return read_fragment(k, get16(l4 + 2) & 0xfff8, l4 + 8);
}

static struct flow *flow_of(const struct key *k)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < sizeof(*k); i++)
		hash = (hash ^ ((const uint8_t *)k)[i]) * 0x01000193;
	for (uint32_t i = 0; i < MAX_FLOWS; i++) {
		struct flow *f = &flows[(hash + i) % MAX_FLOWS];

		if (!f->packets)
			f->key = *k;
		if (!memcmp(&f->key, k, sizeof(*k)))
			return f;
	}
	errno = ENOSPC;
	die("too many flows");
	return NULL;
}

static void note(const struct packet *p)
{
	struct key k = {};
	struct flow *f;
	size_t len = p->len;
	bool good;

	if (p->len < 20)
		return;
	k.version = p->ip[0] >> 4;
	if (k.version == 6 && p->len < 48)
		return;
	good = k.version == 4 ? read_v4(p, &k, &len) : read_v6(p, &k, &len);
	f = flow_of(&k);
	f->packets++;
	f->bytes += len;
	f->bad += !good || (!p->ethernet && p->len != len);
	if (len > f->largest)
		f->largest = len;
}

static const char *proto_name(const struct key *k, char *buf, size_t size)
{
	if (k->tail)
		return "frag";
	switch (k->proto) {
	case IPPROTO_TCP: return "tcp";
	case IPPROTO_UDP: return "udp";
	case IPPROTO_ICMP: return "icmp";
	case IPPROTO_ICMPV6: return "icmp";
	}
	snprintf(buf, size, "%u", k->proto);
	return buf;
}

static void print(const struct flow *f)
{
	int family = f->key.version == 4 ? AF_INET : AF_INET6;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], proto[8];

	inet_ntop(family, f->key.src, src, sizeof(src));
	inet_ntop(family, f->key.dst, dst, sizeof(dst));
	printf("%s %s %u %s %u %u %lu %lu %lu %lu\n", proto_name(&f->key, proto, sizeof(proto)), src,
	       f->key.sport, dst, f->key.dport, f->key.ttl, f->packets, f->bytes, f->largest, f->bad);
}

static bool partial(struct msghdr *msg)
{
	const struct tpacket_auxdata *aux;
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	if (!c || c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
		return false;
	aux = (const void *)CMSG_DATA(c);
	return aux->tp_status & TP_STATUS_CSUMNOTREADY;
}

/* False when there is nothing to be had. */
static bool receive(int fd, bool out)
{
	static uint8_t frame[262144];
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct sockaddr_ll from = {};
	struct iovec iov = { frame, sizeof(frame) };
	struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
			      .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, stop ? MSG_DONTWAIT : 0);
	bool ethernet = from.sll_hatype == 1 || from.sll_hatype == 772; /* or the loopback */
	struct packet p = { .ip = frame, .len = n, .ethernet = ethernet };

	if (n < 0)
		return errno == ENETDOWN;
	if ((from.sll_pkttype == PACKET_OUTGOING) != out)
		return true;
	if (from.sll_protocol != htons(ETH_P_IP) && from.sll_protocol != htons(ETH_P_IPV6))
		return true;
	if (ethernet && n >= ETH_HLEN) {
		p.ip += ETH_HLEN;
		p.len -= ETH_HLEN;
	}
	p.partial = partial(&msg);
	note(&p);
	return true;
}

static int open_device(const char *device)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1, room = 256 << 20;
	struct timeval pause = { .tv_usec = 50000 }; /* a signal may come before we wait */

	at.sll_ifindex = if_nametoindex(device);
	if (fd < 0 || !at.sll_ifindex)
		die(device);
	setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof(pause));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die(device);
	return fd;
}

static void report(int fd)
{
	struct tpacket_stats stats = {};
	socklen_t len = sizeof(stats);

	getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
	for (size_t i = 0; i < MAX_FLOWS; i++)
		if (flows[i].packets)
			print(&flows[i]);
	printf("lost %u\n", stats.tp_drops);
}

int main(int argc, char **argv)
{
	bool out = argc == 3 && !strcmp(argv[1], "out");
	int fd;

	if (argc != 3 || (!out && strcmp(argv[1], "in"))) {
		fputs("usage: wire in|out DEVICE\n", stderr);
		return 2;
	}
	signal(SIGTERM, on_term);
	fd = open_device(argv[2]);
	puts("ready");
	fflush(stdout);
	while (!stop)
		receive(fd, out);
	while (receive(fd, out)) /* what came before the signal */
		;
	report(fd);
	return EXIT_SUCCESS;
}
