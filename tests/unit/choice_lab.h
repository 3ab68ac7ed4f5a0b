/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A direction in simulated time: probes, every 100 ms if not said otherwise, by ways of any delay, jitter and loss, reports
 * of the far end, the choice.  Include cmocka.h before.
 */
#ifndef TESTS_UNIT_CHOICE_LAB_H
#define TESTS_UNIT_CHOICE_LAB_H

#include "base/defs.h"
#include "core/mesh_choice.h"
#include <string.h>

#define MS 1000000ull
#define SECOND 1000000000ull
#define PROBE_MS 100
#define START (1000 * SECOND)
#define MAX_UNDER_WAY 512

struct lab_way {
	uint32_t delay_ms, noise; /* percent of the delay, both up and down */
	uint32_t loss;            /* percent */
	bool dead;
	uint32_t queue_ms; /* of load */
};

struct lab_packet {
	uint64_t at_ns; /* 0: free */
	bool is_report;
	uint8_t way;
	uint32_t seq;
	uint64_t sent_ns; /* by its sender's clock */
	struct choice_report reports[MESH_MAX_PATHS];
};

struct lab {
	struct mesh_target t;
	struct choice c;
	struct choice_arrivals a;
	struct lab_way ways[MESH_MAX_PATHS];
	struct lab_packet packets[MAX_UNDER_WAY];
	uint32_t probe_ms;
	uint64_t now_ns, tick_ns, report_ns; /* the next */
	int64_t offset_ns;                   /* of the far end's clock */
	int64_t jump_ns;                     /* of ours, as probes have it */
	uint64_t pause_ns;                   /* until then nothing is sent, or */
	uint64_t deaf_ns;                    /* nothing taken in or reported, or */
	uint64_t refuse_ns;                  /* nothing that comes is believed */
	uint32_t back_ms;                    /* what reports take */
	uint32_t back_loss;                  /* percent */
	uint32_t seq;
	uint64_t seed;
	/* called before each tick, for load */
	void (*each)(struct lab *l);
	unsigned int thin_moves, thick_moves, deaths;
	uint64_t thin_ns, thick_ns; /* of the last move */
};

static inline uint32_t lab_draw(struct lab *l, uint32_t n)
{
	l->seed = l->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (l->seed >> 33) % n;
}

/* All ways are wished for, in their order. */
static inline void lab_wish(struct mesh_wish *w, size_t n, bool automatic)
{
	*w = (struct mesh_wish){.n = n, .n_own = n, .automatic = automatic};
	for (size_t i = 0; i < n; i++)
		w->order[i] = i;
}

static inline struct lab *lab_new(size_t n, bool automatic)
{
	struct lab *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->t.n = n;
	lab_wish(&l->t.paths, n, automatic);
	for (size_t i = 0; i < n; i++)
		l->ways[i].delay_ms = 20;
	l->now_ns = l->tick_ns = START;
	l->report_ns = START + 37 * MS;
	l->back_ms = 15;
	l->offset_ns = -(int64_t)(700 * SECOND);
	l->probe_ms = PROBE_MS;
	choice_arrivals_init(&l->a, PROBE_MS);
	return l;
}

/* Probes of another interval, to begin with. */
static inline void lab_interval(struct lab *l, uint32_t probe_ms)
{
	l->probe_ms = probe_ms;
	choice_arrivals_init(&l->a, probe_ms);
}

static inline void lab_free(struct lab **l)
{
	free(*l);
}

#define LAB _cleanup_(lab_free) struct lab *

static inline struct lab_packet *lab_send(struct lab *l, uint64_t at_ns)
{
	for (size_t i = 0; i < MAX_UNDER_WAY; i++) {
		if (l->packets[i].at_ns)
			continue;
		l->packets[i] = (struct lab_packet){.at_ns = at_ns};
		return &l->packets[i];
	}
	fail_msg("too many packets are under way");
	return NULL;
}

static inline void lab_probe(struct lab *l, uint8_t way)
{
	struct lab_way *w = &l->ways[way];
	uint64_t delay_us = w->delay_ms * 1000;
	struct lab_packet *p;

	if (w->noise)
		delay_us +=
			lab_draw(l, 2 * delay_us * w->noise / 100 + 1) - delay_us * w->noise / 100;
	if (w->dead || lab_draw(l, 100) < w->loss)
		return;
	p = lab_send(l, l->now_ns + (delay_us + w->queue_ms * 1000) * 1000);
	p->way = way;
	p->seq = l->seq;
	p->sent_ns = l->now_ns + l->jump_ns;
}

static inline void lab_judge(struct lab *l)
{
	uint8_t thin = l->c.thin, thick = l->c.thick;
	bool dead[MESH_MAX_PATHS], changed;

	for (size_t i = 0; i < l->t.n; i++)
		dead[i] = l->c.ways[i].dead;
	changed = choice_judge(&l->c, &l->t, l->now_ns);
	for (size_t i = 0; i < l->t.n; i++)
		l->deaths += !dead[i] && l->c.ways[i].dead;
	if (thin != l->c.thin) {
		l->thin_moves++;
		l->thin_ns = l->now_ns;
	}
	if (thick != l->c.thick) {
		l->thick_moves++;
		l->thick_ns = l->now_ns;
	}
	assert_true(changed || (thin == l->c.thin && thick == l->c.thick));
	assert_true(l->c.thin < l->t.n && l->c.thick < l->t.n && l->c.usable);
}

static inline void lab_tick(struct lab *l)
{
	if (l->each)
		l->each(l);
	if (l->now_ns >= l->pause_ns) {
		choice_sent(&l->c, ++l->seq);
		for (size_t i = 0; i < l->t.n; i++)
			lab_probe(l, i);
		lab_judge(l);
	}
	l->tick_ns += l->probe_ms * MS;
}

static inline void lab_report(struct lab *l)
{
	struct lab_packet *p;

	l->report_ns += l->probe_ms * MS;
	if (l->now_ns < l->deaf_ns || lab_draw(l, 100) < l->back_loss)
		return;
	p = lab_send(l, l->now_ns + l->back_ms * MS);
	p->is_report = true;
	p->sent_ns = l->now_ns + l->offset_ns;
	for (size_t i = 0; i < l->t.n; i++)
		choice_report(&l->a, i, l->now_ns + l->offset_ns, &p->reports[i]);
}

static inline void lab_take(struct lab *l, struct lab_packet *p)
{
	if (!p->is_report && l->now_ns < l->deaf_ns) {
		p->at_ns = l->deaf_ns;
		return;
	}
	p->at_ns = 0;
	if (!p->is_report && l->now_ns < l->refuse_ns)
		return;
	if (!p->is_report) {
		choice_arrived(&l->a, p->way, p->seq, p->sent_ns, l->now_ns + l->offset_ns);
		return;
	}
	choice_rtt(&l->c, (l->ways[0].delay_ms + l->back_ms) * MS, l->now_ns);
	choice_reports(&l->c, p->reports, l->t.n, p->sent_ns, l->now_ns);
	lab_judge(l);
}

static inline struct lab_packet *lab_next(struct lab *l)
{
	struct lab_packet *next = NULL;

	for (size_t i = 0; i < MAX_UNDER_WAY; i++) {
		struct lab_packet *p = &l->packets[i];

		if (p->at_ns && (!next || p->at_ns < next->at_ns))
			next = p;
	}
	return next;
}

/* For so many ms. */
static inline void lab_run(struct lab *l, uint64_t ms)
{
	uint64_t until_ns = l->now_ns + ms * MS;

	for (;;) {
		struct lab_packet *p = lab_next(l);
		uint64_t at_ns = MIN(l->tick_ns, l->report_ns);

		if (p)
			at_ns = MIN(at_ns, p->at_ns);
		if (at_ns > until_ns)
			break;
		l->now_ns = at_ns;
		if (p && p->at_ns == at_ns)
			lab_take(l, p);
		else if (l->tick_ns == at_ns)
			lab_tick(l);
		else
			lab_report(l);
	}
	l->now_ns = until_ns;
}

/* Some seconds, after which nothing has been counted yet. */
static inline void lab_warm(struct lab *l)
{
	choice_init(&l->c, &l->t, l->probe_ms);
	lab_run(l, MAX(10000u, 100 * l->probe_ms));
	l->thin_moves = l->thick_moves = l->deaths = 0;
}

#endif
