/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * renewer [-x DEVICE] WAN SCRIPT: a DHCP client for one device that renews as udhcpc did up
 * to 1.32, which routers in the field still have.  DISCOVER, the first REQUEST and T2's broadcasts
 * go by AF_PACKET out of the device; T1's renewals by a UDP socket that is bound to its address but
 * to no device, and answers are awaited by another that is bound to the device.  Keeps to the
 * server's T1 and T2, however short.
 *
 * With -x renewals are frames written to another device, with this one's MAC: a client that knows
 * all better.
 *
 * SCRIPT is run like udhcpc's: deconfig, bound, renew, nak; interface, ip, mask (bits), router in
 * the environment.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bootp.h"

#define DISCOVER_MS 1000
#define RETRY_MIN_S 2
#define ANSWER_MS 2500

enum type { DISCOVER = 1, OFFER, REQUEST, ACK = 5, NAK };

struct packet { /* from the IP header on */
	struct iphdr ip;
	struct udphdr udp;
	struct bootp b;
};

struct offer {
	enum type type;
	uint32_t addr, server, router, mask;
	uint32_t lease_s, t1_s, t2_s;
	uint8_t from[ETH_ALEN]; /* whose frame it was */
};

static struct {
	const char *device, *script, *by;
	int ifindex;
	uint8_t mac[ETH_ALEN];
	uint32_t xid;
} me;
static struct offer lease; /* addr 0: none */
static time_t acked;       /* CLOCK_BOOTTIME, s */

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void find_device(void)
{
	struct ifreq ifr = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	me.ifindex = if_nametoindex(me.device);
	strncpy(ifr.ifr_name, me.device, IFNAMSIZ - 1);
	if (!me.ifindex || ioctl(fd, SIOCGIFHWADDR, &ifr) < 0)
		die(me.device);
	memcpy(me.mac, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	close(fd);
}

static void set_ip(const char *name, uint32_t addr)
{
	char text[INET_ADDRSTRLEN];

	setenv(name, inet_ntop(AF_INET, &addr, text, sizeof(text)), 1);
}

static void run_script(const char *event)
{
	char bits[4];
	pid_t child;

	setenv("interface", me.device, 1);
	set_ip("ip", lease.addr);
	set_ip("router", lease.router);
	snprintf(bits, sizeof(bits), "%d", __builtin_popcount(lease.mask));
	setenv("mask", bits, 1);
	child = fork();
	if (!child) {
		execl(me.script, me.script, event, NULL);
		_exit(127);
	}
	waitpid(child, NULL, 0);
	printf("%s %s\n", event, getenv("ip"));
}

/* --- messages
 * ------------------------------------------------------------------------------------------------
 */

static uint8_t *put_option(uint8_t *p, uint8_t code, const void *data, uint8_t len)
{
	*p++ = code;
	*p++ = len;
	memcpy(p, data, len);
	return p + len;
}

static void write_bootp(struct bootp *b, enum type type, const struct offer *selected,
                        uint32_t ciaddr)
{
	static const uint8_t wanted[] = {1, 3, 51, 54, 58, 59};
	uint8_t *p = b->options, t = type;

	*b = (struct bootp){.op = 1,
	                    .htype = 1,
	                    .hlen = 6,
	                    .xid = me.xid,
	                    .ciaddr = ciaddr,
	                    .magic = htonl(BOOTP_MAGIC)};
	memcpy(b->chaddr, me.mac, ETH_ALEN);
	p = put_option(p, 53, &t, 1);
	if (selected) {
		p = put_option(p, 50, &selected->addr, 4);
		p = put_option(p, 54, &selected->server, 4);
	}
	p = put_option(p, 55, wanted, sizeof(wanted));
	*p = 255;
}

static uint32_t number(const struct bootp *b, size_t len, uint8_t code)
{
	const uint8_t *o = bootp_option(b, len, code);
	uint32_t n = 0;

	if (o && o[1] >= 4)
		memcpy(&n, o + 2, 4);
	return n;
}

static bool read_bootp(const struct bootp *b, size_t len, struct offer *ret)
{
	if (len < BOOTP_FIXED || b->op != 2 || b->xid != me.xid ||
	    memcmp(b->chaddr, me.mac, ETH_ALEN))
		return false;
	*ret = (struct offer){
		.type = bootp_type(b, len),
		.addr = b->yiaddr,
		.server = number(b, len, 54),
		.router = number(b, len, 3),
		.mask = number(b, len, 1),
		.lease_s = ntohl(number(b, len, 51)),
		.t1_s = ntohl(number(b, len, 58)),
		.t2_s = ntohl(number(b, len, 59)),
	};
	if (!ret->t1_s)
		ret->t1_s = ret->lease_s / 2;
	if (!ret->t2_s)
		ret->t2_s = ret->lease_s * 7LL / 8;
	return ret->type == OFFER || ret->type == ACK || ret->type == NAK;
}

/* --- by AF_PACKET
 * -------------------------------------------------------------------------------------------- */

static int open_raw(const char *device)
{
	struct sockaddr_ll sll = {.sll_family = AF_PACKET,
	                          .sll_protocol = htons(ETH_P_IP),
	                          .sll_ifindex = if_nametoindex(device)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sll, sizeof(sll)) < 0)
		die(device);
	return fd;
}

static void send_raw(const char *device, const uint8_t *to, uint32_t src, uint32_t dst,
                     const struct bootp *b)
{
	struct {
		struct ether_header eth;
		struct packet p;
	} __attribute__((packed)) f = {.eth.ether_type = htons(ETHERTYPE_IP)};
	struct packet p = {.ip = {.version = 4,
	                          .ihl = 5,
	                          .tot_len = htons(sizeof(p)),
	                          .ttl = 64,
	                          .protocol = IPPROTO_UDP,
	                          .saddr = src,
	                          .daddr = dst},
	                   .udp.source = htons(68),
	                   .udp.dest = htons(67),
	                   .udp.len = htons(sizeof(p) - sizeof(p.ip)),
	                   .b = *b};
	uint16_t udp_len = sizeof(p) - sizeof(p.ip);
	int fd = open_raw(device);

	p.ip.check = ~bootp_sum(0, &p.ip, sizeof(p.ip));
	p.udp.check = ~bootp_sum(bootp_pseudo_sum(src, dst, udp_len), &p.udp, udp_len);
	memcpy(f.eth.ether_dhost, to, ETH_ALEN);
	memcpy(f.eth.ether_shost, me.mac, ETH_ALEN);
	f.p = p;
	if (write(fd, &f, sizeof(f)) < 0)
		perror(device);
	close(fd);
}

static void broadcast(enum type type, const struct offer *selected, uint32_t ciaddr)
{
	static const uint8_t all[ETH_ALEN] = {255, 255, 255, 255, 255, 255};
	struct bootp b;

	write_bootp(&b, type, selected, ciaddr);
	send_raw(me.device, all, ciaddr, INADDR_BROADCAST, &b);
}

static bool receive_raw(int fd, struct offer *ret)
{
	struct {
		uint8_t pad[2];
		struct ether_header eth;
		struct packet p;
		uint8_t rest[1200];
	} __attribute__((aligned(8))) f;
	ssize_t n = recv(fd, &f.eth, sizeof(f) - sizeof(f.pad), MSG_DONTWAIT);
	ssize_t head = sizeof(f.eth) + sizeof(f.p.ip) + sizeof(f.p.udp);

	if (n < head || f.p.ip.ihl != 5 || f.p.ip.protocol != IPPROTO_UDP ||
	    f.p.udp.dest != htons(68) || !read_bootp(&f.p.b, n - head, ret))
		return false;
	memcpy(ret->from, f.eth.ether_shost, ETH_ALEN);
	return true;
}

/* --- by the kernel's UDP
 * ------------------------------------------------------------------------------------- */

static int open_listener(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(68)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, me.device, strlen(me.device)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		die("listen");
	return fd;
}

static bool receive_udp(int fd, struct offer *ret)
{
	struct bootp b;
	ssize_t n = recv(fd, &b, sizeof(b), MSG_DONTWAIT);

	return n > 0 && read_bootp(&b, n, ret);
}

static void renew_udp(const struct bootp *b)
{
	struct sockaddr_in own = {.sin_family = AF_INET,
	                          .sin_port = htons(68),
	                          .sin_addr = {lease.addr}},
			   server = {.sin_family = AF_INET,
	                             .sin_port = htons(67),
	                             .sin_addr = {lease.server}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0 ||
	    connect(fd, (struct sockaddr *)&server, sizeof(server)) < 0 ||
	    write(fd, b, sizeof(*b)) < 0)
		perror("renew");
	close(fd);
}

/* --- the states of RFC 2131, 4.4
 * ----------------------------------------------------------------------------- */

static bool await(int fd, bool (*receive)(int, struct offer *), int64_t until_ms, enum type type,
                  struct offer *ret)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct offer o;
	int64_t left;

	while ((left = until_ms - now_ms()) > 0) {
		if (poll(&p, 1, left) > 0 && receive(fd, &o) && (o.type == type || o.type == NAK)) {
			*ret = o;
			return true;
		}
	}
	return false;
}

static void taken(const struct offer *ack, const char *event)
{
	lease = *ack;
	acked = now_ms() / 1000;
	run_script(event);
}

static void init(void)
{
	struct offer offer, ack;
	int fd;

	lease = (struct offer){};
	run_script("deconfig");
	fd = open_raw(me.device);
	while (!lease.addr) {
		getrandom(&me.xid, sizeof(me.xid), 0);
		broadcast(DISCOVER, NULL, 0);
		if (!await(fd, receive_raw, now_ms() + DISCOVER_MS, OFFER, &offer))
			continue;
		broadcast(REQUEST, &offer, 0);
		if (await(fd, receive_raw, now_ms() + DISCOVER_MS, ACK, &ack) && ack.type == ACK)
			taken(&ack, "bound");
	}
	close(fd);
}

static void ask(bool rebinding)
{
	struct bootp b;

	getrandom(&me.xid, sizeof(me.xid), 0);
	write_bootp(&b, REQUEST, NULL, lease.addr);
	if (rebinding)
		broadcast(REQUEST, NULL, lease.addr);
	else if (me.by)
		send_raw(me.by, lease.from, lease.addr, lease.server, &b);
	else
		renew_udp(&b);
}

/* One attempt; false: no answer. */
static bool renew(bool rebinding)
{
	uint8_t from[ETH_ALEN];
	struct offer ack;
	bool answered;
	int fd = me.by ? open_raw(me.device) : open_listener();

	memcpy(from, lease.from, ETH_ALEN);
	ask(rebinding);
	answered = await(fd, me.by ? receive_raw : receive_udp, now_ms() + ANSWER_MS, ACK, &ack);
	close(fd);
	if (!answered)
		return false;
	if (ack.type == NAK) {
		run_script("nak");
		lease.addr = 0;
		return true;
	}
	if (!me.by)
		memcpy(ack.from, from, ETH_ALEN);
	taken(&ack, "renew");
	return true;
}

static void sleep_until(time_t s)
{
	int64_t left = s * 1000LL - now_ms();

	if (left > 0)
		poll(NULL, 0, left);
}

/* Renews at T1, tries again after half of the time that is left (4.4.5), until an answer or the
 * end. */
static void bound(void)
{
	time_t end = acked + lease.lease_s, t2 = acked + lease.t2_s, at = acked + lease.t1_s, now,
	       left;

	for (;;) {
		sleep_until(at);
		now = now_ms() / 1000;
		if (now >= end) {
			lease.addr = 0;
			return;
		}
		if (renew(now >= t2))
			return;
		now = now_ms() / 1000;
		left = ((now < t2 ? t2 : end) - now) / 2;
		at = now + (left > RETRY_MIN_S ? left : RETRY_MIN_S);
		if (now < t2 && at > t2)
			at = t2;
	}
}

int main(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "x:")) == 'x')
		me.by = optarg;
	if (o != -1 || argc - optind != 2) {
		fprintf(stderr, "usage: renewer [-x DEVICE] WAN SCRIPT\n");
		return 2;
	}
	setlinebuf(stdout);
	me.device = argv[optind];
	me.script = argv[optind + 1];
	find_device();
	for (;;) {
		if (!lease.addr)
			init();
		bound();
	}
}
