// SPDX-License-Identifier: GPL-2.0-or-later
/* Tunnels, ports, ways and routes of a node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/mesh_lab.h"

#define A "node a { address = {10.0.0.1, fd00::1} public-key = $a lan = 10.1.0.0/16 }\n"
#define B "node b { address = 10.0.0.2 public-key = $b endpoint = 192.0.2.2 }\n"
#define C "node c { address = {10.0.0.3, fd00::3} public-key = $c endpoint = '[2001:db8::3]:700' }\n"
#define D "node d { address = 10.0.0.4 public-key = $d endpoint = d.example metered = yes }\n"
#define HK "forwarder hk { from = a to = c endpoint = '192.0.2.9:9' }\n"
#define US "forwarder us { from = a to = c endpoint = '192.0.2.9' port = 5555 metered = yes }\n"

static const struct mesh_tunnel *tunnel_of(const struct mesh_plan *p, const char *device)
{
	for (size_t i = 0; i < p->n_tunnels; i++)
		if (!strcmp(p->tunnels[i].device, device))
			return &p->tunnels[i];
	fail_msg("no tunnel %s", device);
	return NULL;
}

static void assert_tunnel(const struct mesh_plan *p, const char *device, const char *peer,
			  uint16_t listen, const char *host, uint16_t port, uint16_t keepalive)
{
	const struct mesh_tunnel *t = tunnel_of(p, device);

	assert_string_equal(p->mesh->nodes[t->peer].name, peer);
	assert_int_equal(t->listen_port, listen);
	assert_string_equal(t->endpoint.host, host);
	assert_int_equal(t->endpoint.port, port);
	assert_int_equal(t->keepalive_s, keepalive);
}

static void test_tunnels(void **state)
{
	MESHED m = good_mesh(A B C HK US);
	PLAN a = plan_of(&m.m, "a"), c = plan_of(&m.m, "c");

	assert_int_equal(a.n_tunnels, 4);
	assert_tunnel(&a, "w-b", "b", 51820, "192.0.2.2", 51820, 10);
	assert_tunnel(&a, "w-c", "c", 51821, "2001:db8::3", 700, 10);
	assert_tunnel(&a, "f-hk", "c", 51948, "192.0.2.9", 9, 10);
	assert_tunnel(&a, "f-us", "c", 51949, "192.0.2.9", 5555, 10);
	assert_tunnel(&c, "w-a", "a", 700, "", 0, 0);
	assert_tunnel(&c, "w-b", "b", 701, "192.0.2.2", 51821, 0);
	assert_tunnel(&c, "f-hk", "a", 828, "", 0, 0);
	assert_tunnel(&c, "f-us", "a", 5555, "", 0, 0);
	assert_int_equal(tunnel_of(&c, "f-hk")->forwarder, 0);
	assert_int_equal(tunnel_of(&c, "w-a")->forwarder, MESH_FORWARDER_NONE);
}

/* What is added at the end changes no port of what was there. */
static void test_ports_stay(void **state)
{
	MESHED few = good_mesh(A B C HK), many = good_mesh(A B C HK D US);
	PLAN before = plan_of(&few.m, "a"), after = plan_of(&many.m, "a");

	for (size_t i = 0; i < before.n_tunnels; i++) {
		const struct mesh_tunnel *t = &before.tunnels[i];

		assert_tunnel(&after, t->device, few.m.nodes[t->peer].name, t->listen_port,
			      t->endpoint.host, t->endpoint.port, t->keepalive_s);
	}
}

static void assert_ways(const struct mesh *m, const char *from, const char *to, const char *paths,
			const char *bulk)
{
	PLAN p = plan_of(m, from);
	const struct mesh_target *t = target_of(&p, to);

	assert_non_null(t);
	assert_string_equal(wish_names(t, &t->paths), paths);
	assert_string_equal(wish_names(t, &t->bulk), bulk);
}

static void test_unwritten(void **state)
{
	MESHED m = good_mesh(A B C D US HK);
	PLAN p = plan_of(&m.m, "a");

	assert_ways(&m.m, "a", "c", "direct, hk, via b, us, via d", "");
	assert_ways(&m.m, "c", "a", "direct, hk, via b, us, via d", "");
	assert_ways(&m.m, "a", "d", "direct, via b, via c", "");
	assert_true(target_of(&p, "c")->paths.automatic);
	assert_false(target_of(&p, "c")->ways[0].metered);
	assert_true(target_of(&p, "c")->ways[4].metered);
}

static void test_written(void **state)
{
	static const struct {
		const char *keys, *paths, *bulk;
		bool automatic, bulk_automatic;
	} cases[] = {
		{ "paths = {'via b', direct}", "via b, direct", "", false, false },
		{ "paths = {'via b', hk}", "via b, hk | direct", "", false, false },
		{ "paths = direct", "direct", "", false, false },
		{ "paths = {auto, 'via b', hk}", "via b, hk | direct", "", true, false },
		{ "paths = auto", "direct, hk, via b, us, via d", "", true, false },
		{ "paths = {'via b', direct} bulk = direct", "via b, direct", "direct | via b", false, false },
		{ "paths = {'via b'} bulk = hk", "via b | direct", "hk | direct, via b", false, false },
		{ "paths = 'via d' bulk = auto", "via d | direct", "direct, hk, via b, us, via d", false, true },
		{ "bulk = 'via d'", "direct, hk, via b, us, via d", "via d | direct, hk, via b, us", true, false },
		{ "", "direct, hk, via b, us, via d", "", true, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(str_done) struct str text = {};
		struct meshed m;
		struct mesh_plan p;

		str_add(&text, A B C D US HK "direction x { from = a to = c %s }", cases[i].keys);
		m = good_mesh(text.s);
		p = plan_of(&m.m, "a");
		assert_ways(&m.m, "a", "c", cases[i].paths, cases[i].bulk);
		assert_int_equal(target_of(&p, "c")->paths.automatic, cases[i].automatic);
		assert_int_equal(target_of(&p, "c")->bulk.automatic, cases[i].bulk_automatic);
		mesh_plan_done(&p);
		meshed_done(&m);
	}
}

/* Weights belong to a list, and what it falls back to has none. */
static void test_weights(void **state)
{
	MESHED m = good_mesh(A B C D "direction x { from = a to = c paths = {'via b', direct}\n"
			     "bulk = {'via d:2', 'via b:5'} }\n"
			     "direction y { from = c to = a paths = {'via b:3', 'via d:7'} }");
	PLAN a = plan_of(&m.m, "a"), c = plan_of(&m.m, "c");
	const struct mesh_target *t = target_of(&a, "c");

	assert_memory_equal(t->paths.weight, ((uint16_t[]){ 0, 0 }), 4);
	assert_string_equal(wish_names(t, &t->bulk), "via d, via b | direct");
	assert_memory_equal(t->bulk.weight, ((uint16_t[]){ 2, 5, 0 }), 6);
	assert_int_equal(t->ways[t->paths.order[0]].path.weight, 0);
	t = target_of(&c, "a");
	assert_memory_equal(t->paths.weight, ((uint16_t[]){ 3, 7, 0 }), 6);
	assert_int_equal(t->ways[t->paths.order[1]].path.weight, 7);
}

/* With more ways than there may be, those that are named stay. */
static void test_limit(void **state)
{
	_cleanup_(str_done) struct str text = {};
	struct meshed m;
	struct mesh_plan p;
	const struct mesh_target *t;

	for (int i = 0; i < 20; i++)
		str_add(&text, "node n%d { address = 10.0.0.%d public-key = $%c endpoint = n%d.example }\n",
			i, i + 1, 'a' + i, i);
	str_add(&text, "direction x { from = n0 to = n1 bulk = {'via n19', 'via n18'} }");
	m = good_mesh(text.s);
	p = plan_of(&m.m, "n0");
	t = target_of(&p, "n1");
	assert_int_equal(t->n, MESH_MAX_PATHS);
	assert_string_equal(wish_names(t, &t->bulk),
			    "via n19, via n18 | direct, via n2, via n3, via n4, via n5, via n6");
	t = target_of(&p, "n2");
	assert_string_equal(wish_names(t, &t->paths), "direct, via n1, via n3, via n4, via n5, via n6, "
			    "via n7, via n8");
	mesh_plan_done(&p);
	meshed_done(&m);
}

static void test_transit(void **state)
{
	MESHED m = good_mesh(A B C "forwarder hk { from = a to = c endpoint = 192.0.2.9 }\n"
			     "connect x { nodes = {a, b} }\nconnect y { nodes = {b, c} }\n"
			     "direction x { from = b to = a paths = direct }");
	PLAN a = plan_of(&m.m, "a"), b = plan_of(&m.m, "b");

	assert_int_equal(target_of(&a, "c")->direct, MESH_TUNNEL_NONE);
	assert_int_equal(b.tunnels[target_of(&b, "a")->direct].peer, 0);
	assert_string_equal(wish_names(target_of(&a, "c"), &target_of(&a, "c")->paths), "hk, via b");
}

/* A node that passes nothing on is reached as ever, and reaches others by relays. */
static void test_no_relay(void **state)
{
	MESHED m = good_mesh(A B C "node d { address = 10.0.0.4 public-key = $d endpoint = d.example relay = no }\n"
			     "direction x { from = a to = b paths = {auto, direct, 'via c'} }");
	PLAN a = plan_of(&m.m, "a"), d = plan_of(&m.m, "d"), b = plan_of(&m.m, "b");

	assert_string_equal(wish_names(target_of(&a, "c"), &target_of(&a, "c")->paths), "direct, via b");
	assert_string_equal(wish_names(target_of(&a, "d"), &target_of(&a, "d")->paths),
			    "direct, via b, via c");
	assert_string_equal(wish_names(target_of(&d, "a"), &target_of(&d, "a")->paths),
			    "direct, via b, via c");
	assert_int_equal(target_of(&d, "a")->direct, MESH_TUNNEL_NONE);
	assert_int_not_equal(target_of(&b, "d")->direct, MESH_TUNNEL_NONE);
}

static uint32_t probe_ms_of(int nodes, const char *rest)
{
	_cleanup_(str_done) struct str text = {};
	struct meshed m = {};
	uint32_t ms = 0;

	for (int i = 0; i < nodes; i++) {
		uint8_t key[MESH_KEY] = {1 + i};
		char base64[MESH_KEY_TEXT];

		mesh_key_text(key, base64);
		str_add(&text, "node n%d { address = 10.0.0.%d public-key = '%s' endpoint = n%d.example }\n",
			i, i + 1, base64, i);
	}
	str_add(&text, "%s", rest);
	m = good_mesh(text.s);
	assert_int_equal(mesh_probe_ms(&m.m, &ms), 0);
	meshed_done(&m);
	return ms;
}

/* What a node sends in a second is bounded, whatever there is; all nodes have the interval of the one
 * that sends most. */
static void test_probe_interval(void **state)
{
	assert_int_equal(probe_ms_of(2, ""), 100);
	assert_int_equal(probe_ms_of(13, ""), 100);		  /* 12 of 8 ways each: 96 */
	assert_int_equal(probe_ms_of(14, ""), 13 * 8);
	assert_int_equal(probe_ms_of(14, "mesh m { probe-interval = 103ms }"), 13 * 8);
	assert_int_equal(probe_ms_of(14, "mesh m { probe-interval = 105ms }"), 105);
	assert_int_equal(probe_ms_of(50, ""), 49 * 8);
	assert_int_equal(probe_ms_of(50, "mesh m { probe-interval = 20ms }"), 49 * 8);
	assert_int_equal(probe_ms_of(128, ""), 127 * 8);
	assert_int_equal(probe_ms_of(3, "mesh m { probe-interval = 20ms }"), 20);
}

/* Each has one way to each other. */
static void test_probe_interval_of_a_star(void **state)
{
	_cleanup_(str_done) struct str rest = {};

	str_add(&rest, "mesh m { probe-interval = 20ms }\n");
	for (int i = 1; i < 30; i++)
		str_add(&rest, "connect c%d { nodes = {n0, n%d} }\n", i, i);
	assert_int_equal(probe_ms_of(30, rest.s), 29);
}

/* What only it could pass on has no way. */
static void test_no_way_by_no_relay(void **state)
{
	MESHED m = mesh_of(A "node b { address = 10.0.0.2 public-key = $b endpoint = 192.0.2.2 relay = no }\n" C
			   "connect x { nodes = {a, b} }\nconnect y { nodes = {b, c} }\n");

	assert_int_equal(m.r, 0);
	assert_int_equal(findings_with(&m.f, FINDING_WARNING, 1, "no way between \"a\" and \"c\""), 1);
}

static void test_unreached(void **state)
{
	MESHED m = mesh_of(A B C D "connect x { nodes = {a, b} }\nconnect y { nodes = {b, c} }\n"
			   "connect z { nodes = {c, d} }\n");
	_cleanup_(str_done) struct str hops = {};
	PLAN a = plan_of(&m.m, "a");

	assert_int_equal(a.n_targets, 2);
	assert_null(target_of(&a, "d"));
	for (size_t i = 0; i < a.n_routes; i++)
		assert_int_not_equal(a.routes[i].node, 3);
	assert_int_equal(mesh_hops_text(&m.m, &hops), 0);
	assert_non_null(strstr(hops.s, "a          d          none           -\n"));
}

static void test_mtu(void **state)
{
	MESHED m = good_mesh(A B C D "mesh m { mtu = 1500 }\nconnect x { nodes = {a, b} }\n"
			     "connect y { nodes = {b, c} mtu = 1300 }\nconnect z { nodes = {a, c} mtu = 1400 }\n"
			     "connect w { nodes = {d, a} }\n"
			     "direction v { from = a to = c paths = direct }\n"
			     "direction u { from = a to = b paths = direct }\n"
			     "direction t { from = d to = a paths = direct }\n");
	PLAN a = plan_of(&m.m, "a"), b = plan_of(&m.m, "b"), d = plan_of(&m.m, "d");

	assert_int_equal(tunnel_of(&a, "w-b")->mtu, 1500);
	assert_int_equal(tunnel_of(&a, "w-c")->mtu, 1400);
	assert_int_equal(a.mtu, 1400);
	assert_int_equal(b.mtu, 1300);
	/* d to c goes by a, whose tunnel to c is narrower than any of d's */
	assert_int_equal(tunnel_of(&d, "w-a")->mtu, 1500);
	assert_int_equal(d.mtu, 1400);
}

static void test_routes(void **state)
{
	MESHED m = good_mesh(A B C);
	PLAN b = plan_of(&m.m, "b"), c = plan_of(&m.m, "c");
	char to[ADDR_STRLEN], src[ADDR_STRLEN];
	static const char *const want[] = { "10.0.0.1/32", "fd00::1/128", "10.1.0.0/16", "10.0.0.2/32" };

	assert_int_equal(c.n_routes, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_string_equal(prefix_str(&c.routes[i].to, to), want[i]);
		assert_string_equal(addr_str(&c.routes[i].src, src), i == 1 ? "fd00::3" : "10.0.0.3");
	}
	/* b has no IPv6: no route of it */
	assert_int_equal(b.n_routes, 3);
}

static void test_no_node(void **state)
{
	MESHED m = good_mesh(A B);
	struct mesh_plan p;

	assert_int_equal(mesh_plan_build(&p, &m.m, "c"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tunnels),	   cmocka_unit_test(test_ports_stay),
		cmocka_unit_test(test_unwritten),  cmocka_unit_test(test_written),
		cmocka_unit_test(test_weights),	   cmocka_unit_test(test_limit),
		cmocka_unit_test(test_no_relay),
		cmocka_unit_test(test_probe_interval),
		cmocka_unit_test(test_probe_interval_of_a_star),
		cmocka_unit_test(test_no_way_by_no_relay),
		cmocka_unit_test(test_transit),	   cmocka_unit_test(test_unreached),
		cmocka_unit_test(test_mtu),	   cmocka_unit_test(test_routes),
		cmocka_unit_test(test_no_node),
	};

	return cmocka_run_group_tests_name("mesh_plan", tests, NULL, NULL);
}
