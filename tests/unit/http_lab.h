/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The metrics server, and clients of it. */
#ifndef TESTS_UNIT_HTTP_LAB_H
#define TESTS_UNIT_HTTP_LAB_H

#include "tests/unit/loop.h"

#include "tests/unit/addr.h"
#include "tests/unit/fds.h"
#include "tests/unit/metrics_lab.h"
#include <arpa/inet.h>
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

static inline struct metrics_view view(void *data)
{
	uint64_t until = uv_hrtime() + views.takes_ms * 1000000ull;

	assert_ptr_equal(data, &views);
	views.n++;
	while (uv_hrtime() < until)
		;
	return lab_view(lab);
}

/* --- clients */

/* room: bytes of what it receives and does not read; 0: as ever. */
static inline int dial_with(const char *host, int room)
{
	union addr_socket to;
	socklen_t len = address(host, port, &to);
	int fd = socket(to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

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

static inline int dial(void)
{
	int fd = dial_with("127.0.0.1", 0);

	assert_true(fd >= 0);
	return fd;
}

static inline void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Whether the other end is closed; what came before goes into text, which grows. */
static inline bool at_end(int fd, struct str *text)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf) - 1)) > 0)
		str_add(text, "%.*s", (int)n, buf);
	return !n || errno != EAGAIN;
}

/* The whole answer; fd is closed. */
static inline char *hear(int fd)
{
	struct str text = {};

	str_add(&text, "%s", "");
	loop_until(at_end(fd, &text));
	close(fd);
	return text.s;
}

static inline char *ask(const char *request)
{
	int fd = dial();

	say(fd, request);
	return hear(fd);
}

#define GET "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"

static inline const char *body_of(const char *answer)
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

static inline void is_page(const char *answer)
{
	ASSERT_BEGINS(answer, "HTTP/1.1 200 OK\r\n");
	ASSERT_BEGINS(body_of(answer), "# HELP asymbpf_build");
}

/* --- before and after */

static inline uint16_t free_port(void)
{
	union addr_socket a = {.in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, &a.sa, sizeof(a.in)), 0);
	assert_int_equal(getsockname(fd, &a.sa, &len), 0);
	close(fd);
	return ntohs(a.in.sin_port);
}

static inline void open_at(const char *host)
{
	struct in6_addr a = addr(host);

	assert_int_equal(metrics_open(&loop, &a, port, view, &views, &metrics), 0);
}

static inline int http_setup(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	memset(&views, 0, sizeof(views));
	metrics = NULL;
	port = free_port();
	lab = lab_new("link wan1 { device = \"eth1\" }", "device lo index 1");
	loopback = addr("127.0.0.1");
	if (loop_setup(state))
		return -1;
	descriptors = count_fds();
	return metrics_open(&loop, &loopback, port, view, &views, &metrics);
}

/* Nothing is left open, in the loop or else. */
static inline int http_teardown(void **state)
{
	metrics_close(metrics);
	for (int turns = 0; turns < 1000 && uv_run(&loop, UV_RUN_NOWAIT); turns++)
		;
	if (count_fds() != descriptors)
		return -1;
	lab_free(lab);
	return loop_teardown(state);
}

#define http_test(fn) cmocka_unit_test_setup_teardown(fn, http_setup, http_teardown)

#endif
