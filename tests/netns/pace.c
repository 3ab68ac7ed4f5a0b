/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traffic whose gaps are measured where it arrives.
 *
 * pace udp [OPTION]... DST PORT: datagrams to an echod at a steady rate, on N sockets in turn, until
 * -t seconds have passed or SIGTERM.  Then one line for each socket:
 *   "flow N ADDRESS sent N answered N moved N refused N longest MS from T last T"
 * the address that echod saw first, answers that echod sent to another address or port, ICMP errors,
 * the longest time without an answer and its begin, the time of the last answer.  T are seconds since 1970.
 * With -g, at once, a line for each time without an answer that is longer: "gap N MS from T".
 *
 * pace sink PORT: takes what is sent; one line for each connection that ends:
 *   "end FIN|RST bytes N longest MS from T peer ADDRESS"
 * pace send [OPTION]... DST PORT: to a sink as fast as it goes, or -m MiB/s, for -t seconds or -B MiB.  Then
 *   "end FIN|RST|ERROR bytes N": the sink's FIN came after ours; or we sent RST (-R); or it broke.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "seen.h"
#include "tool.h"

#define MAX_FLOWS 1024
#define MAX_PAYLOAD 65000
#define SETTLE_US 300000 /* for the last answers */
#define CHUNK (1 << 20)

struct flow {
	int fd;
	char first[SEEN_LEN];
	unsigned long sent, answered, moved, refused;
	int64_t last_us, longest_us, from_us; /* 0: no answer yet */
};

static struct {
	int flows, rate, seconds, discover, gap_ms;
	size_t payload, more;
	const char *source;
	unsigned long steady;
	unsigned long mib, mib_s;
	bool reset;
} opt = { .flows = 1, .rate = 1000, .payload = 64, .discover = -1 };

static struct flow flows[MAX_FLOWS];

static int64_t now_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

static socklen_t address(const char *text, const char *port, struct sockaddr_in6 *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	ret->sin6_port = htons(atoi(port));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		ret->sin6_family = AF_INET;
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &ret->sin6_addr) != 1) {
		errno = EINVAL;
		die(text);
	}
	ret->sin6_family = AF_INET6;
	return sizeof(*ret);
}

static int connected(int type, const char *dst, const char *port)
{
	struct sockaddr_in6 a;
	socklen_t len = address(dst, port, &a);
	int fd = socket(a.sin6_family, type, 0), room = 4 << 20;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (opt.discover >= 0) {
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &opt.discover, sizeof(opt.discover));
		if (a.sin6_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &opt.discover,
				   sizeof(opt.discover));
	}
	if (opt.mib_s) {
		unsigned long rate = opt.mib_s << 20;

		setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate));
	}
	if (opt.source) {
		struct sockaddr_in6 from;

		len = address(opt.source, "0", &from);
		if (bind(fd, (struct sockaddr *)&from, len) < 0)
			die(opt.source);
	}
	if (connect(fd, (struct sockaddr *)&a, len) < 0)
		die("connect");
	return fd;
}

static void gap(int64_t now, int64_t *last, int64_t *longest, int64_t *from)
{
	if (*last && now - *last > *longest) {
		*longest = now - *last;
		*from = *last;
	}
	*last = now;
}

/* --- udp ---------------------------------------------------------------------------------------- */

static void flow_receive(struct flow *f)
{
	static char buf[SEEN_LEN + MAX_PAYLOAD];
	ssize_t n;

	while ((n = recv(f->fd, buf, sizeof(buf), MSG_DONTWAIT)) >= 0 || errno != EAGAIN) {
		int64_t now = now_us();

		if (n < SEEN_LEN) {
			f->refused++;
			continue;
		}
		if (!f->answered++)
			memcpy(f->first, buf, SEEN_LEN);
		f->moved += memcmp(f->first, buf, SEEN_LEN) != 0;
		if (opt.gap_ms && f->last_us && now - f->last_us > opt.gap_ms * 1000LL) {
			printf("gap %ld %ld from %.3f\n", (long)(f - flows),
			       (long)(now - f->last_us) / 1000, f->last_us / 1e6);
			fflush(stdout);
		}
		gap(now, &f->last_us, &f->longest_us, &f->from_us);
	}
}

static size_t flow_size(const struct flow *f)
{
	if (!opt.more)
		return opt.payload;
	return opt.payload + (opt.steady ? f->sent / opt.steady : (unsigned long)rand()) % (opt.more + 1);
}

/* The error of a datagram before is reported with the next one, which is then sent again. */
static void flow_send(struct flow *f)
{
	static char payload[MAX_PAYLOAD];
	size_t size = flow_size(f);

	for (int i = 0; i < 2; i++) {
		if (send(f->fd, payload, size, MSG_DONTWAIT) == (ssize_t)size) {
			f->sent++;
			return;
		}
		f->refused++;
	}
}

static void flow_report(int n, const struct flow *f)
{
	printf("flow %d %.*s sent %lu answered %lu moved %lu refused %lu longest %ld from %.3f last %.3f\n",
	       n, SEEN_LEN - 2, f->first[0] ? f->first : "-", f->sent, f->answered, f->moved, f->refused,
	       (long)(f->longest_us / 1000), f->from_us / 1e6, f->last_us / 1e6);
}

static void receive_until(int64_t end_us)
{
	struct pollfd p[MAX_FLOWS];
	int64_t left;

	for (int i = 0; i < opt.flows; i++)
		p[i] = (struct pollfd){ .fd = flows[i].fd, .events = POLLIN };
	while ((left = end_us - clock_us(CLOCK_MONOTONIC)) > 0) {
		struct timespec ts = { left / 1000000, left % 1000000 * 1000 };

		if (ppoll(p, opt.flows, &ts, NULL) <= 0)
			continue;
		for (int i = 0; i < opt.flows; i++)
			if (p[i].revents)
				flow_receive(&flows[i]);
	}
}

static void udp(const char *dst, const char *port)
{
	struct sched_param first = { .sched_priority = 1 };
	int64_t begin, due, step = 1000000 / opt.rate;

	/* The machine's other work is no gap. */
	sched_setscheduler(0, SCHED_FIFO, &first);
	for (int i = 0; i < opt.flows; i++)
		flows[i].fd = connected(SOCK_DGRAM, dst, port);
	begin = due = clock_us(CLOCK_MONOTONIC);
	for (int i = 0; !stop && (!opt.seconds || due < begin + opt.seconds * 1000000LL); i++) {
		flow_send(&flows[i % opt.flows]);
		due += step;
		receive_until(due);
	}
	receive_until(clock_us(CLOCK_MONOTONIC) + SETTLE_US);
	for (int i = 0; i < opt.flows; i++)
		flow_report(i, &flows[i]);
}

/* --- tcp ---------------------------------------------------------------------------------------- */

static void sink_drain(int fd, const struct sockaddr_in6 *peer)
{
	int64_t last = 0, longest = 0, from = 0;
	char text[INET6_ADDRSTRLEN];
	unsigned long bytes = 0;
	ssize_t n;

	while ((n = recv(fd, NULL, CHUNK, MSG_TRUNC)) > 0) {
		bytes += n;
		gap(now_us(), &last, &longest, &from);
	}
	inet_ntop(AF_INET6, &peer->sin6_addr, text, sizeof(text));
	printf("end %s bytes %lu longest %ld from %.3f peer %s\n", n ? "RST" : "FIN", bytes,
	       (long)(longest / 1000), from / 1e6, text);
	fflush(stdout);
}

static void sink(const char *port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(port)) }, peer;
	int fd = socket(AF_INET6, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, 64) < 0)
		die("sink");
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		socklen_t len = sizeof(peer);
		int conn = accept(fd, (struct sockaddr *)&peer, &len);

		if (conn >= 0 && !fork()) {
			close(fd);
			sink_drain(conn, &peer);
			exit(EXIT_SUCCESS);
		}
		close(conn);
	}
}

/* From a file in memory: nothing is copied, so that gigabytes go in seconds. */
static unsigned long push(int fd, int file)
{
	int64_t end = clock_us(CLOCK_MONOTONIC) + opt.seconds * 1000000LL;
	unsigned long bytes = 0;

	while (!stop && (!opt.seconds || clock_us(CLOCK_MONOTONIC) < end) &&
	       (!opt.mib || bytes < opt.mib << 20)) {
		off_t start = 0;
		ssize_t n = sendfile(fd, file, &start, CHUNK);

		if (n < 0 && errno != EINTR)
			break;
		bytes += n > 0 ? n : 0;
	}
	return bytes;
}

static const char *finish(int fd)
{
	struct linger reset = { .l_onoff = 1 };
	struct timeval patience = { .tv_sec = 10 };
	char c;

	if (opt.reset) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		return "RST";
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (shutdown(fd, SHUT_WR) < 0)
		return strerrorname_np(errno);
	return recv(fd, &c, 1, 0) ? strerrorname_np(errno) : "FIN";
}

static void bulk(const char *dst, const char *port)
{
	int fd = connected(SOCK_STREAM, dst, port), file = memfd_create("pace", MFD_CLOEXEC);
	unsigned long bytes;

	if (file < 0 || ftruncate(file, CHUNK) < 0)
		die("memfd_create");
	bytes = push(fd, file);
	printf("end %s bytes %lu\n", finish(fd), bytes);
}

static void usage(void)
{
	fputs("usage: pace udp|send [OPTION]... DST PORT | pace sink PORT\n"
	      "  -t S   seconds, 0: until SIGTERM (0)\n"
	      "  -n N   udp: sockets (1)            -r N  udp: datagrams per second, of all of them (1000)\n"
	      "  -b N   udp: payload (64)           -x N  udp: and up to so many bytes more, at random\n"
	      "  -d     with DF                     -D    without DF\n"
	      "  -u N   udp: with -x, a byte more after each N instead of at random\n"
	      "  -g MS  udp: tell of longer gaps    -s SRC  source address\n"
	      "  -B N   send: MiB                   -m N  send: MiB per second\n"
	      "  -R     send: end with RST\n",
	      stderr);
	exit(2);
}

static void options(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "n:r:b:x:u:t:s:g:B:m:RdD")) != -1) {
		switch (o) {
		case 'n': opt.flows = atoi(optarg); break;
		case 'r': opt.rate = atoi(optarg); break;
		case 'b': opt.payload = atoi(optarg); break;
		case 'x': opt.more = atoi(optarg); break;
		case 'u': opt.steady = atoi(optarg); break;
		case 't': opt.seconds = atoi(optarg); break;
		case 's': opt.source = optarg; break;
		case 'g': opt.gap_ms = atoi(optarg); break;
		case 'B': opt.mib = atoi(optarg); break;
		case 'm': opt.mib_s = atoi(optarg); break;
		case 'R': opt.reset = true; break;
		case 'd': opt.discover = IP_PMTUDISC_DO; break;
		case 'D': opt.discover = IP_PMTUDISC_DONT; break;
		default: usage();
		}
	}
	if (opt.flows < 1 || opt.flows > MAX_FLOWS || opt.rate < 1 ||
	    opt.payload + opt.more > MAX_PAYLOAD)
		usage();
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	struct sigaction term = { .sa_handler = on_term };

	if (argc > 1)
		options(argc - 1, argv + 1);
	argv += 1 + optind;
	argc -= 1 + optind;
	if (!strcmp(verb, "sink") && argc == 1)
		sink(argv[0]);
	if (argc != 2)
		usage();
	sigaction(SIGTERM, &term, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(verb, "udp"))
		udp(argv[0], argv[1]);
	else if (!strcmp(verb, "send"))
		bulk(argv[0], argv[1]);
	else
		usage();
	return EXIT_SUCCESS;
}
