// SPDX-License-Identifier: GPL-2.0-or-later
/* Tracks follow plans: from one model to the next, or, without memory, not at all. */
#include "loop.h"
#include "config.h"
#include "machine.h"
#include "run/tracker.h"
#include <errno.h>

#define HUGE 0xffffffffu

static const char two[] = "link a { device = \"a\"\n probe { ping = { \"192.0.2.1\" } } }\n"
			  "link b { device = \"b\"\n probe { ping = { \"192.0.2.2\" } } }\n";
static const char three[] =
	"link a { device = \"a\"\n probe { ping = { \"192.0.2.1\" } } }\n"
	"link c { device = \"c\"\n probe { ping = { \"192.0.2.5\" } } }\n"
	"link b { device = \"b\"\n probe { ping = { \"192.0.2.3\", \"192.0.2.4\", \"192.0.2.6\", "
	"\"192.0.2.7\", \"192.0.2.8\", \"192.0.2.9\", \"192.0.2.10\", \"192.0.2.11\" } } }\n";

/* For the sanitizer of addresses. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

struct wanted {
	struct parsed parsed;
	struct plan plan;
};

static struct wanted want(const char *conf)
{
	struct wanted w = {.parsed = parse(conf)};

	findings_show(&w.parsed.f);
	assert_int_equal(w.parsed.r, 0);
	assert_int_equal(model_add_defaults(&w.parsed.m), 0);
	return w;
}

static void plan(struct wanted *w)
{
	static const struct plan_id ids[] = {{.name = "a", .id = 1}, {.name = "b", .id = 2}};
	static const struct host nothing;

	assert_int_equal(plan_build(&w->plan, &w->parsed.m, &nothing, ids, ARRAY_SIZE(ids)), 0);
}

static void done(struct wanted *w)
{
	plan_done(&w->plan);
	parsed_done(&w->parsed);
}

static void assert_follows(const struct tracker *t, const struct wanted *w)
{
	const struct model *m = &w->parsed.m;

	assert_int_equal(t->n, 2 * m->n_links);
	for (size_t i = 0; i < w->plan.n_links; i++)
		for (int f = 0; f < ASYM_FAMILIES; f++) {
			const struct track *track = tracker_find(t, w->plan.links[i].id, f);
			const struct model_link *conf = w->plan.links[i].conf;

			assert_non_null(track);
			assert_ptr_equal(track->conf, conf);
			assert_ptr_equal(track->health.conf, &conf->probe);
			assert_int_equal(track->health.n, f == ASYM_V4 ? conf->probe.n : 0);
			assert_null(track->anew.probes);
			for (size_t k = 0; k < track->health.n; k++)
				assert_ptr_equal(track->health.targets[k].conf,
						 &conf->probe.targets[k]);
		}
}

/* The link that asks for too much is the last, so that others are done by then. */
static void test_no_memory(void **state)
{
	struct wanted old = want(two), new = want(three);
	struct model_probe *greedy = &new.parsed.m.links[2].probe;
	uint32_t window = greedy->window;
	struct events events = {};
	struct tracker t;
	void *much = malloc(8ull * HUGE * sizeof(uint32_t));

	free(much);
	plan(&old);
	plan(&new);
	assert_int_equal(tracker_open(&loop, &events, NULL, NULL, &t), 0);
	assert_int_equal(tracker_follow(&t, &old.plan, NULL, 0, true), 0);
	assert_follows(&t, &old);
	if (!much) { /* this machine does not promise what it has not */
		greedy->window = HUGE;
		assert_int_equal(tracker_follow(&t, &new.plan, NULL, 0, true), -ENOMEM);
		assert_follows(&t, &old);
		greedy->window = window;
	}
	assert_int_equal(tracker_follow(&t, &new.plan, NULL, 0, true), 0);
	assert_follows(&t, &new);
	done(&old);
	tracker_close(&t);
	done(&new);
}

/* What did not change keeps what it knows. */
static void test_reload(void **state)
{
	struct wanted old = want(two), new = want(three);
	struct events events = {};
	struct tracker t;

	plan(&old);
	plan(&new);
	assert_int_equal(tracker_open(&loop, &events, NULL, NULL, &t), 0);
	assert_int_equal(tracker_follow(&t, &old.plan, NULL, 0, true), 0);
	for (size_t i = 0; i < t.n; i++)
		t.tracks[i]->health.flaps = 7;
	assert_int_equal(tracker_follow(&t, &new.plan, NULL, 0, true), 0);
	assert_follows(&t, &new);
	assert_int_equal(tracker_find(&t, 1, ASYM_V4)->health.flaps, 7);
	assert_int_equal(tracker_find(&t, 2, ASYM_V4)->health.flaps, 0);
	done(&old);
	tracker_close(&t);
	done(&new);
}

/* With n links each begins its rounds at a time of its own, and before an interval is over. */
static void assert_spread(const struct tracker *t, const struct wanted *w)
{
	const uint64_t interval_ns = model_probe_default.interval_ms * 1000000ull;
	uint64_t first = health_due(&tracker_find(t, w->plan.links[0].id, ASYM_V4)->health);

	for (size_t i = 0; i < w->plan.n_links; i++) {
		uint64_t due = health_due(&tracker_find(t, w->plan.links[i].id, ASYM_V4)->health);
		uint64_t wanted = first + interval_ns * i / w->plan.n_links;

		/* the tracks were not made at the same time */
		assert_true(due + interval_ns / 8 >= wanted && due < wanted + interval_ns / 8);
		assert_int_equal(health_due(&tracker_find(t, w->plan.links[i].id, ASYM_V6)->health),
				 UINT64_MAX);
	}
}

static void test_stagger(void **state)
{
	struct wanted old = want(two), new = want(three);
	struct events events = {};
	struct tracker t;

	plan(&old);
	plan(&new);
	assert_int_equal(tracker_open(&loop, &events, NULL, NULL, &t), 0);
	assert_int_equal(tracker_follow(&t, &old.plan, NULL, 0, true), 0);
	assert_spread(&t, &old);
	assert_int_equal(tracker_follow(&t, &old.plan, NULL, 0, false), 0);
	assert_spread(&t, &old);
	assert_int_equal(tracker_follow(&t, &new.plan, NULL, 0, true), 0);
	assert_spread(&t, &new);
	done(&old);
	tracker_close(&t);
	done(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {loop_test(test_no_memory), loop_test(test_reload),
					   loop_test(test_stagger)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
