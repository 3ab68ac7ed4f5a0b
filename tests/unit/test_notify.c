// SPDX-License-Identifier: GPL-2.0-or-later
/* What a service manager would be told. */
#include "loop.h"
#include "run/notify.h"
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static int manager = -1;
static char name[64], text[512];

/* name: as in NOTIFY_SOCKET. */
static void listen_at(const char *fmt)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t len;

	len = snprintf(name, sizeof(name), "%s/asymbpf-notify-%d", fmt, getpid());
	memcpy(a.sun_path, name, len);
	if (*name == '@')
		a.sun_path[0] = 0;
	if (manager >= 0)
		close(manager);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&a,
			      offsetof(struct sockaddr_un, sun_path) + len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

/* The next datagram, or NULL. */
static const char *told(void)
{
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	if (n < 0)
		return NULL;
	text[n] = 0;
	return text;
}

static int setup(void **state)
{
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return loop_setup(state);
}

static int teardown(void **state)
{
	if (*name == '/')
		unlink(name);
	return loop_teardown(state);
}

static void check_all(void)
{
	struct notify *n = NULL;
	unsigned long long us;
	struct timespec now;

	assert_int_equal(notify_open(&loop, &n), 0);
	assert_non_null(n);
	assert_null(told());
	notify_status(n, "%d links, %s", 3, "1 down");
	assert_string_equal(told(), "STATUS=3 links, 1 down");
	notify_ready(n);
	assert_string_equal(told(), "READY=1");
	notify_reloading(n);
	assert_int_equal(sscanf(told(), "RELOADING=1\nMONOTONIC_USEC=%llu", &us), 1);
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_in_range(us, (now.tv_sec - 2) * 1000000ull, (now.tv_sec + 1) * 1000000ull);
	notify_stopping(n);
	assert_string_equal(told(), "STOPPING=1");
	/* a timer of ours does not keep the loop alive */
	assert_int_equal(uv_run(&loop, UV_RUN_NOWAIT), 0);
	notify_close(n);
}

static void test_path(void **state)
{
	listen_at("/tmp");
	check_all();
}

static void test_abstract(void **state)
{
	listen_at("@tmp");
	check_all();
}

static void test_nobody(void **state)
{
	struct notify *n = (struct notify *)&n;

	assert_int_equal(notify_open(&loop, &n), 0);
	assert_null(n);
	notify_ready(n);
	notify_reloading(n);
	notify_stopping(n);
	notify_status(n, "x");
	notify_close(n);
	setenv("NOTIFY_SOCKET", "tcp:1", 1);
	assert_int_equal(notify_open(&loop, &n), -EAFNOSUPPORT);
	setenv("NOTIFY_SOCKET", "/x123456789012345678901234567890123456789012345678901234567890"
				"123456789012345678901234567890123456789012345678901234567890", 1);
	assert_int_equal(notify_open(&loop, &n), -ENAMETOOLONG);
}

/* One who does not read, and one who has gone. */
static void test_deaf(void **state)
{
	struct notify *n;

	listen_at("/tmp");
	assert_int_equal(notify_open(&loop, &n), 0);
	for (int i = 0; i < 10000; i++)
		notify_ready(n);
	unlink(name);
	notify_ready(n);
	/* made anew, as after systemctl daemon-reexec */
	listen_at("/tmp");
	notify_ready(n);
	assert_string_equal(told(), "READY=1");
	notify_close(n);
}

static void test_watchdog(void **state)
{
	struct notify *n;
	uint64_t began;

	listen_at("/tmp");
	setenv("WATCHDOG_USEC", "100000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_open(&loop, &n), 0);
	began = uv_hrtime();
	loop_until(uv_hrtime() - began > 120000000);
	assert_null(told());
	notify_close(n);
	unsetenv("WATCHDOG_PID");
	assert_int_equal(notify_open(&loop, &n), 0);
	began = uv_hrtime();
	for (int i = 0; i < 5; i++) {
		loop_until(told());
		assert_string_equal(text, "WATCHDOG=1");
	}
	/* the first at once, then every 50 ms */
	assert_in_range((uv_hrtime() - began) / 1000000, 190, 390);
	notify_close(n);
}

#define notify_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		notify_test(test_path), notify_test(test_abstract), notify_test(test_nobody),
		notify_test(test_deaf), notify_test(test_watchdog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
