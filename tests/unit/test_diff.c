// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/diff.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/addr.h"

static struct rule lookup(uint32_t priority, uint32_t mark)
{
	return (struct rule){
		.family = AF_INET, .priority = priority, .action = RULE_TABLE, .table = 10001,
		.mark = mark, .mask = mark ? 0xff00 : 0, .suppress_len = -1,
		.protocol = PLAN_RTPROT,
	};
}

static struct route via(const char *dst, const char *gateway)
{
	return (struct route){
		.dst = prefix(dst), .family = AF_INET, .table = 10001, .ifindex = 2,
		.gateway = addr(gateway), .protocol = PLAN_RTPROT,
	};
}

static struct diff rules_diff(struct rule *want, size_t n_want, struct rule *have, size_t n_have)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	struct host host = { .rules = have, .n_rules = n_have };
	struct diff d;

	plan->rules = want;
	plan->n_rules = n_want;
	assert_int_equal(diff_build(&d, plan, &host), 0);
	free(plan);
	return d;
}

static struct diff routes_diff(struct route *want, size_t n_want, struct route *have, size_t n_have)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	struct host host = { .routes = have, .n_routes = n_have };
	struct diff d;

	plan->routes = want;
	plan->n_routes = n_want;
	assert_int_equal(diff_build(&d, plan, &host), 0);
	free(plan);
	return d;
}

/* Every member of a rule is part of what it is. */
static void test_rule_members(void **state)
{
	struct rule a = lookup(20700, 0x100), b;

	assert_true(diff_rule_equal(&a, &a));
#define DIFFERS(change) do { b = a; change; assert_false(diff_rule_equal(&a, &b)); } while (0)
	DIFFERS(b.family = AF_INET6);
	DIFFERS(b.priority++);
	DIFFERS(b.action = RULE_UNREACHABLE);
	DIFFERS(b.table++);
	DIFFERS(b.mark = 0x200);
	DIFFERS(b.mask = 0xffff);
	DIFFERS(b.has_src = true; b.src = prefix("192.0.2.1"));
	DIFFERS(b.invert = true);
	DIFFERS(b.more = true);
	DIFFERS(strcpy(b.iif, "lan"));
	DIFFERS(strcpy(b.oif, "wan"));
	DIFFERS(b.suppress_len = 0);
	DIFFERS(b.protocol = 4);
	a.has_src = true;
	a.src = prefix("192.0.2.1");
	DIFFERS(b.src = prefix("192.0.2.2"));
	a.action = RULE_GOTO;
	DIFFERS(b.target++);
}

/* What the kernel does not keep is not compared. */
static void test_rule_unkept(void **state)
{
	struct rule a = lookup(20600, 0), b = a;

	b.mark = 5;
	b.target = 7;
	assert_true(diff_rule_equal(&a, &b));
	b.src = prefix("192.0.2.1");
	assert_true(diff_rule_equal(&a, &b));
	memset(b.oif + 1, 'x', 3);
	assert_true(diff_rule_equal(&a, &b));
}

static void test_route_members(void **state)
{
	struct route a = via("0.0.0.0/0", "10.0.0.1"), b;

	assert_true(diff_route_equal(&a, &a));
#undef DIFFERS
#define DIFFERS(change) do { b = a; change; assert_false(diff_route_equal(&a, &b)); } while (0)
	DIFFERS(b.family = AF_INET6);
	DIFFERS(b.dst = prefix("10.0.0.0/8"));
	DIFFERS(b.table++);
	DIFFERS(b.ifindex++);
	DIFFERS(b.gateway = addr("10.0.0.9"));
	DIFFERS(b.src = addr("10.0.0.2"));
	DIFFERS(b.metric = 1024);
	DIFFERS(b.type = ROUTE_BLACKHOLE);
	DIFFERS(b.protocol = 4);
	DIFFERS(b.onlink = true);
	DIFFERS(b.mtu = 1400);
	DIFFERS(b.mtu_lock = true);
}

static void test_route_normalised(void **state)
{
	struct route a = via("0.0.0.0/0", "10.0.0.1"), b = a;

	b.dst = (struct prefix){ 0 };
	assert_true(diff_route_equal(&a, &b));
	a.family = b.family = AF_INET6;
	b.metric = 1024;
	assert_true(diff_route_equal(&a, &b));
	a.type = b.type = ROUTE_UNREACHABLE;
	b.ifindex = 1;
	b.gateway = in6addr_any;
	assert_true(diff_route_equal(&a, &b));
}

static void test_rules_order(void **state)
{
	struct rule want[] = { lookup(20610, 0), lookup(20700, 0x100), lookup(20600, 0) };
	struct rule have[] = { lookup(21300, 0), lookup(20010, 0x300), lookup(20600, 0) };
	struct diff d = rules_diff(want, 3, have, 3);

	assert_int_equal(d.n_add_rules, 2);
	assert_int_equal(d.add_rules[0].priority, 20700);
	assert_int_equal(d.add_rules[1].priority, 20610);
	assert_int_equal(d.n_delete_rules, 2);
	assert_int_equal(d.delete_rules[0].priority, 20010);
	assert_int_equal(d.delete_rules[1].priority, 21300);
	diff_done(&d);
}

static void test_foreign_stays(void **state)
{
	struct rule rule = lookup(20600, 0);
	struct route route = via("0.0.0.0/0", "10.0.0.1");
	struct host host = { .rules = &rule, .n_rules = 1, .routes = &route, .n_routes = 1 };
	struct diff d;

	rule.protocol = route.protocol = 4;
	assert_int_equal(diff_build(&d, NULL, &host), 0);
	assert_int_equal(d.n_delete_rules + d.n_delete_routes, 0);
	diff_done(&d);
	rule.protocol = route.protocol = PLAN_RTPROT;
	assert_int_equal(diff_build(&d, NULL, &host), 0);
	assert_int_equal(d.n_delete_rules, 1);
	assert_int_equal(d.n_delete_routes, 1);
	diff_done(&d);
}

/* A foreign route in our place is met by an add, which the kernel refuses, never by a replace. */
static void test_foreign_in_place(void **state)
{
	struct route want = via("0.0.0.0/0", "10.0.0.1"), have = via("0.0.0.0/0", "10.0.0.9");
	struct diff d;

	have.protocol = 4;
	d = routes_diff(&want, 1, &have, 1);
	assert_int_equal(d.n_add_routes, 1);
	assert_int_equal(d.n_replace_routes, 0);
	diff_done(&d);
}

static void test_routes(void **state)
{
	struct route want[] = { via("10.0.0.0/24", "10.0.0.1"), via("0.0.0.0/0", "10.0.0.1"),
				via("10.9.0.0/24", "10.0.0.1") };
	struct route have[] = { via("10.0.0.0/24", "10.0.0.1"), via("0.0.0.0/0", "10.0.0.9"),
				via("10.8.0.0/24", "10.0.0.1") };
	struct diff d = routes_diff(want, 3, have, 3);

	assert_int_equal(d.n_add_routes, 1);
	assert_true(diff_route_equal(&d.add_routes[0], &want[2]));
	assert_int_equal(d.n_replace_routes, 1);
	assert_true(diff_route_equal(&d.replace_routes[0].old, &have[1]));
	assert_true(diff_route_equal(&d.replace_routes[0].new, &want[1]));
	assert_int_equal(d.n_delete_routes, 1);
	assert_true(diff_route_equal(&d.delete_routes[0], &have[2]));
	diff_done(&d);
}

static void test_host_find(void **state)
{
	struct host_device devices[] = { { .ifindex = 1, .name = "lo" },
					 { .ifindex = 7, .name = "wan" } };
	struct host host = { .devices = devices, .n_devices = 2 };

	assert_ptr_equal(host_device_find(&host, "wan"), &devices[1]);
	assert_null(host_device_find(&host, "wa"));
	assert_ptr_equal(host_device_by_index(&host, 7), &devices[1]);
	assert_null(host_device_by_index(&host, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_members),   cmocka_unit_test(test_rule_unkept),
		cmocka_unit_test(test_route_members),  cmocka_unit_test(test_route_normalised),
		cmocka_unit_test(test_rules_order),    cmocka_unit_test(test_foreign_stays),
		cmocka_unit_test(test_foreign_in_place), cmocka_unit_test(test_routes),
		cmocka_unit_test(test_host_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
