// SPDX-License-Identifier: GPL-2.0-or-later
/* A description becomes what it says; keys; the hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/mesh_lab.h"

static const char full[] =
	"mesh corp { device = ov7 port = 40000 mtu = 1400 keepalive = 25s probe-interval = 200ms\n"
	"	split = 300kB resolve-interval = 90s mtu-probe = no mtu-raise = 90s }\n"
	"direction up { from = a to = c paths = {'via b:3', 'direct:1', 'forwarder hk:2'} bulk = direct\n"
	"	rate = 50mbit }\n"
	"direction rest { from = c to = a paths = {auto, direct, hk} }\n"
	"forwarder hk { from = a to = c endpoint = '[2001:db8::9]:14967' port = 27002 mtu = 1300\n"
	"	metered = yes }\n"
	"connect main { nodes = {a, c, b} mtu = 1380 }\n"
	"node a { address = {'192.168.51.5', 'fd51::5'} public-key = $a\n"
	"	lan = {'10.5.0.0/24', 'fd05::/48'} device = wan1 relay = no }\n"
	"node b { address = fd51::1 public-key = $b endpoint = vpn.example.org metered = yes }\n"
	"node c { address = 192.168.51.2 public-key = $c endpoint = '203.0.113.2:700' }\n";

static void test_mesh(void **state)
{
	MESHED p = good_mesh(full);

	assert_string_equal(p.m.name, "corp");
	assert_string_equal(p.m.device, "ov7");
	assert_int_equal(p.m.port, 40000);
	assert_int_equal(p.m.mtu, 1400);
	assert_false(p.m.mtu_probe);
	assert_int_equal(p.m.mtu_raise_ms, 90000);
	assert_int_equal(p.m.keepalive_s, 25);
	assert_int_equal(p.m.probe_ms, 200);
	assert_int_equal(p.m.resolve_ms, 90000);
	assert_int_equal(p.m.split_bytes, 300000);
	assert_int_equal(p.m.n_nodes, 3);
}

static void test_nodes(void **state)
{
	MESHED p = good_mesh(full);
	const struct mesh_node *a = &p.m.nodes[0], *b = &p.m.nodes[1], *c = &p.m.nodes[2];
	char buf[ADDR_STRLEN];

	assert_string_equal(a->name, "a");
	assert_string_equal(addr_str(&a->addr[ASYM_V4], buf), "192.168.51.5");
	assert_string_equal(addr_str(&a->addr[ASYM_V6], buf), "fd51::5");
	assert_int_equal(a->public_key[31], 'a');
	assert_int_equal(a->n_lans, 2);
	assert_string_equal(prefix_str(&a->lans[1], buf), "fd05::/48");
	assert_string_equal(a->endpoint.host, "");
	assert_string_equal(a->device, "wan1");
	assert_true(b->metered && !a->metered);
	assert_true(b->relays && !a->relays);
	assert_true(addr_is_zero(&b->addr[ASYM_V4]));
	assert_string_equal(b->endpoint.host, "vpn.example.org");
	assert_int_equal(b->endpoint.port, 0);
	assert_string_equal(c->endpoint.host, "203.0.113.2");
	assert_int_equal(c->endpoint.port, 700);
}

static void test_ways(void **state)
{
	MESHED p = good_mesh(full);
	const struct mesh_direction *d = mesh_direction_find(&p.m, 0, 2);
	const struct mesh_forwarder *f = p.m.forwarders;

	assert_true(f->from == 0 && f->to == 2 && f->port == 27002 && f->mtu == 1300 && f->metered);
	assert_string_equal(f->endpoint.host, "2001:db8::9");
	assert_int_equal(f->endpoint.port, 14967);
	assert_memory_equal(p.m.connects->nodes, ((uint8_t[]){ 0, 2, 1 }), 3);
	assert_int_equal(p.m.connects->mtu, 1380);
	assert_non_null(d);
	assert_string_equal(d->name, "up");
	assert_int_equal(d->rate_bps, 50000000);
	assert_int_equal(d->paths.n, 3);
	assert_true(d->paths.items[0].way == MESH_VIA && d->paths.items[0].which == 1);
	assert_int_equal(d->paths.items[0].weight, 3);
	assert_true(d->paths.items[2].way == MESH_FORWARDER && d->paths.items[2].weight == 2);
	assert_true(d->bulk.n == 1 && !d->bulk.items[0].weight && !d->bulk.automatic);
	d = mesh_direction_find(&p.m, 2, 0);
	assert_true(d->paths.automatic && d->paths.n == 2 && !d->bulk.place.line);
}

static void test_defaults(void **state)
{
	MESHED p = good_mesh("node a { address = 10.0.0.1 public-key = $a }\n"
			     "node b { address = 10.0.0.2 public-key = $b endpoint = '2001:db8::1' }");

	assert_string_equal(p.m.name, "mesh");
	assert_string_equal(p.m.device, "ov0");
	assert_int_equal(p.m.port, 51820);
	assert_int_equal(p.m.mtu, 1420);
	assert_true(p.m.mtu_probe);
	assert_int_equal(p.m.mtu_raise_ms, 600000);
	assert_int_equal(p.m.keepalive_s, 10);
	assert_int_equal(p.m.probe_ms, 100);
	assert_int_equal(p.m.resolve_ms, 60000);
	assert_int_equal(p.m.split_bytes, 200000);
	assert_string_equal(p.m.nodes[1].endpoint.host, "2001:db8::1");
}

/* Printed and read again, it is the same. */
static void test_print(void **state)
{
	_cleanup_(str_done) struct str first = {}, second = {};
	MESHED p = good_mesh(full);
	struct meshed q;

	mesh_print(&p.m, &first);
	q = good_mesh(first.s);
	mesh_print(&q.m, &second);
	assert_string_equal(first.s, second.s);
	assert_int_equal(mesh_hash(&p.m), mesh_hash(&q.m));
	meshed_done(&q);
}

/* What is not written is not printed: a description that is not complete reads back, too. */
static void test_print_incomplete(void **state)
{
	static const char text[] = "node a { endpoint = x.example }\nconnect x { }\ndirection d { from = a to = a }";
	_cleanup_(str_done) struct str first = {}, second = {};
	MESHED p = {}, q = {};

	mesh_init(&p.m);
	assert_int_equal(mesh_parse(&p.m, "mesh", text, strlen(text), &p.f), 0);
	mesh_print(&p.m, &first);
	mesh_init(&q.m);
	assert_int_equal(mesh_parse(&q.m, "mesh", first.s, first.len, &q.f), 0);
	mesh_print(&q.m, &second);
	assert_string_equal(first.s, second.s);
}

/* -------- the hash */

static uint64_t hash_of(const char *text)
{
	MESHED p = good_mesh(text);

	return mesh_hash(&p.m);
}

#define TWO "node a { address = 10.0.0.1 public-key = $a }\n"                                      \
	"node b { address = 10.0.0.2 public-key = $b endpoint = 192.0.2.1 }\n"

static void test_hash_of_layout(void **state)
{
	static const char *const same[] = {
		"# a comment\n" TWO,
		"node a { public-key = $a address = {\"10.0.0.1\"} }\n\n\n"
		"node 'b'{endpoint=192.0.2.1 /* here */ metered = no\naddress=10.0.0.2 public-key = $b}",
		TWO "mesh mesh { port = 51820 mtu = 1420 split = 200kB keepalive = 10000ms\n"
		"mtu-probe = yes mtu-raise = 10m }",
	};

	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		assert_int_equal(hash_of(same[i]), hash_of(TWO));
}

static void test_hash_of_content(void **state)
{
	static const char *const other[] = {
		TWO,
		TWO "mesh mess {}",
		TWO "mesh mesh { port = 51821 }",
		TWO "mesh mesh { mtu = 1419 }",
		TWO "mesh mesh { mtu-probe = no }",
		TWO "mesh mesh { mtu-raise = 599s }",
		TWO "mesh mesh { split = 200001 }",
		TWO "mesh mesh { probe-interval = 101ms }",
		TWO "mesh mesh { keepalive = 11 }",
		TWO "mesh mesh { device = ov1 }",
		TWO "connect x { nodes = {a, b} }",
		TWO "connect x { nodes = {a, b} mtu = 1300 }",
		TWO "forwarder x { from = a to = b endpoint = x.example }",
		TWO "forwarder x { from = b to = a endpoint = x.example }",
		TWO "forwarder x { from = a to = b endpoint = x.example metered = yes }",
		TWO "forwarder x { from = a to = b endpoint = 'x.example:9' }",
		TWO "direction x { from = a to = b }",
		TWO "direction x { from = b to = a }",
		TWO "direction x { from = a to = b paths = direct }",
		TWO "direction x { from = a to = b bulk = direct }",
		TWO "direction x { from = a to = b paths = {direct, auto} }",
		TWO "direction x { from = a to = b paths = 'direct:7' }",
		TWO "direction x { from = a to = b rate = 1mbit }",
		TWO "direction x { from = a to = b rate = 1000001bit }",
		"node b { address = 10.0.0.2 public-key = $b endpoint = 192.0.2.1 }\n"
		"node a { address = 10.0.0.1 public-key = $a }\n",
		"node a { address = 10.0.0.1 public-key = $x }\n"
		"node b { address = 10.0.0.2 public-key = $b endpoint = 192.0.2.1 }\n",
		"node a { address = 10.0.0.1 public-key = $a lan = 10.1.0.0/16 }\n"
		"node b { address = 10.0.0.2 public-key = $b endpoint = 192.0.2.1 }\n",
		"node a { address = 10.0.0.1 public-key = $a metered = yes }\n"
		"node b { address = 10.0.0.2 public-key = $b endpoint = 192.0.2.1 }\n",
	};
	uint64_t hashes[ARRAY_SIZE(other)];

	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		hashes[i] = hash_of(other[i]);
		for (size_t j = 0; j < i; j++)
			if (hashes[i] == hashes[j])
				fail_msg("the same hash:\n%s\n%s", other[i], other[j]);
	}
}

/* -------- include() */

static void write_file(const char *dir, const char *name, const char *text)
{
	_cleanup_free_ char *full_text = with_keys(text);
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(full_text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void remove_file(const char *dir, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(unlink(path), 0);
}

/* Names are known across files, and what is wrong is said of the file where it stands. */
static void test_include(void **state)
{
	char dir[] = "/tmp/asymbpf-mesh-XXXXXX", path[256];
	MESHED p = {}, q = {};

	assert_non_null(mkdtemp(dir));
	write_file(dir, "mesh.conf", "direction x { from = a to = b }\ninclude(\"nodes\")\n");
	write_file(dir, "nodes", TWO);
	snprintf(path, sizeof(path), "%s/mesh.conf", dir);
	mesh_init(&p.m);
	assert_int_equal(mesh_read(&p.m, path, &p.f), 0);
	assert_int_equal(mesh_check(&p.m, &p.f), 0);
	assert_int_equal(p.m.directions->to, 1);
	assert_true(strstr(p.m.nodes[1].place.file, "/nodes") && p.m.nodes[1].place.line == 2);

	write_file(dir, "nodes", TWO "\nconnect y { nodes = {a, d} }");
	mesh_init(&q.m);
	assert_int_equal(mesh_read(&q.m, path, &q.f), -EINVAL);
	ASSERT_ONE(&q.f, FINDING_ERROR, 4, "nodes: there is no node \"d\"");
	assert_non_null(strstr(q.f.items[0].file, "/nodes"));
	remove_file(dir, "nodes");
	remove_file(dir, "mesh.conf");
	assert_int_equal(rmdir(dir), 0);
}

static void test_no_file(void **state)
{
	MESHED p = {};

	mesh_init(&p.m);
	assert_int_equal(mesh_read(&p.m, "/nonexistent/mesh.conf", &p.f), -EINVAL);
	ASSERT_ONE(&p.f, FINDING_ERROR, 0, "file: cannot be read: No such file");
}

/* -------- keys */

static void test_key(void **state)
{
	/* RFC 7748 section 6.1, Alice's private key, by coreutils' base64 */
	static const uint8_t key[MESH_KEY] = {
		0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1,
		0x72, 0x51, 0xb2, 0x66, 0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0,
		0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a,
	};
	static const char text[] = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
	char out[MESH_KEY_TEXT];
	uint8_t in[MESH_KEY];

	mesh_key_text(key, out);
	assert_string_equal(out, text);
	assert_int_equal(mesh_key_parse(text, in), 0);
	assert_memory_equal(in, key, MESH_KEY);
}

static void test_bad_keys(void **state)
{
	static const char *const bad[] = {
		"", "=", "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo",
		"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCoA",
		"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCp=",	/* a bit beyond the end */
		"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LC==",
		"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo==",
		"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqs-f7pR25LCo=",
		"dwdtCnMYpX08 sFyUbJmRd9ML4frwJkqsXf7pR25LCo=",
	};
	uint8_t untouched[MESH_KEY] = { 1, 2, 3 }, in[MESH_KEY] = { 1, 2, 3 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(mesh_key_parse(bad[i], in), -EINVAL);
		assert_memory_equal(in, untouched, MESH_KEY);
	}
}

static void test_any_key(void **state)
{
	for (int n = 0; n < 1000; n++) {
		uint8_t key[MESH_KEY], again[MESH_KEY];
		char text[MESH_KEY_TEXT];

		for (size_t i = 0; i < MESH_KEY; i++)
			key[i] = random_below(256);
		mesh_key_text(key, text);
		assert_int_equal(strlen(text), 44);
		assert_int_equal(mesh_key_parse(text, again), 0);
		assert_memory_equal(key, again, MESH_KEY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mesh),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_print_incomplete),
		cmocka_unit_test(test_hash_of_layout),
		cmocka_unit_test(test_hash_of_content),
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_any_key),
	};

	return cmocka_run_group_tests_name("mesh_config", tests, NULL, NULL);
}
