// SPDX-License-Identifier: GPL-2.0-or-later
/* Configurations that do not fit the machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/addr.h"
#include "tests/unit/check_lab.h"

static struct host_device devices[] = {
	{ .ifindex = 1, .name = "lo", .up = true, .carrier = true, .loopback = true },
	{ .ifindex = 2, .name = "wan", .up = true, .carrier = true, .ethernet = true },
	{ .ifindex = 3, .name = "wan2", .up = true, .carrier = true, .ethernet = true },
	{ .ifindex = 4, .name = "lan0", .up = true, .carrier = true, .ethernet = true },
	{ .ifindex = 5, .name = "ppp0", .up = true, .carrier = true, .point_to_point = true },
	{ .ifindex = 6, .name = "port", .up = true, .carrier = true, .master = 7, .master_kind = "bridge" },
	{ .ifindex = 7, .name = "br0", .up = true, .carrier = true },
	{ .ifindex = 8, .name = "down0" },
	{ .ifindex = 9, .name = "nocar", .up = true },
	{ .ifindex = 10, .name = "noaddr", .up = true, .carrier = true },
	{ .ifindex = 11, .name = "nogw", .up = true, .carrier = true },
	{ .ifindex = 12, .name = "slave", .up = true, .carrier = true, .master = 13, .master_kind = "bond" },
	{ .ifindex = 14, .name = "vrfport", .up = true, .carrier = true, .master = 15, .master_kind = "vrf" },
};

#define ENTRIES 18

struct machine {
	struct host h;
	struct host_addr addrs[ENTRIES];
	struct route routes[ENTRIES];
	struct rule rules[ENTRIES];
	struct host_mark_use marks[ENTRIES];
};

static void add_addr(struct machine *m, uint32_t ifindex, const char *s, bool link_scope)
{
	m->addrs[m->h.n_addrs++] = (struct host_addr){
		.ifindex = ifindex, .prefix = { addr(s), 120 }, .usable = true,
		.link_scope = link_scope
	};
}

static void add_route(struct machine *m, uint32_t ifindex, int family, uint32_t table,
		      uint8_t protocol)
{
	m->routes[m->h.n_routes++] = (struct route){
		.dst = { family == AF_INET ? addr("0.0.0.0") : addr("::"),
			 family == AF_INET ? 96 : 0 },
		.family = family, .table = table, .ifindex = ifindex, .protocol = protocol
	};
}

static void machine_init(struct machine *m)
{
	*m = (struct machine){};
	m->h = (struct host){ .devices = devices, .n_devices = ARRAY_SIZE(devices),
			      .addrs = m->addrs, .routes = m->routes, .rules = m->rules,
			      .marks = m->marks };
	for (uint32_t i = 2; i <= 15; i++) {
		if (i == 10)
			add_addr(m, i, "fe80::1", true);
		else
			add_addr(m, i, "192.0.2.1", false);
		if (i <= 3 || i == 14)
			add_route(m, i, AF_INET, 254, 3);
	}
}

static struct parsed on_reload(const char *text, const struct machine *m,
			       const struct plan_id *ids, size_t n_ids)
{
	struct parsed p = judge(text);

	findings_done(&p.f);
	check_host(&p.m, &m->h, ids, n_ids, &p.f);
	return p;
}

static struct parsed on_machine(const char *text, const struct machine *m)
{
	return on_reload(text, m, NULL, 0);
}

static void test_devices(void **state)
{
	static const struct {
		const char *conf;
		enum finding_level level;
		const char *text;
	} host_cases[] = {
		{ "link a { device = wan3 }", FINDING_WARNING, "device: there is no device \"wan3\", did you mean \"wan\"?" },
		{ "link a { device = zzzzz }", FINDING_WARNING, "device: there is no device \"zzzzz\" now" },
		{ "link a { device = lo }", FINDING_ERROR, "device: \"lo\" of link \"a\" is the loopback" },
		{ "link a { device = port }", FINDING_ERROR, "\"port\" of link \"a\" is a port of bridge" },
		{ "link a { device = slave }", FINDING_ERROR, "\"slave\" of link \"a\" is a port of bond" },
		{ "link a { device = down0 }", FINDING_WARNING, "\"down0\" of link \"a\" is down" },
		{ "link a { device = nocar }", FINDING_WARNING, "\"nocar\" of link \"a\" has no carrier" },
		{ "link a { device = noaddr }", FINDING_WARNING, "\"noaddr\" of link \"a\" has no address" },
		{ "link a { device = nogw }", FINDING_WARNING, "gateway: link \"a\" has an IPv4 address but no gateway" },
		{ "link a { device = wan } lan { devices = lan1 }", FINDING_WARNING, "lan: there is no device \"lan1\", did you mean \"lan0\"" },
		{ "link a { device = wan } lan { devices = down0 }", FINDING_WARNING, "lan: device \"down0\" is down" },
		{ "link a { device = wan } policy p { links = a } rule r { in = {lan0, lan7} policy = p }", FINDING_WARNING, "in: there is no device \"lan7\"" },
	};
	static const char *const fine[] = {
		"link a { device = wan }", "link a { device = ppp0 }", "link a { device = vrfport }",
		"link a { device = nogw gateway = 192.0.2.9 }", "link a { device = br0 gateway = 192.0.2.9 }",
		"link a { device = wan } lan { devices = lan0 }",
	};
	struct machine m;

	machine_init(&m);
	for (size_t i = 0; i < ARRAY_SIZE(host_cases); i++) {
		PARSED p = on_machine(host_cases[i].conf, &m);

		ASSERT_ONE(&p.f, host_cases[i].level, -1, host_cases[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fine); i++) {
		PARSED p = on_machine(fine[i], &m);

		findings_show(&p.f);
		assert_int_equal(p.f.n, 0);
	}
}

/* Gateways come from main alone; a default route in another table is no proof of one, nor is one of
 * the wrong family or device. */
static void test_gateway(void **state)
{
	struct machine m;

	machine_init(&m);
	add_route(&m, 11, AF_INET, 10001, PLAN_RTPROT);
	add_route(&m, 11, AF_INET6, 254, 3);
	PARSED p = on_machine("link a { device = nogw }", &m);

	ASSERT_ONE(&p.f, FINDING_WARNING, 1, "gateway: link \"a\" has an IPv4 address but no");
	add_route(&m, 11, AF_INET, 99, 3);
	PARSED table = on_machine("link a { device = nogw }", &m);

	ASSERT_ONE(&table.f, FINDING_WARNING, 1, "gateway: link \"a\" has an IPv4 address but no");
	m.routes[m.h.n_routes - 1].table = 254;
	add_addr(&m, 11, "2001:db8::1", false);
	m.routes[m.h.n_routes - 2].ifindex = 12;
	PARSED q = on_machine("link a { device = nogw }", &m);

	ASSERT_ONE(&q.f, FINDING_WARNING, 1, "gateway6: link \"a\" has an IPv6 address but no");
}

/* Warned of are LANs and links on which others filter, once each, unless nothing of theirs is cached. */
static void test_ingress_filters(void **state)
{
	static const struct {
		const char *conf, *device;
		int line; /* 0: no warning */
	} filter_cases[] = {
		{ "\nlink a { device = wan }", "wan", 2 },
		{ "link a { device = wan } lan { devices = lan0 }", "lan0", -1 },
		{ "link a { device = wan }", "lan0", -1 },
		{ "link a { device = wan } lan { devices = br0 }", "lan0", 0 },
		{ "link a { device = wan }", "noaddr", 0 },
		{ "link a { device = wan fastpath = no }", "wan", 0 },
		{ "fastpath = no link a { device = wan }", "wan", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(filter_cases); i++) {
		struct host_device *d;
		struct machine m;

		machine_init(&m);
		d = (struct host_device *)host_device_find(&m.h, filter_cases[i].device);
		assert_non_null(d);
		d->ingress_filters = true;
		PARSED p = on_machine(filter_cases[i].conf, &m);

		d->ingress_filters = false;
		if (filter_cases[i].line)
			ASSERT_ONE(&p.f, FINDING_WARNING, filter_cases[i].line, "has ingress filters of others");
		else
			assert_int_equal(p.f.n, 0);
	}
}

static void test_flags(void **state)
{
	PARSED p = parse("link a { device = wan9 } lan { devices = lan9 }");
	struct machine m;

	machine_init(&m);
	assert_int_equal(config_add_iface(&p.m, "wam", &p.f), 0);
	assert_int_equal(config_add_iface(&p.m, "wan9", &p.f), 0);
	assert_int_equal(config_add_lan(&p.m, "lan8", &p.f), 0);
	check_host(&p.m, &m.h, NULL, 0, &p.f);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 0, "--iface: there is no device \"wam\", did you mean \"wan\"?"), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 1, "--iface: there is no device \"wan9\""), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 0, "--lan: there is no device \"lan8\""), 1);
	assert_int_equal(findings_with(&p.f, FINDING_WARNING, 0, "lan: there is no device \"lan9\""), 1);
	assert_int_equal(p.f.n, 4);
}

/* -------- marks: two links (ids 1, 2), mask 0xff00, reserved ids 0xfc..0xff */

static const struct {
	struct rule rule;
	int level; /* -1: nothing to say */
	const char *text;
} marks[] = {
	{ { .family = AF_INET, .priority = 5210, .mark = 0x80000, .mask = 0xff0000, .table = 52 }, -1, "" },
	{ { .family = AF_INET, .priority = 30000, .mark = 0x10000, .mask = 0xff0000 }, -1, "" },
	{ { .family = AF_INET, .priority = 9, .mark = 0x1, .mask = 0xff }, -1, "" },
	{ { .family = AF_INET, .priority = 9 }, -1, "" },
	{ { .family = AF_INET, .priority = 3001, .mark = 0x100, .mask = 0xff00 }, FINDING_ERROR, "ip rule 3001 (perhaps mwan3): mark 0x100/0xff00 is that of link \"wan\"" },
	{ { .family = AF_INET6, .priority = 3002, .mark = 0x200, .mask = 0x3f00 }, FINDING_ERROR, "ip -6 rule 3002 (mwan3): mark 0x200/0x3f00 is that of link \"wan2\"" },
	{ { .family = AF_INET, .priority = 3003, .mark = 0x300, .mask = 0xff00 }, FINDING_WARNING, "0x300/0xff00 shares bits" },
	{ { .family = AF_INET, .priority = 3003, .mark = 0x1300, .mask = 0x1f00 }, FINDING_WARNING, "shares bits" },
	{ { .family = AF_INET, .priority = 9, .mark = 0x300, .mask = 0x300 }, FINDING_ERROR, "is that of probes" },
	{ { .family = AF_INET, .priority = 9, .mark = 0xfe00, .mask = 0xff00 }, FINDING_ERROR, "is that of last-resort unreachable" },
	{ { .family = AF_INET, .priority = 9, .mark = 0xfd00, .mask = 0xff00 }, FINDING_ERROR, "is that of last-resort blackhole" },
	{ { .family = AF_INET, .priority = 9, .mark = 0xfc00, .mask = 0xff00 }, FINDING_ERROR, "is that of last-resort main" },
	{ { .family = AF_INET, .priority = 9, .mark = 0xfb00, .mask = 0xff00 }, FINDING_WARNING, "shares bits" },
	{ { .family = AF_INET, .priority = 9, .mark = 0, .mask = 0xffffffff }, FINDING_WARNING, "shares bits" },
	{ { .family = AF_INET, .priority = 32764, .mark = 0xca6c, .mask = 0xffffffff, .table = 51820, .invert = true }, FINDING_WARNING, "ip rule 32764 (wg-quick): mark 0xca6c/0xffffffff shares bits" },
	{ { .family = AF_INET, .priority = 9, .mark = 0x4000, .mask = 0x4000 }, FINDING_ERROR, "(Kubernetes)" },
	{ { .family = AF_INET, .priority = 9, .mark = 0x100, .mask = 0xff00, .protocol = PLAN_RTPROT }, -1, "" },
	{ { .family = AF_INET, .priority = 19999 }, -1, "" },
	{ { .family = AF_INET, .priority = 20000 }, FINDING_ERROR, "priority-base: ip rule 20000 is in our range 20000 to 21999" },
	{ { .family = AF_INET6, .priority = 21999 }, FINDING_ERROR, "priority-base: ip -6 rule 21999 is in our range" },
	{ { .family = AF_INET, .priority = 22000 }, -1, "" },
	{ { .family = AF_INET, .priority = 20500, .protocol = PLAN_RTPROT }, -1, "" },
};

static void test_marks(void **state)
{
	struct machine m;

	machine_init(&m);
	m.h.n_rules = 1;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		m.rules[0] = marks[i].rule;
		PARSED p = on_machine(BASE, &m);

		if (marks[i].level >= 0)
			ASSERT_ONE(&p.f, (enum finding_level)marks[i].level, 0, marks[i].text);
		else
			assert_int_equal(p.f.n, 0);
	}
}

/* A reload that lost "old" (1), kept wan (2), and brings wan2, which gets 3. */
static void test_marks_reload(void **state)
{
	static const struct plan_id ids[] = { { .name = "old", .id = 1 }, { .name = "wan", .id = 2 } };
	static const struct {
		uint32_t mark;
		enum finding_level level;
		const char *text;
	} expected[] = {
		{ 0x100, FINDING_WARNING, "is that of connections of link \"old\", which is no more" },
		{ 0x200, FINDING_ERROR, "is that of link \"wan\"" },
		{ 0x300, FINDING_ERROR, "is that of link \"wan2\"" },
		{ 0x400, FINDING_WARNING, "shares bits" },
		{ 0xff00, FINDING_ERROR, "is that of probes" },
	};
	struct machine m;

	machine_init(&m);
	m.h.n_rules = m.h.n_marks = 1;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		m.rules[0] = (struct rule){ .family = AF_INET, .priority = 9,
					    .mark = expected[i].mark, .mask = 0xff00 };
		m.marks[0] = (struct host_mark_use){ "t", "c", expected[i].mark, 0xff00, true };
		PARSED p = on_reload(BASE, &m, ids, ARRAY_SIZE(ids));

		assert_int_equal(p.f.n, 2);
		assert_int_equal(findings_with(&p.f, expected[i].level, 0, expected[i].text), 2);
	}
}

/* With three ids and all of them given, a new link takes that of the one that went, although the
 * one that stays comes behind it and has the lowest. */
static void test_ids_run_out(void **state)
{
	static const struct plan_id ids[] = { { .name = "stays", .id = 1 }, { .name = "went", .id = 2 }, { .name = "too", .id = 3 } };
	struct plan *plan = calloc(1, sizeof(*plan));
	struct machine m;

	machine_init(&m);
	PARSED p = judge("mark-mask = 0x70 link new {} link stays {}"
			 " policy p { links = {new, stays} } rule r { policy = p }");

	assert_int_equal(plan_build(plan, &p.m, &m.h, ids, ARRAY_SIZE(ids)), 0);
	assert_int_equal(plan->links[0].id, 2);
	assert_int_equal(plan->links[1].id, 1);
	assert_int_equal(plan->n_gone, 1);
	plan_done(plan);
	free(plan);
}

static void test_nft_marks(void **state)
{
	struct machine m;

	machine_init(&m);
	m.h.n_marks = 3;
	m.marks[0] = (struct host_mark_use){ "mwan3", "mwan3_hook", 0x100, 0x3f00, false };
	m.marks[1] = (struct host_mark_use){ "nat", "KUBE-MARK-MASQ", 0x4000, 0x4000, true };
	m.marks[2] = (struct host_mark_use){ "filter", "ts-forward", 0x40000, 0xff0000, false };
	PARSED p = on_machine(BASE, &m);

	findings_sort(&p.f);
	assert_int_equal(p.f.n, 2);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 0, "nft table \"mwan3\", chain \"mwan3_hook\" tests a mark (mwan3)"), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 0, "chain \"KUBE-MARK-MASQ\" sets a mark (Kubernetes)"), 1);
}

static void test_tables(void **state)
{
	struct machine m;

	machine_init(&m);
	add_route(&m, 2, AF_INET, 10000, 3);
	add_route(&m, 2, AF_INET, 10251, 3);
	add_route(&m, 2, AF_INET, 10002, PLAN_RTPROT);
	PARSED none = on_machine(BASE, &m);

	assert_int_equal(none.f.n, 0);
	add_route(&m, 2, AF_INET, 10250, 3);
	add_route(&m, 2, AF_INET6, 10250, 3);
	PARSED p = on_machine(BASE, &m);

	ASSERT_ONE(&p.f, FINDING_ERROR, 0, "table-base: table 10250 holds routes of somebody else's");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_gateway),
		cmocka_unit_test(test_ingress_filters),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_marks_reload),
		cmocka_unit_test(test_ids_run_out),
		cmocka_unit_test(test_nft_marks),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests_name("check_host", tests, NULL, NULL);
}
