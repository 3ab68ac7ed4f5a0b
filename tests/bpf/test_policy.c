// SPDX-License-Identifier: GPL-2.0-or-later
/* From the rule to the link in asym_lan_eth: shares, keys, tiers and last resorts. */
#include "tests/bpf/run.h"

#define HASHES 20000
#define LINKS 5 /* 0: none */

/* Packets of the n-th of many flows; what is not spread stays. */
static struct pkt flow_packet(uint32_t n, bool v6, bool src, bool dst, bool ports)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	struct pkt_spec s = { .v6 = v6, .src = from, .dst = to };

	if (v6) {
		snprintf(from, sizeof(from), "2001:db8:1::%x", src ? n : 1);
		snprintf(to, sizeof(to), "2001:db8:f::%x", dst ? n : 1);
	} else {
		snprintf(from, sizeof(from), "10.0.%u.%u", src ? n >> 8 & 255 : 0,
			 src ? n & 255 : 1);
		snprintf(to, sizeof(to), "198.51.%u.%u", dst ? n >> 8 & 255 : 0, dst ? n & 255 : 1);
	}
	s.sport = ports ? (int)(1024 + n) : 0;
	return pkt_to(&s, LAN1);
}

struct spread {
	unsigned int links[LINKS];
};

static struct spread spread(unsigned int n, bool v6, bool src, bool dst, bool ports)
{
	uint64_t before[ASYM_REASON_MAX], after[ASYM_REASON_MAX];
	struct spread s = { 0 };

	assert_int_equal(maps_counters(&lab.o, before), 0);
	for (uint32_t i = 0; i < n; i++) {
		struct pkt p = flow_packet(i, v6, src, dst, ports);
		uint32_t mark = lab_test_run(PROGRAM_LAN_ETH, &p, LAN1, 0);

		assert_true(mark && !(mark & 0xff) && mark >> 8 < LINKS);
		s.links[mark >> 8]++;
	}
	assert_int_equal(maps_counters(&lab.o, after), 0);
	assert_int_equal(after[ASYM_LAN_BUCKET] - before[ASYM_LAN_BUCKET], n);
	return s;
}

static unsigned int links_used(const struct spread *s)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < LINKS; i++)
		n += s->links[i] > 0;
	return n;
}

/* Within 1 % of all flows. */
static void shares_are(const struct spread *s, const unsigned int *weights)
{
	unsigned int total = 0;

	for (unsigned int i = 0; i < LINKS; i++)
		total += weights[i];
	for (unsigned int i = 0; i < LINKS; i++) {
		double want = (double)HASHES * weights[i] / total;

		if (s->links[i] < want - HASHES / 100 || s->links[i] > want + HASHES / 100)
			fail_msg("link %u has %u of %d, expected %.0f", i, s->links[i], HASHES,
				 want);
	}
}

#define WEIGHTED                                                                                   \
	"link wan1 { weight = 2 } link wan2 {} link wan3 {} link wan4 { weight = 9 }\n"            \
	"policy p { links = {wan1, wan2, \"wan3:5\"} key = %s } rule r { policy = p }"

static void load_key(const char *key)
{
	char conf[512];

	snprintf(conf, sizeof(conf), WEIGHTED, key);
	lab_load(conf);
}

static void test_weights(void **state)
{
	static const unsigned int weights[LINKS] = { 0, 2, 1, 5, 0 };
	struct spread s;

	lab_need();
	for (int v6 = 0; v6 < 2; v6++) {
		load_key("flow");
		s = spread(HASHES, v6, false, false, true);
		shares_are(&s, weights);
		load_key("src");
		s = spread(HASHES, v6, true, false, false);
		shares_are(&s, weights);
		load_key("src+dst");
		s = spread(HASHES, v6, false, true, false);
		shares_are(&s, weights);
	}
}

/* What a key leaves out does not move a flow; what it names does. */
static void test_keys(void **state)
{
	static const struct {
		const char *key;
		bool src, dst, ports;
	} keys[] = { { "flow", true, true, true }, { "src+dst", true, true, false },
		     { "src", true, false, false } };

	lab_need();
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		for (int v6 = 0; v6 < 2; v6++) {
			struct spread by_src, by_dst, by_ports;

			load_key(keys[i].key);
			by_src = spread(200, v6, true, false, false);
			by_dst = spread(200, v6, false, true, false);
			by_ports = spread(200, v6, false, false, true);
			assert_int_equal(links_used(&by_src), keys[i].src ? 3 : 1);
			assert_int_equal(links_used(&by_dst), keys[i].dst ? 3 : 1);
			assert_int_equal(links_used(&by_ports), keys[i].ports ? 3 : 1);
		}
}

static unsigned int link_bit(const struct pkt_spec *s)
{
	return 1u << (lab_send(PROGRAM_LAN_ETH, s).mark >> 8);
}

static unsigned int protocols_spread(void)
{
	unsigned int links = 0;

	for (int proto = 100; proto < 131; proto++)
		links |= link_bit(&(struct pkt_spec){ .proto = proto });
	return links;
}

static unsigned int dports_spread(void)
{
	unsigned int links = 0;

	for (int port = 1; port < 50; port++)
		links |= link_bit(&(struct pkt_spec){ .dport = port });
	return links;
}

/* Protocol and destination port belong to a flow. */
static void test_flow(void **state)
{
	lab_need();
	load_key("flow");
	assert_int_equal(protocols_spread(), 1u << 1 | 1u << 2 | 1u << 3);
	assert_int_equal(dports_spread(), 1u << 1 | 1u << 2 | 1u << 3);
}

/* Another seed sends many flows elsewhere, the same seed none. */
static void test_seed(void **state)
{
	unsigned int moved = 0, same = 0;

	lab_need();
	for (uint32_t i = 0; i < 200; i++) {
		struct pkt p = flow_packet(i, false, true, true, true);
		uint32_t first, second, third;

		lab_load("seed = 7 " LAB_WANS);
		first = lab_test_run(PROGRAM_LAN_ETH, &p, LAN1, 0);
		lab_load("seed = 8 " LAB_WANS);
		second = lab_test_run(PROGRAM_LAN_ETH, &p, LAN1, 0);
		lab_load("seed = 7 " LAB_WANS);
		third = lab_test_run(PROGRAM_LAN_ETH, &p, LAN1, 0);
		moved += first != second;
		same += first == third;
	}
	assert_int_equal(same, 200);
	assert_in_range(moved, 100, 199);
}

/* A machine on which these links can carry IPv4 and IPv6 ("4", "6", "46" or "": no carrier). */
static char *machine_with(const char *const *carries)
{
	struct str host = {};

	for (unsigned int i = 1; i < LINKS; i++) {
		const char *c = carries[i - 1];

		str_add(&host, "device wan%u index 2%u up ethernet%s\n", i, i,
			*c ? " carrier" : "");
		if (strchr(c, '4'))
			str_add(&host, "addr wan%u 192.0.2.%u/24\n"
				"route default via 192.0.2.254 dev wan%u\n", i, i, i);
		if (strchr(c, '6'))
			str_add(&host, "addr wan%u 2001:db8:2::%u/64\n"
				"route default6 via fe80::1 dev wan%u\n", i, i, i);
	}
	assert_int_equal(host.err, 0);
	return host.s;
}

#define TIERS                                                                                      \
	LAB_WANS "policy p { tier { links = {wan1, wan2} } tier { links = wan3 }\n"                \
		 "tier { links = wan4 } last-resort = %s }\nrule r { policy = p }"
#define RESORT(id) (1u << 31 | (id))

/* The links used for 100 flows as bits, or RESORT with the reserved id. */
static uint32_t links_for(bool v6)
{
	uint32_t links = 0;

	for (uint32_t i = 0; i < 100; i++) {
		struct pkt p = flow_packet(i, v6, true, true, true);
		struct outcome o = lab_run(PROGRAM_LAN_ETH, &p, LAN1, 0);

		if (o.reason == ASYM_LAN_LAST_RESORT)
			links = RESORT(o.mark >> 8);
		else
			links |= 1u << (o.mark >> 8);
	}
	return links;
}

/* The first tier with a live link is used, each family by itself. */
static void test_tiers(void **state)
{
	static const struct {
		const char *carries[LINKS - 1], *resort;
		uint32_t v4, v6;
	} cases[] = {
		{ { "46", "46", "46", "46" }, "main", 1 << 1 | 1 << 2, 1 << 1 | 1 << 2 },
		{ { "46", "", "46", "46" }, "main", 1 << 1, 1 << 1 },
		{ { "4", "6", "46", "46" }, "main", 1 << 1, 1 << 2 },
		{ { "", "6", "4", "46" }, "main", 1 << 3, 1 << 2 },
		{ { "", "", "46", "46" }, "main", 1 << 3, 1 << 3 },
		{ { "", "", "6", "4" }, "main", 1 << 4, 1 << 3 },
		{ { "", "", "", "4" }, "main", 1 << 4, RESORT(252) },
		{ { "6", "", "", "" }, "blackhole", RESORT(253), 1 << 1 },
		{ { "", "", "", "" }, "unreachable", RESORT(254), RESORT(254) },
		{ { "", "", "", "" }, "main", RESORT(252), RESORT(252) },
	};

	lab_need();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *host = machine_with(cases[i].carries);
		char conf[512];

		snprintf(conf, sizeof(conf), TIERS, cases[i].resort);
		lab_load_on(conf, host);
		if (links_for(false) != cases[i].v4 || links_for(true) != cases[i].v6)
			fail_msg("case %zu: 0x%x and 0x%x, expected 0x%x and 0x%x", i,
				 links_for(false), links_for(true), cases[i].v4, cases[i].v6);
	}
}

/* Reserved ids come from the top of the mask, whatever it is. */
static void test_last_resort_mask(void **state)
{
	static const char *const none[] = { "", "", "", "" };
	_cleanup_free_ char *host = NULL;
	struct outcome o;

	lab_need();
	host = machine_with(none);
	lab_load_on("mark-mask = 0x3f0000 " LAB_WANS, host);
	o = lab_send(PROGRAM_LAN_ETH, &(struct pkt_spec){ .mark = 0xff00 });
	assert_int_equal(o.reason, ASYM_LAN_LAST_RESORT);
	assert_int_equal(o.mark, 0x3eff00);
}

/* The highest id there may be. */
static void test_most_links(void **state)
{
	struct pkt_spec s = { .src = "10.0.77.7" };
	_cleanup_free_ char *conf = NULL;
	struct str text = {};

	lab_need();
	for (int i = 1; i < ASYM_MAX_LINKS; i++)
		str_add(&text, "link x%d {} ", i);
	str_add(&text, "link wan1 {} policy p { links = wan1 } rule r { policy = p  sticky = 1h }");
	conf = text.s;
	lab_load(conf);
	for (int i = 0; i < 2; i++) {
		struct outcome o = lab_send(PROGRAM_LAN_ETH, &s);

		assert_int_equal(o.mark, ASYM_MAX_LINKS << 8);
		assert_int_equal(o.reason, i ? ASYM_LAN_STICKY : ASYM_LAN_BUCKET);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weights),	    cmocka_unit_test(test_keys),
		cmocka_unit_test(test_flow),	    cmocka_unit_test(test_seed),
		cmocka_unit_test(test_tiers),	    cmocka_unit_test(test_last_resort_mask),
		cmocka_unit_test(test_most_links),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
