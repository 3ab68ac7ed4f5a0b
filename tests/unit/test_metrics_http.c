// SPDX-License-Identifier: GPL-2.0-or-later
/* The server, under clients that behave, and under those that do not. */
#include "loop.h"
#include "metrics_lab.h"
#include "run/metrics_guests.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

static struct lab *lab;
static struct metrics *metrics;
static struct in6_addr loopback;
static uint16_t port;
static struct {
	size_t n;	    /* pages asked for */
	unsigned int takes_ms;
} views;
static int descriptors;

static struct metrics_view view(void *data)
{
	uint64_t until = uv_hrtime() + views.takes_ms * 1000000ull;

	assert_ptr_equal(data, &views);
	views.n++;
	while (uv_hrtime() < until)
		;
	return lab_view(lab);
}

static int count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* --- clients */

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t address_of(const struct in6_addr *a, union address *ret)
{
	*ret = (union address){};
	if (addr_is_v4(a)) {
		ret->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
		memcpy(&ret->in.sin_addr, &a->s6_addr[12], 4);
		return sizeof(ret->in);
	}
	ret->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port),
					 .sin6_addr = *a};
	return sizeof(ret->in6);
}

/* room: bytes of what it receives and does not read; 0: as ever. */
static int dial_with(const char *addr, int room)
{
	struct in6_addr a;
	union address to;
	socklen_t len;
	int fd;

	assert_int_equal(addr_parse(addr, &a), 0);
	len = address_of(&a, &to);
	fd = socket(to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (room)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (connect(fd, &to.sa, len)) {
		close(fd);
		return -errno;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static int dial(void)
{
	int fd = dial_with("127.0.0.1", 0);

	assert_true(fd >= 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Whether the other end is closed; what came before goes into text, which grows. */
static bool at_end(int fd, struct str *text)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf) - 1)) > 0)
		str_add(text, "%.*s", (int)n, buf);
	return !n || errno != EAGAIN;
}

/* The whole answer; fd is closed. */
static char *hear(int fd)
{
	struct str text = {};

	str_add(&text, "%s", "");
	loop_until(at_end(fd, &text));
	close(fd);
	return text.s;
}

static char *ask(const char *request)
{
	int fd = dial();

	say(fd, request);
	return hear(fd);
}

#define GET "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"

static const char *body_of(const char *answer)
{
	const char *body = strstr(answer, "\r\n\r\n");

	assert_non_null(body);
	return body + 4;
}

#define ASSERT_BEGINS(text, with)                                                                  \
	do {                                                                                       \
		if (strncmp(text, with, strlen(with)))                                             \
			fail_msg("not %s but %.300s", with, text);                                 \
	} while (0)
#define ASSERT_HAS(text, what)                                                                     \
	do {                                                                                       \
		if (!strcasestr(text, what))                                                       \
			fail_msg("no %s in %.300s", what, text);                                   \
	} while (0)

static void is_page(const char *answer)
{
	ASSERT_BEGINS(answer, "HTTP/1.1 200 OK\r\n");
	ASSERT_BEGINS(body_of(answer), "# HELP asymbpf_build");
}

/* --- before and after */

static uint16_t free_port(void)
{
	union address a = {.in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, &a.sa, sizeof(a.in)), 0);
	assert_int_equal(getsockname(fd, &a.sa, &len), 0);
	close(fd);
	return ntohs(a.in.sin_port);
}

static void open_at(const char *addr)
{
	struct in6_addr a;

	assert_int_equal(addr_parse(addr, &a), 0);
	assert_int_equal(metrics_open(&loop, &a, port, view, &views, &metrics), 0);
}

static int setup(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	memset(&views, 0, sizeof(views));
	metrics = NULL;
	port = free_port();
	lab = lab_new("link wan1 { device = \"eth1\" }", "device lo index 1");
	addr_parse("127.0.0.1", &loopback);
	if (loop_setup(state))
		return -1;
	descriptors = count_descriptors();
	return metrics_open(&loop, &loopback, port, view, &views, &metrics);
}

/* Nothing is left open, in the loop or else. */
static int teardown(void **state)
{
	metrics_close(metrics);
	for (int turns = 0; turns < 1000 && uv_run(&loop, UV_RUN_NOWAIT); turns++)
		;
	if (count_descriptors() != descriptors)
		return -1;
	lab_free(lab);
	return loop_teardown(state);
}

#define http_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

/* --- those who behave */

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

/* --- those who do not */

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

/* --- the time that they have */

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
		http_test(test_page),	   http_test(test_open_metrics),
		http_test(test_turns),	   http_test(test_query),
		http_test(test_refused),   http_test(test_ipv6),
		http_test(test_any),	   http_test(test_taken),
		http_test(test_missing_address), http_test(test_fresh),
		http_test(test_slow_request), http_test(test_nonsense),
		http_test(test_endless_head), http_test(test_crowd),
		http_test(test_rush),	   http_test(test_deaf),
		http_test(test_end),	   cmocka_unit_test(test_guests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
