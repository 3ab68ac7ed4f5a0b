/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * line NS1 DEV1 NS2 DEV2 FILE: a line between two TUN devices, with a delay, jitter, loss and rate
 *of its own in each direction.  FILE has two lines, of what goes from 1 to 2 and from 2 to 1:
 *
 *	DELAY_MS JITTER_MS LOSS_PERCENT KBIT BYTES
 *
 * KBIT 0: as fast as it goes; BYTES: what may wait for a rate.  It is read at the beginning and at
 * SIGHUP.  Packets keep their order.  The devices go when the program ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool.h"
#include "tun.h"

#define PACKETS 16384
#define SIZE 2048

struct packet {
	int64_t due_us;
	size_t len;
	char data[SIZE];
};

struct direction {
	double delay_ms, jitter_ms, loss;
	long kbit, limit;
	struct packet *packets; /* ring */
	size_t first, n;
	int64_t free_us; /* when the line has sent what was given to it */
	int64_t last_us; /* due time of the last packet */
};

static volatile sig_atomic_t again = 1;

static void on_hup(int sig)
{
	again = 1;
}

static void read_file(const char *path, struct direction d[2])
{
	FILE *f = fopen(path, "re");

	if (!f)
		die(path);
	for (int i = 0; i < 2; i++)
		if (fscanf(f, "%lf %lf %lf %ld %ld", &d[i].delay_ms, &d[i].jitter_ms, &d[i].loss,
		           &d[i].kbit, &d[i].limit) != 5)
			die(path);
	fclose(f);
}

/* When it will have been sent; -1: there is no room for it. */
static int64_t serialize(struct direction *d, size_t len, int64_t now_us)
{
	int64_t start_us = d->free_us > now_us ? d->free_us : now_us;

	if (!d->kbit)
		return now_us;
	if ((start_us - now_us) * d->kbit / 8000 > d->limit)
		return -1;
	d->free_us = start_us + (int64_t)len * 8000 / d->kbit;
	return d->free_us;
}

static void enqueue(struct direction *d, const char *data, size_t len, int64_t now_us)
{
	struct packet *p = &d->packets[(d->first + d->n) % PACKETS];
	int64_t sent_us;

	if (d->n == PACKETS || drand48() * 100 < d->loss)
		return;
	sent_us = serialize(d, len, now_us);
	if (sent_us < 0)
		return;
	p->due_us = sent_us + (int64_t)((d->delay_ms + d->jitter_ms * drand48()) * 1000);
	if (p->due_us < d->last_us)
		p->due_us = d->last_us;
	d->last_us = p->due_us;
	p->len = len;
	memcpy(p->data, data, len);
	d->n++;
}

static void take_in(struct direction *d, int fd)
{
	char data[SIZE];
	ssize_t len;

	while ((len = read(fd, data, sizeof(data))) > 0)
		enqueue(d, data, len, clock_us(CLOCK_MONOTONIC));
}

/* Returns when the next one is due, or INT64_MAX. */
static int64_t give_out(struct direction *d, int fd)
{
	while (d->n) {
		struct packet *p = &d->packets[d->first];

		if (p->due_us > clock_us(CLOCK_MONOTONIC))
			return p->due_us;
		if (write(fd, p->data, p->len) < 0 && errno == EAGAIN)
			return p->due_us;
		d->first = (d->first + 1) % PACKETS;
		d->n--;
	}
	return INT64_MAX;
}

static void wait_until(struct pollfd fds[2], int64_t due_us)
{
	int64_t left_us = due_us - clock_us(CLOCK_MONOTONIC);
	struct timespec ts = {.tv_sec = 1};

	if (left_us < 1000000)
		ts = (struct timespec){.tv_nsec = left_us > 0 ? left_us * 1000 : 0};
	ppoll(fds, 2, &ts, NULL);
}

int main(int argc, char **argv)
{
	struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};
	struct direction d[2] = {};

	if (argc != 6) {
		fputs("usage: line NS1 DEV1 NS2 DEV2 FILE\n", stderr);
		return 2;
	}
	signal(SIGHUP, on_hup);
	signal(SIGTERM, on_term);
	for (int i = 0; i < 2; i++) {
		fds[i].fd = tun_open(argv[1 + 2 * i], argv[2 + 2 * i]);
		d[i].packets = calloc(PACKETS, sizeof(*d[i].packets));
		if (!d[i].packets)
			die("memory");
	}
	while (!stop) {
		int64_t due_us[2];

		if (again) {
			again = 0;
			read_file(argv[5], d);
		}
		for (int i = 0; i < 2; i++) {
			take_in(&d[i], fds[i].fd);
			due_us[i] = give_out(&d[i], fds[1 - i].fd);
		}
		wait_until(fds, due_us[0] < due_us[1] ? due_us[0] : due_us[1]);
	}
	return EXIT_SUCCESS;
}
