// SPDX-License-Identifier: GPL-2.0-or-later
/* Many probes at once, and what `end` may do. */
#include "tests/unit/probe_lab.h"

#include "base/clock.h"

/* Pings of one device share a socket; each reply finds its probe. */
static void test_shared(void **state)
{
	struct model_target t = target_of(PROBE_PING, ASYM_V4);
	struct model_probe c = conf_of(SOON);
	struct probe_path path;
	struct frame requests[16];
	struct probe *p;
	int before;

	netns_need();
	path = path_of("wan0");
	for (int i = 0; i < 16; i++) {
		assert_int_equal(start(&path, &t, &c, &results[i], &p), 0);
		assert_true(wire_read_soon(wire, &requests[i]));
		if (!i)
			before = count_fds();
	}
	assert_int_equal(count_fds(), before);
	for (int i = 15; i >= 0; i--) {
		frame_parse(&requests[i]);
		if (i % 3 == 0)
			echo_right(&requests[i]);
	}
	finish();
	for (int i = 0; i < 16; i++)
		assert_string_equal(results[i].why, i % 3 ? "timeout" : "");
}

/* Each ends at its own time, however many share the timer; the loop sleeps meanwhile. */
static void test_timeouts(void **state)
{
	static const uint32_t times[] = { 90, 30, 120, 60, 30, 150, 10 };
	static const int order[] = { 5, 2, 6, 4, 3, 7, 1 };
	struct model_target t = target_of(PROBE_PING, ASYM_V4);
	struct model_probe c[ARRAY_SIZE(times)];
	struct probe_path path;
	struct probe *p;
	uint64_t began, used;

	netns_need();
	path = path_of("wan0");
	began = uv_hrtime();
	used = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		c[i] = conf_of(times[i]);
		assert_int_equal(start(&path, &t, &c[i], &results[i], &p), 0);
	}
	while (pending) {
		uv_run(&loop, UV_RUN_ONCE);
		for (size_t i = 0; i < ARRAY_SIZE(times); i++)
			if (results[i].order)
				assert_true(uv_hrtime() - began >= times[i] * NS_PER_MS);
	}
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		assert_int_equal(results[i].order, order[i]);
	assert_true(uv_hrtime() - began < 2000 * NS_PER_MS);
	assert_true(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - used < 50 * NS_PER_MS);
}

/* What was answered in time counts, though the daemon did something else meanwhile. */
static void test_held_up(void **state)
{
	struct model_target t[] = { target_of(PROBE_PING, ASYM_V4), target_of(PROBE_PING, ASYM_V4),
				    target_of(PROBE_PING, ASYM_V4), target_of(PROBE_PING, ASYM_V6),
				    target_of(PROBE_DNS, ASYM_V4),
				    target_of(PROBE_GATEWAY, ASYM_V4),
				    target_of(PROBE_GATEWAY, ASYM_V6),
				    target_of(PROBE_PING, ASYM_V4), target_of(PROBE_TCP, ASYM_V4) };
	answer_fn *const answers[] = { echo_right, echo_right, echo_right, echo_right, dns_right,
				       arp_right, nd_right, NULL, tcp_accept };
	struct model_probe c = conf_of(50);
	struct probe_path path;
	struct frame f;
	struct probe *p;

	netns_need();
	path = path_of("wan0");
	/* sockets that probes share are there already */
	expect("before", PROBE_PING, ASYM_V4, echo_right, NULL);
	ends = 0;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(start(&path, &t[i], &c, &results[i], &p), 0);
		do
			assert_true(wire_read_soon(wire, &f));
		while (!is_request(&f));
		if (answers[i])
			answers[i](&f);
	}
	usleep(200000);
	finish();
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_string_equal(results[i].why, answers[i] ? "" : "timeout");
}

static struct probe *group[4];
static struct probe_path chain_path;
static struct model_target chain_target;
static struct model_probe chain_conf;
static int chain;

/* data: the place in the group of the one that has ended. */
static void cancel_others(void *data, uint32_t rtt_us, const char *why)
{
	*(struct probe **)data = NULL;
	pending--;
	chain++;
	for (size_t i = 0; i < ARRAY_SIZE(group); i++) {
		if (!group[i])
			continue;
		probe_cancel(group[i]);
		group[i] = NULL;
		pending--;
	}
}

static void chain_begin(enum model_probe_kind kind, answer_fn *fn, uint32_t timeout_ms)
{
	chain_path = path_of("wan0");
	chain_target = target_of(kind, ASYM_V4);
	chain_conf = conf_of(timeout_ms);
	answer = fn;
	chain = 0;
}

static void group_begin(enum model_probe_kind kind, answer_fn *fn, uint32_t timeout_ms)
{
	chain_begin(kind, fn, timeout_ms);
	for (size_t i = 0; i < ARRAY_SIZE(group); i++, pending++)
		assert_int_equal(probe_start(prober, &chain_path, &chain_target, &chain_conf,
					     cancel_others, &group[i], &group[i]), 0);
}

static void cancels(enum model_probe_kind kind, answer_fn *fn, uint32_t timeout_ms)
{
	group_begin(kind, fn, timeout_ms);
	finish();
	assert_int_equal(chain, 1);
}

static void test_cancel_in_end(void **state)
{
	netns_need();
	cancels(PROBE_PING, NULL, SOON);
	cancels(PROBE_TCP, NULL, SOON);
	cancels(PROBE_PING, echo_right, PATIENT);
	cancels(PROBE_TCP, tcp_accept, PATIENT);
	cancels(PROBE_DNS, dns_right, PATIENT);
	cancels(PROBE_GATEWAY, arp_right, PATIENT);
	/* the device's socket is given up for all at once */
	group_begin(PROBE_GATEWAY, NULL, PATIENT);
	sh("ip link set wan0 down");
	finish();
	assert_int_equal(chain, 1);
}

#define CHAIN 20

static void start_next(void *data, uint32_t rtt_us, const char *why)
{
	struct probe *p;

	pending--;
	if (++chain < CHAIN && !probe_start(prober, &chain_path, &chain_target, &chain_conf,
					    start_next, NULL, &p))
		pending++;
}

static void chains(enum model_probe_kind kind, answer_fn *fn, uint32_t timeout_ms)
{
	struct probe *p;

	chain_begin(kind, fn, timeout_ms);
	assert_int_equal(probe_start(prober, &chain_path, &chain_target, &chain_conf, start_next,
				     NULL, &p), 0);
	pending++;
	finish();
	assert_int_equal(chain, CHAIN);
}

static void test_start_in_end(void **state)
{
	netns_need();
	chains(PROBE_PING, NULL, 1);
	chains(PROBE_PING, echo_right, PATIENT);
	chains(PROBE_TCP, tcp_accept, PATIENT);
	chains(PROBE_DNS, dns_right, PATIENT);
	chains(PROBE_GATEWAY, arp_right, PATIENT);
}

/* The prober closes them; `end` is not called. */
static void test_close(void **state)
{
	struct model_probe c = conf_of(PATIENT);
	struct probe_path path;

	netns_need();
	path = path_of("wan0");
	start_all(&path, &c);
	prober_close(prober);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(ends, 0);
	assert_int_equal(prober_open(&loop, &prober), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		probe_test(test_shared),
		probe_test(test_timeouts),
		probe_test(test_held_up),
		probe_test(test_cancel_in_end),
		probe_test(test_start_in_end),
		probe_test(test_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
