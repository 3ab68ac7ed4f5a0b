/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket of a daemon that notes what it is told. */
#ifndef TESTS_UNIT_CONTROL_LAB_H
#define TESTS_UNIT_CONTROL_LAB_H

#include "tests/unit/loop.h"

#include "base/defs.h"
#include "run/control.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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

static inline void op_status(void *data, struct json_object *ret)
{
	char *text = calloc(1, told.padding + 1);

	told.statuses++;
	memset(text, 'x', told.padding);
	json_object_object_add(ret, "padding", json_object_new_string(text));
	json_object_object_add(ret, "links", json_object_new_array());
	free(text);
}

static inline int op_link(void *data, const char *link, enum plan_manual manual, uint32_t seconds)
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

static inline int op_reload(void *data, char *text, size_t size)
{
	if (++told.reloads == 1)
		return 0;
	snprintf(text, size, "conf:3: \"what\" is wrong\n");
	return -EINVAL;
}

static const struct control_ops ops = {op_status, op_link, op_reload};

static inline int control_setup(void **state)
{
	events = (struct events){};
	memset(&told, 0, sizeof(told));
	control = NULL;
	return loop_setup(state) ?: control_open(&loop, cookie, &events, &ops, NULL, &control) ?:
	       control_serve(control);
}

static inline int control_teardown(void **state)
{
	control_close(control);
	return loop_teardown(state) ?: !access(address.sun_path, F_OK);
}

#define control_test(fn) cmocka_unit_test_setup_teardown(fn, control_setup, control_teardown)

static inline int dial(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -errno;
	}
	return fd;
}

static inline int dial_until_accepted(void)
{
	int fd;

	loop_until((fd = dial()) >= 0);
	return fd;
}

static inline bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* Lines as they come, joined by "|"; "EOF" for the end. */
static inline const char *hear(int fd, size_t lines)
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

static inline void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static inline const char *chat(const char *text, size_t lines)
{
	int fd = dial_until_accepted();
	const char *answer;

	say(fd, text);
	answer = hear(fd, lines);
	close(fd);
	return answer;
}

static inline int control_run(const struct CMUnitTest *tests, size_t n)
{
	if (geteuid()) {
		puts("1..0 # SKIP needs root");
		return 0;
	}
	cookie = 1ull << 63 | getpid();
	snprintf(address.sun_path, sizeof(address.sun_path), "/run/asymbpf/%" PRIu64 ".sock", cookie);
	return _cmocka_run_group_tests("control", tests, n, NULL, NULL);
}

#endif
