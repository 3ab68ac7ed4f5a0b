// SPDX-License-Identifier: GPL-2.0-or-later
/* Health of links: figures and their levels, and evidence. */
#include "health_lab.h"

static void test_figures(void **state)
{
	static const uint32_t rtt[] = {9, 9, 9, 100, 0, 130, 110, 0, 0, 150};
	struct health_figures f;
	struct lab l;

	lab_configure(&l, 1);
	l.conf.window = 7; /* 100, lost, 130, 110, lost, lost, 150 */
	lab_open(&l);
	f = health_figures(&l.h, 0);
	assert_int_equal(f.n + f.loss + f.latency_us + f.jitter_us, 0);
	for (size_t i = 0; i < ARRAY_SIZE(rtt); i++) {
		l.rtt_us[0] = rtt[i];
		lab_round(&l, rtt[i] ? 1 : 0);
		if (i == 1)
			assert_int_equal(health_figures(&l.h, 0).n, 2);
	}
	f = health_figures(&l.h, 0);
	assert_int_equal(f.n, 7);
	assert_int_equal(f.loss, 43);	     /* 3 of 7 are 42.86 % */
	assert_int_equal(f.latency_us, 122); /* 490 of 4 */
	assert_int_equal(f.jitter_us, 30);   /* 30, 20, 40 */
	assert_int_equal(l.h.targets[0].sent, 10);
	assert_int_equal(l.h.targets[0].lost, 3);
	lab_close(&l);
}

static void open_loss(struct lab *l, size_t targets, uint32_t low, uint32_t high)
{
	lab_configure(l, targets);
	l->conf.loss = (struct model_levels){low, high};
	l->conf.window = 10;
	lab_open(l);
}

static void test_loss(void **state)
{
	struct lab l;

	open_loss(&l, 1, 10, 30);
	lab_rounds(&l, 10, 1);
	for (int i = 0; i < 3; i++) { /* 30 % is not above 30 % */
		assert_false(l.h.degraded != (i > 1));
		lab_round(&l, 0);
		lab_round(&l, 1);
	}
	assert_int_equal(l.turns, 0);
	assert_true(l.h.degraded);
	lab_round(&l, 0);
	assert_int_equal(l.turns, 1);
	assert_int_equal(l.h.reason, HEALTH_LOSS);

	/* the window is 0101010111: it takes longer than three good rounds */
	lab_rounds(&l, 6, 1);
	assert_int_equal(health_figures(&l.h, 0).loss, 20);
	assert_int_equal(l.turns, 1);
	assert_int_equal(l.h.reason, HEALTH_LOSS);
	lab_rounds(&l, 2, 1);
	assert_int_equal(health_figures(&l.h, 0).loss, 10);
	assert_int_equal(l.turns, 2);
	assert_false(l.h.degraded);
	lab_close(&l);
}

/* Low figures are not enough either. */
static void test_loss_and_rise(void **state)
{
	struct lab l;

	open_loss(&l, 1, 10, 30);
	l.conf.rise = 15;
	lab_rounds(&l, 6, 1);
	lab_rounds(&l, 2, 0);
	lab_round(&l, 1);
	lab_rounds(&l, 2, 0);
	assert_false(l.h.up);
	lab_rounds(&l, 14, 1);
	assert_int_equal(health_figures(&l.h, 0).loss, 0);
	assert_false(l.h.up);
	lab_round(&l, 1);
	assert_true(l.h.up);
	lab_close(&l);
}

/* Four results are too few, five are enough, unless the window has fewer. */
static void test_least(void **state)
{
	struct lab l;

	open_loss(&l, 1, 10, 30);
	lab_rounds(&l, 2, 0);
	lab_rounds(&l, 2, 1);
	assert_true(l.h.up);
	lab_round(&l, 1);
	assert_false(l.h.up);
	assert_int_equal(l.h.reason, HEALTH_LOSS);
	lab_close(&l);

	lab_configure(&l, 1);
	l.conf.loss = (struct model_levels){10, 30};
	l.conf.window = 2;
	lab_open(&l);
	lab_round(&l, 0);
	assert_true(l.h.up);
	lab_round(&l, 1);
	assert_false(l.h.up);
	lab_close(&l);
}

/* A link that fell silent has lost much: good rounds would only bring it up to go down again. */
static void test_silence_then_loss(void **state)
{
	struct lab l;

	open_loss(&l, 1, 10, 60);
	lab_rounds(&l, 10, 1);
	lab_rounds(&l, 3, 0);
	assert_int_equal(l.h.reason, HEALTH_SILENCE);
	lab_rounds(&l, 7, 0);
	lab_rounds(&l, 8, 1);
	assert_int_equal(l.turns, 1);
	assert_int_equal(l.h.reason, HEALTH_LOSS);
	lab_round(&l, 1);
	assert_int_equal(l.turns, 2);
	lab_close(&l);
}

/* Half of one target's answers are missing; the others' are what the quorum needs, or not. */
static void test_levels_and_quorum(void **state)
{
	for (uint32_t quorum = 1; quorum <= 3; quorum++) {
		struct lab l;

		lab_configure(&l, 3);
		l.conf.quorum = quorum;
		l.conf.loss = (struct model_levels){20, 40};
		lab_open(&l);
		for (int i = 0; i < 20; i++)
			lab_round(&l, i & 1 ? 7 : 6);
		assert_int_equal(l.h.up, quorum < 3);
		assert_int_equal(l.h.degraded, quorum == 3);
		for (int i = 0; i < 20; i++)
			lab_round(&l, i & 1 ? 7 : 4);
		assert_int_equal(l.h.up, quorum < 2);
		assert_int_equal(l.h.degraded, quorum >= 2);
		lab_close(&l);
	}
}

/* A target that is silent altogether does not count as fit, and not as lossy. */
static void test_levels_and_dead_target(void **state)
{
	struct lab l;

	open_loss(&l, 2, 20, 40);
	for (int i = 0; i < 8; i++)
		lab_round(&l, 1);
	assert_true(l.h.up);
	assert_false(l.h.degraded);
	for (int i = 0; i < 10; i++)
		lab_round(&l, i & 1);
	assert_false(l.h.up);
	assert_int_equal(l.h.reason, HEALTH_LOSS);
	lab_close(&l);
}

static void test_latency(void **state)
{
	struct lab l;

	lab_configure(&l, 1);
	l.conf.latency_ms = (struct model_levels){50, 200};
	l.conf.window = 10;
	lab_open(&l);
	l.rtt_us[0] = 200000;
	lab_rounds(&l, 10, 1);
	assert_true(l.h.up);
	assert_true(l.h.degraded);
	l.rtt_us[0] = 200001; /* the mean is above by 0.1 us */
	lab_round(&l, 1);
	assert_false(l.h.up);
	assert_int_equal(l.h.reason, HEALTH_LATENCY);
	l.rtt_us[0] = 50000;
	lab_rounds(&l, 9, 1);
	assert_false(l.h.up);
	assert_int_equal(l.h.reason, HEALTH_LATENCY);
	lab_round(&l, 1);
	assert_true(l.h.up);
	assert_false(l.h.degraded);
	lab_close(&l);
}

static void test_jitter(void **state)
{
	struct lab l;

	lab_configure(&l, 1);
	l.conf.jitter_ms = (struct model_levels){10, 30};
	lab_open(&l);
	for (int i = 0; i < 20; i++) {
		l.rtt_us[0] = i & 1 ? 40000 : 10000;
		lab_round(&l, i != 10); /* what is lost is not a step */
	}
	assert_true(l.h.up);
	assert_true(l.h.degraded);
	l.rtt_us[0] = 140000;
	lab_round(&l, 1);
	assert_false(l.h.up);
	assert_int_equal(l.h.reason, HEALTH_JITTER);
	lab_rounds(&l, 19, 1);
	assert_true(l.h.up);
	lab_close(&l);
}

/* The reason is what most targets have; loss, if it is a tie. */
static void test_reason(void **state)
{
	struct lab l;

	lab_configure(&l, 3);
	l.conf.loss = (struct model_levels){10, 15};
	l.conf.latency_ms = (struct model_levels){50, 200};
	lab_open(&l);
	l.rtt_us[1] = l.rtt_us[2] = 300000;
	lab_rounds(&l, 4, 7);
	lab_round(&l, 6);
	assert_int_equal(l.h.reason, HEALTH_LATENCY);
	lab_close(&l);

	lab_configure(&l, 2);
	l.conf.loss = (struct model_levels){10, 15};
	l.conf.latency_ms = (struct model_levels){50, 200};
	lab_open(&l);
	l.rtt_us[1] = 300000;
	lab_rounds(&l, 4, 3);
	lab_round(&l, 2);
	assert_int_equal(l.h.reason, HEALTH_LOSS);
	lab_close(&l);
}

static void test_evidence(void **state)
{
	struct lab l;

	lab_configure(&l, 1);
	lab_open(&l);
	lab_rounds(&l, 2, 0);
	health_evidence(&l.h, l.now); /* when the second began: that one counts */
	assert_int_equal(l.h.bad, 1);
	health_evidence(&l.h, l.now - MS); /* known already, and more */
	health_evidence(&l.h, l.now + 1);
	assert_int_equal(l.h.bad, 0);
	lab_rounds(&l, 2, 0);
	assert_true(l.h.up);
	lab_round(&l, 0);
	assert_false(l.h.up);
	lab_close(&l);

	lab_configure(&l, 1); /* more bad rounds than are remembered */
	l.conf.fall = 20;
	lab_open(&l);
	lab_rounds(&l, 19, 0);
	health_evidence(&l.h, START + 1);
	assert_int_equal(l.h.bad, 19);
	health_evidence(&l.h, l.now - 3 * 500 * MS);
	assert_int_equal(l.h.bad, 4);
	lab_close(&l);
}

/* A round that was under way when traffic was answered proves nothing by its timeout. */
static void test_evidence_before_the_end(void **state)
{
	struct lab l;
	uint32_t rounds[3];

	lab_configure(&l, 1);
	l.conf.fall = 1;
	lab_open(&l);
	for (int i = 0; i < 3; i++) {
		l.now = health_due(&l.h);
		rounds[i] = health_round(&l.h, l.now);
	}
	health_evidence(&l.h, l.now);
	health_evidence(&l.h, START); /* older than what is known */
	assert_false(health_result(&l.h, rounds[0], 0, 0, l.now + 1));
	assert_false(health_result(&l.h, rounds[1], 0, 0, l.now + 1));
	assert_true(health_result(&l.h, rounds[2], 0, 0, l.now + 1));
	lab_close(&l);
}

/* Without further evidence it is the link after all: what it loses is shown. */
static void test_evidence_ends(void **state)
{
	struct lab l;

	lab_configure(&l, 1);
	l.conf.window = 5;
	l.conf.fall = 4;
	lab_open(&l);
	lab_rounds(&l, 3, 0);
	l.conf.fall = 3;
	health_evidence(&l.h, l.now + 1);
	assert_int_equal(health_figures(&l.h, 0).n, 0);
	lab_rounds(&l, 3, 0);
	assert_false(l.h.up);
	assert_int_equal(health_figures(&l.h, 0).n, 0);
	lab_rounds(&l, 3, 0);
	assert_int_equal(health_figures(&l.h, 0).loss, 100);
	lab_close(&l);
}

/* The target died, the link is fine: neither its silence nor its loss says otherwise, not even when
 * it is back. */
static void test_evidence_and_loss(void **state)
{
	struct lab l;

	lab_configure(&l, 1);
	l.conf.loss = (struct model_levels){5, 15};
	lab_open(&l);
	lab_run(&l, l.now + 20 * SECOND);
	l.rtt_us[0] = 0;
	for (int i = 0; i < 120; i++) {
		lab_run(&l, l.now + 500 * MS);
		health_evidence(&l.h, l.now - 500 * MS);
	}
	assert_int_equal(l.turns, 0);
	assert_false(l.h.targets[0].answers);
	l.rtt_us[0] = 10000;
	lab_run(&l, l.now + 5 * SECOND);
	assert_int_equal(l.turns, 0);
	assert_int_equal(health_figures(&l.h, 0).loss, 0);
	assert_in_range(health_figures(&l.h, 0).n, 9, 10);
	assert_false(l.h.degraded);
	lab_round(&l, 0); /* from now on it loses like any other */
	assert_in_range(health_figures(&l.h, 0).loss, 9, 10);
	lab_close(&l);

	lab_configure(&l, 1); /* but a target that answers now and then is believed */
	l.conf.loss = (struct model_levels){5, 30};
	lab_open(&l);
	for (int i = 0; i < 20 && l.h.up; i++) {
		lab_round(&l, i & 1);
		health_evidence(&l.h, l.now);
	}
	assert_int_equal(l.h.reason, HEALTH_LOSS);
	lab_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_loss_and_rise),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_silence_then_loss),
		cmocka_unit_test(test_levels_and_quorum),
		cmocka_unit_test(test_levels_and_dead_target),
		cmocka_unit_test(test_latency),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_evidence_before_the_end),
		cmocka_unit_test(test_evidence_ends),
		cmocka_unit_test(test_evidence_and_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
