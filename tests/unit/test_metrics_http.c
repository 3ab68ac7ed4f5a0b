// SPDX-License-Identifier: GPL-2.0-or-later
/* The server, under clients that behave. */
#include "tests/unit/http_lab.h"

static void test_page(void **state)
{
	struct metrics_view v = lab_view(lab);
	struct str want = {};
	_cleanup_free_ char *answer = ask(GET "\r\n");

	assert_int_equal(metrics_print(&v, METRICS_TEXT, &want), 0);
	ASSERT_BEGINS(answer, "HTTP/1.1 200 OK\r\n");
	ASSERT_HAS(answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	ASSERT_HAS(answer, "\r\nConnection: close\r\n");
	assert_string_equal(body_of(answer), want.s);
	str_done(&want);
}

static void test_open_metrics(void **state)
{
	_cleanup_free_ char *answer = ask(GET "Accept: application/openmetrics-text\r\n\r\n");

	ASSERT_HAS(answer, "\r\nContent-Type: application/openmetrics-text; version=1.0.0; "
			   "charset=utf-8\r\n");
	assert_string_equal(answer + strlen(answer) - 6, "# EOF\n");
}

/* The formats do not get into each other's way. */
static void test_turns(void **state)
{
	for (int i = 0; i < 4; i++) {
		_cleanup_free_ char *answer =
			ask(i & 1 ? GET "Accept: application/openmetrics-text\r\n\r\n" : GET "\r\n");

		is_page(answer);
		assert_int_equal(strstr(answer, "# EOF") != NULL, i & 1);
	}
}

static void test_query(void **state)
{
	_cleanup_free_ char *answer = ask("GET /metrics?a=b HTTP/1.0\r\n\r\n");

	ASSERT_HAS(answer, " 200 OK\r\n");
}

static void test_refused(void **state)
{
	static const struct {
		const char *request, *status;
	} cases[] = {
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 "},
		{"GET /metrics/ HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 "},
		{"GET /metricsx HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 "},
		{"GET /../metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 "},
		{"DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 "},
		{"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 "},
		{"get /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 "},
		{"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx", "HTTP/1.1 405 "},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *answer = ask(cases[i].request);

		ASSERT_BEGINS(answer, cases[i].status);
		if (strstr(cases[i].status, "405"))
			ASSERT_HAS(answer, "\r\nAllow: GET\r\n");
	}
	assert_int_equal(views.n, 0);
}

static void test_ipv6(void **state)
{
	_cleanup_free_ char *answer = NULL;
	int fd;

	metrics_close(metrics);
	open_at("::1");
	fd = dial_with("::1", 0);
	if (fd == -EADDRNOTAVAIL)
		skip();
	assert_true(fd >= 0);
	say(fd, GET "\r\n");
	answer = hear(fd);
	is_page(answer);
	assert_int_equal(dial_with("127.0.0.1", 0), -ECONNREFUSED);
}

static void test_any(void **state)
{
	metrics_close(metrics);
	open_at("::");
	_cleanup_free_ char *answer = ask(GET "\r\n");
	is_page(answer);
}

static void test_taken(void **state)
{
	struct metrics *other = NULL;

	assert_int_equal(metrics_open(&loop, &loopback, port, view, &views, &other), -EADDRINUSE);
	assert_null(other);
}

/* Say, of a link that has no lease yet. */
static void test_missing_address(void **state)
{
	metrics_close(metrics);
	open_at("192.0.2.1");
	metrics_close(metrics);
	open_at("2001:db8::1");
}

/* A page is given again for nine times as long as it took to make, and then made anew. */
static void test_fresh(void **state)
{
	uint64_t begun = uv_hrtime();

	views.takes_ms = 100;
	for (int i = 0; i < 20; i++)
		free(ask(GET "\r\n"));
	assert_int_equal(views.n, 1);
	views.takes_ms = 0;
	while (views.n == 1)
		free(ask(GET "\r\n"));
	assert_true(uv_hrtime() - begun >= 1000000000ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		http_test(test_page),
		http_test(test_open_metrics),
		http_test(test_turns),
		http_test(test_query),
		http_test(test_refused),
		http_test(test_ipv6),
		http_test(test_any),
		http_test(test_taken),
		http_test(test_missing_address),
		http_test(test_fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
