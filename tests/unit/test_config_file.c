// SPDX-License-Identifier: GPL-2.0-or-later
/* Configurations in files, and what they take from others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "tests/unit/config.h"

static char dir[] = "/tmp/asymbpf-conf-XXXXXX";

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static const char *const names[] = { "a", "b", "c", "set", "big" };

static int remove_dir(void **state)
{
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	for (int i = 0; i < 12; i++) {
		snprintf(path, sizeof(path), "%s/deep%d", dir, i);
		unlink(path);
	}
	return rmdir(dir);
}

static void put(const char *name, const char *text, size_t len)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(file_replace(path, text, len), 0);
}

static struct parsed read_conf(const char *name)
{
	struct parsed p = {};
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	model_init(&p.m);
	p.r = config_read(&p.m, path, &p.f);
	return p;
}

#define PUT(name, text) put(name, text, strlen(text))

static void test_include(void **state)
{
	PUT("a", "rule one { policy = p }\ninclude(\"b\")\nrule four { policy = p }\nseed = x\n");
	PUT("b", "\nrule two { policy = p }\n\ninclude(c) rule three { policy = p dport = x }\n");
	PUT("c", "seed = 7\nlink l { weight = 3 }\nlink l {}");

	PARSED p = read_conf("a");

	assert_int_equal(p.m.n_rules, 4);
	assert_string_equal(p.m.rules[0].name, "one");
	assert_string_equal(p.m.rules[1].name, "two");
	assert_string_equal(p.m.rules[2].name, "three");
	assert_string_equal(p.m.rules[3].name, "four");
	assert_int_equal(p.m.rules[3].place.line, 3);
	assert_non_null(strstr(p.m.rules[2].place.file, "/b"));
	assert_int_equal(p.m.links[0].weight, 3);
	assert_int_equal(p.f.n, 3);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 4, "dport: \"x\" is no port"), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 3, "link: name \"l\" is taken"), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 4, "seed: given twice, first in /"), 1);
}

static void test_include_bad(void **state)
{
	char text[64];

	PUT("a", "include('b')\nseed = 1\ninclude('nowhere')");
	PUT("b", "include('./a') seed = 2\n");

	PARSED p = read_conf("a");

	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 1, "/./a\" includes itself"), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 3, "cannot be read: No such file"), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 2, "seed: given twice, first in /"), 1);
	assert_int_equal(p.f.n, 3);

	for (int i = 0; i < 12; i++) {
		char name[16];

		snprintf(name, sizeof(name), "deep%d", i);
		snprintf(text, sizeof(text), "include('deep%d')", i + 1);
		PUT(name, text);
	}
	PARSED deep = read_conf("deep0");

	ASSERT_ONE(&deep.f, FINDING_ERROR, 1, "is nested too deeply, expected at most 8");
}

static void test_set_file(void **state)
{
	PUT("a", "set s { prefixes = 192.0.2.0/24 file = set }");
	PUT("set", "# list\n10.0.0.0/8 # ten\r\n\n  2001:db8::/32\t\n192.0.2.1");
	PARSED good_set = read_conf("a");

	assert_int_equal(good_set.r, 0);
	assert_int_equal(good_set.m.sets[0].n, 4);
	assert_int_equal(good_set.m.sets[0].prefixes[1].len, 104);

	put("set", "10.0.0.0/8\n\nten\n1.2.3.4/8\n\0\n", 27);
	PARSED bad_set = read_conf("a");

	assert_int_equal(bad_set.f.n, 3);
	assert_int_equal(findings_with(&bad_set.f, FINDING_ERROR, 3, "file: \"ten\" is no prefix"), 1);
	assert_int_equal(findings_with(&bad_set.f, FINDING_ERROR, 4, "expected \"1.0.0.0/8\""), 1);
	assert_int_equal(findings_with(&bad_set.f, FINDING_ERROR, 5, "NUL byte"), 1);
	assert_non_null(strstr(bad_set.f.items[0].file, "/set"));
}

static void test_set_limit(void **state)
{
	_cleanup_(str_done) struct str s = {};

	PUT("a", "set s { file = set }");
	for (int i = 0; i < ASYM_MAX_PREFIXES; i++)
		str_add(&s, "10.%d.%d.0/24\n", i >> 8, i & 255);
	put("set", s.s, s.len);
	PARSED full = read_conf("a");

	assert_true(!full.r && full.m.sets[0].n == ASYM_MAX_PREFIXES);
	str_add(&s, "::1\n::2\n");
	put("set", s.s, s.len);
	PARSED over = read_conf("a");

	ASSERT_ONE(&over.f, FINDING_ERROR, ASYM_MAX_PREFIXES + 1, "one more than the limit");
}

static void test_files(void **state)
{
	_cleanup_free_ char *big = malloc((16 << 20) + 1);
	PARSED none = read_conf("none");

	ASSERT_ONE(&none.f, FINDING_ERROR, 0, "file: cannot be read: No such file");
	memset(big, '\n', (16 << 20) + 1);
	put("big", big, (16 << 20) + 1);
	PARSED over = read_conf("big");

	ASSERT_ONE(&over.f, FINDING_ERROR, 0, "file: cannot be read: File too large");
	put("big", big, 16 << 20);
	PARSED full = read_conf("big");

	assert_int_equal(full.r, 0);
	PARSED text = parse_bytes(big, (16 << 20) + 1);

	ASSERT_ONE(&text.f, FINDING_ERROR, 0, "file: larger than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_include_bad),
		cmocka_unit_test(test_set_file),
		cmocka_unit_test(test_set_limit),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests_name("config_file", tests, make_dir, remove_dir);
}
