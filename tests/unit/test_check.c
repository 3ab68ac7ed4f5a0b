// SPDX-License-Identifier: GPL-2.0-or-later
/* Configurations that contradict themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"
#include "tests/unit/addr.h"
#include "tests/unit/check_lab.h"

static const struct {
	const char *conf;
	enum finding_level level;
	int line;
	const char *text;
} cases[] = {
	{ "", FINDING_ERROR, 0, "link: there is none, expected at least one" },
	{ "link a { device = x }\nlink b { device = x }\npolicy p { links = {a, b} } rule r { policy = p }",
	  FINDING_ERROR, 2, "device: \"x\" of link \"b\" is that of link \"a\" too" },
	{ "lan { devices = wan }\n" BASE, FINDING_ERROR, 2, "device: \"wan\" of link \"wan\" is a LAN too" },
	{ LINKS "\npolicy p { links = {wan, wan2,\nwan3} } rule r { policy = p }", FINDING_ERROR, 3,
	  "links: there is no link \"wan3\", did you mean \"wan\"" },
	{ LINKS "policy p { links = {wan, wan2, zebra} } rule r { policy = p }", FINDING_ERROR, 1,
	  "links: there is no link \"zebra\", expected the name of one" },
	{ LINKS "policy p { links = {wan, wan2, x} } rule all { policy = p }\nlink x { reply = wan9 }",
	  FINDING_ERROR, 2, "reply: there is no link \"wan9\"" },
	{ LINKS POLICY "rule s { in = x policy = p }\nrule r { policy = q }", FINDING_ERROR, 2, "policy: there is no policy \"q\"" },
	{ LINKS POLICY "rule s { in = x policy = p }\nrule r {}", FINDING_ERROR, 2, "policy: rule \"r\" names none" },
	{ LINKS POLICY "\nrule r { policy = p src-set = offce }", FINDING_ERROR, 2, "src-set: there is no set \"offce\"" },
	{ LINKS POLICY "\nrule r { policy = p dst-set = !x }", FINDING_ERROR, 2, "dst-set: there is no set \"x\"" },
	{ LINKS "policy p { tier { links = {wan, wan2} }\ntier { links = wan } } rule r { policy = p }",
	  FINDING_ERROR, 2, "links: \"wan\" is twice in policy \"p\"" },
	{ LINKS "policy p { links = {wan,\nwan2, wan2} } rule r { policy = p }", FINDING_ERROR, 2,
	  "links: \"wan2\" is twice" },
	{ LINKS POLICY "rule s { in = x policy = p }\npolicy q {} rule all { policy = q }", FINDING_ERROR, 2, "policy: \"q\" is empty" },
	{ LINKS POLICY "rule s { in = x policy = p }\npolicy q { tier {} } rule all { policy = q }", FINDING_ERROR, 2, "tier: number 1 of policy \"q\" is empty" },
	{ LINKS POLICY "set s {}\nrule r { policy = p src-set = s }", FINDING_ERROR, 1, "set: \"s\" is empty" },
	{ "mark-mask = 0x7 link a {} link b {} link c {} link d {} policy p { links = {a, b, c, d} } rule r { policy = p }",
	  FINDING_ERROR, 0, "mark-mask: \"0x7\" has 7 values, 4 of them reserved, expected room for 4" },
	{ LINKS POLICY "\nrule r { policy = p dport = 80 }", FINDING_ERROR, 2, "dport: rule \"r\" may meet a protocol without ports" },
	{ LINKS POLICY "\nrule r { policy = p proto = {tcp, icmp} sport = 80 }", FINDING_ERROR, 2, "sport: rule \"r\" may meet" },
	{ LINKS POLICY "\nrule r { policy = p proto = !tcp dport = 80 }", FINDING_ERROR, 2, "dport: rule \"r\" may meet" },
	{ LINKS POLICY "\nrule r { policy = p family = ipv6 src = 10.0.0.0/8 }", FINDING_ERROR, 2, "family: contradicts src" },
	{ LINKS POLICY "\nrule r { policy = p family = !ipv6 dst = 2001:db8::/32 }", FINDING_ERROR, 2, "family: contradicts dst" },
	{ LINKS POLICY "\nrule r { policy = p src = 10.0.0.0/8 dst = 2001:db8::/32 }", FINDING_ERROR, 2, "src: is of another family than dst" },
	{ LINKS POLICY "\nrule r { policy = p proto = tcp dport = {80, 443, 80} }", FINDING_WARNING, 2, "dport: \"80-80\" is given twice" },
	{ "\nlink a { fastpath = stateless nat = none } policy q { links = a } rule q { in = x policy = q }" BASE,
	  FINDING_ERROR, 2, "fastpath: stateless, but link \"a\" translates addresses" },
	{ "link a { nat = none nat6 = none } link b { nat = none } policy q { tier { links = a } tier { links = b } }\n"
	  "rule r { in = x policy = q fastpath = stateless }\n" BASE, FINDING_ERROR, 2,
	  "fastpath: stateless in rule \"r\", but link \"b\" of its policy translates addresses" },
	{ "probe { ping = {192.0.2.1, 192.0.2.2, 2001:db8::1} }\nlink wan2 { probe { quorum = 2 } } link wan "
	  "{ probe { ping = 192.0.2.1 } } " POLICY "rule r { policy = p }", FINDING_WARNING, 2,
	  "quorum: \"2\", but link \"wan2\" has 1 target of IPv6; all of them have to answer" },
	{ "\nlink wan2 { probe { ping = {192.0.2.1, 192.0.2.2} quorum = 3 } } link wan {} " POLICY "rule r { policy = p }",
	  FINDING_WARNING, 2, "quorum: \"3\", but link \"wan2\" has 2 targets of IPv4" },
	{ "\nlink wan2 { probe { quorum = 2 } } link wan {} " POLICY "rule r { policy = p }",
	  FINDING_WARNING, 2, "quorum: \"2\", but link \"wan2\" has no target but its gateway" },
	{ "probe { hold-down = 10m }\nlink wan2 {} link wan { probe { hold-down-max = 1h } } " POLICY "rule r { policy = p }",
	  FINDING_WARNING, 2, "hold-down: 600000ms of link \"wan2\" is more than hold-down-max, 300000ms" },
	{ "link x {}\n" BASE, FINDING_WARNING, 1, "link: \"x\" is in no policy" },
	{ "\npolicy q { links = wan }" BASE, FINDING_WARNING, 2, "policy: \"q\" is in no rule" },
	{ "\nset s { prefixes = :: }" BASE, FINDING_WARNING, 2, "set: \"s\" is in no rule" },
	{ BASE "\nrule late { policy = p dst = 10.0.0.0/8 }", FINDING_WARNING, 2, "rule: \"late\" never matches, rule \"all\" (conf:1) takes all" },
};

static void test_model(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PARSED p = judge(cases[i].conf);

		ASSERT_ONE(&p.f, cases[i].level, cases[i].line, cases[i].text);
	}
}

static void test_model_good(void **state)
{
	static const char *const good[] = {
		BASE,
		"link a { reply = b } link b {} policy p { links = a } rule r { policy = p }",
		"mark-mask = 0x70 link a {} link b {} link c {} policy p { links = {a, b, c} } rule r { policy = p }",
		"table-base = 255 priority-base = 30766 " BASE,
		"table-base = 1 priority-base = 1 " BASE,
		LINKS POLICY "rule r { policy = p src = !10.0.0.0/8 dst = 2001:db8::/32 family = ipv6 }",
		LINKS POLICY "rule r { policy = p proto = {tcp, udp, udplite, sctp, dccp} dport = !80 }",
		"link a { nat = none nat6 = none fastpath = stateless } link b { nat = none }"
		"policy p { links = {a, b} } rule s { src = 10.0.0.0/8 policy = p fastpath = stateless }"
		"rule r { family = ipv4 policy = p fastpath = stateless } rule t { policy = p }",
		"probe { ping = {192.0.2.1, 192.0.2.2} quorum = 2 gateway = yes } " BASE,
		"probe { gateway = no quorum = 2 } " BASE,
		"probe { ping = {192.0.2.1} gateway = yes quorum = 2 } " BASE,
		"probe { timeout = 1m interval = 100ms fall = 1 hold-down = 5m } " BASE,
		"fastpath = no link a {} policy p { links = a } rule r { policy = p fastpath = yes }",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		PARSED p = judge(good[i]);

		findings_show(&p.f);
		assert_int_equal(p.f.n, 0);
	}
}

/* What the parser refuses first, in models that do not come from it. */
static void test_model_raw(void **state)
{
	static struct model_link links[2] = {
		{ .name = "a", .device = "a/b", .weight = 0, .nat = { NAT_SNAT } },
		{ .name = "a", .device = "c", .weight = 1,
		  .probe = { .loss = { 2, 1 }, .latency_ms = { 3, 2 }, .jitter_ms = { 4, 0 } } },
	};
	struct model m;
	struct findings f = {};

	model_init(&m);
	assert_int_equal(addr_parse("::1", &links[0].snat[ASYM_V4]), 0);
	assert_int_equal(addr_parse("192.0.2.1", &links[0].gateway[ASYM_V6]), 0);
	m.links = links;
	m.n_links = 2;
	m.mark_mask = 0xf0f0;
	m.table_base = 100;
	m.priority_base = 31000;
	m.sticky_entries = 1;
	m.flow_pairs = 1;
	m.revalidate_s = 0;
	check_model(&m, &f);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "mark-mask: \"0xf0f0\" does not fit"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "table-base: \"100\" takes in"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "priority-base: \"31000\" leaves no"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "sticky-entries: \"1\" is out of"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "flow-pairs: \"1\" is out of"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "revalidate: \"0s\" is out of"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "name \"a\" is taken by command line"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "device: \"a/b\" is no name"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "weight: \"0\" is out of range"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "nat: is of the other family, expected IPv4"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "gateway6: is of the other family"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "loss: the low level of link \"a\" is above"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "latency: the low level of link"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "jitter: the low level of link"), 1);
	assert_int_equal(findings_errors(&f), 14);
	findings_done(&f);
}

/* -------- shadows: does the first rule hide the second? */

static const struct {
	const char *early, *late;
	bool hides;
} shadows[] = {
	{ "", "", true },
	{ "src = 10.0.0.0/8", "src = 10.1.0.0/16", true },
	{ "src = 10.1.0.0/16", "src = 10.0.0.0/8", false },
	{ "src = 10.0.0.0/8", "", false },
	{ "src = 10.0.0.0/8", "dst = 10.0.0.0/8", false },
	{ "src = !10.0.0.0/8", "src = 11.0.0.0/8", true },
	{ "src = !10.0.0.0/8", "src = 0.0.0.0/0", false },
	{ "src = !10.1.0.0/16", "src = !10.0.0.0/8", true },
	{ "src = !10.0.0.0/8", "src = !10.1.0.0/16", false },
	{ "src = 10.0.0.0/8", "src = !10.0.0.0/8", false },
	{ "family = ipv4", "src = 10.0.0.0/8", true },
	{ "family = ipv4", "dst = 2001:db8::/32", false },
	{ "family = !ipv4", "family = ipv6", true },
	{ "family = ipv4", "dst = !10.0.0.0/8", false },
	{ "family = ipv4", "", false },
	{ "proto = {tcp, udp}", "proto = tcp", true },
	{ "proto = tcp", "proto = {tcp, udp}", false },
	{ "proto = !udp", "proto = tcp dport = 80", true },
	{ "proto = !udp", "proto = !tcp", false },
	{ "proto = tcp", "", false },
	{ "proto = tcp dport = 1-1000", "proto = tcp dport = {80, 443}", true },
	{ "proto = tcp dport = {1-80, 81-1000}", "proto = tcp dport = 50-500", true },
	{ "proto = tcp dport = {1-80, 82-1000}", "proto = tcp dport = 50-500", false },
	{ "proto = tcp dport = !80", "proto = tcp dport = 443", true },
	{ "proto = tcp dport = !80", "proto = tcp", false },
	{ "proto = tcp dport = 0-65535", "proto = tcp", true },
	{ "proto = tcp dport = 80", "proto = tcp sport = 80", false },
	{ "proto = tcp sport = 80", "proto = tcp sport = 80 dport = 80", true },
	{ "dscp = {ef, cs1}", "dscp = ef", true },
	{ "dscp = ef", "dscp = {ef, cs1}", false },
	{ "dscp = !ef", "dscp = cs1", true },
	{ "dscp = ef", "", false },
	{ "in = {a, b}", "in = a", true },
	{ "in = a", "in = {a, b}", false },
	{ "in = !a", "in = b", true },
	{ "in = !a", "in = a", false },
	{ "in = !a", "in = {!a, !b}", true },
	{ "in = {!a, !b}", "in = !a", false },
	{ "in = a", "in = !b", false },
	{ "in = a", "", false },
	{ "src-set = ten", "src-set = ten proto = tcp", true },
	{ "src-set = ten", "src-set = !ten", false },
	{ "src-set = !ten", "src-set = !ten", true },
	{ "src-set = ten", "dst-set = ten", false },
	{ "src-set = ten", "src = 10.3.0.0/16", true },
	{ "src-set = ten", "src = 12.0.0.0/8", false },
	{ "src = 10.0.0.0/7", "src-set = ten", true },
	{ "src = 10.0.0.0/8", "src-set = ten", false },
	{ "src-set = !ten", "src = 12.0.0.0/8", true },
	{ "src-set = ten", "src-set = ten1", true },
	{ "src-set = ten1", "src-set = ten", false },
	{ "src = 10.0.0.0/8", "src = 10.0.0.0/9 src-set = ten", true },
	{ "src = 12.0.0.0/8", "src = 10.0.0.0/9 src-set = ten", false },
	{ "family = ipv4 proto = tcp in = a", "family = ipv4 proto = tcp in = a sticky = 5", true },
};

static void test_shadows(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(shadows); i++) {
		_cleanup_(str_done) struct str s = {};

		str_add(&s, LINKS POLICY "set ten { prefixes = {10.0.0.0/8, 11.0.0.0/8} }"
			"set ten1 { prefixes = {10.1.0.0/16, 11.1.0.0/16} }\n"
			"rule early { policy = p %s }\nrule late { policy = p %s }\n",
			shadows[i].early, shadows[i].late);
		PARSED p = judge(s.s);

		if (findings_with(&p.f, FINDING_WARNING, 3, "rule \"early\" (conf:2)") !=
		    shadows[i].hides) {
			findings_show(&p.f);
			print_error("\"%s\" / \"%s\"\n", shadows[i].early, shadows[i].late);
			fail();
		}
		assert_int_equal(findings_errors(&p.f), 0);
	}
}

static void test_findings(void **state)
{
	struct findings f = {};

	finding_add(&f, FINDING_ERROR, "b", 2, "three");
	finding_add(&f, FINDING_WARNING, "b", 1, "two");
	finding_add(&f, FINDING_ERROR, NULL, 0, "%s", "one");
	finding_add(&f, FINDING_ERROR, "b", 2, "four");
	findings_sort(&f);
	assert_string_equal(f.items[0].text, "one");
	assert_string_equal(f.items[1].text, "two");
	assert_string_equal(f.items[2].text, "three");
	assert_string_equal(f.items[3].text, "four");
	assert_int_equal(findings_errors(&f), 3);
	f.lost = 1;
	assert_int_equal(findings_errors(&f), 4);
	findings_done(&f);
	assert_int_equal(findings_errors(&f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_model_good),
		cmocka_unit_test(test_model_raw),
		cmocka_unit_test(test_shadows),
		cmocka_unit_test(test_findings),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
