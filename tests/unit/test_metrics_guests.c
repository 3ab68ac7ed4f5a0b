// SPDX-License-Identifier: GPL-2.0-or-later
/* The server, under clients that do not behave, and the time that they have. */
#include "tests/unit/http_lab.h"

#include "run/metrics_guests.h"

static void test_slow_request(void **state)
{
	const char *request = GET "\r\n";
	_cleanup_free_ char *answer = NULL;
	int fd = dial();

	for (; *request; request++) {
		assert_int_equal(write(fd, request, 1), 1);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	answer = hear(fd);
	is_page(answer);
}

static void test_nonsense(void **state)
{
	static const char *const requests[] = {
		"\r\n\r\n\r\n", "x\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"GET /metrics HTTP/9.9\r\n\r\n", "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		int fd = dial();

		say(fd, requests[i]);
		for (int turns = 0; turns < 20; turns++)
			uv_run(&loop, UV_RUN_NOWAIT);
		close(fd);
	}
	_cleanup_free_ char *answer = ask(GET "\r\n");
	is_page(answer);
}

/* More head than there is room for. */
static void test_endless_head(void **state)
{
	static const char line[] = "X-Padding: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n";
	struct str text = {};
	int fd = dial();
	size_t sent = 0;

	say(fd, GET);
	while (!at_end(fd, &text) && sent < 1000000) {
		ssize_t n = send(fd, line, strlen(line), MSG_NOSIGNAL);

		sent += MAX(n, 0);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	assert_true(sent < 1000000);
	if (text.len)
		ASSERT_BEGINS(text.s, "HTTP/1.1 4");
	str_done(&text);
	close(fd);
}

/* However many are there and say nothing, one who asks is answered. */
static void test_crowd(void **state)
{
	int fds[2 * GUESTS_ROOM]; /* not so many that connect() waits */
	struct str text = {};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = dial();
		if (i & 1)
			say(fds[i], "GET /metr");
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	_cleanup_free_ char *answer = ask(GET "\r\n");
	is_page(answer);
	loop_until(at_end(fds[ARRAY_SIZE(fds) - METRICS_GUESTS - 1], &text));
	assert_true(at_end(fds[0], &text));
	assert_int_equal(text.len, 0);
	/* who asked may have been one too many */
	assert_false(at_end(fds[ARRAY_SIZE(fds) - METRICS_GUESTS + 1], &text));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	str_done(&text);
}

/* All at once, before the server looks. */
static void test_rush(void **state)
{
	int fds[60]; /* as many as wait to be accepted */
	size_t answered = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = dial();
		say(fds[i], GET "\r\n");
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		_cleanup_free_ char *answer = hear(fds[i]);

		answered += !strncmp(answer, "HTTP/1.1 200", 12);
	}
	assert_int_equal(answered, ARRAY_SIZE(fds));
}

/* A page that no socket's buffers take whole: 16 targets with long URLs for each of many links. */
static void use_large_lab(void)
{
	struct str conf = {};
	char padding[241];

	memset(padding, 'x', sizeof(padding) - 1);
	padding[sizeof(padding) - 1] = 0;
	str_add(&conf, "probe { quorum = 1 http = {");
	for (int i = 0; i < MODEL_MAX_TARGETS; i++)
		str_add(&conf, "%s\"http://a.example/%d%s\"", i ? ", " : "", i, padding);
	str_add(&conf, "} }\n");
	for (int i = 0; i < 200; i++)
		str_add(&conf, "link l%d { device = \"d%d\" }\n", i, i);
	lab_free(lab);
	lab = lab_new(conf.s, "device lo index 1");
	str_done(&conf);
	for (size_t i = 0; i < lab->tracker.n; i++) {
		struct health *h = &lab->tracker.tracks[i]->health;
		uint32_t round = health_round(h, 1);

		for (size_t k = 0; round && k < h->n; k++)
			health_result(h, round, k, 1234, 2);
	}
}

/* Those who do not read what they asked for: the loop goes on, others are answered, and it can end. */
static void test_deaf(void **state)
{
	int fds[METRICS_GUESTS + 1];
	struct str text = {};
	uint64_t until;

	use_large_lab();
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = dial_with("127.0.0.1", 4096);
		say(fds[i], GET "\r\n");
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	_cleanup_free_ char *answer = ask(GET "\r\n");
	is_page(answer);
	assert_true(strlen(answer) > 5000000);
	assert_string_equal(strrchr(answer, '{'), "{event=\"error\"} 0\n");
	/* one too many: the oldest had to go, in the middle of the page */
	until = uv_hrtime() + 2 * METRICS_CROWD_MS * 1000000ull;
	loop_until(uv_hrtime() > until);
	loop_until(at_end(fds[0], &text));
	assert_true(text.len < strlen(answer));
	assert_false(at_end(fds[ARRAY_SIZE(fds) - 1], &text));
	str_done(&text);
	for (size_t i = 1; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	close(fds[0]);
}

/* Ends with guests in every state. */
static void test_end(void **state)
{
	int fds[4];

	use_large_lab();
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = dial_with("127.0.0.1", 4096);
	say(fds[1], "GET /metr");
	say(fds[2], GET "\r\n");
	loop_until(views.n);
	metrics_close(metrics);
	metrics = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		struct str text = {};

		loop_until(at_end(fds[i], &text));
		str_done(&text);
		close(fds[i]);
	}
}

static void test_guests(void **state)
{
	struct guests g = {};
	struct guest *first, *second;
	struct str text = {};
	int a[2], b[2];
	uint64_t due;

	assert_int_equal(guests_look(&g), UINT64_MAX);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, b), 0);
	first = guests_add(&g, a[0]);
	second = guests_add(&g, b[0]);
	second->since_ns++;
	due = guests_look(&g);
	assert_int_equal(due, first->since_ns + METRICS_GUEST_MS * 1000000ull);
	first->since_ns -= METRICS_GUEST_MS * 1000000ull;
	assert_int_equal(guests_look(&g), second->since_ns + METRICS_GUEST_MS * 1000000ull);
	assert_true(at_end(a[1], &text));
	assert_false(at_end(b[1], &text));
	assert_true(first->here);
	guests_remove(first);
	guests_remove(NULL);
	assert_ptr_equal(guests_add(&g, a[0]), first);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		http_test(test_slow_request),
		http_test(test_nonsense),
		http_test(test_endless_head),
		http_test(test_crowd),
		http_test(test_rush),
		http_test(test_deaf),
		http_test(test_end),
		cmocka_unit_test(test_guests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
