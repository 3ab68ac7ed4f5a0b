// SPDX-License-Identifier: GPL-2.0-or-later
/* Command lines: what is taken, what is refused and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/defs.h"
#include "cmd/options.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS 6

static const struct command plain = {"verb", "[OPTION]...", "Do something", "cNwkFnmj", NULL};
static const struct command of_wg = {"wg verb", "[OPTION]...", "Do something", "cNj", NULL};

/* Both streams of what run does, at most a pipe's worth of it. */
struct heard {
	int status;
	char text[8192];
};

static int count(char **argv)
{
	int n = 0;

	while (argv[n])
		n++;
	return n;
}

static int run_parse(const struct command *c, char **argv)
{
	struct options o;
	int status = STATUS_OK;

	options_parse(&o, c, count(argv), argv, &status);
	options_done(&o);
	return status;
}

static int run_check(const struct command *c, char **argv)
{
	return cmd_check(c, count(argv), argv);
}

static struct heard hear(int (*run)(const struct command *, char **), const struct command *c,
			 const char *const words[WORDS])
{
	int fd[2], out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	char *argv[WORDS + 1] = {};
	struct heard h = {};
	ssize_t n;

	for (size_t i = 0; i < WORDS && words[i]; i++)
		argv[i] = (char *)words[i];
	assert_int_equal(pipe(fd), 0);
	fflush(stdout);
	dup2(fd[1], STDOUT_FILENO);
	dup2(fd[1], STDERR_FILENO);
	h.status = run(c, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(fd[1]);
	n = read(fd[0], h.text, sizeof(h.text) - 1);
	assert_true(n >= 0);
	close(fd[0]);
	close(out);
	close(err);
	return h;
}

static void test_wrong(void **state)
{
	static const struct {
		const char *words[WORDS], *said;
	} cases[] = {
		{{"verb", "--json=1"}, "verb: --json takes no value\n"},
		{{"verb", "--js=1"}, "verb: --js takes no value\n"},
		{{"verb", "--colour"}, "verb: unknown option \"--colour\"\n"},
		{{"verb", "--colour=red"}, "verb: unknown option \"--colour=red\"\n"},
		{{"verb", "-jx"}, "verb: unknown option \"-x\"\n"},
		{{"verb", "--json", "-x"}, "verb: unknown option \"-x\"\n"},
		{{"verb", "--config"}, "verb: --config needs a value\n"},
		{{"verb", "-c", "a", "--config=b"}, "verb: --config is given twice\n"},
		{{"verb", "--watch=0"}, "--watch: \"0\" is not a time from 1 s to 1 d\n"},
		{{"verb", "--for", "366d"}, "--for: \"366d\" is not a time from 1 s to 365 d\n"},
		{{"verb", "--port", "0"}, "--port: \"0\" is not a number from 1 to 65535\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct heard h = hear(run_parse, &plain, cases[i].words);

		assert_int_equal(h.status, STATUS_USAGE);
		if (!strstr(h.text, cases[i].said))
			fail_msg("expected \"%s\", got \"%s\"", cases[i].said, h.text);
		assert_non_null(strstr(h.text, "\nusage: asymbpf verb [OPTION]...\n"));
	}
}

static void test_taken(void **state)
{
	char *argv[] = {"verb", "--watch", "-c", "file", "-n", "53", "rest", "-j", NULL};
	struct options o;
	int status;

	assert_int_equal(options_parse(&o, &plain, 8, argv, &status), 0);
	assert_int_equal(status, STATUS_OK);
	assert_int_equal(o.watch_s, 1);
	assert_string_equal(o.config, "file");
	assert_int_equal(o.port, 53);
	assert_true(o.json);
	assert_int_equal(o.n_args, 1);
	assert_string_equal(o.args[0], "rest");
	options_done(&o);
}

/* --config of wg's verbs is another file than that of the others. */
static void test_help(void **state)
{
	struct heard h = hear(run_parse, &plain, (const char *const[WORDS]){"verb", "--help"});
	struct heard wg = hear(run_parse, &of_wg, (const char *const[WORDS]){"wg verb", "--help"});

	assert_int_equal(h.status, STATUS_OK);
	assert_non_null(strstr(h.text, "asymbpf.conf(5)\n"));
	assert_null(strstr(h.text, "mesh.conf"));
	assert_int_equal(wg.status, STATUS_OK);
	assert_non_null(strstr(wg.text, "asymbpf-mesh(5) (default: /etc/asymbpf/mesh.conf)\n"));
	assert_null(strstr(wg.text, "asymbpf.conf(5)"));
}

static void test_check_files(void **state)
{
	static const struct command check = {"check", "FILE", "Try", "ilcfpj", cmd_check};
	static const char *const wrong[][WORDS] = {
		{"check"},
		{"check", "a", "b"},
		{"check", "--config", "a", "b"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct heard h = hear(run_check, &check, wrong[i]);

		assert_int_equal(h.status, STATUS_USAGE);
		assert_non_null(strstr(h.text, "name one configuration file"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_check_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
