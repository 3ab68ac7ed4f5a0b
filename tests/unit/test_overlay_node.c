// SPDX-License-Identifier: GPL-2.0-or-later
/* A plan as the overlay's programs are told it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "apply/overlay_node.h"
#include "tests/unit/mesh_lab.h"

#define A "node a { address = {10.0.0.1, fd00::1} public-key = $a lan = 10.1.0.0/16 }\n"
#define B "node b { address = 10.0.0.2 public-key = $b endpoint = 192.0.2.2 metered = yes }\n"
#define C "node c { address = {10.0.0.3, fd00::3} public-key = $c endpoint = 192.0.2.3 }\n"
#define D "node d { address = 10.0.0.4 public-key = $d endpoint = 192.0.2.4 }\n"
#define NODES A B C D
#define TO_C "direction up { from = a  to = c  "

static const uint32_t ifindex[] = {101, 102, 103}; /* w-b, w-c, w-d */

/* What a does with flows to c. */
static struct ov_node node_with(const char *text, const uint32_t *devices)
{
	MESHED m = good_mesh(text);
	PLAN p = plan_of(&m.m, "a");
	struct ov_node n;

	overlay_node_of(&p, mesh_plan_target(&p, 2), devices, &n);
	return n;
}

static struct ov_node node_of(const char *text)
{
	return node_with(text, ifindex);
}

static int count(const uint8_t spread[OV_SPREAD], uint8_t way)
{
	int n = 0;

	for (int i = 0; i < OV_SPREAD; i++)
		n += spread[i] == way;
	return n;
}

static void test_preference(void **state)
{
	struct ov_node n = node_of(NODES TO_C "paths = {'via b', direct} rate = 80mbit }\n");

	assert_int_equal(n.direct, 102);
	assert_int_equal(n.n_ways, 2);
	assert_int_equal(n.way[0].ifindex, 101);
	assert_int_equal(n.way[1].ifindex, 102);
	assert_true(n.way[0].metered && !n.way[1].metered);
	assert_true(n.way[0].delay_us < n.way[1].delay_us);
	assert_int_equal(count(n.thin, 0), OV_SPREAD);
	assert_int_equal(count(n.thick, 0), OV_SPREAD);
	assert_int_equal(n.spill, 1);
	assert_int_equal(n.rate, 10000000);
	assert_int_equal(n.burst, 2000000);
}

static void test_bulk(void **state)
{
	struct ov_node n = node_of(NODES TO_C "paths = {'via b', 'via d'} bulk = direct }\n");

	assert_int_equal(count(n.thin, 0), OV_SPREAD);
	assert_int_equal(n.way[n.thick[0]].ifindex, 102);
	assert_int_equal(count(n.thick, n.thick[0]), OV_SPREAD);
	assert_int_equal(n.way[n.spill].ifindex, 102);
	assert_int_equal(n.rate + n.burst, 0);
}

/* A slow line still takes a whole GSO packet. */
static void test_burst(void **state)
{
	assert_int_equal(node_of(NODES TO_C "paths = 'via b' rate = 1mbit }\n").burst, 131072);
}

static void test_no_spill(void **state)
{
	static const char text[] =
		A B C "connect x { nodes = {a, b} } connect y { nodes = {b, c} }\n" TO_C
		      "paths = 'via b' rate = 8mbit }\n";
	struct ov_node n = node_of(text);

	assert_int_equal(n.spill, OV_WAYS);
	assert_int_equal(n.direct, 0);
	assert_int_equal(n.n_ways, 1);
}

/* A device that is not there is no way. */
static void test_missing(void **state)
{
	static const uint32_t without[] = {0, 102, 103};
	struct ov_node n = node_with(NODES TO_C "paths = {'via b', direct} }\n", without);

	assert_int_equal(n.way[0].ifindex, 0);
	assert_int_equal(count(n.thin, 1), OV_SPREAD);
}

static void test_weights(void **state)
{
	struct ov_node n = node_of(NODES TO_C "paths = {'via b:1', 'direct:5', 'via d:2'} }\n");

	assert_int_equal(count(n.thin, 0), 8);
	assert_int_equal(count(n.thin, 1), 40);
	assert_int_equal(count(n.thin, 2), 16);
}

/* Those that live keep their flows; the others' are spread by their weights. */
static void test_spread_death(void **state)
{
	MESHED m = good_mesh(NODES TO_C "paths = {'via b:1', 'direct:5', 'via d:2'} }\n");
	PLAN p = plan_of(&m.m, "a");
	const struct mesh_target *t = mesh_plan_target(&p, 2);
	uint8_t all[OV_SPREAD], some[OV_SPREAD];

	overlay_spread(&t->paths, 7, all);
	overlay_spread(&t->paths, 5, some);
	for (int i = 0; i < OV_SPREAD; i++)
		assert_true(all[i] == 1 || some[i] == all[i]);
	assert_in_range(count(some, 0), 20, 22);
	assert_int_equal(count(some, 0) + count(some, 2), OV_SPREAD);
	overlay_spread(&t->paths, 4, some);
	assert_int_equal(count(some, 2), OV_SPREAD);
	overlay_spread(&t->paths, 0, some);
	assert_int_equal(count(some, 0), OV_SPREAD);
}

/* Without weights all flows go together, by what is wished for first and lives. */
static void test_order(void **state)
{
	MESHED m = good_mesh(NODES TO_C "paths = {'via d', 'via b'} }\n");
	PLAN p = plan_of(&m.m, "a");
	const struct mesh_target *t = mesh_plan_target(&p, 2);
	uint8_t spread[OV_SPREAD];

	assert_int_equal(t->n, 3); /* direct when all is dead */
	overlay_spread(&t->paths, 7, spread);
	assert_int_equal(count(spread, 0), OV_SPREAD);
	overlay_spread(&t->paths, 6, spread);
	assert_int_equal(count(spread, 1), OV_SPREAD);
	overlay_spread(&t->paths, 4, spread);
	assert_int_equal(count(spread, 2), OV_SPREAD);
	assert_int_equal(overlay_spill(t, 7), 0);
	assert_int_equal(overlay_spill(t, 6), 2);
	assert_int_equal(overlay_spill(t, 2), OV_WAYS);
}

/* -------- another plan, while a daemon measures */

/* What a does with flows to c by the text `now`, when by `was` it did as set() says. */
static struct ov_node kept(const char *was, const char *now, void (*set)(struct ov_node *n))
{
	MESHED m_was = good_mesh(was), m = good_mesh(now);
	PLAN p_was = plan_of(&m_was.m, "a");
	PLAN p = plan_of(&m.m, "a");
	const struct mesh_target *t = mesh_plan_target(&p, 2);
	struct ov_node before = node_of(was), n;

	set(&before);
	overlay_node_of(&p, t, ifindex, &n);
	overlay_node_keep(t, mesh_plan_target(&p_was, 2), &before, &n);
	return n;
}

/* Way 0 has died, flows have left it. */
static void first_is_dead(struct ov_node *n)
{
	n->way[0].dead = 1;
	n->way[1].delay_us = 777;
	memset(n->thin, 1, OV_SPREAD);
	memset(n->thick, 1, OV_SPREAD);
	n->spill = 1;
}

/* The second is faster, by measurement. */
static void second_is_chosen(struct ov_node *n)
{
	memset(n->thin, 1, OV_SPREAD);
	memset(n->thick, 0, OV_SPREAD);
}

static void test_keep(void **state)
{
	static const char before[] = NODES TO_C "paths = {'via b', direct} }\n";
	struct ov_node n = kept(before, NODES TO_C "paths = {'via b', direct} rate = 8mbit }\n",
				first_is_dead);

	assert_true(n.way[0].dead && !n.way[1].dead);
	assert_int_equal(n.way[1].delay_us, 777);
	assert_int_equal(count(n.thin, 1) + count(n.thick, 1), 2 * OV_SPREAD);
	assert_int_equal(n.rate, 1000000);
	/* another wish, but not for what is dead; ways have other indices */
	n = kept(before, NODES TO_C "paths = {'via d', 'via b', direct} }\n", first_is_dead);
	assert_true(!n.way[0].dead && n.way[1].dead && !n.way[2].dead);
	assert_int_equal(count(n.thin, 0), OV_SPREAD);
	n = kept(before, NODES TO_C "paths = 'via b' bulk = 'via d' }\n", first_is_dead);
	assert_true(n.way[0].dead);
	assert_int_equal(n.way[n.thin[0]].ifindex, 102);
	assert_int_equal(n.way[n.thick[0]].ifindex, 103);
}

static void test_keep_measured(void **state)
{
	static const char both[] = NODES TO_C "paths = {auto, direct, 'via b'} }\n";
	struct ov_node n = kept(both, NODES TO_C "paths = {auto, 'via d', 'via b'} }\n",
				second_is_chosen);

	assert_int_equal(n.way[n.thin[0]].ifindex, 101);
	/* direct is not wished for any more */
	assert_int_equal(n.way[n.thick[0]].ifindex, 103);
	n = kept(both, NODES TO_C "paths = {direct, 'via b'} }\n", second_is_chosen);
	assert_int_equal(n.way[n.thin[0]].ifindex, 102);
}

static void nothing_is_there(struct ov_node *n)
{
	for (int i = 0; i < OV_WAYS; i++)
		n->way[i].dead = 1;
}

static void test_keep_all_dead(void **state)
{
	static const char text[] = NODES TO_C "paths = {'via b', direct} }\n";
	struct ov_node n = kept(text, text, nothing_is_there);

	assert_int_equal(count(n.thin, 0), OV_SPREAD);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_preference),   cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_burst),        cmocka_unit_test(test_no_spill),
		cmocka_unit_test(test_missing),      cmocka_unit_test(test_weights),
		cmocka_unit_test(test_spread_death), cmocka_unit_test(test_order),
		cmocka_unit_test(test_keep),         cmocka_unit_test(test_keep_measured),
		cmocka_unit_test(test_keep_all_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
