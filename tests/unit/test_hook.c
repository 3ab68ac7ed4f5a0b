// SPDX-License-Identifier: GPL-2.0-or-later
/* Hooks that work, hang, fork, flood, fail and are missing. */
#include "loop.h"
#include "base/defs.h"
#include "base/file.h"
#include "run/hook.h"
#include "run/limit.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char dir[] = "/tmp/asymbpf-hook-XXXXXX", path[64], out[64];
static struct events events;
static struct seen errors;
static struct hook *hook;

static int setup(void **state)
{
	events = (struct events){};
	errors = (struct seen){.sink.take = seen_take, .only = EVENT_ERROR};
	unlink(out);
	if (loop_setup(state))
		return -1;
	events_add(&events, &errors.sink);
	return hook_open(&loop, &events, &hook);
}

static int teardown(void **state)
{
	hook_close(hook);
	return loop_teardown(state);
}

#define hook_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static void script(const char *body, uint32_t timeout_ms)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\nout=%s\n%s\n", out, body);
	fclose(f);
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(hook_configure(hook, path, timeout_ms), 0);
}

static void send_link(const char *name, const char *state)
{
	events_send(&events, &(struct event){.kind = EVENT_LINK, .link = name, .device = "eth1",
					     .family = AF_INET, .state = state,
					     .reason = "no-answer", .text = "of no concern"});
}

/* What the hooks wrote, or "". */
static const char *written(void)
{
	static char text[65536];
	char *s = NULL;
	size_t len;

	*text = 0;
	if (!file_read(out, sizeof(text) - 1, &s, &len))
		memcpy(text, s, len + 1);
	free(s);
	return text;
}

static size_t lines(void)
{
	size_t n = 0;

	for (const char *s = written(); *s; s++)
		n += *s == '\n';
	return n;
}

/* Gone, or waiting for whoever has inherited it. */
static bool is_dead(pid_t pid)
{
	char name[64], line[256] = "", state = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	f = fopen(name, "re");
	if (!f)
		return true;
	if (fgets(line, sizeof(line), f))
		sscanf(line, "%*d (%*[^)]) %c", &state);
	fclose(f);
	return state == 'Z' || state == 'X';
}

static void test_environment(void **state)
{
	static const char *const want =
		"link wan ipv4 eth1 down no-answer /\n"
		"manual dsl ipv6  up  /\n"
		"reload      /\n";

	script("printf '%s %s %s %s %s %s %s\\n' \"$ASYMBPF_EVENT\" \"$ASYMBPF_LINK\" "
	       "\"$ASYMBPF_FAMILY\" \"$ASYMBPF_DEVICE\" \"$ASYMBPF_STATE\" \"$ASYMBPF_REASON\" "
	       "$(pwd) >>$out", 5000);
	send_link("wan", "down");
	events_send(&events, &(struct event){.kind = EVENT_TARGET, .link = "wan"});
	events_send(&events, &(struct event){.kind = EVENT_MANUAL, .link = "dsl", .state = "up",
					     .family = AF_INET6});
	events_send(&events, &(struct event){.kind = EVENT_RELOAD});
	loop_until(lines() == 3);
	assert_string_equal(written(), want);
	assert_int_equal(errors.n, 0);
}

/* Nothing of the daemon's is open in it, no variable but ours, signals (1 to 16 of them) are as usual. */
static void test_inheritance(void **state)
{
	setenv("SECRET", "1", 1);
	signal(SIGPIPE, SIG_IGN);
	script("files=$(cd /proc/$$/fd; for f in *; do readlink $f; done | grep -v -e pipe -e hook)\n"
	       "{ echo $files; wc -c; sed -n 's/SigIgn:.*\\(....\\)$/\\1/p' /proc/self/status;\n"
	       "env | grep -vcE '^(ASYMBPF_|PATH=|PWD=|_=|OLDPWD)'; } >$out.new\n"
	       "mv $out.new $out", 5000);
	send_link("wan", "down");
	loop_until(lines() == 4);
	assert_string_equal(written(), "/dev/null /dev/null /dev/null\n0\n0000\n0\n");
	unsetenv("SECRET");
}

/* The daemon has many files open, a hook may know select() only. */
static void test_file_limit(void **state)
{
	struct rlimit before, low = {.rlim_cur = 256}, now;
	int fd[300];

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	limit_raise();
	script("ulimit -n >>$out", 5000);
	send_link("wan", "down");
	loop_until(lines() == 1);
	assert_string_equal(written(), "256\n");

	/* more than the hook may have */
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		fd[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	script("sleep 0.2; ulimit -n >>$out", 5000);
	send_link("wan", "down");
	loop_until(lines() == 2);
	assert_string_equal(written(), "256\n256\n");
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
	assert_int_equal(errors.n, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	assert_int_equal(now.rlim_cur, low.rlim_max);
	setrlimit(RLIMIT_NOFILE, &before);
}

static void test_hangs(void **state)
{
	pid_t child, self;

	script("sleep 1000 & echo $$ $! >>$out; wait", 200);
	send_link("wan", "down");
	send_link("wan", "up");
	loop_until(lines() == 1);
	assert_int_equal(sscanf(written(), "%d %d", &self, &child), 2);
	assert_false(is_dead(child));
	loop_until(lines() == 2);
	loop_until(is_dead(self) && is_dead(child));
	sscanf(strchr(written(), '\n'), "%d %d", &self, &child);
	loop_until(is_dead(self) && is_dead(child));
	assert_int_equal(errors.n, 1);
	assert_non_null(strstr(errors.text, "killed after 0.2 s"));
}

static void test_forks(void **state)
{
	pid_t child;

	script("sleep 1000 & echo $! >>$out", 60000);
	send_link("wan", "down");
	send_link("wan", "up");
	loop_until(lines() == 2);
	sscanf(written(), "%d", &child);
	loop_until(is_dead(child));
	sscanf(strchr(written(), '\n'), "%d", &child);
	loop_until(is_dead(child));
	assert_int_equal(errors.n, 0);
}

/* The loop goes on while it writes. */
static void test_floods(void **state)
{
	uint64_t began = uv_hrtime(), turns = 0;

	script("yes; yes >&2", 300);
	send_link("wan", "down");
	loop_until(turns++ > 20);
	assert_true(uv_hrtime() - began < 250000000);
	loop_until(errors.n == 1);
}

static void test_fails(void **state)
{
	script("echo x >>$out; exit 3", 5000);
	for (int i = 0; i < 5; i++)
		send_link("wan", "down");
	loop_until(lines() == 5);
	loop_until(errors.n == 1);
	assert_non_null(strstr(errors.text, "status 3"));
	script("echo x >>$out", 5000);
	send_link("wan", "down");
	loop_until(lines() == 6);
	script("echo x >>$out; kill -USR1 $$", 5000);
	send_link("wan", "down");
	loop_until(errors.n == 2);
	assert_non_null(strstr(errors.text, "signal 10"));
}

/* One complaint for all of them, one more for another file. */
static void test_missing(void **state)
{
	hook_configure(hook, "/nowhere/hook", 5000);
	for (int i = 0; i < 20; i++)
		send_link("wan", "down");
	loop_until(errors.n == 1);
	hook_configure(hook, "/nowhere/hook", 5000);
	send_link("wan", "down");
	script("echo x >>$out", 5000);
	send_link("wan", "down");
	loop_until(lines() >= 1);
	assert_int_equal(errors.n, 1);
	chmod(path, 0600);
	send_link("wan", "down");
	hook_configure(hook, "/nowhere/hook2", 5000);
	send_link("wan", "down");
	loop_until(errors.n == 2);
	assert_string_equal(errors.text, "error: hook /nowhere/hook2: No such file or directory");
}

static void test_queue(void **state)
{
	script("[ -s $out ] || { echo >>$out; sleep 1000; }; echo x >>$out", 300);
	send_link("wan", "down");
	loop_until(lines() == 1);
	for (int i = 0; i < HOOK_QUEUE + 43; i++)
		send_link("wan", i % 2 ? "down" : "up");
	loop_until(errors.n == 2);
	assert_non_null(strstr(errors.text, "43 events were dropped"));
	assert_int_equal(lines(), 1 + HOOK_QUEUE);
}

static void test_configure(void **state)
{
	send_link("wan", "down");
	script("echo x >>$out", 5000);
	send_link("wan", "down");
	send_link("wan", "down");
	hook_configure(hook, NULL, 5000);
	send_link("wan", "down");
	script("echo y >>$out", 5000);
	send_link("wan", "down");
	loop_until(lines() > 0);
	assert_string_equal(written(), "y\n");
}

static void test_close(void **state)
{
	pid_t child;

	script("sleep 1000 & echo $! >>$out; wait", 60000);
	send_link("wan", "down");
	send_link("wan", "up");
	loop_until(lines() == 1);
	sscanf(written(), "%d", &child);
	hook_close(hook);
	loop_until(is_dead(child));
	assert_int_equal(lines(), 1);
	assert_int_equal(hook_open(&loop, &events, &hook), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hook_test(test_environment), hook_test(test_inheritance), hook_test(test_file_limit),
		hook_test(test_hangs),
		hook_test(test_forks),	     hook_test(test_floods),	  hook_test(test_fails),
		hook_test(test_missing),     hook_test(test_queue),	  hook_test(test_configure),
		hook_test(test_close),
	};
	int failed;

	/* what we inherited ourselves is nobody's leak */
	if (!mkdtemp(dir) || close_range(3, ~0u, CLOSE_RANGE_CLOEXEC))
		return 1;
	snprintf(path, sizeof(path), "%s/hook", dir);
	snprintf(out, sizeof(out), "%s/out", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(out);
	unlink(path);
	rmdir(dir);
	return failed;
}
