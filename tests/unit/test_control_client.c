// SPDX-License-Identifier: GPL-2.0-or-later
/* The socket's file, and our own client. */
#include "tests/unit/control_lab.h"
#include <sys/wait.h>

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
	assert_int_equal(control_serve(control), 0);
	assert_string_equal(chat("{\"do\":\"link\",\"link\":\"w\",\"set\":\"up\"}\n", 1), "{\"ok\":true}");
}

/* Until it serves nobody waits for an answer, and no other takes its place. */
static void test_starting(void **state)
{
	struct json_object *request = json_object_new_object(), *answer;
	struct control *second = NULL;

	control_close(control);
	loop_until(access(address.sun_path, F_OK));
	assert_int_equal(control_ask(cookie, request, &answer), -ENOENT);
	assert_int_equal(control_open(&loop, cookie, &events, &ops, NULL, &control), 0);
	assert_int_equal(control_ask(cookie, request, &answer), -EINPROGRESS);
	assert_int_equal(control_listen(cookie, NULL, NULL), -EINPROGRESS);
	json_object_put(request);
	assert_int_equal(control_open(&loop, cookie, &events, &ops, NULL, &second), -EADDRINUSE);
	assert_int_equal(control_serve(control), 0);
	assert_string_equal(chat("{\"do\":\"link\",\"link\":\"w\",\"set\":\"up\"}\n", 1), "{\"ok\":true}");
	assert_int_equal(control_open(&loop, cookie, &events, &ops, NULL, &second), -EADDRINUSE);
}

static void test_umask(void **state)
{
	mode_t before = umask(0);
	struct stat st;

	control_close(control);
	assert_int_equal(control_open(&loop, cookie, &events, &ops, NULL, &control), 0);
	assert_int_equal(control_serve(control), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		control_test(test_file),
		control_test(test_starting),
		control_test(test_umask),
		control_test(test_client),
	};

	return control_run(tests, ARRAY_SIZE(tests));
}
