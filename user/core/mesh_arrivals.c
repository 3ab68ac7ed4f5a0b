// SPDX-License-Identifier: GPL-2.0-or-later
/* What comes by each way of a direction, at its receiver. */
#include "base/defs.h"
#include "core/mesh_choice.h"

#define WINDOW_MS 2000
#define WINDOW_PROBES 20
#define NS_PER_MS 1000000ull
/* More than a way of heavy loss drops in a row: an outage, which is no loss but a death. */
#define OUTAGE 10
#define LATE 64 /* sequence numbers, bits of what was seen; what is later is of no use */

void choice_arrivals_init(struct choice_arrivals *a, uint32_t probe_ms)
{
	uint64_t window_ms = MAX((uint64_t)WINDOW_MS, (uint64_t)WINDOW_PROBES * probe_ms);

	*a = (struct choice_arrivals){.bucket_ns = window_ms * NS_PER_MS / CHOICE_BUCKETS,
	                              .full = window_ms / MAX(probe_ms, 1u)};
}

static void clear(struct choice_arrivals *a, uint64_t number)
{
	for (size_t i = 0; i < MESH_MAX_PATHS; i++)
		a->ways[i].buckets[number % CHOICE_BUCKETS] =
			(struct choice_bucket){.min_ns = INT64_MAX};
}

/* Empties what has left the window. */
static void roll(struct choice_arrivals *a, uint64_t now_ns)
{
	uint64_t number = now_ns / a->bucket_ns;
	uint64_t first = a->newest + 1;

	if (number + 1 == first)
		return;
	if (number < first || number - first >= CHOICE_BUCKETS)
		first = number - CHOICE_BUCKETS + 1;
	for (; first <= number; first++)
		clear(a, first);
	a->newest = number;
}

static void count(struct choice_bucket *b, int32_t step, int64_t delay_ns)
{
	b->got++;
	if (step > 0)
		b->expected += step > OUTAGE ? 1 : (uint32_t)step;
	b->min_ns = MIN(b->min_ns, delay_ns);
}

bool choice_is_old(const struct choice_arrivals *a, uint8_t way, uint32_t seq)
{
	const struct choice_arrival *w = &a->ways[way % MESH_MAX_PATHS];
	int64_t step = (int32_t)(seq - w->seq);

	if (!w->last_ns || step > 0)
		return false;
	return -step >= LATE || w->seen >> -step & 1;
}

static void note(struct choice_arrival *w, uint32_t seq, uint64_t now_ns)
{
	int32_t step = (int32_t)(seq - w->seq);

	if (!w->last_ns || step >= LATE)
		w->seen = 1;
	else if (step > 0)
		w->seen = w->seen << step | 1;
	else
		w->seen |= 1ull << -step;
	if (!w->last_ns || step > 0)
		w->seq = seq;
	w->last_ns = now_ns;
}

void choice_arrived(struct choice_arrivals *a, uint8_t way, uint32_t seq, uint64_t sent_ns,
                    uint64_t now_ns)
{
	struct choice_arrival *w;
	int32_t step;

	if (way >= MESH_MAX_PATHS || choice_is_old(a, way, seq))
		return;
	roll(a, now_ns);
	if (!a->any)
		a->before = seq - 1;
	a->any = true;
	w = &a->ways[way];
	/* before the first by this way we did not listen, or did not believe it */
	step = w->last_ns ? (int32_t)(seq - w->seq) : 1;
	count(&w->buckets[a->newest % CHOICE_BUCKETS], step, (int64_t)(now_ns - sent_ns));
	note(w, seq, now_ns);
}

/* Of a window that has just begun one probe would be a half. */
static uint16_t loss_of(const struct choice_arrivals *a, uint32_t got, uint32_t expected)
{
	uint64_t missing = got < expected ? expected - got : 0;
	uint32_t of = MAX(expected, a->full);

	return missing * 1000 / MAX(of, 1u);
}

void choice_report(struct choice_arrivals *a, uint8_t way, uint64_t now_ns,
                   struct choice_report *ret)
{
	const struct choice_arrival *w = &a->ways[way];
	uint32_t got = 0, expected = 0;

	roll(a, now_ns);
	*ret = (struct choice_report){.seq = a->before, .age_ms = UINT32_MAX, .min_ns = INT64_MAX};
	if (!w->last_ns)
		return;
	for (size_t i = 0; i < CHOICE_BUCKETS; i++) {
		got += w->buckets[i].got;
		expected += w->buckets[i].expected;
		ret->min_ns = MIN(ret->min_ns, w->buckets[i].min_ns);
	}
	ret->seq = w->seq;
	ret->age_ms = MIN((now_ns - w->last_ns) / NS_PER_MS, (uint64_t)UINT32_MAX - 1);
	ret->loss = loss_of(a, got, expected);
}
