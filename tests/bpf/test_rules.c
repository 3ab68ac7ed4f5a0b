// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules in asym_lan_eth: each field with the packets it meets and those it does not, both turned
 * round by negation; several fields; the order of rules. */
#include "tests/bpf/run.h"

/* What a rule matches goes to link 1, everything else to link 2. */
#define HIT 0x100
#define MISS 0x200
#define SETS                                                                                       \
	"set before { prefixes = {\"10.9.0.0/16\", \"2001:db8:9::/48\"} }\n"                       \
	"set nested { prefixes = {\"10.1.0.0/16\", \"10.1.2.0/24\", 10.1.2.3,\n"                   \
	"\"2001:db8:5::/48\", \"2001:db8:5:1::/64\", \"2001:db8:5:1::9\"} }\n"                     \
	"set after { prefixes = {\"10.8.0.0/13\", \"2001:db8:8::/46\"} }\n"                        \
	"set every-v4 { prefixes = \"0.0.0.0/0\" }\n"                                              \
	"set every { prefixes = \"::/0\" }\n"

struct field {
	const char *rule;
	uint32_t bit;
	const struct pkt_spec *hits;
	size_t n_hits;
	const struct pkt_spec *misses;
	size_t n_misses;
};

#define SPECS(...)                                                                                 \
	(const struct pkt_spec[]){ __VA_ARGS__ },                                                  \
		sizeof((const struct pkt_spec[]){ __VA_ARGS__ }) / sizeof(struct pkt_spec)
#define SRC(a) { .src = a }
#define TO(a) { .dst = a }
#define SPORT(n) { .sport = n }
#define DPORT(n) { .dport = n }
#define PROTO(n) { .proto = n }

static const struct field fields[] = {
	{ "family = ipv4", ASYM_MATCH_FAMILY, SPECS({ 0 }), SPECS({ .v6 = true }) },
	{ "family = ipv6", ASYM_MATCH_FAMILY, SPECS({ .v6 = true }), SPECS({ 0 }) },

	{ "src = 10.0.0.2", ASYM_MATCH_SRC, SPECS({ 0 }),
	  SPECS(SRC("10.0.0.3"), SRC("10.0.0.0"), SRC("11.0.0.2"), { .v6 = true }) },
	{ "src = 10.4.0.0/14", ASYM_MATCH_SRC, SPECS(SRC("10.4.0.0"), SRC("10.7.255.255")),
	  SPECS(SRC("10.3.255.255"), SRC("10.8.0.0"), SRC("::10.4.0.0"), SRC("10::4")) },
	{ "src = 0.0.0.0/0", ASYM_MATCH_SRC, SPECS({ 0 }, SRC("255.255.255.255"), SRC("0.0.0.0")),
	  SPECS({ .v6 = true }) },
	{ "src = \"2001:db8::/47\"", ASYM_MATCH_SRC,
	  SPECS(SRC("2001:db8::"), SRC("2001:db8:1:ffff:ffff:ffff:ffff:ffff")),
	  SPECS(SRC("2001:db8:2::"), SRC("2001:db7:ffff::1"), { 0 }) },
	{ "src = \"2001:db8:1::2\"", ASYM_MATCH_SRC, SPECS({ .v6 = true }),
	  SPECS(SRC("2001:db8:1::3"), SRC("2001:db8:1:0:1::2"), SRC("3001:db8:1::2")) },
	{ "dst = 198.51.100.0/24", ASYM_MATCH_DST, SPECS({ 0 }, TO("198.51.100.255")),
	  SPECS(TO("198.51.101.0"), TO("198.51.99.255"), { .v6 = true },
		{ .src = "198.51.100.7", .dst = "10.0.0.2" }) },
	{ "dst = \"2001:db8:f::7/128\"", ASYM_MATCH_DST, SPECS({ .v6 = true }),
	  SPECS(TO("2001:db8:f::6"), { .src = "2001:db8:f::7", .dst = "2001:db8:1::2" }, { 0 }) },
	{ "dst = \"2000::/3\"", ASYM_MATCH_DST, SPECS(TO("2000::"), TO("3fff::1")),
	  SPECS(TO("1fff::1"), TO("4000::"), { 0 }) },

	{ "proto = {tcp, udp}", ASYM_MATCH_PROTO,
	  SPECS({ 0 }, PROTO(17), { .v6 = true, .proto = 17 }),
	  SPECS(PROTO(1), PROTO(47), { .v6 = true, .proto = 58 }, PROTO(5), PROTO(38)) },
	{ "proto = {0, 31, 32, 64, 127, 128, 223, 224, 255}", ASYM_MATCH_PROTO,
	  SPECS(PROTO(PROTO_ZERO), PROTO(31), PROTO(32), PROTO(64), PROTO(127), PROTO(128),
		PROTO(223), PROTO(224), PROTO(255)),
	  SPECS(PROTO(1), PROTO(30), PROTO(33), PROTO(63), PROTO(65), PROTO(126), PROTO(129),
		PROTO(96), PROTO(222), PROTO(225), PROTO(254)) },
	{ "proto = icmp", ASYM_MATCH_PROTO, SPECS(PROTO(1), { .proto = 1, .frag = 100 }),
	  SPECS({ .v6 = true, .proto = 58 }, PROTO(58)) },

	{ "proto = tcp dport = 443", ASYM_MATCH_DPORT, SPECS({ 0 }, { .v6 = true }),
	  SPECS(DPORT(442), DPORT(444), DPORT(443 + 256), DPORT(PORT_ZERO),
		{ .sport = 443, .dport = 80 }) },
	{ "proto = {udp, tcp} dport = {0, 8000-8100, 65535}", ASYM_MATCH_DPORT,
	  SPECS(DPORT(PORT_ZERO), DPORT(8000), DPORT(8050), DPORT(8100), DPORT(65535),
		{ .proto = 17, .dport = 8100 }, { .dport = 8000, .options = 3 }),
	  SPECS(DPORT(1), DPORT(7999), DPORT(8101), DPORT(65534)) },
	{ "proto = tcp dport = 0-65535", ASYM_MATCH_DPORT,
	  SPECS({ 0 }, DPORT(PORT_ZERO), DPORT(65535)), NULL, 0 },
	{ "proto = tcp sport = {1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31-33}",
	  ASYM_MATCH_SPORT, SPECS(SPORT(1), SPORT(15), SPORT(29), SPORT(31), SPORT(33)),
	  SPECS({ 0 }, SPORT(2), SPORT(30), SPORT(34), { .dport = 31 }, SPORT(PORT_ZERO)) },
	{ "proto = udplite sport = 40000", ASYM_MATCH_SPORT,
	  SPECS(PROTO(136), { .proto = 136, .v6 = true }),
	  SPECS({ .proto = 136, .sport = 40001 }) },

	{ "dscp = {0, 46, 63}", ASYM_MATCH_DSCP,
	  SPECS({ 0 }, { .dscp = 46 }, { .dscp = 63 }, { .ecn = 3 }, { .dscp = 46, .ecn = 1 },
		{ .v6 = true }, { .v6 = true, .dscp = 46 }, { .v6 = true, .dscp = 63 },
		{ .v6 = true, .dscp = 46, .ecn = 3, .flow_label = 0xfffff },
		{ .v6 = true, .ecn = 3, .flow_label = 0xfffff }),
	  SPECS({ .dscp = 1 }, { .dscp = 45 }, { .dscp = 47, .ecn = 3 }, { .dscp = 62 },
		{ .dscp = 32 }, { .v6 = true, .dscp = 1 }, { .v6 = true, .dscp = 45, .ecn = 3 },
		{ .v6 = true, .dscp = 47 }, { .v6 = true, .dscp = 62, .flow_label = 0xfffff },
		{ .v6 = true, .dscp = 32 }, { .v6 = true, .dscp = 4 }) },

	{ "in = lan1", ASYM_MATCH_DEVICE, SPECS({ 0 }, { .v6 = true }),
	  SPECS({ .in = LAN2 }, { .in = LAN2, .v6 = true }, { .in = WAN1 }, { .in = LO }) },
	{ "in = {wan1, wan2, wan3, wan4, tap, tun, lan1, lan2}", ASYM_MATCH_DEVICE,
	  SPECS({ .in = WAN1 }, { 0 }, { .in = LAN2 }), SPECS({ .in = LO }) },
	{ "in = {eth7, lan2}", ASYM_MATCH_DEVICE, SPECS({ .in = LAN2 }),
	  SPECS({ 0 }, { .in = LO }, { .in = WAN1 }) },

	{ "src-set = nested", ASYM_MATCH_SRC_SET,
	  SPECS(SRC("10.1.0.0"), SRC("10.1.255.255"), SRC("10.1.2.0"), SRC("10.1.2.255"),
		SRC("10.1.2.3"), SRC("2001:db8:5::"), SRC("2001:db8:5:ffff::"),
		SRC("2001:db8:5:1::9"), SRC("2001:db8:5:1::a")),
	  SPECS(SRC("10.0.255.255"), SRC("10.2.0.0"), SRC("2001:db8:4:ffff::"), SRC("2001:db8:6::"),
		SRC("10.9.0.1"), SRC("::10.1.2.3"), TO("10.1.2.3"), { 0 }, { .v6 = true }) },
	{ "dst-set = nested", ASYM_MATCH_DST_SET,
	  SPECS(TO("10.1.2.3"), TO("10.1.3.3"), TO("2001:db8:5:2::1"), TO("2001:db8:5:1::9")),
	  SPECS(TO("10.2.2.3"), TO("2001:db8:9::9"), SRC("10.1.2.3"), SRC("2001:db8:5::1")) },
	{ "src-set = before", ASYM_MATCH_SRC_SET, SPECS(SRC("10.9.1.1"), SRC("2001:db8:9::1")),
	  SPECS(SRC("10.8.1.1"), SRC("10.1.2.3"), SRC("2001:db8:8::1")) },
	{ "dst-set = after", ASYM_MATCH_DST_SET,
	  SPECS(TO("10.8.0.0"), TO("10.9.1.1"), TO("10.15.255.255"), TO("2001:db8:b:ffff::")),
	  SPECS(TO("10.7.255.255"), TO("10.16.0.0"), TO("2001:db8:c::"), TO("2001:db8:7:ffff::")) },
	{ "src-set = every-v4", ASYM_MATCH_SRC_SET, SPECS({ 0 }, SRC("255.0.0.1")),
	  SPECS({ .v6 = true }) },
	{ "src-set = every", ASYM_MATCH_SRC_SET, SPECS({ 0 }, { .v6 = true }), NULL, 0 },
};

static struct loaded *rule_first(const char *rule)
{
	char conf[2048];

	snprintf(conf, sizeof(conf),
		 LAB_WANS LAB_POLICIES SETS "rule x { %s policy = to1 } rule rest { policy = to2 }",
		 rule);
	return loaded_new(conf, NULL);
}

static unsigned int all_go(const struct pkt_spec *specs, size_t n, uint32_t mark, const char *rule,
			   const char *what)
{
	unsigned int bad = 0;

	for (size_t i = 0; i < n; i++) {
		struct outcome o = lab_send(PROGRAM_LAN_ETH, &specs[i]);

		if (o.mark == mark && o.reason == ASYM_LAN_BUCKET)
			continue;
		print_error("%s: %s, packet %zu: %s, mark 0x%x\n", rule, what, i,
			    reason_name(o.reason), o.mark);
		bad++;
	}
	return bad;
}

static unsigned int field_holds(const struct field *f)
{
	struct loaded *l = rule_first(f->rule);
	unsigned int bad;

	assert_true(l->p.bpf_rules[0].match & f->bit);
	lab_use(&l->p);
	bad = all_go(f->hits, f->n_hits, HIT, f->rule, "hit");
	bad += all_go(f->misses, f->n_misses, MISS, f->rule, "miss");
	l->p.bpf_rules[0].negate = f->bit;
	lab_use(&l->p);
	bad += all_go(f->hits, f->n_hits, MISS, f->rule, "negated, hit");
	bad += all_go(f->misses, f->n_misses, HIT, f->rule, "negated, miss");
	loaded_free(l);
	return bad;
}

static void test_fields(void **state)
{
	uint32_t tested = 0;
	unsigned int bad = 0;

	lab_need();
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		bad += field_holds(&fields[i]);
		tested |= fields[i].bit;
	}
	assert_int_equal(bad, 0);
	assert_int_equal(tested, ASYM_MATCH_DST_SET * 2 - 1);
}

/* A rule that tests ports meets no packet that hides them, negated or not. */
static void test_hidden_ports(void **state)
{
	static const struct {
		const char *name;
		uint32_t match, negate;
		struct asym_ports ports;
	} tests[] = {
		{ "any sport", ASYM_MATCH_SPORT, 0, { 0, 65535 } },
		{ "any dport", ASYM_MATCH_DPORT, 0, { 0, 65535 } },
		{ "every sport but 1", ASYM_MATCH_SPORT, ASYM_MATCH_SPORT, { 1, 1 } },
		{ "every dport but 1", ASYM_MATCH_DPORT, ASYM_MATCH_DPORT, { 1, 1 } },
	};
	static const struct pkt_spec hidden[] = {
		{ .frag = 0x2000 }, { .frag = 185 }, PROTO(1), PROTO(47),
		{ .proto = 1, .icmp_type = 8, .echo_id = 443 }, { .v6 = true, .proto = 58 },
		{ .v6 = true, .ext = EXT(44) },
	};
	unsigned int bad = 0;

	lab_need();
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		struct loaded *l = rule_first("");
		struct asym_rule *r = &l->p.bpf_rules[0];

		r->match = tests[i].match;
		r->negate = tests[i].negate;
		r->sport[0] = r->dport[0] = tests[i].ports;
		r->sports = r->dports = 1;
		lab_use(&l->p);
		bad += all_go(hidden, ARRAY_SIZE(hidden), MISS, tests[i].name, "hidden");
		bad += all_go(&(struct pkt_spec){ 0 }, 1, HIT, tests[i].name, "shown");
		loaded_free(l);
	}
	assert_int_equal(bad, 0);
}

/* All fields in one rule: a packet that fails any one of them is another's. */
static void test_all_fields(void **state)
{
	static const char rule[] = "family = ipv4 src = 10.0.0.0/8 dst = 198.51.100.0/24 "
				   "src-set = every-v4 dst-set = !nested proto = tcp "
				   "sport = 40000 dport = !80 dscp = 0 in = lan1";
	static const struct pkt_spec misses[] = {
		SRC("11.0.0.2"), TO("198.51.101.7"), { .proto = 17 }, SPORT(40001), DPORT(80),
		{ .dscp = 1 }, { .in = LAN2 }, { .v6 = true }, { .frag = 185 },
	};
	struct loaded *l;

	lab_need();
	l = rule_first(rule);
	assert_int_equal(l->p.bpf_rules[0].match, ASYM_MATCH_DST_SET * 2 - 1);
	lab_use(&l->p);
	assert_int_equal(all_go(&(struct pkt_spec){ 0 }, 1, HIT, "all fields", "hit"), 0);
	assert_int_equal(all_go(misses, ARRAY_SIZE(misses), MISS, "all fields", "miss"), 0);
	loaded_free(l);
}

/* The first that matches decides, however special a later one is. */
static void test_order(void **state)
{
	struct pkt_spec https = { 0 }, http = { .dport = 80 }, udp = { .proto = 17 };

	lab_need();
	lab_load(LAB_WANS LAB_POLICIES "rule a { proto = tcp dport = 80 policy = to3 }\n"
		 "rule b { proto = tcp policy = to2 }\n"
		 "rule c { proto = tcp dport = 443 policy = to4 }\n"
		 "rule d { policy = to1 } rule e { policy = to4 }");
	assert_int_equal(lab_send(PROGRAM_LAN_ETH, &http).mark, 0x300);
	assert_int_equal(lab_send(PROGRAM_LAN_ETH, &https).mark, 0x200);
	assert_int_equal(lab_send(PROGRAM_LAN_ETH, &udp).mark, 0x100);
}

static char *many_rules(void)
{
	struct str conf = {};

	str_add(&conf, LAB_WANS LAB_POLICIES);
	for (unsigned int i = 0; i < ASYM_MAX_RULES; i++)
		str_add(&conf, "rule r%u { proto = tcp dport = %u policy = to%u }\n", i, 1000 + i,
			i % 4 + 1);
	assert_int_equal(conf.err, 0);
	return conf.s;
}

/* As many rules as there may be: each is found, alone counts the packet, and none beyond. */
static void test_most_rules(void **state)
{
	struct asym_hits hits[ASYM_MAX_RULES];
	_cleanup_free_ char *conf = NULL;
	uint32_t bank;

	lab_need();
	conf = many_rules();
	bank = maps_idle_bank(&lab.o);
	lab_load(conf);
	for (unsigned int i = 0; i < ASYM_MAX_RULES; i++) {
		struct pkt_spec s = { .dport = 1000 + (int)i, .payload = 20 + i };
		struct outcome o = lab_send(PROGRAM_LAN_ETH, &s);

		assert_int_equal(o.reason, ASYM_LAN_BUCKET);
		assert_int_equal(o.mark, (i % 4 + 1) << 8);
	}
	assert_int_equal(lab_send(PROGRAM_LAN_ETH, &(struct pkt_spec){ .dport = 999 }).reason,
			 ASYM_LAN_NO_RULE);
	assert_int_equal(maps_hits(&lab.o, bank, hits), 0);
	for (unsigned int i = 0; i < ASYM_MAX_RULES; i++) {
		assert_int_equal(hits[i].packets, 1);
		assert_int_equal(hits[i].bytes, ETH_HLEN + 20 + 20 + i);
	}
}

/* Rules beyond the number in use are not looked at, though an earlier load left them there. */
static void test_fewer_rules(void **state)
{
	struct pkt_spec tcp = { 0 }, udp = { .proto = IPPROTO_UDP };
	struct loaded *l;

	lab_need();
	for (int bank = 0; bank < ASYM_BANKS; bank++)
		lab_load(LAB_WANS LAB_POLICIES "rule a { proto = udp policy = to1 }\n"
					       "rule b { policy = to2 }");
	l = loaded_new(LAB_WANS LAB_POLICIES "rule a { proto = udp policy = to1 }", NULL);
	lab_use(&l->p);
	assert_int_equal(lab_send(PROGRAM_LAN_ETH, &tcp).reason, ASYM_LAN_NO_RULE);
	l->p.config.rules = 0;
	lab_use(&l->p);
	assert_int_equal(lab_send(PROGRAM_LAN_ETH, &udp).reason, ASYM_LAN_NO_RULE);
	loaded_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),	    cmocka_unit_test(test_hidden_ports),
		cmocka_unit_test(test_all_fields),  cmocka_unit_test(test_order),
		cmocka_unit_test(test_most_rules),  cmocka_unit_test(test_fewer_rules),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
