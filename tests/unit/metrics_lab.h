/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A daemon's view, made of a configuration and a machine, without a kernel. */
#ifndef TESTS_UNIT_METRICS_LAB_H
#define TESTS_UNIT_METRICS_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config.h"
#include "machine.h"
#include "run/metrics.h"

struct lab {
	struct parsed parsed;
	struct machine machine;
	struct plan plan;
	struct object object; /* no maps */
	struct tracker tracker;
	struct events events;
};

static inline void lab_add_track(struct lab *l, const struct plan_link *link, enum asym_family f)
{
	struct track **at = ARRAY_ADD(l->tracker.tracks, l->tracker.n);
	struct track *t = calloc(1, sizeof(*t));

	assert_true(at && t);
	*at = t;
	t->conf = link->conf;
	t->id = link->id;
	t->family = f;
	assert_int_equal(health_init(&t->health, &link->conf->probe, f, true, true, 1), 0);
}

static inline struct lab *lab_new(const char *conf, const char *machine)
{
	struct lab *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->parsed = parse(conf);
	if (l->parsed.r)
		findings_show(&l->parsed.f);
	assert_int_equal(l->parsed.r, 0);
	assert_int_equal(model_add_defaults(&l->parsed.m), 0);
	machine_parse(&l->machine, machine);
	assert_int_equal(plan_build(&l->plan, &l->parsed.m, &l->machine.h, l->machine.ids,
				    l->machine.n_ids), 0);
	object_init(&l->object);
	for (size_t i = 0; i < l->plan.n_links; i++)
		for (int f = 0; f < ASYM_FAMILIES; f++)
			lab_add_track(l, &l->plan.links[i], f);
	return l;
}

static inline void lab_free(struct lab *l)
{
	for (size_t i = 0; i < l->tracker.n; i++) {
		health_done(&l->tracker.tracks[i]->health);
		free(l->tracker.tracks[i]);
	}
	free(l->tracker.tracks);
	plan_done(&l->plan);
	machine_done(&l->machine);
	parsed_done(&l->parsed);
	free(l);
}

static inline struct metrics_view lab_view(const struct lab *l)
{
	return (struct metrics_view){
		.plan = &l->plan,
		.object = &l->object,
		.tracker = &l->tracker,
		.events = &l->events,
		.ids = l->machine.ids,
		.n_ids = l->machine.n_ids,
	};
}

#endif
