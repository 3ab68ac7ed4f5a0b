/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * knock [OPTION]... DST PORT: new TCP connections to an echod at a steady rate, until SIGTERM, then until
 * all have ended.  One line for each when it ends: "BEGAN US RESULT".  BEGAN is in µs since 1970; US the µs until echod's greeting
 * was there; RESULT the address that echod saw, or "!", what went wrong ("ETIMEDOUT" after -t ms), "/" and our port.
 *   -r N  connections a second (200)    -t MS  time-out (5000)    -s SRC  source address
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "seen.h"
#include "tool.h"

#define MAX_OPEN 16384

struct try {
	int fd; /* -1: ended */
	int64_t began_us, began_wall_us;
};

static struct {
	int rate, timeout_ms;
	struct sockaddr_in dst, src;
} opt = { .rate = 200, .timeout_ms = 5000 };

static struct try tries[MAX_OPEN]; /* a ring, in the order in which they began */
static size_t first, next;
static int ep;

static void end(struct try *t, const char *result)
{
	struct linger reset = { .l_onoff = 1 };

	printf("%lld %lld %s\n", (long long)t->began_wall_us,
	       (long long)(clock_us(CLOCK_MONOTONIC) - t->began_us), result);
	setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(t->fd);
	t->fd = -1;
}

static void fail(struct try *t, int error)
{
	const char *name = strerrorname_np(error);
	struct sockaddr_in own = { 0 };
	socklen_t len = sizeof(own);
	char text[48];

	getsockname(t->fd, (struct sockaddr *)&own, &len);
	snprintf(text, sizeof(text), "!%s/%u", name ? name : "unknown", ntohs(own.sin_port));
	end(t, text);
}

static void begin(void)
{
	struct try *t = &tries[next % MAX_OPEN];
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = t };

	if (next - first == MAX_OPEN)
		die("too many connections");
	next++;
	t->began_us = clock_us(CLOCK_MONOTONIC);
	t->began_wall_us = clock_us(CLOCK_REALTIME);
	t->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd < 0)
		die("socket");
	if (opt.src.sin_family && bind(t->fd, (struct sockaddr *)&opt.src, sizeof(opt.src)) < 0)
		die("bind");
	if (connect(t->fd, (struct sockaddr *)&opt.dst, sizeof(opt.dst)) < 0 && errno != EINPROGRESS)
		fail(t, errno);
	else if (epoll_ctl(ep, EPOLL_CTL_ADD, t->fd, &ev) < 0)
		die("epoll_ctl");
}

static void ready(struct try *t)
{
	char seen[SEEN_LEN];
	ssize_t n = t->fd < 0 ? 0 : recv(t->fd, seen, sizeof(seen), 0);

	if (t->fd < 0 || (n < 0 && errno == EAGAIN))
		return;
	if (n == SEEN_LEN) {
		seen[SEEN_LEN - 1] = '\0';
		end(t, seen);
	} else {
		fail(t, n < 0 ? errno : ECONNRESET);
	}
}

static void expire(int64_t now)
{
	for (; first != next; first++) {
		struct try *t = &tries[first % MAX_OPEN];

		if (t->fd >= 0 && t->began_us + opt.timeout_ms * 1000LL > now)
			return;
		if (t->fd >= 0)
			fail(t, ETIMEDOUT);
	}
}

static void run(void)
{
	int64_t due = clock_us(CLOCK_MONOTONIC);

	while (!stop || first != next) {
		struct epoll_event ev[64];
		int64_t now = clock_us(CLOCK_MONOTONIC);
		int n;

		for (; due <= now && !stop; due += 1000000 / opt.rate)
			begin();
		n = epoll_wait(ep, ev, 64, stop ? 10 : (due - now + 999) / 1000);
		for (int i = 0; i < n; i++)
			ready(ev[i].data.ptr);
		expire(clock_us(CLOCK_MONOTONIC));
	}
}

static void address(struct sockaddr_in *ret, const char *text, int port)
{
	ret->sin_family = AF_INET;
	ret->sin_port = htons(port);
	if (inet_pton(AF_INET, text, &ret->sin_addr) != 1) {
		fprintf(stderr, "knock: \"%s\" is no IPv4 address\n", text);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "r:t:s:")) != -1) {
		switch (o) {
		case 'r': opt.rate = atoi(optarg); break;
		case 't': opt.timeout_ms = atoi(optarg); break;
		case 's': address(&opt.src, optarg, 0); break;
		default: return 2;
		}
	}
	if (argc - optind != 2 || opt.rate < 1 || opt.timeout_ms < 1) {
		fputs("usage: knock [-r RATE] [-t MS] [-s SRC] DST PORT\n", stderr);
		return 2;
	}
	address(&opt.dst, argv[optind], atoi(argv[optind + 1]));
	signal(SIGTERM, on_term);
	setlinebuf(stdout);
	ep = epoll_create1(EPOLL_CLOEXEC);
	if (ep < 0)
		die("epoll_create1");
	run();
	return EXIT_SUCCESS;
}
