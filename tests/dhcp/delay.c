/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delay MS A B [A B...]: takes every frame that arrives at device A out of B, and the other way
 * round, MS later, until SIGTERM: a cable of some length, for kernels without netem.  What the
 * devices were to do for a frame (checksums, segmentation) goes with it.  Not an idle nicety: a
 * client may have its socket for sending still open when the answer of a server without distance
 * comes, and lose it there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_DEVICES 64
#define MAX_FRAME (sizeof(struct virtio_net_hdr) + 65536 + 64)

struct frame {
	STAILQ_ENTRY(frame) next;
	int64_t due_ns;
	int to;
	size_t len;
	uint8_t data[];
};

static STAILQ_HEAD(, frame) under_way = STAILQ_HEAD_INITIALIZER(under_way);
static int64_t delay_ns;
static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	stop = 1;
}

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int open_device(const char *name)
{
	struct sockaddr_ll sll = {.sll_family = AF_PACKET,
	                          .sll_protocol = htons(ETH_P_ALL),
	                          .sll_ifindex = if_nametoindex(name)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

	if (fd < 0 || !sll.sll_ifindex ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&sll, sizeof(sll)) < 0)
		die(name);
	return fd;
}

static void take(int from, int to)
{
	static uint8_t buf[MAX_FRAME];
	struct frame *f;
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0) {
		f = malloc(sizeof(*f) + n);
		if (!f)
			die("malloc");
		*f = (struct frame){.due_ns = now_ns() + delay_ns, .to = to, .len = n};
		memcpy(f->data, buf, n);
		STAILQ_INSERT_TAIL(&under_way, f, next);
	}
}

/* A device that is down takes nothing, as a cable that is cut. */
static void deliver(void)
{
	struct frame *f;

	while ((f = STAILQ_FIRST(&under_way)) && f->due_ns <= now_ns()) {
		STAILQ_REMOVE_HEAD(&under_way, next);
		if (write(f->to, f->data, f->len) < 0 && errno != ENETDOWN && errno != ENXIO)
			perror("write");
		free(f);
	}
}

static void await(struct pollfd *fds, int n)
{
	struct frame *f = STAILQ_FIRST(&under_way);
	int64_t left = f ? f->due_ns - now_ns() : INT64_MAX;
	struct timespec ts = {left > 0 ? left / 1000000000 : 0, left > 0 ? left % 1000000000 : 0};

	if (ppoll(fds, n, f ? &ts : NULL, NULL) < 0 && errno != EINTR)
		die("poll");
}

int main(int argc, char **argv)
{
	struct sigaction term = {.sa_handler = on_term};
	struct pollfd fds[MAX_DEVICES];
	int n = argc - 2;

	if (n < 2 || n > MAX_DEVICES || n % 2) {
		fprintf(stderr, "usage: delay MS A B [A B...]\n");
		return 2;
	}
	sigaction(SIGTERM, &term, NULL);
	delay_ns = atoi(argv[1]) * 1000000LL;
	for (int i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = open_device(argv[i + 2]), .events = POLLIN};
	while (!stop) {
		await(fds, n);
		for (int i = 0; i < n; i++)
			if (fds[i].revents)
				take(fds[i].fd, fds[i ^ 1].fd);
		deliver();
	}
	return EXIT_SUCCESS;
}
