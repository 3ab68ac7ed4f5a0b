// SPDX-License-Identifier: GPL-2.0-or-later
/* What is wrong with a description: one finding each, on its line, with the value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/mesh_lab.h"

#define A "node a { address = 10.0.0.1 public-key = $a }\n"
#define B "node b { address = 10.0.0.2 public-key = $b endpoint = 192.0.2.2 }\n"
#define C "node c { address = 10.0.0.3 public-key = $c endpoint = 192.0.2.3 }\n"
#define D "node d { address = 10.0.0.4 public-key = $d }\n"
#define ABC A B C
#define HK "forwarder hk { from = a to = c endpoint = '192.0.2.9:9' }\n"

static void all_bad_meshes(const struct bad *bad, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		MESHED p = mesh_of(bad[i].conf);

		if (p.r != -EINVAL)
			print_error("accepted: %s\n", bad[i].conf);
		ASSERT_ONE(&p.f, FINDING_ERROR, bad[i].line, bad[i].text);
		assert_int_equal(p.r, -EINVAL);
		assert_string_equal(p.f.items[0].file, "mesh");
	}
}

#define ALL_BAD(table) all_bad_meshes(table, ARRAY_SIZE(table))

static void test_values(void **state)
{
	static const struct bad bad[] = {
		{ ABC "mesh m { port = 1 }", 4, "port: \"1\" is out of range, expected 2 to 65535" },
		{ ABC "mesh m { mtu = 1279 }", 4, "mtu: \"1279\" is out of range, expected 1280 to 9000" },
		{ ABC "mesh m { keepalive = 0 }", 4, "keepalive: \"0\" seconds is out of range" },
		{ ABC "mesh m { probe-interval = 19ms }", 4, "probe-interval: \"19ms\" is out of range" },
		{ ABC "mesh m { resolve-interval = 999ms }", 4,
		  "resolve-interval: \"999ms\" is out of range, expected 1s to 1d" },
		{ ABC "mesh m { mtu-probe = often }", 4, "mtu-probe: \"often\" is neither" },
		{ ABC "mesh m { mtu-raise = 999ms }", 4, "mtu-raise: \"999ms\" is out of range" },
		{ ABC "mesh m { mtu-raise = 2d }", 4, "mtu-raise: \"2d\" is out of range, expected 1s to 1d" },
		{ ABC "mesh m { split = 5 }", 4, "split: \"5\" is out of range, expected 1kB" },
		{ ABC "mesh m { split = much }", 4, "split: \"much\" is no size" },
		{ ABC "mesh m { device = w-a }", 4, "device: \"w-a\" looks like a tunnel's name" },
		{ ABC "mesh m { device = f-a }", 4, "device: \"f-a\" looks like a tunnel's name" },
		{ ABC "mesh m { device = 'a b' }", 4, "device: \"a b\" is no name of a device" },
		{ ABC "mesh '/' { }", 4, "mesh: \"/\" is no name" },
		{ ABC "mesh m { }\nmesh m { }", 5, "mesh: given twice, first in line 4" },
		{ ABC "mesh m { prot = 5 }", 4, "\"prot\": unknown key of section mesh, did you mean \"port\"" },
		{ ABC "noed d { }", 4, "\"noed\": unknown key, did you mean \"node\"" },
		{ ABC "link d { }", 4, "\"link\": unknown key" },
		{ ABC "mark-mask = 5", 4, "\"mark-mask\": unknown key" },
		{ ABC "direction x { from = a to = b rate = 50 }", 4, "rate: \"50\" is no rate, expected 8kbit" },
		{ ABC "direction x { from = a to = b rate = 1bit }", 4, "rate: \"1bit\" is out of range" },
		{ ABC "direction x { from = a to = b rate = 5000000000gbit }", 4, "is out of range" },
	};

	ALL_BAD(bad);
}

static void test_nodes(void **state)
{
	static const struct bad bad[] = {
		{ ABC "node d { address = 10.0.0.x public-key = $d }", 4, "address: \"10.0.0.x\" is no address" },
		{ ABC "node d { address = {10.0.0.4, 10.0.0.5} public-key = $d }", 4,
		  "address: \"10.0.0.5\" is the second of its family" },
		{ ABC "node d { address = ff02::1 public-key = $d }", 4, "address: \"ff02::1\" is no host" },
		{ ABC "node d { public-key = $d }", 4, "address: node \"d\" has none" },
		{ ABC "node d { address = 10.0.0.4 }", 4, "public-key: node \"d\" has none" },
		{ ABC "node d { address = 10.0.0.4 public-key = abc }", 4, "public-key: \"abc\" is no key" },
		{ ABC "node d { address = 10.0.0.4\npublic-key = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' }",
		  5, "public-key: \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\" is the key of nobody" },
		{ ABC "node a { address = 10.0.0.4 public-key = $d }", 4, "node: name \"a\" is taken by mesh:1" },
		{ ABC "node abcdefghij { address = 10.0.0.4 public-key = $d }", 4,
		  "node: name \"abcdefghij\" is too long, expected 9 characters" },
		{ ABC "node auto { address = 10.0.0.4 public-key = $d }", 4, "node: \"auto\" cannot be a name" },
		{ ABC "node direct { address = 10.0.0.4 public-key = $d }", 4, "\"direct\" cannot be" },
		{ ABC "node 'a b' { address = 10.0.0.4 public-key = $d }", 4, "node: \"a b\" is no name" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d endpoint = '192.0.2.4:0' }", 4,
		  "endpoint: \"192.0.2.4:0\" has a port out of range" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d endpoint = '192.0.2.4:x' }", 4,
		  "endpoint: \"192.0.2.4:x\" has a bad port" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d endpoint = '192.0.2' }", 4,
		  "endpoint: \"192.0.2\" is no host" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d endpoint = '[192.0.2.1]:4' }", 4, "is no host" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d endpoint = 'a b' }", 4, "\"a b\" is no host" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d endpoint = '' }", 4, "\"\" is no host" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d endpoint = '[]:5' }", 4, "\"[]:5\" is no host" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d lan = 10.5.0.1/24 }", 4,
		  "lan: \"10.5.0.1/24\" has bits set beyond its length, expected \"10.5.0.0/24\"" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d lan = 0.0.0.0/0 }", 4,
		  "lan: \"0.0.0.0/0\" is everything" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d lan = ::/0 }", 4, "lan: \"::/0\" is everything" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d metered = dear }", 4, "metered: \"dear\" is neither" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d relay = never }", 4, "relay: \"never\" is neither" },
	};

	ALL_BAD(bad);
}

static void test_duplicates(void **state)
{
	static const struct bad bad[] = {
		{ ABC "node d { address = 10.0.0.2 public-key = $d }", 4,
		  "address: \"10.0.0.2\" of node \"d\" is that of node \"b\" in mesh:2 too" },
		{ ABC "node d { address = 10.0.0.4 public-key = $c }", 4, "of node \"d\" is that of node \"c\" in mesh:3" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d lan = 10.9.0.0/16 }\n"
		  "node e { address = 10.0.0.5 public-key = $e lan = {10.8.0.0/16, 10.9.0.0/16} }", 5,
		  "lan: \"10.9.0.0/16\" of node \"e\" is that of node \"d\" in mesh:4 too" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d lan = 10.0.0.1/32 }", 4,
		  "lan: \"10.0.0.1\" of node \"d\" is that of node \"a\"" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d lan = {10.9.0.0/16, 10.9.0.0/16} }", 4,
		  "lan: \"10.9.0.0/16\" is given twice in node \"d\"" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d lan = 192.0.2.3/32 }", 3,
		  "endpoint: \"192.0.2.3\" is inside of \"192.0.2.3/32\" of node \"d\"" },
		{ ABC "node d { address = 192.0.2.3 public-key = $d }", 3,
		  "endpoint: \"192.0.2.3\" is inside of \"192.0.2.3\" of node \"d\"" },
		{ ABC HK "node d { address = 10.0.0.4 public-key = $d lan = 192.0.2.8/31 }", 4,
		  "endpoint: \"192.0.2.9\" is inside of \"192.0.2.8/31\"" },
		{ ABC HK HK, 5, "forwarder: name \"hk\" is taken by mesh:4" },
		{ ABC HK "forwarder us { from = a to = c endpoint = '192.0.2.9:9' }", 5,
		  "endpoint: \"192.0.2.9\" port \"9\" of forwarder \"us\" is that of forwarder \"hk\" too" },
		{ ABC "connect x { nodes = {a, b, c} }\nconnect x { nodes = {a, b} }", 5,
		  "connect: name \"x\" is taken by mesh:4" },
		{ ABC "connect x { nodes = {a, b, c,\n a} }", 5, "nodes: \"a\" is given twice" },
		{ ABC "direction x { from = a to = b }\ndirection x { from = b to = a }", 5,
		  "direction: name \"x\" is taken by mesh:4" },
		{ ABC "direction x { from = a to = b }\ndirection y { from = a to = b }", 5,
		  "to: direction \"y\" from \"a\" to \"b\" is \"x\" of mesh:4" },
		{ ABC "direction x { from = a to = c paths = {'via b', 'via b:2'} }", 4,
		  "paths: \"via b:2\" is given twice" },
	};

	ALL_BAD(bad);
}

static void test_ports(void **state)
{
	static const struct bad bad[] = {
		/* c listens at 51820 and 51821, then at 51948 */
		{ ABC "forwarder x { from = a to = c endpoint = '192.0.2.9:9' port = 51821 }", 4,
		  "port: \"51821\" is taken twice at node \"c\"" },
		{ ABC "forwarder x { from = a to = c endpoint = '192.0.2.9:9' port = 51819 }", 4,
		  "port: \"51819\" of node \"c\" is that of the probes" },
		{ ABC HK "forwarder x { from = a to = c endpoint = '192.0.2.9:8' port = 51948 }", 5,
		  "port: \"51948\" is taken twice at node \"c\"" },
		{ A "node b { address = 10.0.0.2 public-key = $b endpoint = '192.0.2.2:65535' }\n" C, 2,
		  "port: node \"b\" would listen at \"65536\", expected 65535 at most" },
		{ A B "node c { address = 10.0.0.3 public-key = $c endpoint = 192.0.2.2 }\n", 3,
		  "endpoint: \"192.0.2.2\" port \"51820\" of node \"c\" is that of node \"b\" too" },
		{ A B "node c { address = 10.0.0.3 public-key = $c endpoint = '192.0.2.2:51821' }\n", 3,
		  "endpoint: \"192.0.2.2\" port \"51821\" of node \"c\" is that of node \"b\"" },
	};

	ALL_BAD(bad);
}

static void test_references(void **state)
{
	static const struct bad bad[] = {
		{ ABC "forwarder x { from = a to = d endpoint = 192.0.2.9 }", 4, "to: there is no node \"d\"" },
		{ ABC "node berlin { address = 10.0.0.4 public-key = $d }\nforwarder x { from = berln to = b "
		  "endpoint = 192.0.2.9 }", 5, "from: there is no node \"berln\", did you mean \"berlin\"?" },
		{ ABC "forwarder x { to = b endpoint = 192.0.2.9 }", 4, "forwarder: there is no \"from\"" },
		{ ABC "forwarder x { from = a to = a endpoint = 192.0.2.9 }", 4,
		  "to: forwarder \"x\" leads from \"a\" to itself" },
		{ ABC "forwarder x { from = a to = b }", 4, "endpoint: forwarder \"x\" has none" },
		{ ABC "forwarder direct { from = a to = b endpoint = 192.0.2.9 }", 4, "cannot be a name" },
		{ ABC "connect x { nodes = {a, b, c} }\nconnect y { nodes = a }", 5, "nodes: connect \"y\" has one" },
		{ ABC "connect x { nodes = {a, b, c} }\nconnect y { }", 5, "nodes: connect \"y\" has none" },
		{ ABC D "connect x { nodes = {a, b, c} }\nconnect z { nodes = {b, d} }\nconnect y { nodes = {a, d} }", 7,
		  "nodes: none of connect \"y\" has an endpoint" },
		{ ABC "direction x { from = a to = z }", 4, "to: there is no node \"z\"" },
		{ ABC "direction x { to = b }", 4, "direction: there is no \"from\"" },
		{ ABC "direction x { from = b }", 4, "direction: there is no \"to\"" },
		{ ABC "direction x { from = b to = b }", 4, "to: direction \"x\" leads from \"b\" to itself" },
		{ A, 0, "node: there is one, expected two" },
		{ "", 0, "node: there is none, expected two" },
	};

	ALL_BAD(bad);
}

static void test_ways(void **state)
{
	static const struct bad bad[] = {
		{ ABC "direction x { from = a to = b\npaths = {direct,\n'via d'} }", 6,
		  "paths: there is no node \"d\" for \"via d\"" },
		{ ABC "direction x { from = a to = b bulk = 'forwarder hk' }", 4,
		  "bulk: there is no forwarder \"hk\" for \"forwarder hk\"" },
		{ ABC "direction x { from = a to = b paths = b }", 4, "paths: there is no forwarder \"b\" for \"b\"" },
		{ ABC "direction x { from = a to = b paths = 'via ' }", 4, "there is no node \"\" for \"via \"" },
		{ ABC "direction x { from = a to = b paths = 'via c:0' }", 4, "paths: \"0\" is out of range, expected 1" },
		{ ABC "direction x { from = a to = b paths = 'via c:x' }", 4, "paths: \"x\" is not a number" },
		{ ABC "direction x { from = a to = b\npaths = {direct, 'via b'} }", 5,
		  "paths: \"via b\" of direction \"x\" leads by its own end" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d endpoint = d.example relay = no }\n"
		  "direction x { from = a to = b\nbulk = {direct, 'via d'} }", 6,
		  "bulk: \"via d\" of direction \"x\" leads by a node with relay = no, expected direct" },
		{ ABC "direction x { from = a to = b bulk = 'via a' }", 4, "bulk: \"via a\" of direction \"x\" leads by" },
		{ ABC D "direction x { from = a to = d paths = direct }", 5,
		  "paths: \"direct\" needs a connection of \"a\" and \"d\", expected an endpoint of one of them" },
		{ ABC D "direction x { from = b to = d\npaths = 'via a' }", 6,
		  "paths: \"via a\" needs a connection of \"a\" and \"d\"" },
		{ ABC "connect x { nodes = {a, b} }\nconnect y { nodes = {b, c} }\n"
		  "direction x { from = b to = a paths = 'via c' }", 6,
		  "paths: \"via c\" needs a connection of \"c\" and \"a\", expected an endpoint of one of them and both" },
		{ ABC HK "direction x { from = a to = b paths = hk }", 5,
		  "paths: forwarder \"hk\" is not between \"a\" and \"b\"" },
		{ ABC "direction x { from = a to = b paths = {'direct:2', 'via c'} }", 4,
		  "paths: 1 of 2 ways have a weight, expected all or none" },
		{ ABC "direction x { from = a to = b paths = {auto, 'direct:2'} }", 4, "paths: weights beside auto" },
	};

	ALL_BAD(bad);
}

/* -------- too many */

static void repeat(struct str *s, const char *format, int n)
{
	for (int i = 0; i < n; i++)
		for (const char *p = format; *p; p++) {
			if (*p == '#')
				str_add(s, "%d", i);
			else
				str_add(s, "%c", *p);
		}
}

/* max: the last number that is good. */
static void try_limit(const char *head, const char *each, const char *tail, int n, int max,
		      const char *text)
{
	_cleanup_(str_done) struct str s = {};
	struct meshed p = {};

	str_add(&s, "%s", head);
	repeat(&s, each, n);
	str_add(&s, "%s", tail);
	p = mesh_of(s.s);
	if (n <= max && findings_with(&p.f, FINDING_ERROR, -1, "limit"))
		fail_msg("%s: %d are too many", text, n);
	if (n > max)
		ASSERT_ONE(&p.f, FINDING_ERROR, -1, text);
	meshed_done(&p);
}

static void test_limits(void **state)
{
	static const struct {
		const char *head, *each, *tail;
		int max;
		const char *text;
	} limits[] = {
		{ "", "node n# { address = 10.0.1.# public-key = $a }\n", "", MESH_MAX_NODES,
		  "node: one more than the limit, expected at most 128" },
		{ ABC, "forwarder f# { from = a to = b endpoint = f#.example }\n", "", MESH_MAX_FORWARDERS,
		  "forwarder: one more than the limit, expected at most 256" },
		{ ABC "node d { address = 10.0.0.4 public-key = $d lan = {", "10.#.0.0/16,", "} }", MESH_MAX_LANS,
		  "lan: one more than the limit, expected at most 16" },
		{ ABC, "forwarder f# { from = a to = b endpoint = f#.example }\n",
		  "direction x { from = a to = b paths = { f0, f1, f2, f3, f4, f5, f6, f7, direct } }", 0,
		  "paths: \"direct\" is one more than the limit, expected at most 8" },
		{ ABC, "forwarder f# { from = a to = b endpoint = f#.example }\n",
		  "direction x { from = a to = b paths = { f0, f1, f2, f3, f4 } bulk = {f5, f6, f7, f1, direct} }",
		  0, "bulk: direction \"x\" has 9 ways with those of paths, expected at most 8" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		int n = limits[i].max ?: 9;

		if (limits[i].max)
			try_limit(limits[i].head, limits[i].each, limits[i].tail, n, n, limits[i].text);
		try_limit(limits[i].head, limits[i].each, limits[i].tail, limits[i].max ? n + 1 : n,
			  limits[i].max, limits[i].text);
	}
}

/* -------- warnings, and what is no error */

static void test_unreachable(void **state)
{
	MESHED p = mesh_of(ABC D "connect x { nodes = {a, b} }\nconnect y { nodes = {b, c} }\n"
			   "connect z { nodes = {c, d} }\n");
	MESHED q = mesh_of(ABC D "connect x { nodes = {a, b, c} }\n");

	assert_int_equal(p.r, 0);
	assert_int_equal(p.f.n, 1);
	assert_int_equal(findings_with(&p.f, FINDING_WARNING, 1, "no way between \"a\" and \"d\""), 1);
	assert_int_equal(q.r, -EINVAL);
	ASSERT_ONE(&q.f, FINDING_ERROR, 4, "node: \"d\" is connected to nobody");
}

static void test_accepted(void **state)
{
	static const char *const good[] = {
		/* LANs within one another: the longest prefix names the node */
		ABC "node d { address = 10.0.0.4 public-key = $d lan = 10.0.0.0/8 }",
		/* one address, other ports */
		A B "node c { address = 10.0.0.3 public-key = $c endpoint = '192.0.2.2:52000' }",
		/* two behind NATs in one connect, each reaches the others */
		ABC D "connect all { nodes = {a, b, c, d} }",
		ABC HK "direction x { from = c to = a paths = hk }",
		A D "forwarder x { from = a to = d endpoint = '192.0.2.9:9' }",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		MESHED p = good_mesh(good[i]);

		assert_int_equal(p.f.n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_accepted),
	};

	return cmocka_run_group_tests_name("mesh_bad", tests, NULL, NULL);
}
