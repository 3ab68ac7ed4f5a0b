// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Health of links over time: how long it takes to see that answers cease, whatever the moment; and
 * weather at random against a second judge that keeps everything and counts anew each time.
 */
#include "health_lab.h"

#define MAX_ROUNDS 4000

static uint64_t seed;

/* Knuth's MMIX multiplier */
static uint32_t draw(uint32_t n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

struct outage {
	uint32_t targets, quorum, rtt_ms;
	uint32_t down_ms, up_ms; /* the most it may take */
};

static void take_outage(const struct outage *o, uint32_t phase_ms, uint32_t *down_ms,
			uint32_t *up_ms)
{
	struct lab l;

	lab_configure(&l, o->targets);
	l.conf.quorum = o->quorum;
	for (size_t i = 0; i < o->targets; i++)
		l.rtt_us[i] = o->rtt_ms * 1000;
	l.silent_from = START + 10 * SECOND + phase_ms * MS;
	l.silent_until = l.silent_from + 10 * SECOND + phase_ms * 3 * MS;
	lab_open(&l);
	lab_run(&l, l.silent_from - 1);
	assert_int_equal(l.turns, 0);
	lab_run(&l, l.silent_until - 1);
	assert_int_equal(l.turns, 1);
	*down_ms = MAX(*down_ms, (l.turned_ns - l.silent_from) / MS);
	lab_run(&l, l.silent_until + 10 * SECOND);
	assert_int_equal(l.turns, 2);
	*up_ms = MAX(*up_ms, (l.turned_ns - l.silent_until) / MS);
	lab_close(&l);
}

/* Issue 4: down within 3 s at default settings. */
static void test_outages(void **state)
{
	static const struct outage outages[] = {
		{1, 1, 1, 2500, 1501},	 {1, 1, 20, 2500, 1520}, {1, 1, 499, 2500, 1999},
		{1, 1, 501, 2500, 2001}, {1, 1, 999, 2500, 2499}, {2, 1, 20, 2500, 1520},
		{2, 2, 20, 2500, 1520},	 {16, 8, 20, 2500, 1520},
	};

	for (size_t i = 0; i < ARRAY_SIZE(outages); i++) {
		const struct outage *o = &outages[i];
		uint32_t down_ms = 0, up_ms = 0;

		for (uint32_t phase = 0; phase < 1000; phase++)
			take_outage(o, phase, &down_ms, &up_ms);
		print_message("# %u targets, quorum %u, answers in %u ms: "
			      "down after %u ms, up after %u ms at most\n",
			      o->targets, o->quorum, o->rtt_ms, down_ms, up_ms);
		assert_true(down_ms <= 3000);
		assert_true(down_ms <= o->down_ms);
		assert_true(up_ms <= o->up_ms);
	}
}

/* The machine sleeps now and then, and what was under way is lost each time: no outage. */
static void test_sleepy(void **state)
{
	static const uint32_t rtts_ms[] = {1, 400, 950};

	for (uint32_t i = 0; i < 300; i++) {
		struct lab l;

		seed = i;
		lab_configure(&l, 2);
		l.rtt_us[0] = l.rtt_us[1] = rtts_ms[i % 3] * 1000;
		lab_open(&l);
		for (int naps = 0; naps < 20; naps++) {
			uint64_t wakes;

			lab_run(&l, l.now + (3000 + draw(3000)) * MS);
			wakes = l.now + (1ULL << draw(23)) * MS;
			for (struct flight *f; (f = lab_next(&l)) && f->end_ns <= wakes;) {
				l.now = wakes;
				f->rtt_us = 0;
				lab_land(&l, f);
			}
			l.now = wakes;
		}
		assert_int_equal(l.turns, 0);
		lab_close(&l);
	}
}

struct result {
	uint32_t round, rtt_us;
	size_t target;
};

/* Knows what was sent and what came back, and nothing else but where it turned. */
struct judge {
	struct lab lab; /* first: hooks get it */
	struct result *results;
	size_t n_results;
	uint32_t begun, counted, since; /* rounds; those up to `since` led to the last turn */
	bool up;
	enum health_reason reason;
	uint32_t flaps;
	uint64_t begun_ns, turned_ns, calm_ns, held_until_ns;
	uint32_t kind[MODEL_MAX_TARGETS]; /* of weather */
};

static int verdict(const struct judge *j, uint32_t round)
{
	uint32_t n = j->lab.conf.n, quorum = j->lab.conf.quorum, good = 0, bad = 0;

	quorum = quorum > n ? n : quorum;
	for (size_t i = 0; i < j->n_results; i++)
		if (j->results[i].round == round) {
			good += !!j->results[i].rtt_us;
			bad += !j->results[i].rtt_us;
		}
	return good >= quorum ? 1 : n - bad < quorum ? -1 : 0;
}

static uint32_t on_end(const struct judge *j, int what)
{
	uint32_t n = 0;

	for (uint32_t r = j->counted; r > j->since && verdict(j, r) == what; r--)
		n++;
	return n;
}

/* The last `window` results, oldest first.  Their number. */
static uint32_t window_of(const struct judge *j, size_t target, uint32_t *ret_rtt)
{
	uint32_t n = 0, window = j->lab.conf.window;

	for (size_t i = j->n_results; i-- && n < window;)
		if (j->results[i].target == target)
			ret_rtt[window - ++n] = j->results[i].rtt_us;
	memmove(ret_rtt, ret_rtt + window - n, n * sizeof(*ret_rtt));
	return n;
}

static uint32_t silent(const struct judge *j, size_t target)
{
	uint32_t n = 0, last = 0;
	bool answers = false;

	for (size_t i = 0; i < j->n_results; i++) {
		const struct result *r = &j->results[i];

		if (r->target != target || (r->round < last && (r->rtt_us || answers)))
			continue;
		answers = r->rtt_us;
		n = answers ? 0 : n + 1;
		last = r->round > last ? r->round : last;
	}
	return n;
}

static double level(const struct model_levels *l, bool high)
{
	return !l->high ? 1e18 : high ? l->high : l->low;
}

static enum health_reason fault(const struct judge *j, bool high)
{
	const struct model_probe *c = &j->lab.conf;
	uint32_t count[3] = {0}, fit = 0, quorum = c->quorum < c->n ? c->quorum : c->n;

	for (size_t t = 0; t < c->n; t++) {
		uint32_t rtt[MODEL_MAX_WINDOW], n = window_of(j, t, rtt), answers = 0, before = 0;
		double sum = 0, steps = 0;
		bool bad[3] = {false};

		for (uint32_t i = 0; i < n; i++)
			if (rtt[i]) {
				steps += answers ? abs((int)rtt[i] - (int)before) : 0;
				sum += before = rtt[i];
				answers++;
			}
		if (silent(j, t) >= c->fall)
			continue;
		if (n >= 5) {
			bad[0] = 100.0 * (n - answers) / n > level(&c->loss, high);
			bad[1] = answers && sum / answers > 1000 * level(&c->latency_ms, high);
			bad[2] = answers > 1 &&
				 steps / (answers - 1) > 1000 * level(&c->jitter_ms, high);
		}
		for (int i = 0; i < 3; i++)
			count[i] += bad[i];
		fit += !bad[0] && !bad[1] && !bad[2];
	}
	if (fit >= quorum || !(count[0] + count[1] + count[2]))
		return HEALTH_ANSWERS;
	if (count[0] >= count[1] && count[0] >= count[2])
		return HEALTH_LOSS;
	return count[1] >= count[2] ? HEALTH_LATENCY : HEALTH_JITTER;
}

static void turn(struct judge *j, bool up, enum health_reason reason)
{
	uint64_t hold_ms = j->lab.conf.hold_ms;

	j->up = up;
	j->reason = reason;
	j->turned_ns = j->lab.now;
	j->since = j->counted;
	if (up) {
		j->calm_ns = j->lab.now;
		return;
	}
	j->flaps++;
	for (uint32_t i = 1; i < j->flaps && hold_ms < j->lab.conf.hold_max_ms; i++)
		hold_ms *= 2;
	j->held_until_ns = j->lab.now + MIN(hold_ms, (uint64_t)j->lab.conf.hold_max_ms) * MS;
}

static void sentence(struct judge *j)
{
	const struct model_probe *c = &j->lab.conf;
	uint64_t calm_ns = (c->hold_ms * 10 > 60000 ? c->hold_ms * 10 : 60000) * MS;
	enum health_reason low = fault(j, false), high = fault(j, true);

	if (j->up) {
		for (; j->lab.now - j->calm_ns >= calm_ns; j->calm_ns += calm_ns)
			j->flaps -= !!j->flaps;
		if (on_end(j, -1) >= c->fall)
			turn(j, false, HEALTH_SILENCE);
		else if (high != HEALTH_ANSWERS)
			turn(j, false, high);
		else if (on_end(j, 1) >= c->rise)
			j->reason = HEALTH_ANSWERS;
	} else if (on_end(j, 1) >= c->rise) {
		if (low == HEALTH_ANSWERS && j->lab.now >= j->held_until_ns)
			turn(j, true, HEALTH_ANSWERS);
		else
			j->reason = low == HEALTH_ANSWERS ? HEALTH_HELD : low;
	} else if (on_end(j, -1) >= c->fall) {
		j->reason = HEALTH_SILENCE;
	}
}

static uint32_t under_way(const struct judge *j)
{
	uint32_t first = j->begun + 1;

	for (uint32_t r = j->begun; r && r + HEALTH_ROUNDS > j->begun; r--) {
		uint32_t n = 0;

		for (size_t i = 0; i < j->n_results; i++)
			n += j->results[i].round == r;
		first = n < j->lab.conf.n ? r : first;
	}
	return j->begun + 1 - first;
}

static uint64_t due(const struct judge *j)
{
	const struct model_probe *c = &j->lab.conf;
	uint64_t due_ns = j->begun_ns + (j->up ? c->interval_ms : c->recovery_ms) * MS;
	bool missing = on_end(j, -1);

	if (under_way(j) == HEALTH_ROUNDS)
		return UINT64_MAX;
	for (size_t t = 0; t < c->n; t++) {
		uint32_t rtt[MODEL_MAX_WINDOW];

		missing |= silent(j, t) && silent(j, t) < window_of(j, t, rtt);
	}
	if (j->up && missing)
		due_ns = j->begun_ns + c->failure_ms * MS;
	return MAX(due_ns, j->lab.now);
}

static void compare(const struct judge *j)
{
	const struct health *h = &j->lab.h;

	assert_int_equal(h->up, j->up);
	assert_int_equal(h->reason, j->reason);
	assert_int_equal(h->degraded, fault(j, false) != HEALTH_ANSWERS);
	assert_int_equal(h->since_ns, j->turned_ns);
	assert_int_equal(h->flaps, j->flaps);
	assert_int_equal(h->held_until_ns, j->held_until_ns);
	assert_int_equal(h->next - h->first, under_way(j));
	assert_true(!j->begun || h->next_ns == due(j));
}

static void note_timer(struct lab *l, uint32_t round)
{
	struct judge *j = (struct judge *)l;

	sentence(j);
	if (round) {
		assert_int_equal(round, ++j->begun);
		j->begun_ns = j->lab.now;
	}
	compare(j);
}

static void note_end(struct lab *l, const struct flight *f)
{
	struct judge *j = (struct judge *)l;

	j->results[j->n_results++] = (struct result){f->round, f->rtt_us, f->target};
	while (j->counted < j->begun && verdict(j, j->counted + 1)) {
		j->counted++;
		sentence(j);
	}
	sentence(j);
	compare(j);
}

/* For a while fine, lossy, dead, late, shaky, or lossy and refusing. */
static void set_weather(struct lab *l, size_t t)
{
	struct judge *j = (struct judge *)l;

	if (!draw(30))
		j->kind[t] = draw(6);
	l->rtt_us[t] = 10000 + draw(1000);
	l->refused[t] = false;
	if (j->kind[t] == 1 && !draw(3))
		l->rtt_us[t] = 0;
	if (j->kind[t] == 2)
		l->rtt_us[t] = 0;
	if (j->kind[t] == 3)
		l->rtt_us[t] = l->conf.timeout_ms * 500 + draw(l->conf.timeout_ms * 550);
	if (j->kind[t] == 4)
		l->rtt_us[t] = 1000 + draw(l->conf.timeout_ms * 300);
	if (j->kind[t] == 5) {
		l->refused[t] = draw(2);
		l->rtt_us[t] *= draw(2);
	}
}

static struct model_levels draw_levels(uint32_t most)
{
	uint32_t high = draw(3) ? 0 : 1 + draw(most);

	return (struct model_levels){high ? draw(high + 1) : 0, high};
}

static void draw_conf(struct model_probe *c)
{
	c->quorum = 1 + draw(4);
	c->interval_ms = 100 + draw(3000);
	c->failure_ms = 100 + draw(1000);
	c->recovery_ms = 100 + draw(3000);
	c->timeout_ms = 50 + draw(2000);
	c->fall = 1 + draw(6);
	c->rise = 1 + draw(6);
	c->window = 5 + draw(20);
	c->loss = draw_levels(60);
	c->latency_ms = draw_levels(c->timeout_ms / 2);
	c->jitter_ms = draw_levels(c->timeout_ms / 4);
	c->hold_ms = draw(2) ? draw(5000) : 0;
	c->hold_max_ms = draw(100000);
	c->initial_down = draw(2);
}

static void simulate(uint32_t number, unsigned int *reasons)
{
	struct judge j = {.counted = 0};
	uint32_t targets;

	seed = number;
	targets = 1 + draw(4);
	lab_configure(&j.lab, targets);
	draw_conf(&j.lab.conf);
	j.lab.weather = set_weather;
	j.lab.timer = note_timer;
	j.lab.ended = note_end;
	j.results = calloc(MAX_ROUNDS * targets, sizeof(*j.results));
	assert_non_null(j.results);
	j.up = !j.lab.conf.initial_down;
	j.turned_ns = j.calm_ns = START;
	lab_open(&j.lab);
	for (int i = 0; i < 40; i++) {
		bool up = j.up;

		lab_run(&j.lab, j.lab.now + 5 * SECOND);
		assert_true(j.begun < MAX_ROUNDS);
		reasons[j.reason]++;
		assert_true(up == j.up || j.lab.turns);
	}
	lab_close(&j.lab);
	free(j.results);
}

static void test_weather(void **state)
{
	const char *runs = getenv("HEALTH_RUNS");
	unsigned int reasons[HEALTH_REASON_MAX] = {0};

	for (uint32_t i = 0; i < (runs ? strtoul(runs, NULL, 10) : 40); i++)
		simulate(i, reasons);
	for (int i = 0; i < HEALTH_REASON_MAX; i++) {
		print_message("# %s: %u\n", health_reason_names[i], reasons[i]);
		assert_true(i == HEALTH_INITIAL || reasons[i] > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outages),
		cmocka_unit_test(test_sleepy),
		cmocka_unit_test(test_weather),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
