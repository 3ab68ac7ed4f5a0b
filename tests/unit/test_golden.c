// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/golden/NAME: in.conf (or none: the command line stands in host) and host (machine.h) give
 * plan.  UPDATE=1 writes the plans anew; the difference is to be read.  A line "summary" in host
 * counts lines by their first words instead of showing hundreds of them.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "core/check.h"
#include "tests/unit/machine.h"

#define GOLDEN "tests/golden"
#define MAX_SIZE (16 << 20)
#define MAX_CASES 64

static char *slurp(const char *name, const char *file)
{
	char path[512], *text;
	size_t len;

	snprintf(path, sizeof(path), GOLDEN "/%s/%s", name, file);
	return file_read(path, MAX_SIZE, &text, &len) ? NULL : text;
}

static void read_conf(struct model *m, const char *name, struct findings *f)
{
	char path[512];

	snprintf(path, sizeof(path), GOLDEN "/%s/in.conf", name);
	if (!access(path, F_OK))
		config_read(m, path, f);
}

/* The plan of a configuration that no one can load says nothing. */
static void judge(const struct model *m, const struct machine *machine, struct findings *f)
{
	check_model(m, f);
	check_host(m, &machine->h, machine->ids, machine->n_ids, f);
	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].level == FINDING_ERROR)
			fail_msg("line %d: %s", f->items[i].line, f->items[i].text);
}

/* Lines of a kind are counted, and the last is shown; the tree of marks is shown whole. */
static void summarize(char *text, struct str *out)
{
	static const char *const kinds[] = { "link ", "gone ", "lan ", "match ", "rule ",
					     "IPv6 rule ", "route ", "IPv6 route ", "sysctl ",
					     "\tcounter ", "\tchain " };
	unsigned int n[ARRAY_SIZE(kinds)] = { 0 };
	const char *last[ARRAY_SIZE(kinds)];
	char *save, *line;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t i = 0;

		if (strstr(line, "rule ") && (strstr(line, " goto ") || strstr(line, " nop")))
			str_add(out, "%s\n", line);
		while (i < ARRAY_SIZE(kinds) && strncmp(line, kinds[i], strlen(kinds[i])))
			i++;
		if (i == ARRAY_SIZE(kinds))
			continue;
		n[i]++;
		last[i] = line;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (n[i])
			str_add(out, "%u, the last: %s\n", n[i], last[i] + (*last[i] == '\t'));
}

/* Whether the programs found no module to hand connections over to. */
static bool liberal = true;

/* The plan as text, or its summary. */
static char *plan_as_text(const struct plan *p, bool summary)
{
	const struct plan_taken taken = {.liberal = liberal, .programs = p->model->host_traffic};
	struct str full = {}, brief = {};

	plan_text(p, &taken, &full);
	assert_int_equal(full.err, 0);
	if (!summary)
		return full.s;
	summarize(full.s, &brief);
	str_done(&full);
	assert_int_equal(brief.err, 0);
	return brief.s;
}

static char *build(const char *name)
{
	struct machine machine = {};
	struct findings f = {};
	struct model m;
	struct plan *p = calloc(1, sizeof(*p));
	_cleanup_free_ char *host = slurp(name, "host");
	char *summary, *text;

	assert_non_null(host);
	summary = strstr(host, "summary\n");
	if (summary)
		memset(summary, ' ', strlen("summary"));
	model_init(&m);
	read_conf(&m, name, &f);
	machine.m = &m;
	machine.f = &f;
	machine_parse(&machine, host);
	assert_int_equal(model_add_defaults(&m), 0);
	judge(&m, &machine, &f);
	assert_int_equal(plan_build(p, &m, &machine.h, machine.ids, machine.n_ids), 0);
	text = plan_as_text(p, summary);
	plan_done(p);
	free(p);
	machine_done(&machine);
	model_done(&m);
	findings_done(&f);
	return text;
}

static void update(const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), GOLDEN "/%s/plan", name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fputs(text, file) < 0, 0);
	assert_int_equal(fclose(file), 0);
}

/* The first line in which the texts differ. */
static void show_difference(const char *want, const char *got)
{
	int line = 1;

	for (; *want && *want == *got; want++, got++)
		line += *want == '\n';
	for (; line > 1 && want[-1] != '\n'; want--)
		got--;
	print_error("plan, line %d:\n- %.*s\n+ %.*s\n", line, (int)strcspn(want, "\n"), want,
		    (int)strcspn(got, "\n"), got);
}

static void test_case(void **state)
{
	const char *name = *state;
	_cleanup_free_ char *got = build(name);
	_cleanup_free_ char *want = NULL;

	if (getenv("UPDATE"))
		update(name, got);
	want = slurp(name, "plan");
	if (!want)
		fail_msg("no %s/%s/plan; UPDATE=1 writes it", GOLDEN, name);
	if (strcmp(want, got)) {
		show_difference(want, got);
		fail();
	}
}

/* With hand-over of connections the settings of conntrack, and only these, are no part of it. */
static void test_handed_over(void **state)
{
	_cleanup_free_ char *with = build("fastpath"), *without = NULL;
	char *line = strstr(with, "sysctl net/netfilter/");

	liberal = false;
	without = build("fastpath");
	liberal = true;
	assert_non_null(line);
	assert_null(strstr(without, "sysctl net/netfilter/"));
	assert_memory_equal(without, with, line - with);
	line = strstr(line, "table inet");
	assert_non_null(line);
	assert_string_equal(strstr(without, "table inet"), line);
}

/* Each plan comes out the same again. */
static void test_again(void **state)
{
	_cleanup_free_ char *first = build("two_wans");
	_cleanup_free_ char *second = build("two_wans");

	assert_string_equal(first, second);
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

#define OWN 2 /* tests without a directory */

int main(void)
{
	struct CMUnitTest tests[MAX_CASES + OWN] = { cmocka_unit_test(test_again),
						     cmocka_unit_test(test_handed_over) };
	struct dirent **dirs;
	int n = scandir(GOLDEN, &dirs, visible, alphasort), failed;

	if (n <= 0 || n > MAX_CASES) {
		fprintf(stderr, "%d cases in %s\n", n, GOLDEN);
		return EXIT_FAILURE;
	}
	for (int i = 0; i < n; i++)
		tests[i + OWN] = (struct CMUnitTest){ dirs[i]->d_name, test_case, NULL, NULL,
						      dirs[i]->d_name };
	failed = _cmocka_run_group_tests("golden", tests, (size_t)n + OWN, NULL, NULL);
	for (int i = 0; i < n; i++)
		free(dirs[i]);
	free(dirs);
	return failed;
}
