// SPDX-License-Identifier: GPL-2.0-or-later
/* What is wrong: one finding each, on its line, with the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"
#include "tests/unit/config.h"
#include <errno.h>

static const struct bad bad[] = {
	/* the scanner */
	{ "seed = 1\nlink \"w", 2, "string without its closing quote" },
	{ "seed = 1\n\nlink 'w\n' {}", 3, "string without its closing quote" },
	{ "seed = 1\n/* no end\n\n", 2, "comment without its closing */" },
	{ "seed = 1\n\x01", 2, "control character 0x01" },
	{ "link \"a\x1b\" {}", 1, "control character 0x1b" },
	/* statements */
	{ "\nseed 3", 2, "seed: unexpected \"3\", expected \"=\"" },
	{ "seed =", 1, "seed: unexpected \"end of file\", expected a value" },
	{ "seed = ,", 1, "seed: unexpected \",\", expected a value" },
	{ "lan { devices = {a b} }", 1, "devices: unexpected \"b\", expected \",\" or \"}\"" },
	{ "lan { devices = {a", 1, "devices: unexpected \"end of file\"" },
	{ "lan { devices = {,} }", 1, "devices: unexpected \",\", expected a value" },
	{ "link { }", 1, "link: unexpected \"{\", expected a name" },
	{ "link a b { }", 1, "link: unexpected \"b\", expected \"{\"" },
	{ "lan a { }", 1, "lan: unexpected \"a\", expected \"{\"" },
	{ "}", 1, "file: unexpected \"}\", expected a key or a section" },
	{ "= 3", 1, "file: unexpected \"=\"" },
	{ "\nlink a {\nweight = 3", 3, "link: section of line 2 does not end, expected \"}\"" },
	{ "link a { ( }", 1, "link: unexpected \"(\", expected a key or \"}\"" },
	{ "seed += 1", 1, "seed: unexpected \"+\", expected \"=\"" },
	{ "include \"a\"", 1, "include: unexpected \"a\", expected \"(\"" },
	{ "include(a, b)", 1, "include: unexpected \",\", expected \")\"" },
	{ "include()", 1, "include: unexpected \")\", expected" },
	/* keys */
	{ "\nsede = 3", 2, "\"sede\": unknown key, did you mean \"seed\"?" },
	{ "lnik a { b = {1, 2} c { d = e } f(1, 2) }", 1, "\"lnik\": unknown key, did you mean \"link\"" },
	{ "zzzzzz(1, {)", 1, "\"zzzzzz\": unknown key" },
	{ "link a { wieght = 2 }", 1, "\"wieght\": unknown key of section link, did you mean \"weight\"" },
	{ "policy p { tier { lniks = a } }", 1, "\"lniks\": unknown key of section tier, did you mean" },
	{ "link a { seed = 1 }", 1, "\"seed\": unknown key of section link" },
	{ "tier { links = a }", 1, "\"tier\": unknown key" },
	{ "__begin = 1", 1, "\"__begin\": unknown key" },
	{ "link a { __end = 1 }", 1, "\"__end\": unknown key of section link" },
	{ "seed = {1}", 1, "seed: a list, expected one value" },
	{ "lan { devices = {} }", 1, "devices: empty list, expected at least one value" },
	/* twice */
	{ "seed = 1\n\nseed = 2", 3, "seed: given twice, first in line 1" },
	{ "link a {\nnat = none\nnat = none }", 3, "nat: given twice, first in line 2" },
	{ "lan { devices = a }\nlan { devices = b }", 2, "lan: given twice, first in line 1" },
	{ "link a {}\n\nlink a {}", 3, "link: name \"a\" is taken by conf:1" },
	{ "set a {}\n set a {}", 2, "set: name \"a\" is taken by conf:1" },
	{ "policy a {}\npolicy a { links = b }", 2, "policy: name \"a\" is taken by conf:1" },
	{ "rule a {}\nrule a {}", 2, "rule: name \"a\" is taken by conf:1" },
	{ "lan { devices = {a, b, a} }", 1, "devices: \"a\" is given twice" },
	/* values */
	{ "seed = x", 1, "seed: \"x\" is not a number, expected 0 to 4294967295" },
	{ "seed = -1", 1, "seed: \"-1\" is not a number" },
	{ "seed = 4294967296", 1, "seed: \"4294967296\" is out of range" },
	{ "seed = ''", 1, "seed: \"\" is not a number" },
	{ "mark-mask = 0", 1, "mark-mask: \"0\" is out of range" },
	{ "mark-mask = 0xf0f0", 1, "mark-mask: \"0xf0f0\" does not fit, expected 3 to 8 bits" },
	{ "mark-mask = 3", 1, "mark-mask: \"3\" does not fit" },
	{ "mark-mask = 0x1ff", 1, "mark-mask: \"0x1ff\" does not fit" },
	{ "table-base = 200", 1, "table-base: \"200\" takes in a reserved table" },
	{ "table-base = 4294967295", 1, "table-base: \"4294967295\" is out of range" },
	{ "priority-base = 31000", 1, "priority-base: \"31000\" is out of range, expected 1 to 30766" },
	{ "sticky-entries = 1000", 1, "sticky-entries: \"1000\" is out of range, expected 1024 to" },
	{ "mss-clamp = maybe", 1, "mss-clamp: \"maybe\" is neither, expected yes or no" },
	{ "fastpath = stateless", 1, "fastpath: \"stateless\" is neither, expected yes or no" },
	{ "flow-pairs = 1023", 1, "flow-pairs: \"1023\" is out of range, expected 1024 to 4194304" },
	{ "flow-pairs = 4194305", 1, "flow-pairs: \"4194305\" is out of range" },
	{ "revalidate = 0", 1, "revalidate: \"0\" is out of range, expected 1s to 30s" },
	{ "revalidate = 31s", 1, "revalidate: \"31s\" is out of range" },
	{ "revalidate = soon", 1, "revalidate: \"soon\" is no time" },
	{ "link a { fastpath = stateles }", 1, "fastpath: \"stateles\" is unknown, expected one of "
	  "yes, no, stateless; did you mean \"stateless\"?" },
	{ "rule a { fastpath = maybe }", 1, "fastpath: \"maybe\" is unknown, expected one of yes" },
	{ "link a { weight = 0 }", 1, "weight: \"0\" is out of range, expected 1 to 1000" },
	{ "link a { weight = 1001 }", 1, "weight: \"1001\" is out of range" },
	{ "link a { device = 'a b' }", 1, "device: \"a b\" is no name of a device" },
	{ "link a { device = abcdefghijklmnop }", 1, "device: \"abcdefghijklmnop\" is no name" },
	{ "link a { device = eth* }", 1, "device: \"eth*\" is no name" },
	{ "link a { device = .. }", 1, "device: \"..\" is no name" },
	{ "link abcdefghijklmnop { }", 1, "link: \"abcdefghijklmnop\" is no name of a device" },
	{ "link 'a b' { device = c }", 1, "link: \"a b\" is no name, expected a letter or digit" },
	{ "link _a { device = c }", 1, "link: \"_a\" is no name" },
	{ "link '' { device = c }", 1, "link: \"\" is no name" },
	{ "link \"${HOME}\" { device = c }", 1, "link: \"${HOME}\" is no name" },
	{ "link a12345678901234567890123456789012 { device = c }", 1, "is no name" },
	{ "link a { nat = maybe }", 1, "nat: \"maybe\" is unknown, expected masquerade, none" },
	{ "link a { nat = 1.2.3.4.5 }", 1, "nat: \"1.2.3.4.5\" is no address" },
	{ "link a { nat = ::1 }", 1, "nat: \"::1\" is of the other family, expected an IPv4" },
	{ "link a { nat6 = 1.2.3.4 }", 1, "nat6: \"1.2.3.4\" is of the other family" },
	{ "link a { gateway = 0.0.0.0 }", 1, "gateway: \"0.0.0.0\" is no host" },
	{ "link a { gateway = 224.0.0.1 }", 1, "gateway: \"224.0.0.1\" is no host" },
	{ "link a { gateway6 = ff02::1 }", 1, "gateway6: \"ff02::1\" is no host" },
	{ "link a { reply = '-' }", 1, "reply: \"-\" is no name" },
	{ "set a { prefixes = x }", 1, "prefixes: \"x\" is no prefix" },
	{ "set a { prefixes = {::,\n1.2.3.4/33} }", 2, "prefixes: \"1.2.3.4/33\" has a length out" },
	{ "set a { prefixes = 10.0.0.1/8 }", 1, "has bits set beyond its length, expected \"10.0.0.0/8\"" },
	{ "set a { file = /nowhere/x }", 1, "file: \"/nowhere/x\" cannot be read: No such file" },
	{ "policy p { links = 'a:0' }", 1, "links: \"0\" is out of range, expected 1 to 1000" },
	{ "policy p { links = 'a:b' }", 1, "links: \"b\" is not a number" },
	{ "policy p { links = ':3' }", 1, "links: \"\" is no name" },
	{ "policy p { links = a key = dst }", 1, "key: \"dst\" is unknown, expected one of flow, src, src+dst" },
	{ "policy p { links = a last-resort = mian }", 1, "did you mean \"main\"?" },
	{ "policy p { links = a\n tier { links = b } }", 2, "tier: beside \"links\"" },
	{ "policy p { tier { links = b }\n links = a }", 2, "links: beside a tier" },
	{ "rule r { family = ipv5 }", 1, "family: \"ipv5\" is unknown, expected one of ipv4, ipv6, any" },
	{ "rule r { family = !any }", 1, "family: \"!any\" matches nothing" },
	{ "rule r { src = {10.0.0.0/8,\n 11.0.0.0/8} }", 2, "src: \"11.0.0.0/8\" is a second prefix, expected one; several go into a set (src-set)" },
	{ "rule r { dst = !x }", 1, "dst: \"x\" is no prefix" },
	{ "rule r { src-set = 'a b' }", 1, "src-set: \"a b\" is no name" },
	{ "rule r { proto = tpc }", 1, "proto: \"tpc\" is unknown, expected a protocol such as tcp, or a number 0 to 255; did you mean \"tcp\"?" },
	{ "rule r { proto = 256 }", 1, "proto: \"256\" is unknown" },
	{ "rule r { proto = {tcp, !udp} }", 1, "proto: \"!udp\" is mixed with values without \"!\"" },
	{ "rule r { proto = {!tcp, udp} }", 1, "proto: \"udp\" is mixed with values with \"!\"" },
	{ "rule r { dport = 65536 }", 1, "dport: \"65536\" is out of range or out of order" },
	{ "rule r { dport = 2-1 }", 1, "dport: \"2-1\" is out of range or out of order" },
	{ "rule r { sport = http }", 1, "sport: \"http\" is no port" },
	{ "rule r { dscp = 64 }", 1, "dscp: \"64\" is unknown, expected a code point" },
	{ "rule r { dscp = af44 }", 1, "did you mean \"af" },
	{ "rule r { in = 'a/b' }", 1, "in: \"a/b\" is no name of a device" },
	{ "rule r { policy = 'a b' }", 1, "policy: \"a b\" is no name" },
	{ "rule r { sticky = soon }", 1, "sticky: \"soon\" is no time" },
	{ "rule r { sticky = 0 }", 1, "sticky: \"0\" is out of range, expected 1s to 30d" },
	{ "rule r { sticky = 31d }", 1, "sticky: \"31d\" is out of range" },
	{ "rule r { sticky = 1m sticky-key = flow }", 1, "sticky-key: \"flow\" is unknown, expected one of src, src+dst" },
	{ "\nrule r { sticky-key = src }", 2, "sticky-key: without \"sticky\"" },
};

static void test_bad(void **state)
{
	all_bad(bad, ARRAY_SIZE(bad));
}

/* Unknown, and its list has no end. */
static void test_bad_twice(void **state)
{
	PARSED p = parse("nat = {a, b");

	assert_int_equal(p.f.n, 2);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 1, "\"nat\": unknown key"), 1);
}

static void test_nul(void **state)
{
	PARSED a = parse_bytes("seed = 1\n\0", 10), b = parse_bytes("# x\0", 4),
	       c = parse_bytes("\n/*\0*/", 6), d = parse_bytes("link 'a\0b' {}", 13);

	ASSERT_ONE(&a.f, FINDING_ERROR, 2, "NUL byte");
	ASSERT_ONE(&b.f, FINDING_ERROR, 1, "NUL byte");
	ASSERT_ONE(&c.f, FINDING_ERROR, 2, "NUL byte");
	ASSERT_ONE(&d.f, FINDING_ERROR, 1, "NUL byte");
}

static void test_long_word(void **state)
{
	char text[4096 + 16];

	memset(text, 'a', sizeof(text));
	memcpy(text, "seed='", 6);
	text[6 + 4096] = '\'';
	PARSED fits = parse_bytes(text, 6 + 4096 + 1);

	ASSERT_ONE(&fits.f, FINDING_ERROR, 1, "aaa\" is not a number");
	assert_true(strlen(fits.f.items[0].text) < 200);
	text[6 + 4096] = 'a';
	text[6 + 4097] = '\'';
	PARSED over = parse_bytes(text, 6 + 4097 + 1);

	ASSERT_ONE(&over.f, FINDING_ERROR, 1, "value longer than 4096 bytes");
}

/* One run tells everything, in the order of the file; a syntax error ends it. */
static void test_all_in_one_run(void **state)
{
	PARSED p = parse("link a { weight = x\n device = 'b c' colour = red }\nsede = 1\n"
			 "link a { weight = 3 }\nrule r { dport = {1, x, 70000} proto = tpc }\n"
			 "seed = y\nset s { prefixes = {1, 2} }\nlink b {{\nseed = z\n");
	static const struct {
		int line;
		const char *text;
	} want[] = {
		{ 1, "weight" }, { 2, "colour" }, { 2, "device" }, { 3, "sede" },
		{ 4, "taken" },	 { 5, "\"x\"" },   { 5, "70000" },	{ 5, "tpc" },
		{ 6, "\"y\"" },	 { 7, "\"1\"" },   { 7, "\"2\"" },	{ 8, "unexpected \"{\"" },
	};

	assert_int_equal(p.r, -EINVAL);
	assert_int_equal(p.f.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(p.f.items[i].line, want[i].line);
		assert_non_null(strstr(p.f.items[i].text, want[i].text));
	}
}

/* -------- limits: the most is taken, one more is an error */

static void try_limit(const char *head, const char *each, const char *tail, int n, int max,
		      const char *text)
{
	_cleanup_(str_done) struct str s = {};

	str_add(&s, "%s", head);
	for (int i = 0; i < n; i++) {
		const char *hash = strchr(each, '#');

		str_add(&s, "%.*s%d%s", (int)(hash - each), each, i, hash + 1);
	}
	str_add(&s, "%s", tail);

	PARSED p = parse(s.s);

	if (n <= max)
		assert_int_equal(p.f.n, 0);
	else
		ASSERT_ONE(&p.f, FINDING_ERROR, -1, text);
}

static void test_limits(void **state)
{
	static const struct {
		const char *head, *each, *tail;
		int max;
		const char *text;
	} limits[] = {
		{ "", "link l# {}\n", "", ASYM_MAX_LINKS, "link: one more than the limit, expected at most 250" },
		{ "", "policy p# { links = a }\n", "", ASYM_MAX_POLICIES, "policy: one more" },
		{ "", "rule r# { policy = p }\n", "", ASYM_MAX_RULES, "rule: one more" },
		{ "", "set s# { prefixes = :: }\n", "", ASYM_MAX_SETS, "set: one more" },
		{ "set s { prefixes = {", "2001:db8:#::,", "} }", 9999, "" },
		{ "rule r { dport = {", "#,", "} }", ASYM_MAX_PORTS, "dport: one more" },
		{ "rule r { sport = {", "#,", "} }", ASYM_MAX_PORTS, "sport: one more" },
		{ "rule r { in = {", "e#,", "} }", ASYM_MAX_DEVICES, "in: one more" },
		{ "lan { devices = {", "e#,", "} }", MODEL_MAX_LANS, "devices: one more" },
		{ "policy p {", "tier { links = l# }", "}", MODEL_MAX_TIERS, "tier: one more" },
		{ "policy p { links = {", "l#,", "} }", ASYM_MAX_LINKS, "links: one more" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		try_limit(limits[i].head, limits[i].each, limits[i].tail, limits[i].max,
			  limits[i].max, limits[i].text);
		if (limits[i].max != 9999)
			try_limit(limits[i].head, limits[i].each, limits[i].tail,
				  limits[i].max + 1, limits[i].max, limits[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bad_twice),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_long_word),
		cmocka_unit_test(test_all_in_one_run),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("config_bad", tests, NULL, NULL);
}
