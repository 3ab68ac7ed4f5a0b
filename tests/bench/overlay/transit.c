// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * transit [ROUNDS]: what it costs a relay of the mesh to pass a packet on, apart from the crypto:
 * CPU time of the thread that writes packets into one TUN device until they are in the queue of
 * another.  Every variant has a namespace of its own; they take turns in each round.  Then what
 * asym_ov_out adds to a packet of the node's own, and takes by itself.
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

static const struct kind relays[] = {
	{"device", "a tc program drops the packet: writing, allocating, freeing", drop_setup, true},
	{"redirect", "a tc program that knows nothing but bpf_redirect()", redirect_setup, false},
	{"overlay", "asym_ov_in", overlay_setup, false},
	{"route", "ip_forward, three routes, no netfilter", route_setup, false},
	{"route+ct", "the same and a stateful firewall of three rules", firewall_setup, false},
};

static const struct kind senders[] = {
	{"plain", "a socket of the node's own, a route by the tunnel", plain_setup, false},
	{"one way", "likewise by the overlay device and asym_ov_out", one_way_setup, false},
	{"two ways", "the same, and the flow decides", two_ways_setup, false},
};

#define MAX_KINDS 5

/* Variants that are compared with one of them. */
struct contest {
	const char *what;
	const struct kind *kinds;
	size_t n, base;
	bool devices; /* the first variant is what the devices take */
	struct lane lanes[MAX_KINDS];
};

static double figure[MAX_KINDS][MAX_ROUNDS];

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
			if (write(l->in, p->data[i] + l->skip, p->len - l->skip) < 0)
				lane_die("write");
		sum += cpu_ns() - begin;
		if (lane_drain(l) != (l->kind->drops ? 0 : PACKETS))
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
static double ratio(size_t kind, size_t base, int rounds, bool less)
{
	double ratios[MAX_ROUNDS];

	for (int r = 0; r < rounds; r++) {
		double off = less ? figure[0][r] : 0;

		ratios[r] = (figure[kind][r] - off) / (figure[base][r] - off);
	}
	return median(ratios, rounds);
}

static void report_variant(const struct contest *c, size_t k, int rounds)
{
	double low = 1e9, high = 0;

	for (int r = 0; r < rounds; r++) {
		low = figure[k][r] < low ? figure[k][r] : low;
		high = figure[k][r] > high ? figure[k][r] : high;
	}
	printf("%-10s %7.0f %7.0f %7.0f %9.2f", c->kinds[k].name, median(figure[k], rounds), low,
	       high, ratio(k, c->base, rounds, false));
	if (c->devices && k)
		printf(" %16.2f", ratio(k, c->base, rounds, true));
	puts("");
}

static void report(const struct contest *c, bool v6, size_t size, int rounds)
{
	printf("\n%s, IPv%d, %zu bytes; CPU ns of a packet, %d rounds of %d packets\n", c->what,
	       v6 ? 6 : 4, size, rounds, BATCHES * PACKETS);
	printf("%-10s %7s %7s %7s %1s%-8s%s\n", "variant", "median", "min", "max", "/",
	       c->kinds[c->base].name, c->devices ? "  without devices" : "");
	for (size_t k = 0; k < c->n; k++)
		report_variant(c, k, rounds);
}

static void measure(struct contest *c, bool v6, size_t size, int rounds)
{
	struct packets *p = packets_new(v6, size);

	for (size_t k = 0; k < c->n; k++)
		pass(&c->lanes[k], p); /* routes and connections are there */
	for (int r = 0; r < rounds; r++)
		for (size_t k = 0; k < c->n; k++) {
			size_t turn = (k + (size_t)r) % c->n;

			figure[turn][r] = pass(&c->lanes[turn], p);
		}
	report(c, v6, size, rounds);
	free(p);
}

static void contest_open(struct contest *c)
{
	for (size_t k = 0; k < c->n; k++) {
		lane_open(&c->lanes[k], &c->kinds[k]);
		printf("# %-9s %s\n", c->kinds[k].name, c->kinds[k].what);
	}
}

int main(int argc, char **argv)
{
	static struct contest relay = {"relay", relays, 5, 2, true, {}};
	static struct contest sender = {"sender", senders, 3, 0, false, {}};
	int rounds = argc > 1 ? atoi(argv[1]) : 21;

	if (rounds < 1 || rounds > MAX_ROUNDS || argc > 2) {
		fprintf(stderr, "usage: transit [ROUNDS], at most %d\n", MAX_ROUNDS);
		return 2;
	}
	contest_open(&relay);
	contest_open(&sender);
	measure(&relay, false, 100, rounds);
	measure(&relay, false, 1400, rounds);
	measure(&relay, true, 100, rounds);
	measure(&sender, false, 100, rounds);
	programs_report();
	return 0;
}
