// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket under clients that behave, and under those that do not. */
#include "loop.h"
#include "base/defs.h"
#include "run/control.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static uint64_t cookie; /* of no namespace */
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static struct events events;
static struct control *control;

/* What the operations were told. */
static struct {
	char link[64];
	enum plan_manual manual;
	uint32_t seconds;
	size_t statuses, reloads, padding;
} told;

static void op_status(void *data, struct json_object *ret)
{
	char *text = calloc(1, told.padding + 1);

	told.statuses++;
	memset(text, 'x', told.padding);
	json_object_object_add(ret, "padding", json_object_new_string(text));
	json_object_object_add(ret, "links", json_object_new_array());
	free(text);
}

static int op_link(void *data, const char *link, enum plan_manual manual, uint32_t seconds)
{
	if (!strcmp(link, "gone"))
		return -ENOENT;
	snprintf(told.link, sizeof(told.link), "%s", link);
	told.manual = manual;
	told.seconds = seconds;
	events_send(&events, &(struct event){.kind = EVENT_MANUAL, .link = link,
					     .state = plan_manual_names[manual]});
	return 0;
}

static int op_reload(void *data, char *text, size_t size)
{
	if (++told.reloads == 1)
		return 0;
	snprintf(text, size, "conf:3: \"what\" is wrong\n");
	return -EINVAL;
}

static const struct control_ops ops = {op_status, op_link, op_reload};

static int setup(void **state)
{
	events = (struct events){};
	memset(&told, 0, sizeof(told));
	control = NULL;
	return loop_setup(state) ?: control_open(&loop, cookie, &events, &ops, NULL, &control);
}

static int teardown(void **state)
{
	control_close(control);
	return loop_teardown(state) ?: !access(address.sun_path, F_OK);
}

#define control_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static int dial(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -errno;
	}
	return fd;
}

static int dial_until_accepted(void)
{
	int fd;

	loop_until((fd = dial()) >= 0);
	return fd;
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* Lines as they come, joined by "|"; "EOF" for the end. */
static const char *hear(int fd, size_t lines)
{
	static char text[65536];
	size_t n = 0;
	ssize_t got;

	*text = 0;
	while (lines) {
		loop_until(readable(fd));
		got = read(fd, text + n, 1);
		if (got <= 0)
			return strcpy(text + n, "EOF"), text;
		if (text[n++] != '\n')
			continue;
		lines--;
		text[n - 1] = lines ? '|' : 0;
	}
	return text;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static const char *chat(const char *text, size_t lines)
{
	int fd = dial_until_accepted();
	const char *answer;

	say(fd, text);
	answer = hear(fd, lines);
	close(fd);
	return answer;
}

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

static size_t open_files(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 2048; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* A thousand come and say nothing; who subscribed before stays, who comes after is served. */
static void test_crowd(void **state)
{
	int fds[1000], subscriber = dial();
	size_t before = open_files();

	say(subscriber, "{\"do\":\"events\"}\n");
	assert_string_equal(hear(subscriber, 1), "{\"ok\":true}");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = dial_until_accepted();
	loop_until(open_files() - before <= ARRAY_SIZE(fds) + CONTROL_CLIENTS + 1);
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
	before = open_files();
	while (n < 2000) {
		events_send(&events, &(struct event){.kind = EVENT_REPAIR, .text = text});
		uv_run(&loop, UV_RUN_NOWAIT);
		n++;
		assert_non_null(strstr(hear(quick, 1), "xxx\"}"));
	}
	assert_int_equal(open_files(), before - 1);
	close(slow);
	close(quick);
}

static void test_file(void **state)
{
	struct control *second = NULL;
	struct stat st;
	int fd;

	assert_int_equal(stat(address.sun_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(control_open(&loop, cookie, &events, &ops, NULL, &second), -EADDRINUSE);
	assert_null(second);
	/* one that is alive, but too busy to accept */
	control_close(control);
	loop_until(access(address.sun_path, F_OK));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mkdir("/run/asymbpf", 0700);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 0), 0);
	close(dial());
	assert_int_equal(control_open(&loop, cookie, &events, &ops, NULL, &control), -EADDRINUSE);
	/* a killed one */
	close(fd);
	assert_int_equal(access(address.sun_path, F_OK), 0);
	assert_int_equal(control_open(&loop, cookie, &events, &ops, NULL, &control), 0);
	assert_string_equal(chat("{\"do\":\"link\",\"link\":\"w\",\"set\":\"up\"}\n", 1), "{\"ok\":true}");
}

static void test_umask(void **state)
{
	mode_t before = umask(0);
	struct stat st;

	control_close(control);
	assert_int_equal(control_open(&loop, cookie, &events, &ops, NULL, &control), 0);
	umask(before);
	assert_int_equal(stat(address.sun_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* The client's side, in a process of its own; its exit status. */
static int in_child(int (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(fn());
	loop_until(waitpid(pid, &status, WNOHANG) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int ask_status(void)
{
	struct json_object *o = json_object_new_object(), *answer, *padding;

	json_object_object_add(o, "do", json_object_new_string("status"));
	if (control_ask(cookie, o, &answer))
		return 1;
	json_object_put(o);
	json_object_object_get_ex(answer, "padding", &padding);
	return json_object_get_string_len(padding) == 1000000 ? 0 : 2;
}

static bool count_to_three(const char *line, void *data)
{
	size_t *n = data;

	return strstr(line, "\"repair\"") && ++*n < 3;
}

static int listen_thrice(void)
{
	size_t n = 0;

	return control_listen(cookie, count_to_three, &n) ?: n == 3 ? 0 : 1;
}

/* Has the daemon end when it has heard something. */
static bool end_it(const char *line, void *data)
{
	struct json_object *o = json_tokener_parse("{\"do\":\"reload\"}"), *answer = NULL;
	bool *done = data;

	if (!*done && !control_ask(cookie, o, &answer))
		*done = true;
	json_object_put(answer);
	json_object_put(o);
	return true;
}

static int listen_to_the_end(void)
{
	bool done = false;

	return control_listen(cookie, end_it, &done) == -EPIPE && done ? 0 : 1;
}

static void on_tick(uv_timer_t *t)
{
	events_send(&events, &(struct event){.kind = EVENT_REPAIR});
	if (told.reloads && control) {
		control_close(control);
		control = NULL;
	}
}

static void test_client(void **state)
{
	struct json_object *o = json_object_new_object(), *answer = NULL;
	static uv_timer_t timer;

	assert_int_equal(control_ask(cookie + 1, o, &answer), -ENOENT);
	json_object_put(o);
	told.padding = 1000000;
	assert_int_equal(in_child(ask_status), 0);
	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, on_tick, 1, 5);
	assert_int_equal(in_child(listen_thrice), 0);
	assert_int_equal(in_child(listen_to_the_end), 0);
	uv_close((uv_handle_t *)&timer, NULL);
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
		control_test(test_requests),	    control_test(test_nonsense),
		control_test(test_nul),		    control_test(test_length),
		control_test(test_never_reads),	    control_test(test_fair),
		control_test(test_crowd),	    control_test(test_events),
		control_test(test_slow_subscriber), control_test(test_file),
		control_test(test_umask),	    control_test(test_client),
		control_test(test_close),	    control_test(test_random),
	};

	if (geteuid()) {
		puts("1..0 # SKIP needs root");
		return 0;
	}
	cookie = 1ull << 63 | getpid();
	snprintf(address.sun_path, sizeof(address.sun_path), "/run/asymbpf/%" PRIu64 ".sock", cookie);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
