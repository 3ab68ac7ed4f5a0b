/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic tcp|udp [OPTION]... DST[/LEN] PORT: many exchanges with an echod, and what became of them.
 *
 * Opens N connections (UDP: sockets) and makes one exchange on each, or several rounds of them.
 * Prints one line "RESULT COUNT" per distinct result of an exchange: the source address that echod
 * saw, or a "!" and what went wrong: !moved (echod sees another address or port than in the
 * first exchange), !lost (UDP without answer), !ETIMEDOUT, !EHOSTUNREACH and so on.
 *
 * Sources and destinations given as prefixes are used in turn, from the prefix' address 1 on.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "seen.h"
#include "tool.h"

#define MAX_PAYLOAD 8192

struct range {
	struct sockaddr_in6 base; /* or a sockaddr_in */
	int bits;                 /* of the host part */
};

struct conn {
	int fd; /* -1: not open yet, or closed for good */
	int index;
	bool busy, opened;
	int64_t deadline_ms;
	size_t got;
	char first[SEEN_LEN];
};

struct result {
	char name[SEEN_LEN + 8];
	unsigned long count;
};

static struct {
	bool udp, unconnected, local, hold, each;
	int conns, window, rounds, pause_ms, timeout_ms, tos, mark, source_port;
	size_t payload;
	const char *device;
	struct range dst, src;
} opt = { .conns = 100, .window = 64, .rounds = 1, .timeout_ms = 1000, .payload = 8, .tos = -1 };

static struct conn *conns;
static struct result results[1024];
static size_t n_results;
static int ep, in_flight;
static uint32_t round_no;

static int64_t now_ms(void)
{
	return clock_us(CLOCK_MONOTONIC) / 1000;
}

static void count(const char *name)
{
	size_t i;

	for (i = 0; i < n_results && strcmp(results[i].name, name); i++)
		;
	if (i == sizeof(results) / sizeof(results[0]))
		die("too many results");
	if (i == n_results) {
		snprintf(results[i].name, sizeof(results[i].name), "%s", name);
		results[i].count = 0;
		n_results++;
	}
	results[i].count++;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct result *)a)->name, ((const struct result *)b)->name);
}

static void report(void)
{
	qsort(results, n_results, sizeof(results[0]), by_name);
	for (size_t i = 0; i < n_results; i++)
		printf("%s %lu\n", results[i].name, results[i].count);
	if (opt.hold)
		puts("end");
	fflush(stdout);
	n_results = 0;
}

static void range_parse(struct range *r, char *text, unsigned short port)
{
	char *slash = strchr(text, '/');
	struct sockaddr_in *v4 = (struct sockaddr_in *)&r->base;
	int width;

	if (slash)
		*slash = '\0';
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		width = 32;
	} else if (inet_pton(AF_INET6, text, &r->base.sin6_addr) == 1) {
		r->base.sin6_family = AF_INET6;
		r->base.sin6_port = htons(port);
		width = 128;
	} else {
		errno = EINVAL;
		die(text);
	}
	r->bits = slash ? width - atoi(slash + 1) : 0;
}

static struct sockaddr_in6 range_pick(const struct range *r, int index)
{
	struct sockaddr_in6 a = r->base;
	uint8_t *last4 = a.sin6_family == AF_INET ?
			 (uint8_t *)&((struct sockaddr_in *)&a)->sin_addr :
			 &a.sin6_addr.s6_addr[12];
	uint32_t word;

	if (r->bits > 1) {
		uint32_t hosts = (r->bits >= 31 ? UINT32_MAX : (1U << r->bits) - 1) - 1;

		memcpy(&word, last4, sizeof(word));
		word = htonl(ntohl(word) + 1 + index % hosts);
		memcpy(last4, &word, sizeof(word));
	}
	return a;
}

static socklen_t addr_len(const struct sockaddr_in6 *a)
{
	return a->sin6_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(*a);
}

static void note(const struct conn *c, const char *name)
{
	char src[SEEN_LEN] = "*", dst[SEEN_LEN];
	struct sockaddr_in6 a;

	count(name);
	if (!opt.each)
		return;
	a = range_pick(&opt.dst, c->index);
	inet_ntop(a.sin6_family, a.sin6_family == AF_INET ?
		  (void *)&((struct sockaddr_in *)&a)->sin_addr : (void *)&a.sin6_addr,
		  dst, sizeof(dst));
	if (opt.src.base.sin6_family) {
		a = range_pick(&opt.src, c->index);
		inet_ntop(a.sin6_family, a.sin6_family == AF_INET ?
			  (void *)&((struct sockaddr_in *)&a)->sin_addr : (void *)&a.sin6_addr,
			  src, sizeof(src));
	}
	printf("%d %s %s %s\n", c->index, src, dst, name);
}

static void conn_close(struct conn *c)
{
	struct linger reset = { .l_onoff = 1 };

	if (c->fd < 0)
		return;
	/* No TIME_WAIT: thousands of connections to one port are opened again and again. */
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(c->fd);
	c->fd = -1;
}

static void conn_finish(struct conn *c, const char *name)
{
	note(c, name);
	c->busy = false;
	in_flight--;
	if (opt.rounds == 1 && !opt.hold)
		conn_close(c);
}

static void conn_fail(struct conn *c, int error)
{
	const char *name = strerrorname_np(error);
	char text[32];

	snprintf(text, sizeof(text), "!%s", name ? name : "unknown");
	conn_finish(c, text);
	if (!opt.udp)
		conn_close(c);
}

static bool in_progress(void)
{
	return errno == EINPROGRESS || errno == EAGAIN;
}

static bool conn_open(struct conn *c)
{
	struct sockaddr_in6 dst = range_pick(&opt.dst, c->index), src;
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };
	int one = 1;

	c->opened = true;
	c->fd = socket(dst.sin6_family, (opt.udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		die("socket");
	if (!opt.udp) /* UDP sockets would share ports, and take each other's answers */
		setsockopt(c->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (opt.mark && setsockopt(c->fd, SOL_SOCKET, SO_MARK, &opt.mark, sizeof(opt.mark)) < 0)
		die("SO_MARK");
	if (opt.tos >= 0) {
		setsockopt(c->fd, IPPROTO_IP, IP_TOS, &opt.tos, sizeof(opt.tos));
		setsockopt(c->fd, IPPROTO_IPV6, IPV6_TCLASS, &opt.tos, sizeof(opt.tos));
	}
	if (opt.device &&
	    setsockopt(c->fd, SOL_SOCKET, SO_BINDTODEVICE, opt.device, strlen(opt.device)) < 0)
		die(opt.device);
	if (opt.src.base.sin6_family || opt.source_port) {
		src = opt.src.base.sin6_family ? range_pick(&opt.src, c->index) :
		      (struct sockaddr_in6){ .sin6_family = dst.sin6_family };
		if (opt.source_port) /* the same place in both families */
			src.sin6_port = htons(opt.source_port + c->index);
		setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
		if (bind(c->fd, (struct sockaddr *)&src, addr_len(&src)) < 0)
			return false;
	}
	if (!opt.unconnected &&
	    connect(c->fd, (struct sockaddr *)&dst, addr_len(&dst)) < 0 && !in_progress())
		return false;
	return epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) == 0;
}

static bool conn_send(struct conn *c)
{
	struct sockaddr_in6 dst = range_pick(&opt.dst, c->index);
	char payload[MAX_PAYLOAD] = { 0 };
	ssize_t n;

	memcpy(payload, &round_no, sizeof(round_no));
	n = opt.unconnected ? sendto(c->fd, payload, opt.payload, MSG_NOSIGNAL,
				     (struct sockaddr *)&dst, addr_len(&dst)) :
			      send(c->fd, payload, opt.payload, MSG_NOSIGNAL);
	return n == (ssize_t)opt.payload;
}

static void conn_start(struct conn *c)
{
	c->got = 0;
	c->busy = true;
	c->deadline_ms = now_ms() + opt.timeout_ms;
	in_flight++;
	if (!c->opened && !conn_open(c)) {
		conn_fail(c, errno);
		conn_close(c);
	} else if ((opt.udp || round_no) && !conn_send(c)) {
		conn_fail(c, errno);
	}
}

/* The first TCP exchange ends with echod's greeting; all others with greeting or echo complete. */
static size_t wanted(void)
{
	if (opt.udp)
		return SEEN_LEN + opt.payload;
	return round_no ? opt.payload : SEEN_LEN;
}

static void local_fill(const struct conn *c, char seen[SEEN_LEN])
{
	struct sockaddr_in6 a;
	socklen_t len = sizeof(a);

	getsockname(c->fd, (struct sockaddr *)&a, &len);
	if (a.sin6_family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *)&a)->sin_addr, seen, SEEN_LEN);
	else
		inet_ntop(AF_INET6, &a.sin6_addr, seen, SEEN_LEN);
}

static void conn_answered(struct conn *c, const char *data)
{
	char seen[SEEN_LEN], name[SEEN_LEN] = "";

	memcpy(seen, opt.udp || !round_no ? data : c->first, SEEN_LEN);
	if (!c->first[0])
		memcpy(c->first, seen, SEEN_LEN);
	if (opt.local)
		local_fill(c, name);
	else
		memcpy(name, seen, SEEN_LEN - sizeof(in_port_t));
	conn_finish(c, memcmp(c->first, seen, SEEN_LEN) ? "!moved" : name);
}

static void conn_read(struct conn *c)
{
	static char buf[SEEN_LEN + MAX_PAYLOAD];

	while (c->fd >= 0) {
		ssize_t n = recv(c->fd, buf + (opt.udp ? 0 : c->got), sizeof(buf) - c->got, 0);
		uint32_t answers;

		if (n < 0 && in_progress())
			return;
		if (n < 0 || (n == 0 && !opt.udp)) {
			if (c->busy)
				conn_fail(c, n ? errno : ECONNRESET);
			return;
		}
		if (!c->busy)
			continue; /* a late answer */
		c->got = opt.udp ? (size_t)n : c->got + n;
		if (c->got < wanted())
			continue;
		memcpy(&answers, buf + SEEN_LEN, sizeof(answers));
		if (opt.udp && answers != round_no)
			continue;
		conn_answered(c, buf);
		if (opt.rounds == 1 && !opt.hold)
			return;
	}
}

static void conn_event(struct conn *c, uint32_t events)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (c->fd < 0)
		return;
	if (events & EPOLLERR) {
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error && c->busy) {
			conn_fail(c, error);
			return;
		}
	}
	if (events & (EPOLLIN | EPOLLHUP))
		conn_read(c);
}

static void expire(int64_t now)
{
	for (int i = 0; i < opt.conns; i++) {
		struct conn *c = &conns[i];

		if (!c->busy || c->deadline_ms > now)
			continue;
		if (opt.udp)
			conn_finish(c, "!lost");
		else
			conn_fail(c, ETIMEDOUT);
	}
}

static void round_run(void)
{
	int64_t scanned = now_ms(), now;
	int next = 0;

	for (;;) {
		struct epoll_event ev[256];
		int n;

		for (; next < opt.conns && in_flight < opt.window && !stop; next++)
			if (conns[next].fd >= 0 || !conns[next].opened)
				conn_start(&conns[next]);
		if ((next == opt.conns || stop) && !in_flight)
			return;
		n = epoll_wait(ep, ev, 256, 20);
		for (int i = 0; i < n; i++)
			conn_event(ev[i].data.ptr, ev[i].events);
		now = now_ms();
		if (now - scanned >= 20) {
			scanned = now;
			expire(now);
		}
	}
}

static void rest(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

static void run(void)
{
	char line[64];

	for (round_no = 0; !stop && (opt.hold || !opt.rounds || round_no < (uint32_t)opt.rounds);
	     round_no++) {
		if (opt.hold && round_no && !fgets(line, sizeof(line), stdin))
			return;
		if (!opt.hold && round_no && opt.pause_ms)
			rest(opt.pause_ms);
		round_run();
		if (opt.hold)
			report();
	}
	if (!opt.hold)
		report();
}

static void usage(void)
{
	fputs("usage: traffic tcp|udp [OPTION]... DST[/LEN] PORT\n"
	      "  -n N     connections (100)             -w N     of them at once (64)\n"
	      "  -c N     rounds, 0: until SIGTERM (1)  -p MS    pause between rounds\n"
	      "  -s SRC[/LEN]  source addresses         -S PORT  first source port\n"
	      "  -i DEV   bind to the device            -m MARK  mark the sockets\n"
	      "  -q TOS   TOS or traffic class          -b N     payload in bytes (8)\n"
	      "  -t MS    time-out of an exchange (1000)\n"
	      "  -u       UDP: sendto without connect   -l       report the local address\n"
	      "  -v       one line per exchange         -H       a round per line on stdin\n",
	      stderr);
	exit(2);
}

static void options(int argc, char **argv)
{
	int o;

	if (argc < 2 || (strcmp(argv[1], "tcp") && strcmp(argv[1], "udp")))
		usage();
	opt.udp = !strcmp(argv[1], "udp");
	while ((o = getopt(argc - 1, argv + 1, "n:w:c:p:s:S:i:m:q:b:t:ulvH")) != -1) {
		switch (o) {
		case 'n': opt.conns = atoi(optarg); break;
		case 'w': opt.window = atoi(optarg); break;
		case 'c': opt.rounds = atoi(optarg); break;
		case 'p': opt.pause_ms = atoi(optarg); break;
		case 's': range_parse(&opt.src, optarg, 0); break;
		case 'S': opt.source_port = atoi(optarg); break;
		case 'i': opt.device = optarg; break;
		case 'm': opt.mark = strtol(optarg, NULL, 0); break;
		case 'q': opt.tos = strtol(optarg, NULL, 0); break;
		case 'b': opt.payload = atoi(optarg); break;
		case 't': opt.timeout_ms = atoi(optarg); break;
		case 'u': opt.unconnected = true; break;
		case 'l': opt.local = true; break;
		case 'v': opt.each = true; break;
		case 'H': opt.hold = true; break;
		default: usage();
		}
	}
	if (argc - 1 - optind != 2 || opt.conns < 1 || opt.window < 1 ||
	    opt.payload < sizeof(round_no) || opt.payload > MAX_PAYLOAD)
		usage();
	range_parse(&opt.dst, argv[1 + optind], atoi(argv[2 + optind]));
}

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };

	options(argc, argv);
	if (!opt.hold) /* fgets() would go on */
		signal(SIGTERM, on_term);
	setrlimit(RLIMIT_NOFILE, &files);
	ep = epoll_create1(EPOLL_CLOEXEC);
	conns = calloc(opt.conns, sizeof(*conns));
	if (ep < 0 || !conns)
		die("traffic");
	for (int i = 0; i < opt.conns; i++)
		conns[i] = (struct conn){ .fd = -1, .index = i };
	run();
	free(conns);
	return EXIT_SUCCESS;
}
