// SPDX-License-Identifier: GPL-2.0-or-later
/* Sticky rules in asym_lan_eth: what is remembered, for whom, for how long, and over reloads. */
#include "tests/bpf/run.h"
#include <time.h>

#define SECOND 1000000000ull
#define STICKY_S 600

#define POLICY "policy p { links = {wan1, wan2, wan3, wan4} }\n"
#define STICKY "rule web { policy = p  sticky = 10m }\n"
#define CONF LAB_WANS POLICY STICKY

/* Packets of one source that the buckets send to different links; found by test_found. */
static struct pkt_spec here, there;
static uint32_t here_mark, there_mark;

static struct outcome outcome_of(const struct pkt_spec *s)
{
	return lab_send(PROGRAM_LAN_ETH, s);
}

static void expect(const struct pkt_spec *s, enum asym_reason reason, uint32_t mark)
{
	struct outcome o = outcome_of(s);

	if (o.reason != reason || o.mark != mark)
		fail_msg("%s, mark 0x%x; expected %s, mark 0x%x", reason_name(o.reason), o.mark,
			 reason_name(reason), mark);
}

static void find_flows(bool v6)
{
	lab_load(LAB_WANS POLICY "rule web { policy = p }");
	here = there = (struct pkt_spec){ .v6 = v6 };
	here_mark = there_mark = outcome_of(&here).mark;
	for (there.sport = 1; there_mark == here_mark && there.sport < 100; there.sport++)
		there_mark = outcome_of(&there).mark;
	there.sport--;
	assert_int_not_equal(here_mark, there_mark);
	assert_int_equal(outcome_of(&there).mark, there_mark);
}

/* A fresh lab, in which `here` has just been given its link. */
static void begin(const char *conf, bool v6)
{
	lab_need();
	lab_forget_sticky();
	find_flows(v6);
	assert_int_equal(maps_sticky_count(&lab.o), 0);
	lab_load(conf);
	expect(&here, ASYM_LAN_BUCKET, here_mark);
	assert_int_equal(maps_sticky_count(&lab.o), 1);
}

static void test_kept(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct pkt_spec other = { .src = v6 ? "2001:db8:1::3" : "10.0.0.3" };

		begin(CONF, v6);
		expect(&here, ASYM_LAN_STICKY, here_mark);
		expect(&there, ASYM_LAN_STICKY, here_mark);
		there.dst = v6 ? "2001:db8:e::9" : "203.0.113.9";
		expect(&there, ASYM_LAN_STICKY, here_mark);
		there.frag = v6 ? 0 : 185;
		there.ext = v6 ? EXT(44) : 0;
		expect(&there, ASYM_LAN_STICKY, here_mark);
		assert_int_equal(outcome_of(&other).reason, ASYM_LAN_BUCKET);
		assert_int_equal(maps_sticky_count(&lab.o), 2);
	}
}

static void test_key_src_dst(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		begin(LAB_WANS POLICY
		      "rule web { policy = p  sticky = 10m  sticky-key = src+dst }", v6);
		expect(&there, ASYM_LAN_STICKY, here_mark);
		there.dst = v6 ? "2001:db8:f::8" : "198.51.100.8";
		assert_int_equal(outcome_of(&there).reason, ASYM_LAN_BUCKET);
		assert_int_equal(outcome_of(&there).reason, ASYM_LAN_STICKY);
		assert_int_equal(maps_sticky_count(&lab.o), 2);
	}
}

/* A rule has its own memory, by its name: place and policy of the rule may change. */
static void test_reloads(void **state)
{
	static const struct {
		const char *what, *conf;
		bool kept;
	} cases[] = {
		{ "the same", CONF, true },
		{ "another place", LAB_WANS POLICY "rule a { proto = gre policy = p }\n"
		  "rule b { proto = ah policy = p  sticky = 1h }\n" STICKY, true },
		{ "other weights", LAB_WANS
		  "policy p { links = {\"wan1:9\", \"wan2:8\", wan3, wan4} }" STICKY, true },
		{ "another policy", LAB_WANS "policy q { links = {wan1} key = src }\n"
		  POLICY STICKY, true },
		{ "another time", LAB_WANS POLICY "rule web { policy = p  sticky = 1h }", true },
		{ "another name", LAB_WANS POLICY "rule wob { policy = p  sticky = 10m }", false },
		{ "no more sticky", LAB_WANS POLICY "rule web { policy = p }", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outcome o;

		begin(CONF, false);
		lab_load(cases[i].conf);
		o = outcome_of(&there);
		if ((o.reason == ASYM_LAN_STICKY) != cases[i].kept ||
		    (o.mark == here_mark) != cases[i].kept)
			fail_msg("%s: %s, mark 0x%x", cases[i].what, reason_name(o.reason), o.mark);
	}
}

/* Two rules that take turns with one source do not share its link. */
static void test_two_rules(void **state)
{
	struct pkt_spec udp;

	begin(LAB_WANS LAB_POLICIES POLICY
	      "rule udp { proto = udp policy = to3  sticky = 1h }\n" STICKY, false);
	udp = here;
	udp.proto = IPPROTO_UDP;
	expect(&udp, ASYM_LAN_BUCKET, 0x300);
	expect(&udp, ASYM_LAN_STICKY, 0x300);
	expect(&there, ASYM_LAN_STICKY, here_mark);
	assert_int_equal(maps_sticky_count(&lab.o), 2);
}

/* The lab's machine without the carrier of the link with this mark. */
static char *host_without(uint32_t mark)
{
	struct str host = {};

	str_add(&host, "device lan1 index 11 up carrier ethernet\n");
	for (uint32_t i = 1; i <= 4; i++)
		str_add(&host, "device wan%u index 2%u up ethernet%s\n"
			"addr wan%u 192.0.2.%u/24\nroute default via 192.0.2.254 dev wan%u\n"
			"addr wan%u 2001:db8::%u/64\nroute default6 via fe80::1 dev wan%u\n", i, i,
			i << 8 == mark ? "" : " carrier", i, i, i, i, i, i);
	assert_int_equal(host.err, 0);
	return host.s;
}

/* A dead link loses its sources for good: when it is back they stay where they went. */
static void test_link_dies(void **state)
{
	_cleanup_free_ char *host = NULL;
	struct outcome o;

	begin(CONF, false);
	host = host_without(here_mark);
	lab_load_on(CONF, host);
	o = outcome_of(&here);
	assert_int_equal(o.reason, ASYM_LAN_BUCKET);
	assert_int_not_equal(o.mark, here_mark);
	expect(&there, ASYM_LAN_STICKY, o.mark);
	lab_load(CONF);
	expect(&here, ASYM_LAN_STICKY, o.mark);
	assert_int_equal(maps_sticky_count(&lab.o), 1);
}

/* A link that lives for the other family only. */
static void test_family_dies(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct loaded *l;
		struct outcome o;

		begin(CONF, v6);
		l = loaded_new(CONF, NULL);
		l->p.policies[0].live[v6][0] &= ~(1u << (here_mark >> 8));
		lab_use(&l->p);
		assert_int_equal(outcome_of(&there).reason, ASYM_LAN_BUCKET);
		begin(CONF, v6);
		l->p.policies[0].live[v6][0] |= 1u << (here_mark >> 8);
		l->p.policies[0].live[!v6][0] = 0;
		lab_use(&l->p);
		o = outcome_of(&there);
		assert_int_equal(o.reason, ASYM_LAN_STICKY);
		assert_int_equal(o.mark, here_mark);
		loaded_free(l);
	}
}

/* The source of a lower tier's link goes back when a higher tier lives again, and from a link that
 * its policy does not have any more. */
static void test_tier_returns(void **state)
{
	static const char conf[] =
		LAB_WANS "policy p { tier { links = wan1 } tier { links = wan2 } }\n" STICKY;
	_cleanup_free_ char *host = NULL;
	struct pkt_spec s = { 0 };

	lab_need();
	lab_forget_sticky();
	host = host_without(0x100);
	lab_load_on(conf, host);
	expect(&s, ASYM_LAN_BUCKET, 0x200);
	expect(&s, ASYM_LAN_STICKY, 0x200);
	lab_load(conf);
	expect(&s, ASYM_LAN_BUCKET, 0x100);
	expect(&s, ASYM_LAN_STICKY, 0x100);
	lab_load(LAB_WANS "policy p { links = {wan3} }\n" STICKY);
	expect(&s, ASYM_LAN_BUCKET, 0x300);
}

/* No live link: nothing is remembered, and what was remembered does not count. */
static void test_last_resort(void **state)
{
	static const char no_links[] = "device wan1 index 21\n";
	struct pkt_spec s = { 0 };

	lab_need();
	lab_forget_sticky();
	lab_load_on(CONF, no_links);
	expect(&s, ASYM_LAN_LAST_RESORT, 0xfe00);
	expect(&s, ASYM_LAN_LAST_RESORT, 0xfe00);
	assert_int_equal(maps_sticky_count(&lab.o), 0);
	begin(CONF, false);
	lab_load_on(CONF, no_links);
	expect(&here, ASYM_LAN_LAST_RESORT, 0xfe00);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static struct asym_sticky only_entry(struct asym_sticky_key *ret_key)
{
	struct asym_sticky s;

	assert_int_equal(bpf_map_get_next_key(lab.o.map[MAP_STICKY], NULL, ret_key), 0);
	assert_int_equal(bpf_map_lookup_elem(lab.o.map[MAP_STICKY], ret_key, &s), 0);
	return s;
}

/* Makes the one entry so old; returns the time it says now. */
static uint64_t age(uint64_t ns)
{
	struct asym_sticky_key key;
	struct asym_sticky s = only_entry(&key);

	s.seen_ns = now_ns() - ns;
	assert_int_equal(bpf_map_update_elem(lab.o.map[MAP_STICKY], &key, &s, BPF_EXIST), 0);
	return s.seen_ns;
}

static void test_entry(void **state)
{
	struct asym_sticky_key key;
	struct asym_sticky s;

	begin(CONF, false);
	s = only_entry(&key);
	assert_int_equal(s.timeout_s, STICKY_S);
	assert_int_equal(s.link, here_mark >> 8);
	assert_true(now_ns() - s.seen_ns < 10 * SECOND);
	assert_int_equal(key.src.w[3], htonl(0x0a000002));
	assert_int_equal(key.dst.w[2] | key.dst.w[3], 0);
}

/* Idle for longer than the time: forgotten.  What is used is renewed, once a second at most. */
static void test_timeout(void **state)
{
	struct asym_sticky_key key;
	uint64_t seen;

	begin(CONF, false);
	age((STICKY_S - 5) * SECOND);
	expect(&there, ASYM_LAN_STICKY, here_mark);
	assert_true(now_ns() - only_entry(&key).seen_ns < SECOND);
	age((STICKY_S + 1) * SECOND);
	expect(&there, ASYM_LAN_BUCKET, there_mark);
	expect(&here, ASYM_LAN_STICKY, there_mark);
	assert_true(now_ns() - only_entry(&key).seen_ns < SECOND);
	seen = age(SECOND / 4);
	expect(&here, ASYM_LAN_STICKY, there_mark);
	assert_true(only_entry(&key).seen_ns == seen || now_ns() - seen > SECOND);
}

/* Another CPU may have seen a packet a tick later than this one. */
static void test_ahead(void **state)
{
	struct asym_sticky_key key;
	uint64_t seen;

	begin(CONF, false);
	seen = age(0 - 10 * SECOND);
	expect(&there, ASYM_LAN_STICKY, here_mark);
	assert_true(only_entry(&key).seen_ns == seen);
}

/* The longest time there is does not overflow. */
static void test_longest_timeout(void **state)
{
	begin(LAB_WANS POLICY "rule web { policy = p  sticky = 30d }", false);
	if (now_ns() < 2 * SECOND)
		skip();
	age(now_ns() - SECOND);
	expect(&there, ASYM_LAN_STICKY, here_mark);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),	     cmocka_unit_test(test_key_src_dst),
		cmocka_unit_test(test_reloads),	     cmocka_unit_test(test_two_rules),
		cmocka_unit_test(test_link_dies),    cmocka_unit_test(test_family_dies),
		cmocka_unit_test(test_tier_returns), cmocka_unit_test(test_last_resort),
		cmocka_unit_test(test_entry),	     cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_longest_timeout), cmocka_unit_test(test_ahead),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
