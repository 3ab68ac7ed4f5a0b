// SPDX-License-Identifier: GPL-2.0-or-later
/* Which of the router's own packets are chosen for, by what rule, and how nftables would say it. */
#include "tests/unit/router_lab.h"

#include "core/plan_parts.h"
#include "core/plan_router.h"
#include "tests/unit/addr.h"

#define LO 1
#define WAN0 2
#define WAN1 3

/* Main's defaults by wan0, of both families. */
struct machine {
	struct host_device devices[3];
	struct route routes[5];
	struct host h;
};

static void machine_init(struct machine *m)
{
	*m = (struct machine){
		.devices = {{.ifindex = LO, .name = "lo", .loopback = true},
			    {.ifindex = WAN0, .name = "wan0"},
			    {.ifindex = WAN1, .name = "wan1"}},
		.routes = {{.dst.len = 96, .family = AF_INET}, {.family = AF_INET6}},
		.h = {.n_devices = 3, .n_routes = 2},
	};
	m->routes[0].dst.addr = addr("0.0.0.0");
	for (int i = 0; i < 2; i++) {
		m->routes[i].table = TABLE_MAIN;
		m->routes[i].ifindex = WAN0;
		m->routes[i].metric = 5;
	}
	m->h.devices = m->devices;
	m->h.routes = m->routes;
}

/* Three links, one rule for all. */
static struct fixture *plain(struct machine *m)
{
	struct fixture *f = router_new(three_links());

	machine_init(m);
	memset(&f->p.router, 0, sizeof(f->p.router));
	for (size_t i = 0; i < f->p.n_links; i++)
		f->p.links[i].ethernet = true;
	return f;
}

static void devices_are(struct fixture *f, const struct machine *m, const char *v4, const char *v6)
{
	memset(&f->p.router, 0, sizeof(f->p.router));
	plan_router(&f->p, &m->h);
	assert_string_equal(f->p.router.family[ASYM_V4].device, v4);
	assert_string_equal(f->p.router.family[ASYM_V6].device, v6);
}

static void test_kind(void **state)
{
	struct machine m;
	struct fixture *f = plain(&m);

	devices_are(f, &m, "wan0", "wan0");
	assert_false(f->p.router.sockets_only);
	assert_int_equal(plan_router_kind(&f->p), PLAN_ROUTER_HASH);
	m.h.module = true;
	devices_are(f, &m, "wan0", "wan0");
	assert_int_equal(plan_router_kind(&f->p), PLAN_ROUTER_MODULE);
	m.h.n_routes = 1;
	devices_are(f, &m, "wan0", "");
	assert_int_equal(plan_router_kind(&f->p), PLAN_ROUTER_MODULE);
	m.routes[0] = m.routes[1];
	devices_are(f, &m, "", "wan0");
	assert_int_equal(plan_router_kind(&f->p), PLAN_ROUTER_MODULE);
	m.h.n_routes = 0;
	devices_are(f, &m, "", "");
	assert_int_equal(plan_router_kind(&f->p), PLAN_ROUTER_NONE);
	router_free(f);
}

static void test_not_wanted(void **state)
{
	struct machine m;
	struct fixture *f = plain(&m);

	m.h.module = true;
	f->m.host_raw = false;
	devices_are(f, &m, "", "");
	assert_int_equal(plan_router_kind(&f->p), PLAN_ROUTER_NONE);
	f->m.host_raw = true;
	f->m.host_traffic = false;
	devices_are(f, &m, "", "");
	router_free(f);
}

/* One tunnel, whichever it is. */
static void test_sockets_only(void **state)
{
	struct machine m;
	struct fixture *f = plain(&m);

	for (size_t i = 0; i < f->p.n_links; i++) {
		f->p.links[i].ethernet = false;
		devices_are(f, &m, "wan0", "wan0");
		assert_true(f->p.router.sockets_only);
		f->p.links[i].ethernet = true;
	}
	router_free(f);
}

static void test_nat(void **state)
{
	struct machine m;
	struct fixture *f = plain(&m);

	f->m.links[2].nat[ASYM_V6] = NAT_NONE;
	devices_are(f, &m, "wan0", "");
	f->m.links[2].nat[ASYM_V6] = NAT_SNAT;
	f->m.links[0].nat[ASYM_V4] = NAT_NONE;
	devices_are(f, &m, "", "wan0");
	f->m.links[0].nat[ASYM_V4] = NAT_MASQUERADE;
	f->p.n_links = 0;
	devices_are(f, &m, "", "");
	f->p.n_links = 3;
	router_free(f);
}

/* Of main's own defaults the best; the first of two alike. */
static void test_default(void **state)
{
	struct machine m;
	struct fixture *f = plain(&m);
	struct route *r = &m.routes[2];

	m.h.n_routes = 3;
	*r = m.routes[0];
	r->ifindex = WAN1;
	devices_are(f, &m, "wan0", "wan0");
	r->metric = 4;
	devices_are(f, &m, "wan1", "wan0");
	r->table = 10001;
	devices_are(f, &m, "wan0", "wan0");
	r->table = TABLE_MAIN;
	r->type = ROUTE_UNREACHABLE;
	devices_are(f, &m, "wan0", "wan0");
	r->type = ROUTE_UNICAST;
	r->dst.len = 96 + 1;
	devices_are(f, &m, "wan0", "wan0");
	r->dst.len = 96;
	r->ifindex = LO;
	devices_are(f, &m, "", "wan0");
	r->ifindex = 99;
	devices_are(f, &m, "", "wan0");
	router_free(f);
}

static void rules_are(struct fixture *f, const struct machine *m, int v4, int v6)
{
	const int want[] = {v4, v6};

	for (int k = 0; k < ASYM_FAMILIES; k++) {
		f->p.router.family[k].device[0] = '\0';
		f->p.router.family[k].rule = 0xee;
	}
	plan_router(&f->p, &m->h);
	for (int k = 0; k < ASYM_FAMILIES; k++) {
		assert_int_equal(!f->p.router.family[k].device[0], want[k] < 0);
		if (want[k] >= 0)
			assert_int_equal(f->p.router.family[k].rule, want[k]);
	}
}

/* The first that asks for nothing but a family. */
static void test_rule(void **state)
{
	struct machine m;
	struct fixture *f = plain(&m);
	struct model_rule *r;

	rules_are(f, &m, 0, 0);
	assert_non_null(ARRAY_ADD(f->m.rules, f->m.n_rules));
	assert_non_null(ARRAY_ADD(f->m.rules, f->m.n_rules));
	r = f->m.rules;
	r[0].match = ASYM_MATCH_SRC;
	rules_are(f, &m, 1, 1);
	r[1].match = ASYM_MATCH_FAMILY | ASYM_MATCH_SRC;
	rules_are(f, &m, 2, 2);
	r[1].match = ASYM_MATCH_FAMILY;
	r[1].family = ASYM_V6;
	rules_are(f, &m, 2, 1);
	r[1].negate = ASYM_MATCH_FAMILY;
	rules_are(f, &m, 1, 2);
	r[1].family = ASYM_V4;
	rules_are(f, &m, 2, 1);
	/* what is not tested counts for nothing */
	r[1].match = 0;
	r[1].negate = 0;
	r[1].family = ASYM_V6;
	rules_are(f, &m, 1, 1);
	r[1].match = r[2].match = ASYM_MATCH_FAMILY;
	r[2].family = ASYM_V6;
	rules_are(f, &m, -1, 1);
	router_free(f);
}

/* -------- what is chosen */

static void test_key(void **state)
{
	struct fixture *f = policies_new(3);

	f->p.router.family[ASYM_V6].rule = 1;
	f->p.bpf_rules[0].policy = 1;
	f->p.bpf_rules[1] =
		(struct asym_rule){.policy = 2, .sticky_s = 1, .sticky_key = ASYM_KEY_SRC};
	assert_int_equal(plan_router_policy(&f->p, ASYM_V4), 1);
	assert_int_equal(plan_router_policy(&f->p, ASYM_V6), 2);
	assert_int_equal(plan_router_key(&f->p, ASYM_V4), 1);
	assert_int_equal(plan_router_key(&f->p, ASYM_V6), ASYM_KEY_SRC);
	f->p.bpf_rules[1].sticky_s = 0;
	assert_int_equal(plan_router_key(&f->p, ASYM_V6), 2);
	router_free(f);
}

static void test_ranges(void **state)
{
	static const struct bucket_share shares[] = {{"dsl", 1, 1}, {"sat", 3, 3}};
	struct plan_router_range r[PLAN_ROUTER_RANGES];
	struct fixture *f = policies_new(2);
	uint8_t ids[PLAN_ROUTER_RANGES];

	f->p.bpf_rules[0].policy = 1;
	buckets_fill(&f->p.buckets[1][ASYM_V4], shares, 2);
	buckets_fill(&f->p.buckets[1][ASYM_V6], NULL, 0);
	assert_int_equal(plan_router_ranges(&f->p, ASYM_V4, r), 2);
	assert_int_equal(r[0].from, 0);
	assert_int_equal(r[0].id, 1);
	assert_int_equal(r[1].from, buckets_count(&f->p.buckets[1][ASYM_V4], 1));
	assert_int_equal(r[1].id, 3);
	assert_int_equal(plan_router_ranges(&f->p, ASYM_V6, r), 1);
	assert_int_equal(r[0].from, 0);
	assert_int_equal(r[0].id, f->p.policies[1].last_resort);

	assert_int_equal(plan_router_marks(&f->p, ids), 3);
	assert_memory_equal(ids, ((uint8_t[]){1, 3, f->p.policies[1].last_resort}), 3);
	f->p.router.family[ASYM_V6].device[0] = '\0';
	assert_int_equal(plan_router_marks(&f->p, ids), 2);
	buckets_fill(&f->p.buckets[1][ASYM_V6], shares, 2);
	f->p.router.family[ASYM_V6] = f->p.router.family[ASYM_V4];
	assert_int_equal(plan_router_marks(&f->p, ids), 2);
	router_free(f);
}

/* -------- text */

static void text_has(const struct fixture *f, const char *line)
{
	struct str text = {};

	plan_router_text(&f->p, plan_router_kind(&f->p), true, &text);
	if (!strstr(text.s, line))
		fail_msg("not there: %sin:\n%s", line, text.s);
	str_done(&text);
}

static void test_text_module(void **state)
{
	struct fixture *f = policies_new(3);
	struct str text = {};

	f->p.bpf_rules[0].policy = 2;
	f->p.router.family[ASYM_V6].rule = 1;
	f->p.bpf_rules[1] = (struct asym_rule){
		.policy = 1, .sticky_s = 600, .sticky_key = ASYM_KEY_SRC_DST, .sticky_id = 0xbeef};
	text_has(f, "\tchain ipv4 {\n\t\tmeta mark set asym policy 2\n\t}\n");
	text_has(f, "\tchain ipv6 {\n\t\tmeta mark set asym policy 1 sticky 600s key src+dst "
		    "id 0x0000beef\n\t}\n");
	/* chains of marks are the hash's alone */
	plan_router_text(&f->p, PLAN_ROUTER_MODULE, true, &text);
	assert_null(strstr(text.s, "mark_"));
	str_done(&text);
	plan_router_text(&f->p, PLAN_ROUTER_NONE, true, &text);
	assert_null(text.s);
	router_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind),	     cmocka_unit_test(test_not_wanted),
		cmocka_unit_test(test_sockets_only), cmocka_unit_test(test_nat),
		cmocka_unit_test(test_default),	     cmocka_unit_test(test_rule),
		cmocka_unit_test(test_key),	     cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_text_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
