// SPDX-License-Identifier: GPL-2.0-or-later
/* Which way flows take to a node, when they move, and what a budget does to them. */
#include "tests/bpf/overlay_flow.h"

static struct ov_node node(void)
{
	return lab_node(T3);
}

static void put(const struct ov_node *n)
{
	lab_put_node(1, n);
}

/* 20 packets of 1000 bytes are the beginning; the next one begins to be thick if the rate is there.
 */
static void test_split(void **state)
{
	struct flow f = udp(1, 1000), slow = udp(2, 1000);

	lab_need();
	/* 1000 bytes each ms, far more than SPLIT_BPS: thick after both 20000 bytes and 50000 of
	 * the second */
	assert_true(go(&f, 50, MS, T1));
	assert_true(go(&f, 100, MS, T2));
	assert_int_equal(lab_rose(OV_OUT_MOVED), 1);
	/* 40000 bytes per second are slow, however long it takes */
	assert_true(go(&slow, 200, 25 * MS, T1));
}

/* 62500 bytes per second, second after second: it stays thick, and would be seen to move. */
static void test_stays_thick(void **state)
{
	struct flow f = udp(1, 1000);
	struct ov_node n = node();

	lab_need();
	n.way[1].delay_us = 0;
	put(&n);
	assert_true(go(&f, 50, 16 * MS, T1));
	assert_true(go(&f, 500, 16 * MS, T2));
}

/* A flow that has become slow is thin again, and goes back after a silence, not before. */
static void test_thin_again(void **state)
{
	struct flow f = udp(1, 1000);

	lab_need();
	assert_true(go(&f, 50, MS, T1));
	assert_true(go(&f, 40, 25 * MS, T2));
	assert_true(go(&f, 40, 49 * MS, T2));
	pass(2 * MS);
	assert_true(go(&f, 10, 25 * MS, T1));
}

/* Acknowledgements make no flow thick; those of a thick one go by the thin way and do not hide its
 * gaps. */
static void test_acks(void **state)
{
	struct flow ack = tcp(1, 0, TH_ACK), data = tcp(1, 948, TH_ACK),
		    fin = tcp(1, 0, TH_ACK | TH_FIN);
	struct ov_node n = node();

	lab_need();
	assert_true(go(&ack, 3000, MS / 10, T1));
	assert_true(go(&data, 50, MS, T1));
	assert_true(go(&data, 20, MS, T2));
	assert_true(go(&ack, 20, MS, T1));
	assert_true(go(&fin, 1, MS, T2));
	memset(n.thick, 0, sizeof(n.thick));
	put(&n);
	assert_true(go(&ack, 49, MS, T1));
	assert_true(go(&data, 1, 0, T2));
	assert_true(go(&ack, 50, MS, T1));
	pass(1);
	assert_true(go(&data, 1, 0, T1));
}

/* To a slower way at once, to a faster one after a silence; delays decide, not numbers. */
static void test_moves(void **state)
{
	struct flow f = udp(1, 100);
	struct ov_node n = node();

	lab_need();
	assert_true(go(&f, 5, MS, T1));
	memset(n.thin, 1, sizeof(n.thin));
	put(&n);
	assert_true(go(&f, 5, MS, T2));
	memset(n.thin, 0, sizeof(n.thin));
	put(&n);
	assert_true(go(&f, 5, GAP, T2));
	pass(1);
	assert_true(go(&f, 5, MS, T1));
	n.way[0].delay_us = 1000;
	n.way[1].delay_us = 0;
	memset(n.thin, 1, sizeof(n.thin));
	put(&n);
	assert_true(go(&f, 5, MS, T1));
	pass(GAP + 1);
	assert_true(go(&f, 1, MS, T2));
	assert_int_equal(lab_rose(OV_OUT_MOVED), 3);
}

/* Ways of the same delay count as no overtaking; but to a dear one nothing moves without a silence.
 */
static void test_equal(void **state)
{
	struct flow f = udp(1, 100);
	struct ov_node n = node();

	lab_need();
	n.way[1].delay_us = 0;
	n.way[0].metered = 1;
	put(&n);
	assert_true(go(&f, 5, MS, T1));
	memset(n.thin, 1, sizeof(n.thin));
	put(&n);
	assert_true(go(&f, 5, MS, T2));
	memset(n.thin, 0, sizeof(n.thin));
	put(&n);
	assert_true(go(&f, 5, MS, T2));
	pass(GAP + 1);
	assert_true(go(&f, 5, MS, T1));
}

/* At once, faster or not, whatever the tables still say; back after a silence. */
static void test_dead(void **state)
{
	struct flow f = udp(1, 100), thick = udp(2, 1000);
	struct ov_node n = node();

	lab_need();
	assert_true(go(&f, 2, MS, T1));
	assert_true(go(&thick, 50, MS, T1));
	assert_true(go(&thick, 2, MS, T2));
	n.way[1].dead = 1;
	put(&n);
	assert_true(go(&thick, 5, MS, T1));
	n.way[1].dead = 0;
	n.way[0].dead = 1;
	put(&n);
	assert_true(go(&f, 5, MS, T2));
	n.way[0].dead = 0;
	put(&n);
	assert_true(go(&f, 5, MS, T2));
	pass(GAP + 1);
	assert_true(go(&f, 5, MS, T1));
	n.way[0].dead = n.way[1].dead = 1;
	put(&n);
	assert_true(go(&f, 5, MS, T1));
	memset(n.thin, 1, sizeof(n.thin));
	put(&n);
	assert_true(go(&f, 5, MS, T2));
	n.way[0].ifindex = n.way[1].ifindex = 0;
	put(&n);
	assert_int_equal(way(&f), 0);
	assert_int_equal(lab_rose(OV_OUT_UNKNOWN), 1);
}

/* A probe goes by a dead way, too, and leaves flows alone. */
static void test_forced(void **state)
{
	struct flow f = udp(1, 100), probe = f;
	struct ov_node n = node();

	lab_need();
	n.way[1].dead = 1;
	put(&n);
	probe.run.mark = 0x20000;
	assert_true(go(&f, 2, MS, T1));
	assert_true(go(&probe, 2, MS, T2));
	assert_true(go(&f, 2, MS, T1));
	assert_int_equal(lab_rose(OV_OUT_MOVED), 0);
}

/* 64 slots, a quarter to the second way: flows keep theirs, and a quarter of them is there. */
static void test_spread(void **state)
{
	unsigned int second = 0;
	struct ov_node n = node();

	lab_need();
	for (int i = 0; i < OV_SPREAD; i += 4)
		n.thin[i] = 1;
	put(&n);
	for (uint16_t i = 1; i <= 1000; i++) {
		struct flow f = udp(i, 100);
		uint32_t went = way(&f);

		second += went == T2;
		assert_true(go(&f, 2, 2 * GAP, went));
	}
	assert_in_range(second, 190, 310);
}

static unsigned int flows(void)
{
	struct ov_flow_key key;
	unsigned int n = 0;

	for (bool more = !bpf_map_get_next_key(lab.flows, NULL, &key); more; n++)
		more = !bpf_map_get_next_key(lab.flows, &key, &key);
	return n;
}

/* Fragments, and what has no ports: a flow for a pair of addresses and a protocol. */
static void test_flows(void **state)
{
	struct pkt_spec first = {.dst = "10.77.0.2", .proto = 17, .frag = 0x2000, .sport = 1};
	struct pkt_spec second = {.dst = "10.77.0.2", .proto = 17, .frag = 185, .sport = 2};
	struct pkt_spec gre[] = {{.dst = "10.77.0.2", .proto = 47, .sport = 1},
				 {.dst = "10.77.0.2", .proto = 47, .sport = 2}};
	struct flow all[] = {{pkt_make(&first), {0}}, {pkt_make(&second), {0}},
			     {pkt_make(&gre[0]), {0}}, {pkt_make(&gre[1]), {0}}};
	struct flow f = udp(1, 100);

	lab_need();
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		way(&all[i]);
	assert_int_equal(flows(), 2);
	way(&f);
	assert_int_equal(flows(), 3);
}

/* Metered way with 1 MB/s and a burst of 131072 bytes, then the slower one. */
static struct ov_node metered(void)
{
	struct ov_node n = node();

	n.way[0].metered = 1;
	n.spill = 1;
	n.rate = 1000000;
	n.burst = 131072;
	memset(n.thick, 0, sizeof(n.thick));
	return n;
}

/* Thin flows of another kind fill the bucket's debt. */
static void owe(int64_t bytes)
{
	struct ov_budget b = {.tokens = -bytes, .ns = lab.skel->bss->test_now};
	uint32_t key = 1;

	assert_int_equal(bpf_map_update_elem(lab.budget, &key, &b, BPF_ANY), 0);
}

static int64_t owed(void)
{
	struct ov_budget b;
	uint32_t key = 1;

	assert_int_equal(bpf_map_lookup_elem(lab.budget, &key, &b), 0);
	return -b.tokens;
}

/* Thick flows leave at half a burst of debt, at once as it is slower there, and stay while they
 * have no gap; thin ones go on. */
static void test_spill(void **state)
{
	struct flow bulk = udp(1, 1000), ping = udp(2, 100);
	struct ov_node n = metered();

	lab_need();
	put(&n);
	assert_true(go(&bulk, 131 + 65, 0, T1));
	assert_true(go(&bulk, 1, 0, T1));
	assert_true(go(&bulk, 200, MS / 10, T2));
	assert_int_equal(lab_rose(OV_OUT_SPILLED), 1);
	assert_int_equal(lab_rose(OV_OUT_MOVED), 0);
	assert_true(go(&ping, 2, 2 * GAP, T1));
	pass(1000 * MS);
	assert_int_equal(way(&bulk), T1);
}

/* Without silence a flow that has spilled stays, however full the bucket. */
static void test_spilled_stays(void **state)
{
	struct flow bulk = udp(1, 1000);
	struct ov_node n = metered();

	lab_need();
	put(&n);
	assert_true(go(&bulk, 197, 0, T1));
	assert_true(go(&bulk, 3000, MS, T2));
	assert_int_equal(lab_rose(OV_OUT_SPILLED), 1);
}

/* Whether a flow may begin: thick ones with tokens left, thin ones until a burst is owed. */
static void test_begin(void **state)
{
	struct flow thin = udp(1, 100), thick = udp(2, 1000), other = udp(3, 100);
	struct ov_node n = metered();

	lab_need();
	put(&n);
	owe(131071);
	assert_true(go(&thin, 1, 0, T1));
	owe(131072);
	assert_true(go(&other, 1, 0, T2));
	assert_int_equal(lab_rose(OV_OUT_SPILLED), 1);
	owe(-131072);
	assert_true(go(&thick, 60, 0, T1));
	pass(GAP + 1);
	owe(0);
	assert_true(go(&thick, 1, 0, T2));
	pass(GAP + 1);
	owe(-1);
	assert_true(go(&thick, 1, 0, T1));
}

/* What has not sent enough to be thick, but is on the best way to, leaves as thick ones do. */
static void test_growing(void **state)
{
	struct flow growing = udp(1, 1000), small = udp(2, 1000);
	struct ov_node n = metered();

	lab_need();
	put(&n);
	owe(0);
	assert_true(go(&growing, 66, 0, T1));
	assert_true(go(&growing, 30, 0, T2));
	assert_int_equal(lab_rose(OV_OUT_SPILLED), 1);
	assert_true(go(&small, 33, 0, T1));
	assert_true(go(&small, 1, 0, T2));
	pass(2000 * MS);
	assert_true(go(&small, 10, GAP / 2, T1));
	owe(80000);
	assert_true(go(&small, 10, 0, T1));
}

/* What costs nothing has no budget. */
static void test_unmetered(void **state)
{
	struct flow f = udp(1, 100);
	struct ov_node n = metered();

	lab_need();
	n.n_ways = 3;
	n.way[2].ifindex = T3;
	memset(n.thin, 2, sizeof(n.thin));
	put(&n);
	owe(1000000);
	assert_true(go(&f, 3, 2 * GAP, T3));
}

static void test_no_spill(void **state)
{
	struct flow bulk = udp(1, 1000);
	struct ov_node n = metered();

	lab_need();
	n.spill = OV_WAYS;
	put(&n);
	assert_true(go(&bulk, 1000, 0, T1));
	n.spill = 1;
	n.way[1].dead = 1;
	put(&n);
	assert_true(go(&bulk, 10, 2 * GAP, T1));
	n.way[1].dead = 0;
	n.rate = 0;
	put(&n);
	assert_true(go(&bulk, 10, 2 * GAP, T1));
}

/* What is faster there would overtake: thick flows wait for a silence. */
static void test_spill_faster(void **state)
{
	struct flow bulk = udp(1, 1000);
	struct ov_node n = metered();

	lab_need();
	n.way[0].delay_us = 1000;
	n.way[1].delay_us = 0;
	put(&n);
	assert_true(go(&bulk, 300, 0, T1));
	pass(GAP + 1);
	assert_true(go(&bulk, 1, 0, T2));
}

/* Bytes go out at the rate that comes in, and no more than a burst is saved. */
static void test_rate(void **state)
{
	struct flow f = udp(1, 1000);
	struct ov_node n = metered();

	lab_need();
	put(&n);
	way(&f);
	assert_int_equal(owed(), -(131072 - 1000));
	owe(10000);
	pass(5 * MS);
	way(&f);
	assert_int_equal(owed(), 10000 - 5000 + 1000);
	pass(MS / 2);
	way(&f);
	assert_int_equal(owed(), 10000 - 5000 + 2000);
	pass(MS);
	way(&f);
	assert_int_equal(owed(), 10000 - 5000 + 3000 - 1500);
	pass(3600000 * MS);
	way(&f);
	assert_int_equal(owed(), -(131072 - 1000));
	owe(300000);
	way(&f);
	assert_int_equal(owed(), 300000);
}

/* Segments are charged with all headers, by forced packets too. */
static void test_charges(void **state)
{
	struct flow gso = udp(1, 3028);
	struct ov_node n = metered();

	lab_need();
	put(&n);
	gso.run.gso_size = 1000;
	gso.run.gso_segs = 3;
	way(&gso);
	assert_int_equal(owed(), -(131072 - 3028 - 2 * 28));
	gso.run.mark = 0x10000;
	way(&gso);
	assert_int_equal(owed(), -(131072 - 2 * (3028 + 2 * 28)));
	gso.run.mark = 0x20000;
	way(&gso);
	assert_int_equal(owed(), -(131072 - 2 * (3028 + 2 * 28)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		lab_test(test_split),         lab_test(test_thin_again), lab_test(test_acks),
		lab_test(test_moves),         lab_test(test_equal),      lab_test(test_dead),
		lab_test(test_forced),        lab_test(test_spread),     lab_test(test_spill),
		lab_test(test_spilled_stays), lab_test(test_begin),      lab_test(test_no_spill),
		lab_test(test_growing),
		lab_test(test_spill_faster),  lab_test(test_rate),       lab_test(test_charges),
		lab_test(test_stays_thick),   lab_test(test_unmetered),
		lab_test(test_flows),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
