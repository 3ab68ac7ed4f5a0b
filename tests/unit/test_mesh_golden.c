// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/golden-mesh/NAME: in.conf gives plan: of every node, the next hops, the graph and the files of
 * wg-quick; of a mesh with many nodes only those of two nodes, and how much the rest is.  UPDATE=1
 * writes the plans anew; the difference is to be read.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/file.h"
#include "tests/unit/mesh_lab.h"

#define GOLDEN "tests/golden-mesh"
#define MAX_SIZE (16 << 20)
#define MAX_CASES 16
#define MANY 10 /* nodes */

static void read_mesh(struct meshed *p, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), GOLDEN "/%s/in.conf", name);
	mesh_init(&p->m);
	p->r = mesh_read(&p->m, path, &p->f);
	if (!p->r)
		p->r = mesh_check(&p->m, &p->f);
	findings_show(&p->f);
	assert_int_equal(p->r, 0);
}

static void add_node(const struct mesh *m, size_t node, struct str *out)
{
	PLAN p = plan_of(m, m->nodes[node].name);

	mesh_plan_text(&p, out);
	str_add(out, "\n");
}

static void add_files(const struct mesh *m, size_t node, struct str *out)
{
	PLAN p = plan_of(m, m->nodes[node].name);

	for (size_t i = 0; i < p.n_tunnels; i++) {
		str_add(out, "==== %s/%s.conf\n", m->nodes[node].name, p.tunnels[i].device);
		mesh_quick_text(&p, &p.tunnels[i], NULL, out);
	}
}

/* The lines of the table in which the node is. */
static void add_hops_of(const struct mesh *m, size_t node, struct str *out)
{
	_cleanup_(str_done) struct str hops = {};
	char *save, *line;

	assert_int_equal(mesh_hops_text(m, &hops), 0);
	for (line = strtok_r(hops.s, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, m->nodes[node].name, strlen(m->nodes[node].name)))
			str_add(out, "%s\n", line);
}

static unsigned int lines_of(const struct str *s)
{
	unsigned int n = 0;

	for (size_t i = 0; i < s->len; i++)
		n += s->s[i] == '\n';
	return n;
}

static void build_few(const struct mesh *m, struct str *out)
{
	for (size_t i = 0; i < m->n_nodes; i++)
		add_node(m, i, out);
	assert_int_equal(mesh_hops_text(m, out), 0);
	str_add(out, "\n");
	assert_int_equal(mesh_dot_text(m, out), 0);
	for (size_t i = 0; i < m->n_nodes; i++)
		add_files(m, i, out);
}

static void build_many(const struct mesh *m, struct str *out)
{
	_cleanup_(str_done) struct str all = {};

	add_node(m, 3, out);
	add_node(m, m->n_nodes - 1, out);
	add_hops_of(m, 3, out);
	add_hops_of(m, m->n_nodes - 1, out);
	build_few(m, &all);
	str_add(out, "%u lines in all\n", lines_of(&all));
}

static char *build(const char *name)
{
	struct str out = {};
	MESHED p = {};

	read_mesh(&p, name);
	str_add(&out, "hash %016llx\n", (unsigned long long)mesh_hash(&p.m));
	(p.m.n_nodes > MANY ? build_many : build_few)(&p.m, &out);
	assert_int_equal(out.err, 0);
	return out.s;
}

static char *slurp(const char *path)
{
	char *text;
	size_t len;

	return file_read(path, MAX_SIZE, &text, &len) ? NULL : text;
}

static void update(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
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
	_cleanup_free_ char *got = build(*state), *want = NULL;
	char path[512];

	snprintf(path, sizeof(path), GOLDEN "/%s/plan", (const char *)*state);
	if (getenv("UPDATE"))
		update(path, got);
	want = slurp(path);
	if (!want)
		fail_msg("no %s; UPDATE=1 writes it", path);
	if (strcmp(want, got)) {
		show_difference(want, got);
		fail();
	}
}

static double cpu_seconds(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Read, checked, planned for all nodes, printed, with the table of next hops. */
static void test_fifty_in_a_second(void **state)
{
	double begin = cpu_seconds(), took;
	_cleanup_(str_done) struct str out = {};
	MESHED p = {};

	read_mesh(&p, "fifty");
	for (size_t i = 0; i < p.m.n_nodes; i++)
		add_node(&p.m, i, &out);
	assert_int_equal(mesh_hops_text(&p.m, &out), 0);
	took = cpu_seconds() - begin;
	print_message("50 nodes in %.3f s\n", took);
	assert_true(took < 1);
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

int main(void)
{
	struct CMUnitTest tests[MAX_CASES + 1] = { cmocka_unit_test(test_fifty_in_a_second) };
	struct dirent **dirs;
	int n = scandir(GOLDEN, &dirs, visible, alphasort), failed;

	if (n <= 0 || n > MAX_CASES) {
		fprintf(stderr, "%d cases in %s\n", n, GOLDEN);
		return EXIT_FAILURE;
	}
	for (int i = 0; i < n; i++)
		tests[i + 1] = (struct CMUnitTest){ dirs[i]->d_name, test_case, NULL, NULL,
						    dirs[i]->d_name };
	failed = _cmocka_run_group_tests("mesh_golden", tests, (size_t)n + 1, NULL, NULL);
	for (int i = 0; i < n; i++)
		free(dirs[i]);
	free(dirs);
	return failed;
}
