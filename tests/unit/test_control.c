// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket under clients that behave, and under those that do not. */
#include "tests/unit/control_lab.h"

#include "tests/unit/fds.h"

#define ERROR(text) "{\"ok\":false,\"error\":\"" text "\"}"

static void test_requests(void **state)
{
	assert_string_equal(chat("{\"do\":\"status\"}\n", 1),
			    "{\"ok\":true,\"padding\":\"\",\"links\":[]}");
	assert_string_equal(chat("{\"do\":\"link\",\"link\":\"wan\",\"set\":\"down\",\"seconds\":60}\r\n", 1),
			    "{\"ok\":true}");
	assert_string_equal(told.link, "wan");
	assert_int_equal(told.manual, PLAN_MANUAL_DOWN);
	assert_int_equal(told.seconds, 60);
	assert_string_equal(chat("{\"do\":\"link\",\"link\":\"w\",\"set\":\"up\"}\n"
				 "{\"do\":\"link\",\"link\":\"gone\",\"set\":\"auto\"}\n", 2),
			    "{\"ok\":true}|" ERROR("no such link"));
	assert_string_equal(chat("{\"do\":\"reload\"}\n{\"do\":\"reload\"}\n", 2),
			    "{\"ok\":true}|" ERROR("conf:3: \\\"what\\\" is wrong\\n"));
	/* the last half line is nobody's */
	assert_string_equal(chat("{\"do\":\"status\"}\n{\"do\":\"relo", 1),
			    "{\"ok\":true,\"padding\":\"\",\"links\":[]}");
	assert_int_equal(told.reloads, 2);
}

static void test_nonsense(void **state)
{
	static const char *const lines[] = {
		"", " ", "{", "}", "{}", "[]", "null", "1", "\"do\"", "{\"do\":1}", "{\"do\":null}",
		"{\"do\":\"\"}", "{\"do\":\"Status\"}", "{\"do\":\"status\"} x", "{\"do\":\"status\",}",
		"{'do':'status'}", "{\"do\":\"status\",\"x\":1}", "{\"do\":\"status\",\"link\":\"wan\"}",
		"{\"do\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
		"{\"do\":\"link\"}", "{\"do\":\"link\",\"link\":\"wan\"}",
		"{\"do\":\"link\",\"link\":\"\",\"set\":\"up\"}",
		"{\"do\":\"link\",\"link\":\"a b\",\"set\":\"up\"}",
		"{\"do\":\"link\",\"link\":\"wan\\u0000x\",\"set\":\"up\"}",
		"{\"do\":\"link\",\"link\":{},\"set\":\"up\"}",
		"{\"do\":\"link\",\"link\":\"wan\",\"set\":\"on\"}",
		"{\"do\":\"link\",\"link\":\"wan\",\"set\":\"auto\",\"seconds\":5}",
		"{\"do\":\"link\",\"link\":\"wan\",\"set\":\"up\",\"second\":5}",
		"{\"do\":\"link\",\"link\":\"wan\",\"set\":\"up\",\"seconds\":-1}",
		"{\"do\":\"link\",\"link\":\"wan\",\"set\":\"up\",\"seconds\":1.5}",
		"{\"do\":\"link\",\"link\":\"wan\",\"set\":\"up\",\"seconds\":\"5\"}",
		"{\"do\":\"link\",\"link\":\"wan\",\"set\":\"up\",\"seconds\":4294967297}",
		"{\"do\":\"link\",\"link\":\"wan\",\"set\":\"up\",\"seconds\":99999999999999999999}",
		"{\"do\":\"status\xff\"}",
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		snprintf(text, sizeof(text), "%s\n", lines[i]);
		if (strncmp(chat(text, 1), "{\"ok\":false,\"error\":\"", 21))
			fail_msg("taken: %s", lines[i]);
	}
	assert_int_equal(told.statuses + told.reloads, 0);
	assert_string_equal(told.link, "");
}

static void test_nul(void **state)
{
	int fd = dial();

	assert_int_equal(write(fd, "{\"do\":\"status\"}\0x\n", 18), 18);
	assert_string_equal(hear(fd, 1), ERROR("not a JSON object"));
	close(fd);
}

/* Bytes one by one; a line of just the right length; one byte more. */
static void test_length(void **state)
{
	char line[CONTROL_LINE + 2];
	int fd = dial();

	memset(line, ' ', sizeof(line));
	memcpy(line, "{\"do\":\"status\"}", 15);
	line[CONTROL_LINE - 1] = '\n';
	for (int i = 0; i < CONTROL_LINE; i++)
		loop_until(write(fd, line + i, 1) == 1);
	assert_string_equal(hear(fd, 1), "{\"ok\":true,\"padding\":\"\",\"links\":[]}");
	line[CONTROL_LINE - 1] = ' ';
	line[CONTROL_LINE] = '\n';
	assert_int_equal(write(fd, line, CONTROL_LINE + 1), CONTROL_LINE + 1);
	assert_string_equal(hear(fd, 2), ERROR("line too long") "|EOF");
	assert_int_equal(told.statuses, 1);
	close(fd);
}

/* Anything, cut anywhere: an answer for each line. */
static void test_random(void **state)
{
	static const char *const pieces[] = {"{\"do\":\"status\"}", "\n", "\n", "{", "}", "\"", "\xff",
					     "[[[", "{\"do\":\"link\",\"link\":\"w\",\"set\":\"up\"}",
					     "", " "};
	char text[4000];

	srand(1);
	for (int round = 0; round < 200; round++) {
		size_t n = 0, lines = 0, sent = 0;
		int fd = dial();

		while (n < sizeof(text) - 64 && rand() % 50) {
			const char *piece = pieces[rand() % ARRAY_SIZE(pieces)];
			size_t len = strlen(piece) ?: 1; /* the empty one: its NUL */

			memcpy(text + n, piece, len);
			n += len;
			lines += *piece == '\n';
		}
		while (sent < n) {
			size_t some = rand() % 90 + 1;
			ssize_t put = send(fd, text + sent, MIN(n - sent, some), MSG_NOSIGNAL);

			sent += put > 0 ? put : 0;
			uv_run(&loop, UV_RUN_NOWAIT);
		}
		shutdown(fd, SHUT_WR);
		assert_null(strstr(hear(fd, lines), "EOF"));
		assert_string_equal(hear(fd, 1), "EOF");
		close(fd);
	}
}

/* Asks and asks and never reads: the daemon answers no more than the socket holds. */
static void test_never_reads(void **state)
{
	int fd = dial();
	size_t asked = 0;

	told.padding = 20000;
	for (int turns = 0; turns < 2000; turns++) {
		if (send(fd, "{\"do\":\"status\"}\n", 16, MSG_NOSIGNAL) == 16)
			asked++;
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	assert_true(told.statuses > 1 && told.statuses < 100);
	assert_true(asked > told.statuses);
	told.padding = 0;
	assert_string_equal(chat("{\"do\":\"link\",\"link\":\"w\",\"set\":\"up\"}\n", 1), "{\"ok\":true}");
	close(fd);
}

/* Some lines of each client in a turn of the loop (libuv calls back for a finished write up to eight
 * times in one), not all that it sent. */
static void test_fair(void **state)
{
	char text[160 * 16 + 1] = "";
	int fd = dial();

	for (int i = 0; i < 160; i++)
		memcpy(text + 16 * i, "{\"do\":\"status\"}\n", 16);
	say(fd, text);
	for (int i = 0; i < 10; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_in_range(told.statuses, 1, 100);
	hear(fd, 160);
	assert_int_equal(told.statuses, 160);
	close(fd);
}

/* A thousand come and say nothing; who subscribed before stays, who comes after is served. */
static void test_crowd(void **state)
{
	int fds[1000], subscriber = dial();
	size_t before = count_fds();

	say(subscriber, "{\"do\":\"events\"}\n");
	assert_string_equal(hear(subscriber, 1), "{\"ok\":true}");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = dial_until_accepted();
	loop_until(count_fds() - before <= ARRAY_SIZE(fds) + CONTROL_CLIENTS + 1);
	assert_string_equal(hear(fds[0], 1), "EOF");
	assert_string_equal(chat("{\"do\":\"link\",\"link\":\"w\",\"set\":\"up\"}\n", 1), "{\"ok\":true}");
	assert_non_null(strstr(hear(subscriber, 1), "\"manual\""));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	close(subscriber);
}

static void test_events(void **state)
{
	int fds[CONTROL_SUBSCRIBERS + 1];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = dial();
		say(fds[i], "{\"do\":\"events\"}\n{\"do\":\"reload\"}\n");
		if (i < CONTROL_SUBSCRIBERS)
			assert_string_equal(hear(fds[i], 1), "{\"ok\":true}");
		else
			assert_string_equal(hear(fds[i], 1), ERROR("too many subscribers"));
	}
	hear(fds[CONTROL_SUBSCRIBERS], 1);
	assert_int_equal(told.reloads, 1);
	events_send(&events, &(struct event){.kind = EVENT_LINK, .link = "wan", .state = "up"});
	for (size_t i = 0; i < CONTROL_SUBSCRIBERS; i++)
		assert_non_null(strstr(hear(fds[i], 1), "\"event\":\"link\",\"link\":\"wan\",\"state\":\"up\"}"));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	for (int i = 0; i < 10; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_string_equal(chat("{\"do\":\"events\"}\n", 1), "{\"ok\":true}");
}

/* A subscriber who does not read goes, the other gets every event. */
static void test_slow_subscriber(void **state)
{
	int slow = dial(), quick = dial();
	size_t before, n = 0;
	char text[1024];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = 0;
	say(slow, "{\"do\":\"events\"}\n");
	say(quick, "{\"do\":\"events\"}\n");
	hear(slow, 1);
	hear(quick, 1);
	before = count_fds();
	while (n < 2000) {
		events_send(&events, &(struct event){.kind = EVENT_REPAIR, .text = text});
		uv_run(&loop, UV_RUN_NOWAIT);
		n++;
		assert_non_null(strstr(hear(quick, 1), "xxx\"}"));
	}
	assert_int_equal(count_fds(), before - 1);
	close(slow);
	close(quick);
}

/* Who is in the middle of something when it ends. */
static void test_close(void **state)
{
	int fds[3] = {dial(), dial(), dial()};

	told.padding = 5000000;
	say(fds[0], "{\"do\":\"status\"}\n{\"do\":\"status\"}\n");
	say(fds[1], "{\"do\":\"events\"}\n");
	say(fds[2], "{\"do\":");
	for (int i = 0; i < 5; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	control_close(control);
	control = NULL;
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_string_equal(hear(fds[2], 1), "EOF");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	assert_int_equal(dial(), -ENOENT);
	assert_null(events.sinks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		control_test(test_requests),
		control_test(test_nonsense),
		control_test(test_nul),
		control_test(test_length),
		control_test(test_random),
		control_test(test_never_reads),
		control_test(test_fair),
		control_test(test_crowd),
		control_test(test_events),
		control_test(test_slow_subscriber),
		control_test(test_close),
	};

	return control_run(tests, ARRAY_SIZE(tests));
}
