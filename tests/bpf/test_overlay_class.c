// SPDX-License-Identifier: GPL-2.0-or-later
/* Classes: which rule a flow meets, and what becomes of it. */
#include "tests/bpf/overlay_flow.h"

#define ALL_NODES { ~0u, ~0u, ~0u, ~0u }

static uint32_t first; /* the list that is in use */

/* As user space does it: into the other list, with its end, and then all at once. */
static void put_rules(const struct ov_rule *r, uint32_t n)
{
	struct ov_rule end = {};
	struct ov_config c;
	uint32_t zero = 0;

	first = first ? 0 : OV_RULES;
	for (uint32_t i = 0; i <= n && i < OV_RULES; i++) {
		uint32_t slot = first + i;

		assert_int_equal(bpf_map_update_elem(lab.rules, &slot, i < n ? &r[i] : &end,
						     BPF_ANY), 0);
	}
	assert_int_equal(bpf_map_lookup_elem(lab.config, &zero, &c), 0);
	c.rules = first;
	assert_int_equal(bpf_map_update_elem(lab.config, &zero, &c, BPF_ANY), 0);
}

/* UDP to this port. */
static struct ov_rule port(uint16_t dport, enum ov_class class)
{
	return (struct ov_rule){
		.to = ALL_NODES, .class = class,
		.match = {.match = ASYM_MATCH_PROTO | ASYM_MATCH_DPORT, .proto = {1u << 17},
			  .dports = 1, .dport = {{dport, dport}}},
	};
}

static struct ov_rule everything(enum ov_class class)
{
	return (struct ov_rule){.to = ALL_NODES, .class = class};
}

static void one_rule(struct ov_rule r)
{
	put_rules(&r, 1);
}

/* -------- what becomes of them */

static void test_interactive(void **state)
{
	struct flow f = udp(1, 1000);

	lab_need();
	one_rule(port(443, OV_CLASS_INTERACTIVE));
	assert_true(go(&f, 5000, MS, T1));
	assert_int_equal(lab_rose(OV_FLOW_INTERACTIVE), 1);
	assert_int_equal(lab_rose(OV_FLOW_DEFAULT) + lab_rose(OV_FLOW_BULK), 0);
}

static void test_bulk(void **state)
{
	struct flow f = udp(1, 100);

	lab_need();
	one_rule(port(443, OV_CLASS_BULK));
	assert_true(go(&f, 10, MS, T2));
	/* however slow it is */
	assert_true(go(&f, 10, 3000 * MS, T2));
	assert_int_equal(lab_rose(OV_FLOW_BULK), 1);
	assert_int_equal(lab_rose(OV_OUT_MOVED), 0);
}

static void test_default(void **state)
{
	struct flow f = udp(1, 1000);
	struct ov_rule rules[] = {port(443, OV_CLASS_DEFAULT), everything(OV_CLASS_BULK)};

	lab_need();
	put_rules(rules, 2);
	assert_true(go(&f, 50, MS, T1));
	assert_true(go(&f, 50, MS, T2));
	assert_int_equal(lab_rose(OV_FLOW_DEFAULT), 1);
}

/* Also where the first that is seen of a flow is one. */
static void test_acks(void **state)
{
	struct flow syn = tcp(1, 0, TH_SYN), ack = tcp(1, 0, TH_ACK), data = tcp(1, 948, TH_ACK),
		    other = tcp(2, 0, TH_ACK), more = tcp(2, 948, TH_ACK);

	lab_need();
	one_rule(everything(OV_CLASS_BULK));
	assert_true(go(&syn, 1, MS, T2));
	assert_true(go(&ack, 5, MS, T1));
	assert_true(go(&data, 5, MS, T2));
	assert_true(go(&ack, 5, MS, T1));
	assert_true(go(&other, 5, MS, T1));
	assert_true(go(&more, 1, MS, T2));
	assert_int_equal(lab_rose(OV_FLOW_BULK), 2);
	assert_int_equal(lab_rose(OV_OUT_MOVED), 0);
}

/* It begins as thick ones do: with tokens left. */
static void test_budget(void **state)
{
	struct flow bulk = udp(1, 100), other = udp(2, 100);
	struct ov_node n = lab_node(T3);
	struct ov_budget owed = {.tokens = -1, .ns = lab.skel ? lab.skel->bss->test_now : 0};
	uint32_t key = 1;

	lab_need();
	n.way[0].metered = 1;
	n.spill = 1;
	n.rate = 1000000;
	n.burst = 131072;
	memset(n.thick, 0, sizeof(n.thick));
	lab_put_node(1, &n);
	one_rule(everything(OV_CLASS_BULK));
	assert_int_equal(bpf_map_update_elem(lab.budget, &key, &owed, BPF_ANY), 0);
	assert_true(go(&bulk, 1, 0, T2));
	assert_int_equal(lab_rose(OV_OUT_SPILLED), 1);
	one_rule(everything(OV_CLASS_INTERACTIVE));
	assert_true(go(&other, 1, 0, T1));
}

/* -------- which rule */

static void test_first_match(void **state)
{
	struct flow f = udp(1, 100);
	struct ov_rule rules[] = {port(80, OV_CLASS_DEFAULT), port(443, OV_CLASS_BULK),
				  everything(OV_CLASS_INTERACTIVE)};

	lab_need();
	put_rules(rules, 3);
	assert_true(go(&f, 1, MS, T2));
	assert_int_equal(lab_rose(OV_FLOW_BULK), 1);
}

/* Rules behind the end are of another time. */
static void test_end(void **state)
{
	struct flow f = udp(1, 100);
	struct ov_rule rules[] = {port(80, OV_CLASS_DEFAULT), port(81, OV_CLASS_DEFAULT),
				  everything(OV_CLASS_BULK)};

	lab_need();
	put_rules(rules, 3);
	put_rules(rules, 3);
	put_rules(rules, 1);
	assert_true(go(&f, 1, MS, T1));
	assert_int_equal(lab_rose(OV_FLOW_DEFAULT), 1);
}

/* The last of as many as there can be, of either list; the one behind it is not of this list. */
static void test_most(void **state)
{
	static struct ov_rule rules[OV_RULES];
	struct flow a = udp(1, 100), b = udp(2, 100), c = udp(3, 100);

	lab_need();
	for (uint32_t i = 0; i < OV_RULES; i++)
		rules[i] = port(1000 + i, OV_CLASS_DEFAULT);
	rules[OV_RULES - 1] = port(443, OV_CLASS_BULK);
	put_rules(rules, OV_RULES);
	assert_true(go(&a, 1, MS, T2));
	put_rules(rules, OV_RULES);
	assert_true(go(&b, 1, MS, T2));
	rules[OV_RULES - 1] = port(1, OV_CLASS_BULK);
	first = OV_RULES;
	put_rules(rules, OV_RULES);
	assert_int_equal(first, 0);
	rules[0] = everything(OV_CLASS_BULK);
	assert_int_equal(bpf_map_update_elem(lab.rules, &(uint32_t){OV_RULES}, rules, BPF_ANY), 0);
	assert_true(go(&c, 1, MS, T1));
}

static void test_nodes(void **state)
{
	struct pkt_spec to_2 = {.dst = "10.77.0.3", .proto = 17};
	struct flow one = udp(1, 100), two = {.p = pkt_make(&to_2)};
	struct ov_rule r = everything(OV_CLASS_BULK);

	lab_need();
	memset(r.to, 0, sizeof(r.to));
	r.to[0] = 1u << 2;
	put_rules(&r, 1);
	assert_true(go(&one, 1, MS, T1));
	assert_true(go(&two, 1, MS, T2));
}

/* The same fields, by the same code, as of the gateway's rules. */
static void test_fields(void **state)
{
	struct {
		struct pkt_spec s;
		bool bulk;
	} of[] = {
		{{.dst = "10.77.0.2", .proto = 17, .dscp = 46}, true},
		{{.dst = "fd77::2", .proto = 17, .dscp = 46}, true},
		{{.dst = "10.77.0.2", .proto = 17, .dscp = 46, .ecn = 1}, true},
		{{.dst = "10.77.0.2", .proto = 17, .dscp = 45}, false},
		{{.dst = "fd77::2", .proto = 17, .dscp = 46, .ext = EXT(60)}, true},
		{{.dst = "fd77::2", .proto = 17, .dport = 53, .ext = EXT(60)}, false},
		{{.dst = "10.77.0.2", .proto = 17, .dport = 53}, true},
		{{.dst = "fd77::2", .proto = 6, .dport = 53}, true},
		{{.dst = "10.77.0.2", .proto = 132, .dport = 53}, true},
		{{.dst = "10.77.0.2", .proto = 17, .dport = 54}, false},
		{{.dst = "10.77.0.2", .proto = 1, .icmp_type = 8}, false},
		{{.dst = "10.77.0.2", .proto = 17, .dport = 53, .frag = 0x2000}, false},
		{{.dst = "10.6.7.9", .proto = 47}, true},
		{{.dst = "10.77.0.2", .proto = 47}, false},
	};
	struct ov_rule rules[] = {everything(OV_CLASS_BULK), everything(OV_CLASS_BULK),
				  everything(OV_CLASS_BULK)};

	lab_need();
	rules[0].match.match = ASYM_MATCH_DSCP;
	rules[0].match.dscp = 1ull << 46;
	rules[1].match.match = ASYM_MATCH_DPORT;
	rules[1].match.dports = 1;
	rules[1].match.dport[0] = (struct asym_ports){53, 53};
	rules[2].match.match = ASYM_MATCH_FAMILY | ASYM_MATCH_DST;
	rules[2].match.negate = ASYM_MATCH_FAMILY;
	rules[2].match.family = ASYM_V6;
	memset(&rules[2].match.dst_mask, 0xff, sizeof(rules[2].match.dst_mask));
	rules[2].match.dst = (struct asym_addr){{0, 0, htonl(0xffff), htonl(0x0a060709)}};
	put_rules(rules, 3);
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		struct flow f = {.p = pkt_make(&of[i].s)};

		lab_forget_flows();
		if (!go(&f, 1, MS, of[i].bulk ? T2 : T1))
			fail_msg("packet %zu", i);
	}
}

/* -------- when */

/* Other rules, or another DSCP: only flows that begin ask. */
static void test_known(void **state)
{
	struct pkt_spec marked = {.dst = "10.77.0.2", .proto = 17, .sport = 1, .payload = 980,
				  .dscp = 46};
	struct flow f = udp(1, 1000), same = {.p = pkt_make(&marked)}, other = udp(2, 1000);
	struct ov_rule dscp = everything(OV_CLASS_INTERACTIVE);

	lab_need();
	dscp.match.match = ASYM_MATCH_DSCP;
	dscp.match.dscp = 1ull << 46;
	one_rule(everything(OV_CLASS_BULK));
	assert_true(go(&f, 5, MS, T2));
	one_rule(dscp);
	assert_true(go(&same, 5, MS, T2));
	assert_true(go(&other, 5, MS, T1));
	assert_int_equal(lab_rose(OV_FLOW_BULK), 1);
	assert_int_equal(lab_rose(OV_FLOW_DEFAULT), 1);
	assert_int_equal(lab_rose(OV_FLOW_INTERACTIVE), 0);
}

/* After a minute of silence it is another one: its class, and what it has sent. */
static void test_silent(void **state)
{
	struct flow f = udp(1, 1000);

	lab_need();
	one_rule(everything(OV_CLASS_BULK));
	assert_true(go(&f, 5, MS, T2));
	put_rules(NULL, 0);
	pass(OV_FLOW_IDLE_NS - MS);
	assert_true(go(&f, 1, 0, T2));
	pass(OV_FLOW_IDLE_NS + 1);
	assert_true(go(&f, 50, MS, T1));
	assert_true(go(&f, 1, MS, T2));
	pass(OV_FLOW_IDLE_NS + 1);
	assert_true(go(&f, 50, MS, T1));
	assert_int_equal(lab_rose(OV_FLOW_DEFAULT), 2);
}

/* What another CPU has seen a moment later is no silence. */
static void test_later(void **state)
{
	struct flow f = udp(1, 1000);
	struct ov_node n = lab_node(T3);

	lab_need();
	n.way[1].delay_us = 0;
	lab_put_node(1, &n);
	assert_true(go(&f, 50, MS, T1));
	assert_true(go(&f, 5, MS, T2));
	memset(n.thick, 0, sizeof(n.thick));
	n.way[1].delay_us = 1000;
	lab_put_node(1, &n);
	lab.skel->bss->test_now -= 20 * MS;
	assert_true(go(&f, 5, MS, T2));
	assert_int_equal(lab_rose(OV_FLOW_DEFAULT), 1);
}

/* Nor a second without a byte. */
static void test_later_second(void **state)
{
	struct flow f = udp(1, 1000);
	struct ov_node n = lab_node(T3);

	lab_need();
	assert_true(go(&f, 50, MS, T1));
	assert_true(go(&f, 951, MS, T2));
	pass(-20 * MS);
	n.way[0].delay_us = 2000;
	lab_put_node(1, &n);
	assert_true(go(&f, 5, MS, T2));
}

static void test_single_way(void **state)
{
	struct flow f = udp(1, 100);
	struct ov_node n = lab_node(T3);

	lab_need();
	n.n_ways = 1;
	lab_put_node(1, &n);
	one_rule(everything(OV_CLASS_BULK));
	assert_true(go(&f, 2, MS, T1));
	assert_int_equal(lab_rose(OV_FLOW_BULK), 0);
}

/* The list in use is the first one, and empty. */
static int reset(void **state)
{
	int r = lab_reset(state);

	first = OV_RULES;
	if (lab.skel)
		put_rules(NULL, 0);
	return r;
}

#define class_test(fn) cmocka_unit_test_setup(fn, reset)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		class_test(test_interactive), class_test(test_bulk),   class_test(test_default),
		class_test(test_acks),	      class_test(test_budget), class_test(test_first_match),
		class_test(test_end),	      class_test(test_most),   class_test(test_nodes),
		class_test(test_fields),      class_test(test_known),  class_test(test_silent),
		class_test(test_later),	      class_test(test_later_second),
		class_test(test_single_way),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
