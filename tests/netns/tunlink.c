/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunlink NS1 DEV1 NS2 DEV2 [MS MS]: a cable between two TUN devices, so that the lab has links
 * without MAC addresses (as PPP and WireGuard are), with so much delay there and back.  The devices
 * go when the program ends.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

struct packet {
	struct packet *next;
	uint64_t due_ns;
	size_t len;
	char data[];
};

/* One direction. */
struct line {
	int from, to;
	uint64_t delay_ns;
	struct packet *first, **last;
};

#include "tool.h"
#include "tun.h"

/* The other end was down. */
static unsigned int lost;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void keep(struct line *l, const char *data, size_t len)
{
	struct packet *p = malloc(sizeof(*p) + len);

	if (!p)
		die("memory");
	*p = (struct packet){.due_ns = now() + l->delay_ns, .len = len};
	memcpy(p->data, data, len);
	*l->last = p;
	l->last = &p->next;
}

static void pump(struct line *l)
{
	char packet[65536];
	ssize_t n;

	while ((n = read(l->from, packet, sizeof(packet))) > 0) {
		if (l->delay_ns)
			keep(l, packet, (size_t)n);
		else
			lost += write(l->to, packet, (size_t)n) < 0;
	}
}

/* Lets go what is due; when the next one is, UINT64_MAX: never. */
static uint64_t release(struct line *l)
{
	struct packet *p;

	while ((p = l->first) && p->due_ns <= now()) {
		lost += write(l->to, p->data, p->len) < 0;
		l->first = p->next;
		if (!l->first)
			l->last = &l->first;
		free(p);
	}
	return p ? p->due_ns : UINT64_MAX;
}

/* Until the earlier of two moments; NULL: for ever. */
static const struct timespec *until(uint64_t a, uint64_t b, struct timespec *t)
{
	uint64_t at = a < b ? a : b, n = now(), ns = at > n ? at - n : 0;

	t->tv_sec = (time_t)(ns / 1000000000);
	t->tv_nsec = (long)(ns % 1000000000);
	return at == UINT64_MAX ? NULL : t;
}

int main(int argc, char **argv)
{
	struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};
	struct line there = {.last = &there.first}, back = {.last = &back.first};
	struct timespec t;

	if (argc != 5 && argc != 7) {
		fputs("usage: tunlink NS1 DEV1 NS2 DEV2 [MS MS]\n", stderr);
		return 2;
	}
	there.from = back.to = fds[0].fd = tun_open(argv[1], argv[2]);
	back.from = there.to = fds[1].fd = tun_open(argv[3], argv[4]);
	there.delay_ns = argc == 7 ? 1000000ull * (unsigned int)atoi(argv[5]) : 0;
	back.delay_ns = argc == 7 ? 1000000ull * (unsigned int)atoi(argv[6]) : 0;
	while (ppoll(fds, 2, until(release(&there), release(&back), &t), NULL) >= 0) {
		pump(&there);
		pump(&back);
	}
	return EXIT_SUCCESS;
}
