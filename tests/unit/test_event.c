// SPDX-License-Identifier: GPL-2.0-or-later
/* Events: as text and JSON, to sinks that come and go, to descriptors that are full, slow or closed. */
#include "loop.h"
#include "base/defs.h"
#include "base/file.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct event link_down = {
	.kind = EVENT_LINK, .link = "wan", .device = "eth1", .family = AF_INET, .state = "down",
	.reason = "no-answer",
};

static void test_text(void **state)
{
	static const struct {
		struct event e;
		const char *want;
	} rows[] = {
		{{EVENT_LINK, "wan", "eth1", AF_INET, "down", "no-answer", NULL},
		 "link wan: IPv4 down (no-answer)"},
		{{EVENT_LINK, "wan", NULL, AF_INET6, "up", "answers", "after 3 s"},
		 "link wan: IPv6 up (answers): after 3 s"},
		{{EVENT_MANUAL, "wan", NULL, 0, "down", NULL, "for 60 s"},
		 "link wan: forced down: for 60 s"},
		{{EVENT_MANUAL, "wan", NULL, 0, "auto", NULL, NULL}, "link wan: no longer forced"},
		{{EVENT_TARGET, "wan", "eth1", AF_INET, "down", NULL, "ping 192.0.2.1: timeout"},
		 "link wan: IPv4 target does not answer: ping 192.0.2.1: timeout"},
		{{EVENT_LEASE, "wan", "eth1", AF_INET, "late", NULL, "192.0.2.7"},
		 "link wan: IPv4 lease late: 192.0.2.7"},
		{{EVENT_REPAIR, NULL, NULL, 0, NULL, NULL, "3 rules"}, "repaired: 3 rules"},
		{{EVENT_ERROR, NULL, "ppp0", 0, NULL, NULL, "a\nb\x7f\xff"}, "ppp0: error: a b ?"},
		{{.kind = EVENT_RELOAD}, "reloaded"},
		{{.kind = EVENT_START}, "monitoring"},
	};
	char text[EVENT_LINE], tiny[8];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		event_text(&rows[i].e, text, sizeof(text));
		assert_string_equal(text, rows[i].want);
	}
	event_text(&rows[0].e, tiny, sizeof(tiny));
	assert_string_equal(tiny, "link wa");
}

static const char *member(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ? json_object_get_string(v) : NULL;
}

/* What json-c reads out of the line; the line is one, and valid UTF-8. */
static struct json_object *reread(const struct event *e)
{
	struct json_tokener *t = json_tokener_new();
	char line[EVENT_LINE];
	size_t len = event_json_line(e, line);
	struct json_object *o;

	assert_int_equal(strlen(line), len);
	assert_null(strchr(line, '\n'));
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, line, len + 1);
	if (!o)
		fail_msg("%s: %s", json_tokener_error_desc(json_tokener_get_error(t)), line);
	json_tokener_free(t);
	return o;
}

static void test_json(void **state)
{
	struct event e = link_down;
	struct json_object *o = reread(&e);

	assert_int_equal(json_object_object_length(o), 7);
	assert_string_equal(member(o, "event"), "link");
	assert_string_equal(member(o, "link"), "wan");
	assert_string_equal(member(o, "device"), "eth1");
	assert_string_equal(member(o, "family"), "ipv4");
	assert_string_equal(member(o, "state"), "down");
	assert_string_equal(member(o, "reason"), "no-answer");
	assert_int_equal(strlen(member(o, "time")), strlen("2026-11-22T10:00:00.123Z"));
	json_object_put(o);

	e.text = "\"quoted\" \\ f\xc3\xbcr 1 \xe2\x82\xac\t\xf0\x9f\x98\x80";
	o = reread(&e);
	assert_string_equal(member(o, "text"),
			    "\"quoted\" \\ f\xc3\xbcr 1 \xe2\x82\xac \xf0\x9f\x98\x80");
	json_object_put(o);
}

/* Bytes that are no UTF-8: cut, overlong, surrogates, beyond the end, alone. */
static void test_json_bytes(void **state)
{
	static const char *const rows[] = {"\xc3", "\xe2\x82", "\xc0\x80", "\xed\xa0\x80",
					   "\xf4\x90\x80\x80", "\x80", "\xff", "\xe0\x80\x80",
					   "\xf0\x80\x80\x80", "\xc1\xbf", "\xf8\x88\x80\x80\x80"};
	struct event e = link_down;
	char text[256] = "";

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct json_object *o;

		e.text = rows[i];
		o = reread(&e);
		assert_int_equal(strspn(member(o, "text"), "?"), strlen(rows[i]));
		json_object_put(o);
	}
	srand(1);
	for (int i = 0; i < 20000; i++) {
		for (size_t k = 0; k < sizeof(text) - 1; k++)
			text[k] = rand() % 255 + 1;
		e.text = text;
		json_object_put(reread(&e));
	}
}

/* The longest line is valid, too, wherever it is cut. */
static void test_json_long(void **state)
{
	char long_text[9000];
	struct event e = {.kind = EVENT_ERROR, .link = long_text, .device = long_text,
			  .state = long_text, .reason = long_text, .text = long_text,
			  .family = AF_INET6};
	struct json_object *o;

	for (size_t shift = 0; shift < 3; shift++) {
		memset(long_text, '"', sizeof(long_text));
		for (size_t i = shift; i + 3 < sizeof(long_text) && shift; i += 3)
			memcpy(long_text + i, "\xe2\x82\xac", 3);
		long_text[sizeof(long_text) - 1] = 0;
		o = reread(&e);
		assert_in_range(strlen(member(o, "text")), 1490, 1500);
		assert_in_range(strlen(member(o, "reason")), 60, 64);
		json_object_put(o);
	}
}

/* Sinks that remove themselves and others, or send, from within take. */

static struct events events;
static struct event_sink a, b, c;
static char order[64];

static void note(char which)
{
	order[strlen(order)] = which;
}

static void take_a(struct event_sink *s, const struct event *e, const char *json, size_t len)
{
	note('a');
	if (e->kind == EVENT_STOP)
		events_remove(&events, &b);
	if (e->kind == EVENT_START)
		events_remove(&events, &a);
	if (e->kind == EVENT_LINK)
		events_send(&events, &(struct event){.kind = EVENT_STOP});
}

static void take_b(struct event_sink *s, const struct event *e, const char *json, size_t len)
{
	note('b');
	if (e->kind == EVENT_REPAIR) {
		events_remove(&events, &c);
		events_remove(&events, &b);
	}
}

static void take_c(struct event_sink *s, const struct event *e, const char *json, size_t len)
{
	note('c');
}

static const char *sent(enum event_kind kind)
{
	events = (struct events){};
	memset(order, 0, sizeof(order));
	a.take = take_a;
	b.take = take_b;
	c.take = take_c;
	events_add(&events, &a);
	events_add(&events, &b);
	events_add(&events, &c);
	events_send(&events, &(struct event){.kind = kind});
	assert_null(events.walks);
	assert_true(events.count[kind] == 1);
	return order;
}

static void test_sinks(void **state)
{
	assert_string_equal(sent(EVENT_RELOAD), "abc");
	assert_string_equal(sent(EVENT_STOP), "ac");
	assert_string_equal(sent(EVENT_START), "abc");
	assert_ptr_equal(events.sinks, &b);
	assert_string_equal(sent(EVENT_REPAIR), "ab");
	assert_ptr_equal(events.sinks, &a);
	assert_null(a.next);
	/* a sends STOP, from within which b is removed: nor does it get what is being sent */
	assert_string_equal(sent(EVENT_LINK), "aacc");
	events_remove(&events, &b);
}

/* The standard sinks, in a process of their own: what they write, by the descriptor that it gets. */

static int status_of(pid_t pid)
{
	int status, turns = 0;

	while (!waitpid(pid, &status, WNOHANG))
		if (poll(NULL, 0, 10), ++turns > 1000)
			return kill(pid, SIGKILL), waitpid(pid, &status, 0), -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

/* n events to a sink, whose descriptor number `to` is fd (-1: closed); 0 if it survives. */
static int emit(struct event_sink *sink, int to, int fd, int n)
{
	pid_t pid = fork();

	if (pid)
		return status_of(pid);
	signal(SIGPIPE, SIG_IGN);
	log_never_wait();
	if (fd < 0)
		close(to);
	else
		dup2(fd, to);
	events = (struct events){};
	events_add(&events, sink);
	while (n--)
		events_send(&events, &link_down);
	_exit(0);
}

static void test_log(void **state)
{
	char path[] = "/tmp/asymbpf-log-XXXXXX", stream[64], *text;
	int fd = mkstemp(path);
	struct stat st;
	size_t len;

	assert_int_equal(emit(&event_log, 2, fd, 2), 0);
	assert_int_equal(file_read(path, 1000, &text, &len), 0);
	assert_string_equal(text, "asymbpf: link wan: IPv4 down (no-answer)\n"
				  "asymbpf: link wan: IPv4 down (no-answer)\n");
	free(text);
	assert_int_equal(ftruncate(fd, 0) | lseek(fd, 0, SEEK_SET) | fstat(fd, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_int_equal(emit(&event_log, 2, fd, 1), 0);
	setenv("JOURNAL_STREAM", "1:2", 1);
	assert_int_equal(emit(&event_log, 2, fd, 1), 0);
	unsetenv("JOURNAL_STREAM");
	assert_int_equal(file_read(path, 1000, &text, &len), 0);
	assert_string_equal(text, "<4>asymbpf: link wan: IPv4 down (no-answer)\n"
				  "asymbpf: link wan: IPv4 down (no-answer)\n");
	free(text);
	close(fd);
	unlink(path);
}

static void test_lost(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), pipes[2];

	assert_true(full >= 0 && !pipe2(pipes, O_CLOEXEC));
	assert_int_equal(emit(&event_log, 2, full, 3), 0);
	assert_int_equal(emit(&event_log, 2, -1, 3), 0);
	assert_int_equal(emit(&event_json, 1, full, 3), 0);
	/* 64 KiB of pipe, of which nobody reads */
	assert_int_equal(emit(&event_log, 2, pipes[1], 10000), 0);
	assert_int_equal(emit(&event_json, 1, pipes[1], 10000), 0);
	close(pipes[0]);
	assert_int_equal(emit(&event_json, 1, pipes[1], 3), 0);
	close(pipes[1]);
	close(full);
}

/* Whole lines, and how many there are not. */
static void test_lost_count(void **state)
{
	int pipes[2], saved = dup(STDOUT_FILENO), flags;
	unsigned long long lost = 0;
	static char text[1 << 20];
	size_t n = 0;
	ssize_t got;

	fflush(stdout);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	flags = fcntl(pipes[0], F_GETFL);
	fcntl(pipes[0], F_SETFL, flags | O_NONBLOCK);
	dup2(pipes[1], STDOUT_FILENO);
	events = (struct events){};
	events_add(&events, &event_json);
	for (int i = 0; i < 2000; i++)
		events_send(&events, &link_down);
	while ((got = read(pipes[0], text + n, sizeof(text) - n)) > 0)
		n += got;
	events_send(&events, &link_down);
	dup2(saved, STDOUT_FILENO);
	while ((got = read(pipes[0], text + n, sizeof(text) - n)) > 0)
		n += got;
	text[n] = 0;
	n = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (sscanf(line, "{\"lost\":%llu}", &lost) == 1)
			continue;
		assert_true(line[0] == '{' && line[strlen(line) - 1] == '}');
		n++;
	}
	assert_true(lost > 0);
	assert_int_equal(n + lost, 2001);
	close(saved);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	   cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_bytes), cmocka_unit_test(test_json_long),
		cmocka_unit_test(test_sinks),	   cmocka_unit_test(test_log),
		cmocka_unit_test(test_lost),	   cmocka_unit_test(test_lost_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
