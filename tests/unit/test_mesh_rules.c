// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules of a mesh: what they say, what is wrong with them, and which of them a node has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/mesh_lab.h"

#define ABC                                                                                        \
	"node a { address = {10.0.0.1, fd00::1} public-key = $a }\n"                               \
	"node b { address = 10.0.0.2 public-key = $b endpoint = 192.0.2.2 }\n"                     \
	"node c { address = 10.0.0.3 public-key = $c endpoint = 192.0.2.3 }\n"

static const char full[] =
	/* nodes may be named before they are written */
	"rule ssh { to = {b, c} proto = tcp dport = {22, 2200-2299} class = interactive }\n"
	"rule backup { from = '!b' to = {!a, !c} family = ipv4 src = 10.1.0.0/16 dst = '!10.2.0.0/16'\n"
	"	proto = {tcp, udp} sport = !873 class = bulk }\n" ABC
	"rule voice { dscp = {ef, cs5} class = interactive }\n"
	"rule rest { class = default }\n";

/* -------- what they say */

static void test_fields(void **state)
{
	MESHED p = good_mesh(ABC "rule x { from = {a, c} to = !b family = !ipv6 src = 10.1.0.0/16\n"
			     "dst = !10.2.0.0/16 proto = {tcp, udp} sport = {!1, !'2-3'} dport = 22\n"
			     "dscp = {ef, 0} class = bulk }");
	const struct mesh_rule *r = p.m.rules;

	assert_int_equal(p.m.n_rules, 1);
	assert_string_equal(r->match.name, "x");
	assert_int_equal(r->match.place.line, 4);
	assert_int_equal(r->class, MESH_CLASS_BULK);
	assert_true(mesh_nodes_have(&r->from, 0) && !mesh_nodes_have(&r->from, 1) &&
		    mesh_nodes_have(&r->from, 2));
	assert_true(mesh_nodes_have(&r->to, 0) && !mesh_nodes_have(&r->to, 1) &&
		    mesh_nodes_have(&r->to, 127));
	assert_int_equal(r->match.match, ASYM_MATCH_FAMILY | ASYM_MATCH_SRC | ASYM_MATCH_DST |
			 ASYM_MATCH_PROTO | ASYM_MATCH_SPORT | ASYM_MATCH_DPORT | ASYM_MATCH_DSCP);
	assert_int_equal(r->match.negate,
			 ASYM_MATCH_FAMILY | ASYM_MATCH_DST | ASYM_MATCH_SPORT);
	assert_int_equal(r->match.sports, 2);
	assert_int_equal(r->match.sport[1].hi, 3);
	assert_int_equal(r->match.dport[0].lo, 22);
	assert_true(r->match.dscp == (1ull << 46 | 1));
}

static void test_all_nodes(void **state)
{
	MESHED p = good_mesh(ABC "rule x { class = interactive }\nrule y { to = a class = default }");

	assert_true(mesh_nodes_have(&p.m.rules[0].from, 2) && mesh_nodes_have(&p.m.rules[0].to, 0));
	assert_true(mesh_nodes_have(&p.m.rules[1].from, 2) && !mesh_nodes_have(&p.m.rules[1].to, 1));
	/* one rule takes what is left to the other */
	assert_int_equal(p.f.n, 1);
}

/* Everything IPv6 is not everything, though its bits are. */
static void test_narrow(void **state)
{
	MESHED p = good_mesh(ABC "rule x { dst = ::/0 class = bulk }");

	assert_true(p.m.rules->match.match & ASYM_MATCH_FAMILY);
	assert_int_equal(p.m.rules->match.family, ASYM_V6);
}

/* Printed and read again, it is the same. */
static void test_print(void **state)
{
	static const char text[] = ABC
		"rule x { from = {a, c} to = !b family = !ipv6 src = 10.1.0.0/16 dst = !10.2.0.0/16\n"
		"proto = {tcp, udp} sport = {!1, !'2-3'} dport = 22 dscp = {ef, 0, 63} class = bulk }\n"
		"rule y { to = {'!a', '!b'} proto = {!icmp, !250} class = default }\n"
		"rule z { dst = ::/0 class = interactive }\n";
	_cleanup_(str_done) struct str first = {}, second = {};
	MESHED p = good_mesh(text);
	MESHED q = {};

	mesh_print(&p.m, &first);
	q = good_mesh(first.s);
	mesh_print(&q.m, &second);
	assert_string_equal(first.s, second.s);
	assert_int_equal(mesh_hash(&p.m), mesh_hash(&q.m));
	assert_int_equal(q.m.n_rules, 3);
	for (size_t i = 0; i < 3; i++) {
		p.m.rules[i].match.place = q.m.rules[i].match.place;
		assert_memory_equal(&p.m.rules[i], &q.m.rules[i], sizeof(*p.m.rules));
	}
}

/* -------- the hash */

static uint64_t hash_of(const char *text)
{
	MESHED p = good_mesh(text);

	return mesh_hash(&p.m);
}

static void test_hash(void **state)
{
	static const char *const other[] = {
		ABC,
		ABC "rule x { class = bulk }",
		ABC "rule y { class = bulk }",
		ABC "rule x { class = interactive }",
		ABC "rule x { class = default }",
		ABC "rule x { from = a class = bulk }",
		ABC "rule x { from = !a class = bulk }",
		ABC "rule x { from = b class = bulk }",
		ABC "rule x { to = a class = bulk }",
		ABC "rule x { family = ipv4 class = bulk }",
		ABC "rule x { src = 10.0.0.0/8 class = bulk }",
		ABC "rule x { dst = 10.0.0.0/8 class = bulk }",
		ABC "rule x { dst = !10.0.0.0/8 class = bulk }",
		ABC "rule x { proto = tcp class = bulk }",
		ABC "rule x { proto = tcp sport = 22 class = bulk }",
		ABC "rule x { proto = tcp dport = 22 class = bulk }",
		ABC "rule x { proto = tcp dport = 22-23 class = bulk }",
		ABC "rule x { dscp = ef class = bulk }",
		ABC "rule x { dscp = ef class = bulk }\nrule y { dscp = cs1 class = bulk }",
		ABC "rule y { dscp = cs1 class = bulk }\nrule x { dscp = ef class = bulk }",
	};
	uint64_t hashes[ARRAY_SIZE(other)];

	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		hashes[i] = hash_of(other[i]);
		for (size_t j = 0; j < i; j++)
			if (hashes[i] == hashes[j])
				fail_msg("the same hash:\n%s\n%s", other[i], other[j]);
	}
	assert_int_equal(hash_of(ABC "rule x { class = bulk to = {c, a} }"),
			 hash_of("rule 'x' {\nto = {a,c} /* . */ class = 'bulk' }" ABC));
}

/* -------- what is wrong */

static void test_bad(void **state)
{
	static const struct bad bad[] = {
		{ ABC "rule x { class = fast }", 4,
		  "class: \"fast\" is unknown, expected one of default, interactive, bulk" },
		{ ABC "rule x { class = interactiv }", 4, "did you mean \"interactive\"?" },
		{ ABC "rule x {\nproto = tcp }", 4,
		  "class: rule \"x\" has none, expected interactive, bulk or default" },
		{ ABC "rule x { class = bulk\nto = d }", 5, "to: there is no node \"d\"" },
		{ ABC "rule x { class = bulk\nfrom = {a,\n!b} }", 6,
		  "from: \"!b\" is mixed with values without \"!\"" },
		{ ABC "rule x { class = bulk to = {a, b,\na} }", 5, "to: \"a\" is given twice" },
		{ ABC "rule x { class = bulk to = {!a, b} }", 4, "to: \"b\" is mixed with values with" },
		{ ABC "rule x { class = bulk\ndport = 22 }", 4,
		  "dport: rule \"x\" may meet a protocol without ports, expected proto = tcp" },
		{ ABC "rule x { class = bulk sport = 22 proto = !tcp }", 4, "sport: rule \"x\" may meet" },
		{ ABC "rule x { class = bulk proto = tcp\ndport = 70000 }", 5, "dport: \"70000\" is out of range" },
		{ ABC "rule x { class = bulk proto = tpc }", 4, "proto: \"tpc\" is unknown" },
		{ ABC "rule x { class = bulk dscp = 64 }", 4, "dscp: \"64\" is unknown" },
		{ ABC "rule x { class = bulk dscp = {ef, !1} }", 4, "dscp: \"!1\" is mixed with values" },
		{ ABC "rule x { class = bulk src = {10.0.0.0/8,\n11.0.0.0/8} }", 5,
		  "src: \"11.0.0.0/8\" is a second prefix, expected one; several go into a rule each" },
		{ ABC "rule x { class = bulk dst = 10.0.0.1/8 }", 4, "dst: \"10.0.0.1/8\" has bits set" },
		{ ABC "rule x { class = bulk family = ipv6\ndst = 10.0.0.0/8 }", 4, "family: contradicts dst" },
		{ ABC "rule x { class = bulk src = fd00::/8 dst = 10.0.0.0/8 }", 4, "src: is of another family" },
		{ ABC "rule x { class = bulk family = ip }", 4, "family: \"ip\" is unknown" },
		{ ABC "rule x { class = bulk }\nrule x { class = bulk }", 5, "rule: name \"x\" is taken by mesh:4" },
		{ ABC "rule '' { class = bulk }", 4, "rule: \"\" is no name" },
		{ ABC "rule x { class = bulk class = bulk }", 4, "class: given twice" },
		{ ABC "rule x { class = bulk policy = p }", 4, "\"policy\": unknown key of section rule" },
		{ ABC "rule x { class = bulk in = eth0 }", 4, "\"in\": unknown key of section rule" },
		{ ABC "rule x { class = bulk src-set = s }", 4, "\"src-set\": unknown key of section rule" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		MESHED p = mesh_of(bad[i].conf);

		if (p.r != -EINVAL)
			print_error("accepted: %s\n", bad[i].conf);
		ASSERT_ONE(&p.f, FINDING_ERROR, bad[i].line, bad[i].text);
		assert_int_equal(p.r, -EINVAL);
	}
}

/* Names of nodes in a rule that is not kept are not looked for, nor taken for those of the next. */
static void test_dropped(void **state)
{
	MESHED p = mesh_of(ABC "rule x { class = bulk }\nrule x { to = zz class = bulk }\n"
			   "rule y { to = b class = bulk }");

	assert_int_equal(p.r, -EINVAL);
	ASSERT_ONE(&p.f, FINDING_ERROR, 5, "rule: name \"x\" is taken");
}

static struct meshed many(int n)
{
	_cleanup_(str_done) struct str s = {};

	str_add(&s, ABC);
	for (int i = 0; i < n; i++)
		str_add(&s, "rule r%d { proto = tcp dport = %d class = bulk }\n", i, i);
	return mesh_of(s.s);
}

static void test_limit(void **state)
{
	MESHED p = many(MESH_MAX_RULES), q = many(MESH_MAX_RULES + 1);

	assert_int_equal(p.r, 0);
	assert_int_equal(p.m.n_rules, 256);
	ASSERT_ONE(&q.f, FINDING_ERROR, 260, "rule: one more than the limit, expected at most 256");
}

static void test_shadows(void **state)
{
	static const struct {
		const char *earlier, *later;
		bool warned;
	} pairs[] = {
		{ "", "dscp = ef", true },
		{ "proto = tcp", "proto = tcp dport = 22", true },
		{ "proto = tcp dport = 22", "proto = tcp", false },
		{ "to = a", "to = a", true },
		{ "to = {a, b}", "to = a", true },
		{ "to = a", "to = {a, b}", false },
		{ "to = !c", "to = {a, b}", true },
		{ "to = a", "to = {!b, !c}", true },
		{ "from = a", "", false },
		{ "from = a", "to = a", false },
		{ "from = {a, b, c}", "", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_(str_done) struct str s = {};
		MESHED p = {};

		str_add(&s, ABC "rule x { %s class = bulk }\nrule y { %s class = default }",
			pairs[i].earlier, pairs[i].later);
		p = good_mesh(s.s);
		if ((p.f.n == 1) != pairs[i].warned)
			fail_msg("%s", s.s);
		if (p.f.n)
			ASSERT_ONE(&p.f, FINDING_WARNING, 5,
				   "rule: \"y\" never matches, rule \"x\" (mesh:4) takes all it could");
	}
}

/* -------- what a node does */

static char *classes_of(const struct mesh *m, const char *node)
{
	_cleanup_(str_done) struct str text = {};
	PLAN p = plan_of(m, node);
	struct str out = {};
	char *save, *line;

	mesh_plan_text(&p, &text);
	for (line = strtok_r(text.s, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, "class ", 6))
			str_add(&out, "%s\n", line);
	return out.s ?: strdup("");
}

static void test_plan(void **state)
{
	MESHED p = good_mesh(full);
	_cleanup_free_ char *a = classes_of(&p.m, "a"), *b = classes_of(&p.m, "b");

	assert_string_equal(a,
			    "class interactive rule ssh to b,c proto tcp dport 22,2200-2299\n"
			    "class bulk rule backup to !a,!c family ipv4 src 10.1.0.0/16 "
			    "dst !10.2.0.0/16 proto tcp,udp sport !873\n"
			    "class interactive rule voice dscp cs5,ef\n"
			    "class default rule rest\n");
	assert_string_equal(b, "class interactive rule ssh to b,c proto tcp dport 22,2200-2299\n"
			       "class interactive rule voice dscp cs5,ef\n"
			       "class default rule rest\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_all_nodes),
		cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_shadows),
		cmocka_unit_test(test_plan),
	};

	return cmocka_run_group_tests_name("mesh_rules", tests, NULL, NULL);
}
