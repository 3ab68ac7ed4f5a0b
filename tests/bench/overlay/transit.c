// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * transit [ROUNDS]: what it costs a relay of the mesh to pass a packet on, apart from the crypto:
 * CPU time of the thread that writes packets into one TUN device until they are in the queue of
 * another.  Every variant has a namespace of its own; they take turns in each round.  Then what
 * asym_ov_out takes.
 */
#include "lanes.h"
#include "packets.h"
#include "programs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 40
#define MAX_ROUNDS 101

static const struct kind kinds[] = {
	{"device", "a tc program drops the packet: writing, allocating, freeing", drop_setup},
	{"redirect", "a tc program that knows nothing but bpf_redirect()", redirect_setup},
	{"overlay", "asym_ov_in", overlay_setup},
	{"route", "ip_forward, three routes, no netfilter", route_setup},
	{"route+ct", "the same and a stateful firewall of three rules", firewall_setup},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
enum { DEVICE, REDIRECT, OVERLAY, ROUTE };

static double figure[KINDS][MAX_ROUNDS];

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ns of a packet. */
static double pass(const struct lane *l, const struct packets *p)
{
	double sum = 0, begin;

	for (int b = 0; b < BATCHES; b++) {
		begin = cpu_ns();
		for (int i = 0; i < PACKETS; i++)
			if (write(l->in, p->data[i], p->len) != (ssize_t)p->len)
				lane_die("write");
		sum += cpu_ns() - begin;
		if (lane_drain(l) != (l->kind == &kinds[DEVICE] ? 0 : PACKETS))
			lane_die(l->kind->name);
	}
	return sum / (BATCHES * PACKETS);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values, int n)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, values, (size_t)n * sizeof(*sorted));
	qsort(sorted, (size_t)n, sizeof(*sorted), compare);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* Median of the ratios within the rounds; less: what the devices take is taken off both. */
static double ratio(size_t kind, int rounds, bool less)
{
	double ratios[MAX_ROUNDS];

	for (int r = 0; r < rounds; r++) {
		double off = less ? figure[DEVICE][r] : 0;

		ratios[r] = (figure[kind][r] - off) / (figure[OVERLAY][r] - off);
	}
	return median(ratios, rounds);
}

static void report(const char *what, int rounds)
{
	printf("\n%s; CPU ns of a packet, %d rounds of %d packets, 256 flows\n", what, rounds,
	       BATCHES * PACKETS);
	printf("%-10s %7s %7s %7s %9s %17s\n", "variant", "median", "min", "max", "/overlay",
	       "without devices");
	for (size_t k = 0; k < KINDS; k++) {
		double low = 1e9, high = 0;

		for (int r = 0; r < rounds; r++) {
			low = figure[k][r] < low ? figure[k][r] : low;
			high = figure[k][r] > high ? figure[k][r] : high;
		}
		printf("%-10s %7.0f %7.0f %7.0f %9.2f", kinds[k].name, median(figure[k], rounds),
		       low, high, ratio(k, rounds, false));
		if (k != DEVICE)
			printf(" %16.2f", ratio(k, rounds, true));
		puts("");
	}
}

static void measure(struct lane *lanes, bool v6, size_t size, int rounds)
{
	struct packets *p = packets_new(v6, size);
	char what[64];

	for (size_t k = 0; k < KINDS; k++)
		pass(&lanes[k], p); /* routes and connections are there */
	for (int r = 0; r < rounds; r++)
		for (size_t k = 0; k < KINDS; k++) {
			size_t turn = (k + (size_t)r) % KINDS;

			figure[turn][r] = pass(&lanes[turn], p);
		}
	snprintf(what, sizeof(what), "IPv%d, %zu bytes", v6 ? 6 : 4, size);
	report(what, rounds);
	free(p);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 21;
	struct lane lanes[KINDS];

	if (rounds < 1 || rounds > MAX_ROUNDS || argc > 2) {
		fprintf(stderr, "usage: transit [ROUNDS], at most %d\n", MAX_ROUNDS);
		return 2;
	}
	for (size_t k = 0; k < KINDS; k++) {
		lane_open(&lanes[k], &kinds[k]);
		printf("# %-9s %s\n", kinds[k].name, kinds[k].what);
	}
	measure(lanes, false, 100, rounds);
	measure(lanes, false, 1400, rounds);
	measure(lanes, true, 100, rounds);
	programs_report();
	return 0;
}
