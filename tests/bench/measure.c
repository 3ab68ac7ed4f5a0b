// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"
#include "flowtable.h"
#include "inject.h"
#include "measure.h"
#include "user/base/defs.h"

#define UDP_STREAM_US 2100000 /* conntrack calls no UDP flow assured before 2 s are over */
#define FRESH_FLOWS 1000000 /* from here on */
#define KNOWING_PASSES 60
#define KNOWING_PAUSE_US 50000

static int pass(const struct scenario *s, const struct gateway *gw, uint32_t packets,
                struct inject_result *ret)
{
	const struct inject_run run = {.ipv6 = s->ipv6, .flows = s->flows, .packets = packets};

	return inject(gw, &run, ret);
}

/* Flows that no round and no other scenario has had: the cache remembers which it has seen. */
static int pass_fresh(const struct scenario *s, const struct row *row, struct inject_result *ret)
{
	const struct inject_run run = {.ipv6 = s->ipv6,
	                               .first = FRESH_FLOWS + row->packets,
	                               .flows = s->flows,
	                               .packets = s->packets};

	return inject(row->gw, &run, ret);
}

static bool all_known(const struct scenario *s, const struct cache_count *before,
                      const struct cache_count *now)
{
	return now->passed + now->shown - before->passed - before->shown >= 2 * s->flows * 0.998;
}

/* Until the cache has all flows; a row in which it never does will be found invalid. */
static int make_known(const struct scenario *s, const struct gateway *gw)
{
	struct cache_count before, now;
	struct inject_result result;
	int r = cache_read(&gw->maps, &before);

	for (int i = 0; !r && i < KNOWING_PASSES; i++) {
		r = pass(s, gw, s->flows, &result);
		if (!r)
			r = cache_read(&gw->maps, &now);
		if (!r && all_known(s, &before, &now))
			break;
		before = now;
		usleep(KNOWING_PAUSE_US);
	}
	return r;
}

/* Two passes before a round trip is measured: the second finds every connection seen both ways. */
static int warm(const struct scenario *s, const struct gateway *gw)
{
	struct inject_result result;
	int r = pass(s, gw, 2 * s->flows, &result);

	if (r || !gateway_has(gw, GATEWAY_CACHE))
		return r;
	usleep(UDP_STREAM_US);
	return make_known(s, gw);
}

static void add_count(struct traffic_count *sum, const struct traffic_count *c)
{
	sum->reflected += c->reflected;
	sum->translated += c->translated;
	sum->returned += c->returned;
	sum->astray += c->astray;
	for (size_t i = 0; i < TRAFFIC_DEVICES; i++)
		sum->device[i] += c->device[i];
}

static int measure_sending(const struct scenario *s, unsigned int round, struct row *row)
{
	const time_t start = time(NULL);
	struct inject_result result;
	uint64_t ns = 0, packets = 0;
	int r;

	do {
		r = s->fresh ? pass_fresh(s, row, &result) : pass(s, row->gw, s->packets, &result);
		if (r < 0)
			return r;
		ns += result.ns;
		packets += s->packets;
		add_count(&row->seen, &result.count);
	} while (s->seconds && time(NULL) - start <= s->seconds);
	row->ns[round] = (double)ns / packets;
	row->packets += packets;
	return 0;
}

static int measure_cached(const struct scenario *s, unsigned int round, struct row *row)
{
	struct cache_count before, after;
	int r = cache_read(&row->gw->maps, &before);

	if (!r)
		r = measure_sending(s, round, row);
	if (!r)
		r = cache_read(&row->gw->maps, &after);
	if (r < 0)
		return r;
	row->cached += after.passed - before.passed;
	row->shown += after.shown - before.shown;
	return 0;
}

static int measure_offloaded(const struct scenario *s, unsigned int round, struct row *row)
{
	uint64_t before, after, sent = row->packets;
	int r = flowtable_missed(&before);

	if (!r)
		r = measure_sending(s, round, row);
	if (!r)
		r = flowtable_missed(&after);
	if (r < 0)
		return r;
	row->cached += 2 * (row->packets - sent) - (after - before);
	return 0;
}

static int measure_gateway(const struct scenario *s, unsigned int round, struct row *row)
{
	if (gateway_has(row->gw, GATEWAY_CACHE))
		return measure_cached(s, round, row);
	if (gateway_has(row->gw, GATEWAY_FLOWTABLE))
		return measure_offloaded(s, round, row);
	return measure_sending(s, round, row);
}

static int measure_row(const struct scenario *s, unsigned int round, struct row *row)
{
	int r = gateway_flush(row->gw);

	if (!r)
		r = gateway_enter(row->gw);
	if (!r && !s->fresh)
		r = warm(s, row->gw);
	if (!r)
		r = measure_gateway(s, round, row);
	return r ?: gateway_flush(row->gw);
}

/* Each round starts with another variant, so that none always follows the same one's caches. */
static int measure_round(struct table *table, unsigned int round)
{
	int r = 0;

	for (size_t i = 0; !r && i < table->n; i++)
		r = measure_row(table->scenario, round, &table->rows[(i + round) % table->n]);
	return r;
}

/* The first round only warms slabs and caches: its place is overwritten, its counts are kept. */
int measure_table(struct table *table)
{
	int r = measure_round(table, 0);

	for (unsigned int round = 0; !r && round < table->rounds; round++)
		r = measure_round(table, round);
	return r;
}
