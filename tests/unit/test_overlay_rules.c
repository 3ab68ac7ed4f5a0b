// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules as the overlay's programs are told them, judged by the programs' own code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "apply/overlay_rules.h"
#include "tests/unit/mesh_lab.h"

#define ASYM_INLINE static inline
ASYM_INLINE bool asym_set_has(__u32 set, const struct asym_addr *a, void *ctx)
{
	return false;
}
#include "bpf/lib/select.h"

#define ABC                                                                                        \
	"node a { address = {10.0.0.1, fd00::1} public-key = $a }\n"                               \
	"node b { address = 10.0.0.2 public-key = $b endpoint = 192.0.2.2 }\n"                     \
	"node c { address = 10.0.0.3 public-key = $c endpoint = 192.0.2.3 }\n"

struct list {
	struct ov_rule rules[OV_RULES];
	size_t n;
};

static struct list list_of(const char *text, const char *node)
{
	MESHED m = good_mesh(text);
	PLAN p = plan_of(&m.m, node);
	struct list l;

	l.n = overlay_rules_of(&p, l.rules);
	return l;
}

static struct asym_flow flow(const char *dst, uint8_t proto, uint16_t dport, uint8_t dscp)
{
	struct asym_flow f = {.proto = proto, .sport = 40000, .dport = dport, .dscp = dscp,
			      .has_ports = asym_proto_has_ports(proto)};
	struct in6_addr a;

	assert_int_equal(addr_parse(dst, &a), 0);
	memcpy(&f.dst, &a, sizeof(a));
	f.family = addr_is_v4(&a) ? ASYM_V4 : ASYM_V6;
	return f;
}

/* As ov_try_rule does. */
static enum ov_class class_of(const struct list *l, uint32_t node, struct asym_flow f)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->rules[i].to[node / 32] >> node % 32 & 1 &&
		    asym_rule_matches(&l->rules[i].match, &f, NULL))
			return l->rules[i].class;
	return OV_CLASS_NONE;
}

static void test_fields(void **state)
{
	struct list l = list_of(ABC "rule x { proto = tcp dport = {22, 2200-2299} class = interactive }\n"
				"rule y { dst = fd07::/64 class = bulk }\n"
				"rule z { dscp = !be family = ipv4 class = default }\n", "a");

	assert_int_equal(l.n, 3);
	assert_int_equal(class_of(&l, 1, flow("10.0.0.2", 6, 22, 0)), OV_CLASS_INTERACTIVE);
	assert_int_equal(class_of(&l, 1, flow("fd00::2", 6, 2250, 0)), OV_CLASS_INTERACTIVE);
	assert_int_equal(class_of(&l, 1, flow("10.0.0.2", 17, 22, 0)), OV_CLASS_NONE);
	assert_int_equal(class_of(&l, 1, flow("10.0.0.2", 6, 23, 0)), OV_CLASS_NONE);
	assert_int_equal(class_of(&l, 1, flow("fd07::9", 17, 23, 0)), OV_CLASS_BULK);
	assert_int_equal(class_of(&l, 1, flow("fd08::9", 17, 23, 0)), OV_CLASS_NONE);
	assert_int_equal(class_of(&l, 1, flow("10.0.0.2", 17, 23, 1)), OV_CLASS_DEFAULT);
}

/* Of others' rules none, in the order of the description. */
static void test_from(void **state)
{
	static const char text[] = ABC "rule x { from = !a class = bulk }\n"
				   "rule y { from = {a, c} dscp = ef class = interactive }\n"
				   "rule z { class = default }\n";
	struct list a = list_of(text, "a"), b = list_of(text, "b"), c = list_of(text, "c");

	assert_int_equal(a.n, 2);
	assert_int_equal(a.rules[0].class, OV_CLASS_INTERACTIVE);
	assert_int_equal(a.rules[1].class, OV_CLASS_DEFAULT);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.rules[0].class, OV_CLASS_BULK);
	assert_int_equal(b.rules[1].class, OV_CLASS_DEFAULT);
	assert_int_equal(c.n, 3);
}

static void test_to(void **state)
{
	struct list l = list_of(ABC "rule x { to = c class = bulk }\n"
				"rule y { to = {!b, !c} class = interactive }\n", "b");
	struct asym_flow f = flow("10.0.0.3", 17, 53, 0);

	assert_int_equal(class_of(&l, 2, f), OV_CLASS_BULK);
	assert_int_equal(class_of(&l, 0, f), OV_CLASS_INTERACTIVE);
	assert_int_equal(class_of(&l, 1, f), OV_CLASS_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_from),
		cmocka_unit_test(test_to),
	};

	return cmocka_run_group_tests_name("overlay_rules", tests, NULL, NULL);
}
