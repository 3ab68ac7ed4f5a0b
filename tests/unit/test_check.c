// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"
#include "core/check.h"
#include "core/plan.h"
#include "tests/unit/addr.h"
#include "tests/unit/config.h"

#define LINKS "link wan {} link wan2 {} "
#define POLICY "policy p { links = {wan, wan2} } "
#define BASE LINKS POLICY "rule all { policy = p } "

/* A configuration that the parser takes, and what check_model says. */
static struct parsed judge(const char *text)
{
	struct parsed p = parse(text);

	if (p.r)
		findings_show(&p.f);
	assert_int_equal(p.r, 0);
	for (size_t i = 0; i < p.m.n_links; i++)
		assert_int_equal(model_probe_complete(&p.m.links[i].probe, &p.m.probe), 0);
	check_model(&p.m, &p.f);
	return p;
}

static const struct {
	const char *conf;
	enum finding_level level;
	int line;
	const char *text;
} cases[] = {
	{ "", FINDING_ERROR, 0, "link: there is none, expected at least one" },
	{ "link a { device = x }\nlink b { device = x }\npolicy p { links = {a, b} } rule r { policy = p }",
	  FINDING_ERROR, 2, "device: \"x\" of link \"b\" is that of link \"a\" too" },
	{ "lan { devices = wan }\n" BASE, FINDING_ERROR, 2, "device: \"wan\" of link \"wan\" is a LAN too" },
	{ LINKS "\npolicy p { links = {wan, wan2,\nwan3} } rule r { policy = p }", FINDING_ERROR, 3,
	  "links: there is no link \"wan3\", did you mean \"wan\"" },
	{ LINKS "policy p { links = {wan, wan2, zebra} } rule r { policy = p }", FINDING_ERROR, 1,
	  "links: there is no link \"zebra\", expected the name of one" },
	{ LINKS "policy p { links = {wan, wan2, x} } rule all { policy = p }\nlink x { reply = wan9 }",
	  FINDING_ERROR, 2, "reply: there is no link \"wan9\"" },
	{ LINKS POLICY "rule s { in = x policy = p }\nrule r { policy = q }", FINDING_ERROR, 2, "policy: there is no policy \"q\"" },
	{ LINKS POLICY "rule s { in = x policy = p }\nrule r {}", FINDING_ERROR, 2, "policy: rule \"r\" names none" },
	{ LINKS POLICY "\nrule r { policy = p src-set = offce }", FINDING_ERROR, 2, "src-set: there is no set \"offce\"" },
	{ LINKS POLICY "\nrule r { policy = p dst-set = !x }", FINDING_ERROR, 2, "dst-set: there is no set \"x\"" },
	{ LINKS "policy p { tier { links = {wan, wan2} }\ntier { links = wan } } rule r { policy = p }",
	  FINDING_ERROR, 2, "links: \"wan\" is twice in policy \"p\"" },
	{ LINKS "policy p { links = {wan,\nwan2, wan2} } rule r { policy = p }", FINDING_ERROR, 2,
	  "links: \"wan2\" is twice" },
	{ LINKS POLICY "rule s { in = x policy = p }\npolicy q {} rule all { policy = q }", FINDING_ERROR, 2, "policy: \"q\" is empty" },
	{ LINKS POLICY "rule s { in = x policy = p }\npolicy q { tier {} } rule all { policy = q }", FINDING_ERROR, 2, "tier: number 1 of policy \"q\" is empty" },
	{ LINKS POLICY "set s {}\nrule r { policy = p src-set = s }", FINDING_ERROR, 1, "set: \"s\" is empty" },
	{ "mark-mask = 0x7 link a {} link b {} link c {} link d {} policy p { links = {a, b, c, d} } rule r { policy = p }",
	  FINDING_ERROR, 0, "mark-mask: \"0x7\" has 7 values, 4 of them reserved, expected room for 4" },
	{ LINKS POLICY "\nrule r { policy = p dport = 80 }", FINDING_ERROR, 2, "dport: rule \"r\" may meet a protocol without ports" },
	{ LINKS POLICY "\nrule r { policy = p proto = {tcp, icmp} sport = 80 }", FINDING_ERROR, 2, "sport: rule \"r\" may meet" },
	{ LINKS POLICY "\nrule r { policy = p proto = !tcp dport = 80 }", FINDING_ERROR, 2, "dport: rule \"r\" may meet" },
	{ LINKS POLICY "\nrule r { policy = p family = ipv6 src = 10.0.0.0/8 }", FINDING_ERROR, 2, "family: contradicts src" },
	{ LINKS POLICY "\nrule r { policy = p family = !ipv6 dst = 2001:db8::/32 }", FINDING_ERROR, 2, "family: contradicts dst" },
	{ LINKS POLICY "\nrule r { policy = p src = 10.0.0.0/8 dst = 2001:db8::/32 }", FINDING_ERROR, 2, "src: is of another family than dst" },
	{ LINKS POLICY "\nrule r { policy = p proto = tcp dport = {80, 443, 80} }", FINDING_WARNING, 2, "dport: \"80-80\" is given twice" },
	{ "\nlink a { fastpath = stateless nat = none } policy q { links = a } rule q { in = x policy = q }" BASE,
	  FINDING_ERROR, 2, "fastpath: stateless, but link \"a\" translates addresses" },
	{ "link a { nat = none nat6 = none } link b { nat = none } policy q { tier { links = a } tier { links = b } }\n"
	  "rule r { in = x policy = q fastpath = stateless }\n" BASE, FINDING_ERROR, 2,
	  "fastpath: stateless in rule \"r\", but link \"b\" of its policy translates addresses" },
	{ "probe { ping = {192.0.2.1, 192.0.2.2, 2001:db8::1} }\nlink wan2 { probe { quorum = 2 } } link wan "
	  "{ probe { ping = 192.0.2.1 } } " POLICY "rule r { policy = p }", FINDING_WARNING, 2,
	  "quorum: \"2\", but link \"wan2\" has 1 target of IPv6; all of them have to answer" },
	{ "\nlink wan2 { probe { ping = {192.0.2.1, 192.0.2.2} quorum = 3 } } link wan {} " POLICY "rule r { policy = p }",
	  FINDING_WARNING, 2, "quorum: \"3\", but link \"wan2\" has 2 targets of IPv4" },
	{ "\nlink wan2 { probe { quorum = 2 } } link wan {} " POLICY "rule r { policy = p }",
	  FINDING_WARNING, 2, "quorum: \"2\", but link \"wan2\" has no target but its gateway" },
	{ "probe { hold-down = 10m }\nlink wan2 {} link wan { probe { hold-down-max = 1h } } " POLICY "rule r { policy = p }",
	  FINDING_WARNING, 2, "hold-down: 600000ms of link \"wan2\" is more than hold-down-max, 300000ms" },
	{ "link x {}\n" BASE, FINDING_WARNING, 1, "link: \"x\" is in no policy" },
	{ "\npolicy q { links = wan }" BASE, FINDING_WARNING, 2, "policy: \"q\" is in no rule" },
	{ "\nset s { prefixes = :: }" BASE, FINDING_WARNING, 2, "set: \"s\" is in no rule" },
	{ BASE "\nrule late { policy = p dst = 10.0.0.0/8 }", FINDING_WARNING, 2, "rule: \"late\" never matches, rule \"all\" (conf:1) takes all" },
};

static void test_model(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PARSED p = judge(cases[i].conf);

		ASSERT_ONE(&p.f, cases[i].level, cases[i].line, cases[i].text);
	}
}

static void test_model_good(void **state)
{
	static const char *const good[] = {
		BASE,
		"link a { reply = b } link b {} policy p { links = a } rule r { policy = p }",
		"mark-mask = 0x70 link a {} link b {} link c {} policy p { links = {a, b, c} } rule r { policy = p }",
		"table-base = 255 priority-base = 30766 " BASE,
		"table-base = 1 priority-base = 1 " BASE,
		LINKS POLICY "rule r { policy = p src = !10.0.0.0/8 dst = 2001:db8::/32 family = ipv6 }",
		LINKS POLICY "rule r { policy = p proto = {tcp, udp, udplite, sctp, dccp} dport = !80 }",
		"link a { nat = none nat6 = none fastpath = stateless } link b { nat = none }"
		"policy p { links = {a, b} } rule s { src = 10.0.0.0/8 policy = p fastpath = stateless }"
		"rule r { family = ipv4 policy = p fastpath = stateless } rule t { policy = p }",
		"probe { ping = {192.0.2.1, 192.0.2.2} quorum = 2 gateway = yes } " BASE,
		"probe { gateway = no quorum = 2 } " BASE,
		"probe { ping = {192.0.2.1} gateway = yes quorum = 2 } " BASE,
		"probe { timeout = 1m interval = 100ms fall = 1 hold-down = 5m } " BASE,
		"fastpath = no link a {} policy p { links = a } rule r { policy = p fastpath = yes }",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		PARSED p = judge(good[i]);

		findings_show(&p.f);
		assert_int_equal(p.f.n, 0);
	}
}

/* What the parser refuses first, in models that do not come from it. */
static void test_model_raw(void **state)
{
	static struct model_link links[2] = {
		{ .name = "a", .device = "a/b", .weight = 0, .nat = { NAT_SNAT } },
		{ .name = "a", .device = "c", .weight = 1,
		  .probe = { .loss = { 2, 1 }, .latency_ms = { 3, 2 }, .jitter_ms = { 4, 0 } } },
	};
	struct model m;
	struct findings f = {};

	model_init(&m);
	assert_int_equal(addr_parse("::1", &links[0].snat[ASYM_V4]), 0);
	assert_int_equal(addr_parse("192.0.2.1", &links[0].gateway[ASYM_V6]), 0);
	m.links = links;
	m.n_links = 2;
	m.mark_mask = 0xf0f0;
	m.table_base = 100;
	m.priority_base = 31000;
	m.sticky_entries = 1;
	m.flow_pairs = 1;
	m.revalidate_s = 0;
	check_model(&m, &f);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "mark-mask: \"0xf0f0\" does not fit"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "table-base: \"100\" takes in"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "priority-base: \"31000\" leaves no"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "sticky-entries: \"1\" is out of"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "flow-pairs: \"1\" is out of"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "revalidate: \"0s\" is out of"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "name \"a\" is taken by command line"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "device: \"a/b\" is no name"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "weight: \"0\" is out of range"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "nat: is of the other family, expected IPv4"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "gateway6: is of the other family"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "loss: the low level of link \"a\" is above"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "latency: the low level of link"), 1);
	assert_int_equal(findings_with(&f, FINDING_ERROR, 0, "jitter: the low level of link"), 1);
	assert_int_equal(findings_errors(&f), 14);
	findings_done(&f);
}

/* -------- shadows: does the first rule hide the second? */

static const struct {
	const char *early, *late;
	bool hides;
} shadows[] = {
	{ "", "", true },
	{ "src = 10.0.0.0/8", "src = 10.1.0.0/16", true },
	{ "src = 10.1.0.0/16", "src = 10.0.0.0/8", false },
	{ "src = 10.0.0.0/8", "", false },
	{ "src = 10.0.0.0/8", "dst = 10.0.0.0/8", false },
	{ "src = !10.0.0.0/8", "src = 11.0.0.0/8", true },
	{ "src = !10.0.0.0/8", "src = 0.0.0.0/0", false },
	{ "src = !10.1.0.0/16", "src = !10.0.0.0/8", true },
	{ "src = !10.0.0.0/8", "src = !10.1.0.0/16", false },
	{ "src = 10.0.0.0/8", "src = !10.0.0.0/8", false },
	{ "family = ipv4", "src = 10.0.0.0/8", true },
	{ "family = ipv4", "dst = 2001:db8::/32", false },
	{ "family = !ipv4", "family = ipv6", true },
	{ "family = ipv4", "dst = !10.0.0.0/8", false },
	{ "family = ipv4", "", false },
	{ "proto = {tcp, udp}", "proto = tcp", true },
	{ "proto = tcp", "proto = {tcp, udp}", false },
	{ "proto = !udp", "proto = tcp dport = 80", true },
	{ "proto = !udp", "proto = !tcp", false },
	{ "proto = tcp", "", false },
	{ "proto = tcp dport = 1-1000", "proto = tcp dport = {80, 443}", true },
	{ "proto = tcp dport = {1-80, 81-1000}", "proto = tcp dport = 50-500", true },
	{ "proto = tcp dport = {1-80, 82-1000}", "proto = tcp dport = 50-500", false },
	{ "proto = tcp dport = !80", "proto = tcp dport = 443", true },
	{ "proto = tcp dport = !80", "proto = tcp", false },
	{ "proto = tcp dport = 0-65535", "proto = tcp", true },
	{ "proto = tcp dport = 80", "proto = tcp sport = 80", false },
	{ "proto = tcp sport = 80", "proto = tcp sport = 80 dport = 80", true },
	{ "dscp = {ef, cs1}", "dscp = ef", true },
	{ "dscp = ef", "dscp = {ef, cs1}", false },
	{ "dscp = !ef", "dscp = cs1", true },
	{ "dscp = ef", "", false },
	{ "in = {a, b}", "in = a", true },
	{ "in = a", "in = {a, b}", false },
	{ "in = !a", "in = b", true },
	{ "in = !a", "in = a", false },
	{ "in = !a", "in = {!a, !b}", true },
	{ "in = {!a, !b}", "in = !a", false },
	{ "in = a", "in = !b", false },
	{ "in = a", "", false },
	{ "src-set = ten", "src-set = ten proto = tcp", true },
	{ "src-set = ten", "src-set = !ten", false },
	{ "src-set = !ten", "src-set = !ten", true },
	{ "src-set = ten", "dst-set = ten", false },
	{ "src-set = ten", "src = 10.3.0.0/16", true },
	{ "src-set = ten", "src = 12.0.0.0/8", false },
	{ "src = 10.0.0.0/7", "src-set = ten", true },
	{ "src = 10.0.0.0/8", "src-set = ten", false },
	{ "src-set = !ten", "src = 12.0.0.0/8", true },
	{ "src-set = ten", "src-set = ten1", true },
	{ "src-set = ten1", "src-set = ten", false },
	{ "src = 10.0.0.0/8", "src = 10.0.0.0/9 src-set = ten", true },
	{ "src = 12.0.0.0/8", "src = 10.0.0.0/9 src-set = ten", false },
	{ "family = ipv4 proto = tcp in = a", "family = ipv4 proto = tcp in = a sticky = 5", true },
};

static void test_shadows(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(shadows); i++) {
		_cleanup_(str_done) struct str s = {};

		str_add(&s, LINKS POLICY "set ten { prefixes = {10.0.0.0/8, 11.0.0.0/8} }"
			"set ten1 { prefixes = {10.1.0.0/16, 11.1.0.0/16} }\n"
			"rule early { policy = p %s }\nrule late { policy = p %s }\n",
			shadows[i].early, shadows[i].late);
		PARSED p = judge(s.s);

		if (findings_with(&p.f, FINDING_WARNING, 3, "rule \"early\" (conf:2)") !=
		    shadows[i].hides) {
			findings_show(&p.f);
			print_error("\"%s\" / \"%s\"\n", shadows[i].early, shadows[i].late);
			fail();
		}
		assert_int_equal(findings_errors(&p.f), 0);
	}
}

/* -------- machines */

static struct host_device devices[] = {
	{ .ifindex = 1, .name = "lo", .up = true, .carrier = true, .loopback = true },
	{ .ifindex = 2, .name = "wan", .up = true, .carrier = true, .ethernet = true },
	{ .ifindex = 3, .name = "wan2", .up = true, .carrier = true, .ethernet = true },
	{ .ifindex = 4, .name = "lan0", .up = true, .carrier = true, .ethernet = true },
	{ .ifindex = 5, .name = "ppp0", .up = true, .carrier = true, .point_to_point = true },
	{ .ifindex = 6, .name = "port", .up = true, .carrier = true, .master = 7, .master_kind = "bridge" },
	{ .ifindex = 7, .name = "br0", .up = true, .carrier = true },
	{ .ifindex = 8, .name = "down0" },
	{ .ifindex = 9, .name = "nocar", .up = true },
	{ .ifindex = 10, .name = "noaddr", .up = true, .carrier = true },
	{ .ifindex = 11, .name = "nogw", .up = true, .carrier = true },
	{ .ifindex = 12, .name = "slave", .up = true, .carrier = true, .master = 13, .master_kind = "bond" },
	{ .ifindex = 14, .name = "vrfport", .up = true, .carrier = true, .master = 15, .master_kind = "vrf" },
};

#define ENTRIES 18

struct machine {
	struct host h;
	struct host_addr addrs[ENTRIES];
	struct route routes[ENTRIES];
	struct rule rules[ENTRIES];
	struct host_mark_use marks[ENTRIES];
};

static void add_addr(struct machine *m, uint32_t ifindex, const char *s, bool link_scope)
{
	m->addrs[m->h.n_addrs++] = (struct host_addr){
		.ifindex = ifindex, .prefix = { addr(s), 120 }, .usable = true,
		.link_scope = link_scope
	};
}

static void add_route(struct machine *m, uint32_t ifindex, int family, uint32_t table,
		      uint8_t protocol)
{
	m->routes[m->h.n_routes++] = (struct route){
		.dst = { family == AF_INET ? addr("0.0.0.0") : addr("::"),
			 family == AF_INET ? 96 : 0 },
		.family = family, .table = table, .ifindex = ifindex, .protocol = protocol
	};
}

static void machine_init(struct machine *m)
{
	*m = (struct machine){};
	m->h = (struct host){ .devices = devices, .n_devices = ARRAY_SIZE(devices),
			      .addrs = m->addrs, .routes = m->routes, .rules = m->rules,
			      .marks = m->marks };
	for (uint32_t i = 2; i <= 15; i++) {
		if (i == 10)
			add_addr(m, i, "fe80::1", true);
		else
			add_addr(m, i, "192.0.2.1", false);
		if (i <= 3 || i == 14)
			add_route(m, i, AF_INET, 254, 3);
	}
}

static struct parsed on_reload(const char *text, const struct machine *m,
			       const struct plan_id *ids, size_t n_ids)
{
	struct parsed p = judge(text);

	findings_done(&p.f);
	check_host(&p.m, &m->h, ids, n_ids, &p.f);
	return p;
}

static struct parsed on_machine(const char *text, const struct machine *m)
{
	return on_reload(text, m, NULL, 0);
}

static void test_devices(void **state)
{
	static const struct {
		const char *conf;
		enum finding_level level;
		const char *text;
	} host_cases[] = {
		{ "link a { device = wan3 }", FINDING_WARNING, "device: there is no device \"wan3\", did you mean \"wan\"?" },
		{ "link a { device = zzzzz }", FINDING_WARNING, "device: there is no device \"zzzzz\" now" },
		{ "link a { device = lo }", FINDING_ERROR, "device: \"lo\" of link \"a\" is the loopback" },
		{ "link a { device = port }", FINDING_ERROR, "\"port\" of link \"a\" is a port of bridge" },
		{ "link a { device = slave }", FINDING_ERROR, "\"slave\" of link \"a\" is a port of bond" },
		{ "link a { device = down0 }", FINDING_WARNING, "\"down0\" of link \"a\" is down" },
		{ "link a { device = nocar }", FINDING_WARNING, "\"nocar\" of link \"a\" has no carrier" },
		{ "link a { device = noaddr }", FINDING_WARNING, "\"noaddr\" of link \"a\" has no address" },
		{ "link a { device = nogw }", FINDING_WARNING, "gateway: link \"a\" has an IPv4 address but no gateway" },
		{ "link a { device = wan } lan { devices = lan1 }", FINDING_WARNING, "lan: there is no device \"lan1\", did you mean \"lan0\"" },
		{ "link a { device = wan } lan { devices = down0 }", FINDING_WARNING, "lan: device \"down0\" is down" },
		{ "link a { device = wan } policy p { links = a } rule r { in = {lan0, lan7} policy = p }", FINDING_WARNING, "in: there is no device \"lan7\"" },
	};
	static const char *const fine[] = {
		"link a { device = wan }", "link a { device = ppp0 }", "link a { device = vrfport }",
		"link a { device = nogw gateway = 192.0.2.9 }", "link a { device = br0 gateway = 192.0.2.9 }",
		"link a { device = wan } lan { devices = lan0 }",
	};
	struct machine m;

	machine_init(&m);
	for (size_t i = 0; i < ARRAY_SIZE(host_cases); i++) {
		PARSED p = on_machine(host_cases[i].conf, &m);

		ASSERT_ONE(&p.f, host_cases[i].level, -1, host_cases[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fine); i++) {
		PARSED p = on_machine(fine[i], &m);

		findings_show(&p.f);
		assert_int_equal(p.f.n, 0);
	}
}

/* Gateways come from main alone; a default route in another table is no proof of one, nor is one of
 * the wrong family or device. */
static void test_gateway(void **state)
{
	struct machine m;

	machine_init(&m);
	add_route(&m, 11, AF_INET, 10001, PLAN_RTPROT);
	add_route(&m, 11, AF_INET6, 254, 3);
	PARSED p = on_machine("link a { device = nogw }", &m);

	ASSERT_ONE(&p.f, FINDING_WARNING, 1, "gateway: link \"a\" has an IPv4 address but no");
	add_route(&m, 11, AF_INET, 99, 3);
	PARSED table = on_machine("link a { device = nogw }", &m);

	ASSERT_ONE(&table.f, FINDING_WARNING, 1, "gateway: link \"a\" has an IPv4 address but no");
	m.routes[m.h.n_routes - 1].table = 254;
	add_addr(&m, 11, "2001:db8::1", false);
	m.routes[m.h.n_routes - 2].ifindex = 12;
	PARSED q = on_machine("link a { device = nogw }", &m);

	ASSERT_ONE(&q.f, FINDING_WARNING, 1, "gateway6: link \"a\" has an IPv6 address but no");
}

/* Warned of are LANs and links on which others filter, once each, unless nothing of theirs is cached. */
static void test_ingress_filters(void **state)
{
	static const struct {
		const char *conf, *device;
		int line; /* 0: no warning */
	} filter_cases[] = {
		{ "\nlink a { device = wan }", "wan", 2 },
		{ "link a { device = wan } lan { devices = lan0 }", "lan0", -1 },
		{ "link a { device = wan }", "lan0", -1 },
		{ "link a { device = wan } lan { devices = br0 }", "lan0", 0 },
		{ "link a { device = wan }", "noaddr", 0 },
		{ "link a { device = wan fastpath = no }", "wan", 0 },
		{ "fastpath = no link a { device = wan }", "wan", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(filter_cases); i++) {
		struct host_device *d;
		struct machine m;

		machine_init(&m);
		d = (struct host_device *)host_device_find(&m.h, filter_cases[i].device);
		assert_non_null(d);
		d->ingress_filters = true;
		PARSED p = on_machine(filter_cases[i].conf, &m);

		d->ingress_filters = false;
		if (filter_cases[i].line)
			ASSERT_ONE(&p.f, FINDING_WARNING, filter_cases[i].line, "has ingress filters of others");
		else
			assert_int_equal(p.f.n, 0);
	}
}

static void test_flags(void **state)
{
	PARSED p = parse("link a { device = wan9 } lan { devices = lan9 }");
	struct machine m;

	machine_init(&m);
	assert_int_equal(config_add_iface(&p.m, "wam", &p.f), 0);
	assert_int_equal(config_add_iface(&p.m, "wan9", &p.f), 0);
	assert_int_equal(config_add_lan(&p.m, "lan8", &p.f), 0);
	check_host(&p.m, &m.h, NULL, 0, &p.f);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 0, "--iface: there is no device \"wam\", did you mean \"wan\"?"), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 1, "--iface: there is no device \"wan9\""), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 0, "--lan: there is no device \"lan8\""), 1);
	assert_int_equal(findings_with(&p.f, FINDING_WARNING, 0, "lan: there is no device \"lan9\""), 1);
	assert_int_equal(p.f.n, 4);
}

/* -------- marks: two links (ids 1, 2), mask 0xff00, reserved ids 0xfc..0xff */

static const struct {
	struct rule rule;
	int level; /* -1: nothing to say */
	const char *text;
} marks[] = {
	{ { .family = AF_INET, .priority = 5210, .mark = 0x80000, .mask = 0xff0000, .table = 52 }, -1, "" },
	{ { .family = AF_INET, .priority = 30000, .mark = 0x10000, .mask = 0xff0000 }, -1, "" },
	{ { .family = AF_INET, .priority = 9, .mark = 0x1, .mask = 0xff }, -1, "" },
	{ { .family = AF_INET, .priority = 9 }, -1, "" },
	{ { .family = AF_INET, .priority = 3001, .mark = 0x100, .mask = 0xff00 }, FINDING_ERROR, "ip rule 3001 (perhaps mwan3): mark 0x100/0xff00 is that of link \"wan\"" },
	{ { .family = AF_INET6, .priority = 3002, .mark = 0x200, .mask = 0x3f00 }, FINDING_ERROR, "ip -6 rule 3002 (mwan3): mark 0x200/0x3f00 is that of link \"wan2\"" },
	{ { .family = AF_INET, .priority = 3003, .mark = 0x300, .mask = 0xff00 }, FINDING_WARNING, "0x300/0xff00 shares bits" },
	{ { .family = AF_INET, .priority = 3003, .mark = 0x1300, .mask = 0x1f00 }, FINDING_WARNING, "shares bits" },
	{ { .family = AF_INET, .priority = 9, .mark = 0x300, .mask = 0x300 }, FINDING_ERROR, "is that of probes" },
	{ { .family = AF_INET, .priority = 9, .mark = 0xfe00, .mask = 0xff00 }, FINDING_ERROR, "is that of last-resort unreachable" },
	{ { .family = AF_INET, .priority = 9, .mark = 0xfd00, .mask = 0xff00 }, FINDING_ERROR, "is that of last-resort blackhole" },
	{ { .family = AF_INET, .priority = 9, .mark = 0xfc00, .mask = 0xff00 }, FINDING_ERROR, "is that of last-resort main" },
	{ { .family = AF_INET, .priority = 9, .mark = 0xfb00, .mask = 0xff00 }, FINDING_WARNING, "shares bits" },
	{ { .family = AF_INET, .priority = 9, .mark = 0, .mask = 0xffffffff }, FINDING_WARNING, "shares bits" },
	{ { .family = AF_INET, .priority = 32764, .mark = 0xca6c, .mask = 0xffffffff, .table = 51820, .invert = true }, FINDING_WARNING, "ip rule 32764 (wg-quick): mark 0xca6c/0xffffffff shares bits" },
	{ { .family = AF_INET, .priority = 9, .mark = 0x4000, .mask = 0x4000 }, FINDING_ERROR, "(Kubernetes)" },
	{ { .family = AF_INET, .priority = 9, .mark = 0x100, .mask = 0xff00, .protocol = PLAN_RTPROT }, -1, "" },
	{ { .family = AF_INET, .priority = 19999 }, -1, "" },
	{ { .family = AF_INET, .priority = 20000 }, FINDING_ERROR, "priority-base: ip rule 20000 is in our range 20000 to 21999" },
	{ { .family = AF_INET6, .priority = 21999 }, FINDING_ERROR, "priority-base: ip -6 rule 21999 is in our range" },
	{ { .family = AF_INET, .priority = 22000 }, -1, "" },
	{ { .family = AF_INET, .priority = 20500, .protocol = PLAN_RTPROT }, -1, "" },
};

static void test_marks(void **state)
{
	struct machine m;

	machine_init(&m);
	m.h.n_rules = 1;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		m.rules[0] = marks[i].rule;
		PARSED p = on_machine(BASE, &m);

		if (marks[i].level >= 0)
			ASSERT_ONE(&p.f, (enum finding_level)marks[i].level, 0, marks[i].text);
		else
			assert_int_equal(p.f.n, 0);
	}
}

/* A reload that lost "old" (1), kept wan (2), and brings wan2, which gets 3. */
static void test_marks_reload(void **state)
{
	static const struct plan_id ids[] = { { .name = "old", .id = 1 }, { .name = "wan", .id = 2 } };
	static const struct {
		uint32_t mark;
		enum finding_level level;
		const char *text;
	} expected[] = {
		{ 0x100, FINDING_WARNING, "is that of connections of link \"old\", which is no more" },
		{ 0x200, FINDING_ERROR, "is that of link \"wan\"" },
		{ 0x300, FINDING_ERROR, "is that of link \"wan2\"" },
		{ 0x400, FINDING_WARNING, "shares bits" },
		{ 0xff00, FINDING_ERROR, "is that of probes" },
	};
	struct machine m;

	machine_init(&m);
	m.h.n_rules = m.h.n_marks = 1;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		m.rules[0] = (struct rule){ .family = AF_INET, .priority = 9,
					    .mark = expected[i].mark, .mask = 0xff00 };
		m.marks[0] = (struct host_mark_use){ "t", "c", expected[i].mark, 0xff00, true };
		PARSED p = on_reload(BASE, &m, ids, ARRAY_SIZE(ids));

		assert_int_equal(p.f.n, 2);
		assert_int_equal(findings_with(&p.f, expected[i].level, 0, expected[i].text), 2);
	}
}

/* With three ids and all of them given, a new link takes that of the one that went, although the
 * one that stays comes behind it and has the lowest. */
static void test_ids_run_out(void **state)
{
	static const struct plan_id ids[] = { { .name = "stays", .id = 1 }, { .name = "went", .id = 2 }, { .name = "too", .id = 3 } };
	struct plan *plan = calloc(1, sizeof(*plan));
	struct machine m;

	machine_init(&m);
	PARSED p = judge("mark-mask = 0x70 link new {} link stays {}"
			 " policy p { links = {new, stays} } rule r { policy = p }");

	assert_int_equal(plan_build(plan, &p.m, &m.h, ids, ARRAY_SIZE(ids)), 0);
	assert_int_equal(plan->links[0].id, 2);
	assert_int_equal(plan->links[1].id, 1);
	assert_int_equal(plan->n_gone, 1);
	plan_done(plan);
	free(plan);
}

static void test_nft_marks(void **state)
{
	struct machine m;

	machine_init(&m);
	m.h.n_marks = 3;
	m.marks[0] = (struct host_mark_use){ "mwan3", "mwan3_hook", 0x100, 0x3f00, false };
	m.marks[1] = (struct host_mark_use){ "nat", "KUBE-MARK-MASQ", 0x4000, 0x4000, true };
	m.marks[2] = (struct host_mark_use){ "filter", "ts-forward", 0x40000, 0xff0000, false };
	PARSED p = on_machine(BASE, &m);

	findings_sort(&p.f);
	assert_int_equal(p.f.n, 2);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 0, "nft table \"mwan3\", chain \"mwan3_hook\" tests a mark (mwan3)"), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 0, "chain \"KUBE-MARK-MASQ\" sets a mark (Kubernetes)"), 1);
}

static void test_tables(void **state)
{
	struct machine m;

	machine_init(&m);
	add_route(&m, 2, AF_INET, 10000, 3);
	add_route(&m, 2, AF_INET, 10251, 3);
	add_route(&m, 2, AF_INET, 10002, PLAN_RTPROT);
	PARSED none = on_machine(BASE, &m);

	assert_int_equal(none.f.n, 0);
	add_route(&m, 2, AF_INET, 10250, 3);
	add_route(&m, 2, AF_INET6, 10250, 3);
	PARSED p = on_machine(BASE, &m);

	ASSERT_ONE(&p.f, FINDING_ERROR, 0, "table-base: table 10250 holds routes of somebody else's");
}

/* -------- the list itself */

static void test_findings(void **state)
{
	struct findings f = {};

	finding_add(&f, FINDING_ERROR, "b", 2, "three");
	finding_add(&f, FINDING_WARNING, "b", 1, "two");
	finding_add(&f, FINDING_ERROR, NULL, 0, "%s", "one");
	finding_add(&f, FINDING_ERROR, "b", 2, "four");
	findings_sort(&f);
	assert_string_equal(f.items[0].text, "one");
	assert_string_equal(f.items[1].text, "two");
	assert_string_equal(f.items[2].text, "three");
	assert_string_equal(f.items[3].text, "four");
	assert_int_equal(findings_errors(&f), 3);
	f.lost = 1;
	assert_int_equal(findings_errors(&f), 4);
	findings_done(&f);
	assert_int_equal(findings_errors(&f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),	  cmocka_unit_test(test_model_good),
		cmocka_unit_test(test_model_raw), cmocka_unit_test(test_shadows),
		cmocka_unit_test(test_devices),	  cmocka_unit_test(test_gateway),
		cmocka_unit_test(test_flags),	  cmocka_unit_test(test_marks),
		cmocka_unit_test(test_ingress_filters),
		cmocka_unit_test(test_marks_reload), cmocka_unit_test(test_ids_run_out),
		cmocka_unit_test(test_nft_marks), cmocka_unit_test(test_tables),
		cmocka_unit_test(test_findings),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
