// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "tests/unit/config.h"
#include <errno.h>

#define PARSED _cleanup_(parsed_done) struct parsed

static const char good[] =
	"# one\n// two\n/* three\nfour */\n"
	"mark-mask = 0xff0000   table-base = 0x1000   priority-base = 21000   seed = 9\n"
	"sticky-entries = 4096 mss-clamp = no   forwarding = on   host-traffic = false "
	"fastpath = off flow-pairs = 4096 revalidate = 30s\n"
	"lan { devices = {\"br-lan\", eth2,} }\n"
	"link wan  { device = \"eth0.2\"  weight = 2  nat = none  nat6 = 2001:db8::7\n"
	"  gateway = 192.0.2.1  gateway6 = fe80::1  reply = \"wan2\" }\n"
	"link wan2 { nat = 192.0.2.7 fastpath = stateless }\n"
	"link lte { probe { ping = {9.9.9.9, 2620:fe::9} tcp = '[2620:fe::9]:443' gateway = yes loss = {5, 20} "
	"latency = {80ms, 1} initial = down hold-down = 10 } }\n"
	"set office { prefixes = {\"10.1.0.0/16\", 2001:db8::/32, 192.0.2.1} }\n"
	"policy balanced {\n  tier { links = {\"wan\", \"wan2:3\"} } # a comment\n"
	"  tier { links = lte }\n  failback = 10m last-resort = blackhole\n  key = src+dst\n}\n"
	"policy single { links = {wan} last-resort = main key = 'src' }\n"
	"rule https { family = ipv4 src = {192.168.1.0/24} dst = !\"10.0.0.0/8\" src-set = office\n"
	"  dst-set = !office proto = {tcp, udp} sport = {!1, !'2-3'} dport = {443, \"8000-8100\"}\n"
	"  dscp = {ef, 8, af41} in = \"br-lan\" policy = balanced sticky = 10m\n"
	"  sticky-key = src+dst fastpath = no }\n"
	"rule rest { proto = {!icmp, !200} family = !ipv6 dscp = !0 in = {!eth2, !lo}\n"
	"  policy = single sticky = 1d }\n"
	"probe { dns = {9.9.9.9, '1.1.1.1:5353'} http = \"http://example.org/?a=b\" http-status = 204 "
	"dns-name = example.org quorum = 2 fall = 5 jitter = {5ms, 50ms} gateway = no }\n"
	"dhcp = both dhcp-watchdog = no reset = yes hook = '/etc/a \\'hook\\'' hook-timeout = 2s metrics = \"[::1]:9171\"\n";

static void check_globals(const struct model *m)
{
	assert_int_equal(m->mark_mask, 0xff0000);
	assert_int_equal(m->table_base, 4096);
	assert_int_equal(m->priority_base, 21000);
	assert_int_equal(m->seed, 9);
	assert_int_equal(m->sticky_entries, 4096);
	assert_true(!m->mss_clamp && m->forwarding && !m->host_traffic && !m->fastpath);
	assert_true(m->flow_pairs == 4096 && m->revalidate_s == 30);
	assert_true(m->dhcp == DHCP_BOTH && !m->dhcp_watchdog);
	assert_int_equal(m->n_lans, 2);
	assert_string_equal(m->lans[1], "eth2");
}

static void check_links(const struct model *m)
{
	const struct model_link *wan = model_link_find(m, "wan"), *lte = model_link_find(m, "lte");
	char buf[ADDR_STRLEN];

	assert_int_equal(m->n_links, 3);
	assert_string_equal(wan->device, "eth0.2");
	assert_int_equal(wan->weight, 2);
	assert_true(wan->nat[ASYM_V4] == NAT_NONE && wan->nat[ASYM_V6] == NAT_SNAT);
	assert_string_equal(addr_str(&wan->snat[ASYM_V6], buf), "2001:db8::7");
	assert_string_equal(addr_str(&wan->gateway[ASYM_V4], buf), "192.0.2.1");
	assert_string_equal(addr_str(&wan->gateway[ASYM_V6], buf), "fe80::1");
	assert_string_equal(wan->reply, "wan2");
	assert_int_equal(wan->place.line, 8);
	assert_string_equal(wan->place.file, "conf");
	assert_int_equal(wan->fastpath, ASYM_FASTPATH_ON);
	assert_int_equal(wan[1].fastpath, ASYM_FASTPATH_STATELESS);
	assert_string_equal(lte->device, "lte");
	assert_int_equal(lte->weight, 1);
	assert_true(lte->nat[ASYM_V4] == NAT_MASQUERADE && lte->nat[ASYM_V6] == NAT_MASQUERADE);
	assert_int_equal(lte->place.line, 11);
}

static void check_policies(const struct model *m)
{
	const struct model_policy *p = model_policy_find(m, "balanced"),
				  *s = model_policy_find(m, "single");
	const struct model_set *set = model_set_find(m, "office");

	assert_true(p->n == 2 && p->tiers[0].n == 2 && p->tiers[1].n == 1);
	assert_string_equal(p->tiers[0].members[1].link, "wan2");
	assert_int_equal(p->tiers[0].members[0].weight, 0);
	assert_int_equal(p->tiers[0].members[1].weight, 3);
	assert_int_equal(p->tiers[0].members[1].place.line, 14);
	assert_string_equal(p->tiers[1].members[0].link, "lte");
	assert_true(p->last_resort == LAST_RESORT_BLACKHOLE && p->key == ASYM_KEY_SRC_DST);
	assert_true(s->n == 1 && s->tiers[0].n == 1);
	assert_true(s->last_resort == LAST_RESORT_MAIN && s->key == ASYM_KEY_SRC);
	assert_int_equal(set->n, 3);
	assert_int_equal(set->prefixes[2].len, 128);
}

static void check_rules(const struct model *m)
{
	const struct model_rule *r = &m->rules[0], *rest = &m->rules[1];

	assert_int_equal(m->n_rules, 2);
	assert_int_equal(r->match, (1 << 10) - 1);
	assert_int_equal(r->negate, ASYM_MATCH_DST | ASYM_MATCH_DST_SET | ASYM_MATCH_SPORT);
	assert_int_equal(r->family, ASYM_V4);
	assert_true(r->src.len == 120 && r->dst.len == 104);
	assert_string_equal(r->dst_set, "office");
	assert_int_equal(r->proto[0], 1 << 6 | 1 << 17);
	assert_true(r->sports == 2 && r->sport[1].lo == 2 && r->sport[1].hi == 3);
	assert_true(r->dports == 2 && r->dport[1].lo == 8000 && r->dport[1].hi == 8100);
	assert_true(r->dscp == (1ull << 46 | 1 << 8 | 1ull << 34));
	assert_true(r->devices == 1 && !strcmp(r->device[0], "br-lan"));
	assert_string_equal(r->policy, "balanced");
	assert_true(r->sticky_s == 600 && r->sticky_key == ASYM_KEY_SRC_DST);
	assert_true(r->fastpath == ASYM_FASTPATH_OFF && rest->fastpath == ASYM_FASTPATH_ON);
	assert_int_equal(rest->negate, rest->match);
	assert_int_equal(rest->family, ASYM_V6);
	assert_int_equal(rest->proto[6], 1 << 8);
	assert_true(rest->sticky_s == 86400 && rest->sticky_key == ASYM_KEY_SRC);
	assert_int_equal(rest->place.line, 24);
}

static void test_good(void **state)
{
	PARSED p = parse(good);

	findings_show(&p.f);
	assert_true(!p.r && !p.f.n);
	check_globals(&p.m);
	check_links(&p.m);
	check_policies(&p.m);
	check_rules(&p.m);
}

static void test_defaults(void **state)
{
	PARSED p = parse("");
	struct model m;

	assert_true(!p.r && !p.f.n && !p.m.n_links);
	model_init(&m);
	assert_int_equal(p.m.mark_mask, 0xff00);
	assert_int_equal(p.m.sticky_entries, 65536);
	assert_true(p.m.mss_clamp && !p.m.forwarding && p.m.host_traffic);
	assert_true(p.m.fastpath && !p.m.flow_pairs && p.m.revalidate_s == 1);
	assert_int_equal(model_add_defaults(&m), 0);
	assert_int_equal(m.n_policies, 0);
	assert_int_equal(config_add_iface(&m, "a", &p.f), 0);
	assert_int_equal(config_add_iface(&m, "b:7", &p.f), 0);
	assert_int_equal(model_add_defaults(&m), 0);
	assert_int_equal(model_add_defaults(&m), 0);
	assert_true(m.n_policies == 1 && m.n_rules == 1 && m.policies[0].tiers[0].n == 2);
	assert_string_equal(m.policies[0].name, "balanced");
	assert_string_equal(m.rules[0].policy, "balanced");
	assert_int_equal(m.rules[0].match, 0);
	model_done(&m);
}

/* -------- what is wrong: one finding each, on the line, with the text */

static const struct {
	const char *conf;
	int line;
	const char *text;
} bad[] = {
	/* the scanner */
	{ "seed = 1\nlink \"w", 2, "string without its closing quote" },
	{ "seed = 1\n\nlink 'w\n' {}", 3, "string without its closing quote" },
	{ "seed = 1\n/* no end\n\n", 2, "comment without its closing */" },
	{ "seed = 1\n\x01", 2, "control character 0x01" },
	{ "link \"a\x1b\" {}", 1, "control character 0x1b" },
	/* statements */
	{ "\nseed 3", 2, "seed: unexpected \"3\", expected \"=\"" },
	{ "seed =", 1, "seed: unexpected \"end of file\", expected a value" },
	{ "seed = ,", 1, "seed: unexpected \",\", expected a value" },
	{ "lan { devices = {a b} }", 1, "devices: unexpected \"b\", expected \",\" or \"}\"" },
	{ "lan { devices = {a", 1, "devices: unexpected \"end of file\"" },
	{ "lan { devices = {,} }", 1, "devices: unexpected \",\", expected a value" },
	{ "link { }", 1, "link: unexpected \"{\", expected a name" },
	{ "link a b { }", 1, "link: unexpected \"b\", expected \"{\"" },
	{ "lan a { }", 1, "lan: unexpected \"a\", expected \"{\"" },
	{ "}", 1, "file: unexpected \"}\", expected a key or a section" },
	{ "= 3", 1, "file: unexpected \"=\"" },
	{ "\nlink a {\nweight = 3", 3, "link: section of line 2 does not end, expected \"}\"" },
	{ "link a { ( }", 1, "link: unexpected \"(\", expected a key or \"}\"" },
	{ "seed += 1", 1, "seed: unexpected \"+\", expected \"=\"" },
	{ "nat = {a, b", 1, "unknown" },
	{ "include \"a\"", 1, "include: unexpected \"a\", expected \"(\"" },
	{ "include(a, b)", 1, "include: unexpected \",\", expected \")\"" },
	{ "include()", 1, "include: unexpected \")\", expected" },
	/* keys */
	{ "\nsede = 3", 2, "\"sede\": unknown key, did you mean \"seed\"?" },
	{ "lnik a { b = {1, 2} c { d = e } f(1, 2) }", 1, "\"lnik\": unknown key, did you mean \"link\"" },
	{ "zzzzzz(1, {)", 1, "\"zzzzzz\": unknown key" },
	{ "link a { wieght = 2 }", 1, "\"wieght\": unknown key of section link, did you mean \"weight\"" },
	{ "policy p { tier { lniks = a } }", 1, "\"lniks\": unknown key of section tier, did you mean" },
	{ "link a { seed = 1 }", 1, "\"seed\": unknown key of section link" },
	{ "tier { links = a }", 1, "\"tier\": unknown key" },
	{ "__begin = 1", 1, "\"__begin\": unknown key" },
	{ "link a { __end = 1 }", 1, "\"__end\": unknown key of section link" },
	{ "seed = {1}", 1, "seed: a list, expected one value" },
	{ "lan { devices = {} }", 1, "devices: empty list, expected at least one value" },
	/* twice */
	{ "seed = 1\n\nseed = 2", 3, "seed: given twice, first in line 1" },
	{ "link a {\nnat = none\nnat = none }", 3, "nat: given twice, first in line 2" },
	{ "lan { devices = a }\nlan { devices = b }", 2, "lan: given twice, first in line 1" },
	{ "link a {}\n\nlink a {}", 3, "link: name \"a\" is taken by conf:1" },
	{ "set a {}\n set a {}", 2, "set: name \"a\" is taken by conf:1" },
	{ "policy a {}\npolicy a { links = b }", 2, "policy: name \"a\" is taken by conf:1" },
	{ "rule a {}\nrule a {}", 2, "rule: name \"a\" is taken by conf:1" },
	{ "lan { devices = {a, b, a} }", 1, "devices: \"a\" is given twice" },
	/* values */
	{ "seed = x", 1, "seed: \"x\" is not a number, expected 0 to 4294967295" },
	{ "seed = -1", 1, "seed: \"-1\" is not a number" },
	{ "seed = 4294967296", 1, "seed: \"4294967296\" is out of range" },
	{ "seed = ''", 1, "seed: \"\" is not a number" },
	{ "mark-mask = 0", 1, "mark-mask: \"0\" is out of range" },
	{ "mark-mask = 0xf0f0", 1, "mark-mask: \"0xf0f0\" does not fit, expected 3 to 8 bits" },
	{ "mark-mask = 3", 1, "mark-mask: \"3\" does not fit" },
	{ "mark-mask = 0x1ff", 1, "mark-mask: \"0x1ff\" does not fit" },
	{ "table-base = 200", 1, "table-base: \"200\" takes in a reserved table" },
	{ "table-base = 4294967295", 1, "table-base: \"4294967295\" is out of range" },
	{ "priority-base = 31000", 1, "priority-base: \"31000\" is out of range, expected 1 to 30766" },
	{ "sticky-entries = 1000", 1, "sticky-entries: \"1000\" is out of range, expected 1024 to" },
	{ "mss-clamp = maybe", 1, "mss-clamp: \"maybe\" is neither, expected yes or no" },
	{ "fastpath = stateless", 1, "fastpath: \"stateless\" is neither, expected yes or no" },
	{ "flow-pairs = 1023", 1, "flow-pairs: \"1023\" is out of range, expected 1024 to 4194304" },
	{ "flow-pairs = 4194305", 1, "flow-pairs: \"4194305\" is out of range" },
	{ "revalidate = 0", 1, "revalidate: \"0\" is out of range, expected 1s to 30s" },
	{ "revalidate = 31s", 1, "revalidate: \"31s\" is out of range" },
	{ "revalidate = soon", 1, "revalidate: \"soon\" is no time" },
	{ "link a { fastpath = stateles }", 1, "fastpath: \"stateles\" is unknown, expected one of "
	  "yes, no, stateless; did you mean \"stateless\"?" },
	{ "rule a { fastpath = maybe }", 1, "fastpath: \"maybe\" is unknown, expected one of yes" },
	{ "link a { weight = 0 }", 1, "weight: \"0\" is out of range, expected 1 to 1000" },
	{ "link a { weight = 1001 }", 1, "weight: \"1001\" is out of range" },
	{ "link a { device = 'a b' }", 1, "device: \"a b\" is no name of a device" },
	{ "link a { device = abcdefghijklmnop }", 1, "device: \"abcdefghijklmnop\" is no name" },
	{ "link a { device = eth* }", 1, "device: \"eth*\" is no name" },
	{ "link a { device = .. }", 1, "device: \"..\" is no name" },
	{ "link abcdefghijklmnop { }", 1, "link: \"abcdefghijklmnop\" is no name of a device" },
	{ "link 'a b' { device = c }", 1, "link: \"a b\" is no name, expected a letter or digit" },
	{ "link _a { device = c }", 1, "link: \"_a\" is no name" },
	{ "link '' { device = c }", 1, "link: \"\" is no name" },
	{ "link \"${HOME}\" { device = c }", 1, "link: \"${HOME}\" is no name" },
	{ "link a12345678901234567890123456789012 { device = c }", 1, "is no name" },
	{ "link a { nat = maybe }", 1, "nat: \"maybe\" is unknown, expected masquerade, none" },
	{ "link a { nat = 1.2.3.4.5 }", 1, "nat: \"1.2.3.4.5\" is no address" },
	{ "link a { nat = ::1 }", 1, "nat: \"::1\" is of the other family, expected an IPv4" },
	{ "link a { nat6 = 1.2.3.4 }", 1, "nat6: \"1.2.3.4\" is of the other family" },
	{ "link a { gateway = 0.0.0.0 }", 1, "gateway: \"0.0.0.0\" is no host" },
	{ "link a { gateway = 224.0.0.1 }", 1, "gateway: \"224.0.0.1\" is no host" },
	{ "link a { gateway6 = ff02::1 }", 1, "gateway6: \"ff02::1\" is no host" },
	{ "link a { reply = '-' }", 1, "reply: \"-\" is no name" },
	{ "set a { prefixes = x }", 1, "prefixes: \"x\" is no prefix" },
	{ "set a { prefixes = {::,\n1.2.3.4/33} }", 2, "prefixes: \"1.2.3.4/33\" has a length out" },
	{ "set a { prefixes = 10.0.0.1/8 }", 1, "has bits set beyond its length, expected \"10.0.0.0/8\"" },
	{ "set a { file = /nowhere/x }", 1, "file: \"/nowhere/x\" cannot be read: No such file" },
	{ "policy p { links = 'a:0' }", 1, "links: \"0\" is out of range, expected 1 to 1000" },
	{ "policy p { links = 'a:b' }", 1, "links: \"b\" is not a number" },
	{ "policy p { links = ':3' }", 1, "links: \"\" is no name" },
	{ "policy p { links = a key = dst }", 1, "key: \"dst\" is unknown, expected one of flow, src, src+dst" },
	{ "policy p { links = a last-resort = mian }", 1, "did you mean \"main\"?" },
	{ "policy p { links = a\n tier { links = b } }", 2, "tier: beside \"links\"" },
	{ "policy p { tier { links = b }\n links = a }", 2, "links: beside a tier" },
	{ "rule r { family = ipv5 }", 1, "family: \"ipv5\" is unknown, expected one of ipv4, ipv6, any" },
	{ "rule r { family = !any }", 1, "family: \"!any\" matches nothing" },
	{ "rule r { src = {10.0.0.0/8,\n 11.0.0.0/8} }", 2, "src: \"11.0.0.0/8\" is a second prefix, expected one; several go into a set (src-set)" },
	{ "rule r { dst = !x }", 1, "dst: \"x\" is no prefix" },
	{ "rule r { src-set = 'a b' }", 1, "src-set: \"a b\" is no name" },
	{ "rule r { proto = tpc }", 1, "proto: \"tpc\" is unknown, expected a protocol such as tcp, or a number 0 to 255; did you mean \"tcp\"?" },
	{ "rule r { proto = 256 }", 1, "proto: \"256\" is unknown" },
	{ "rule r { proto = {tcp, !udp} }", 1, "proto: \"!udp\" is mixed with values without \"!\"" },
	{ "rule r { proto = {!tcp, udp} }", 1, "proto: \"udp\" is mixed with values with \"!\"" },
	{ "rule r { dport = 65536 }", 1, "dport: \"65536\" is out of range or out of order" },
	{ "rule r { dport = 2-1 }", 1, "dport: \"2-1\" is out of range or out of order" },
	{ "rule r { sport = http }", 1, "sport: \"http\" is no port" },
	{ "rule r { dscp = 64 }", 1, "dscp: \"64\" is unknown, expected a code point" },
	{ "rule r { dscp = af44 }", 1, "did you mean \"af" },
	{ "rule r { in = 'a/b' }", 1, "in: \"a/b\" is no name of a device" },
	{ "rule r { policy = 'a b' }", 1, "policy: \"a b\" is no name" },
	{ "rule r { sticky = soon }", 1, "sticky: \"soon\" is no time" },
	{ "rule r { sticky = 0 }", 1, "sticky: \"0\" is out of range, expected 1s to 30d" },
	{ "rule r { sticky = 31d }", 1, "sticky: \"31d\" is out of range" },
	{ "rule r { sticky = 1m sticky-key = flow }", 1, "sticky-key: \"flow\" is unknown, expected one of src, src+dst" },
	{ "\nrule r { sticky-key = src }", 2, "sticky-key: without \"sticky\"" },
};

static void test_bad(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		PARSED p = parse(bad[i].conf);

		if (!strcmp(bad[i].conf, "nat = {a, b")) { /* unknown, and its list has no end */
			assert_int_equal(p.f.n, 2);
			continue;
		}
		if (p.r != -EINVAL)
			print_error("accepted: %s\n", bad[i].conf);
		ASSERT_ONE(&p.f, FINDING_ERROR, bad[i].line, bad[i].text);
		assert_int_equal(p.r, -EINVAL);
		assert_string_equal(p.f.items[0].file, "conf");
	}
}

static void test_nul(void **state)
{
	PARSED a = parse_bytes("seed = 1\n\0", 10), b = parse_bytes("# x\0", 4),
	       c = parse_bytes("\n/*\0*/", 6), d = parse_bytes("link 'a\0b' {}", 13);

	ASSERT_ONE(&a.f, FINDING_ERROR, 2, "NUL byte");
	ASSERT_ONE(&b.f, FINDING_ERROR, 1, "NUL byte");
	ASSERT_ONE(&c.f, FINDING_ERROR, 2, "NUL byte");
	ASSERT_ONE(&d.f, FINDING_ERROR, 1, "NUL byte");
}

static void test_long_word(void **state)
{
	char text[4096 + 16];

	memset(text, 'a', sizeof(text));
	memcpy(text, "seed='", 6);
	text[6 + 4096] = '\'';
	PARSED fits = parse_bytes(text, 6 + 4096 + 1);

	ASSERT_ONE(&fits.f, FINDING_ERROR, 1, "aaa\" is not a number");
	assert_true(strlen(fits.f.items[0].text) < 200);
	text[6 + 4096] = 'a';
	text[6 + 4097] = '\'';
	PARSED over = parse_bytes(text, 6 + 4097 + 1);

	ASSERT_ONE(&over.f, FINDING_ERROR, 1, "value longer than 4096 bytes");
}

/* One run tells everything, in the order of the file; a syntax error ends it. */
static void test_all_in_one_run(void **state)
{
	PARSED p = parse("link a { weight = x\n device = 'b c' colour = red }\nsede = 1\n"
			 "link a { weight = 3 }\nrule r { dport = {1, x, 70000} proto = tpc }\n"
			 "seed = y\nset s { prefixes = {1, 2} }\nlink b {{\nseed = z\n");
	static const struct {
		int line;
		const char *text;
	} want[] = {
		{ 1, "weight" }, { 2, "colour" }, { 2, "device" }, { 3, "sede" },
		{ 4, "taken" },	 { 5, "\"x\"" },   { 5, "70000" },	{ 5, "tpc" },
		{ 6, "\"y\"" },	 { 7, "\"1\"" },   { 7, "\"2\"" },	{ 8, "unexpected \"{\"" },
	};

	assert_int_equal(p.r, -EINVAL);
	assert_int_equal(p.f.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(p.f.items[i].line, want[i].line);
		assert_non_null(strstr(p.f.items[i].text, want[i].text));
	}
}

/* Nothing is expanded, and a value that looks like syntax is a value. */
static void test_text(void **state)
{
	PARSED p = parse("link a { device = \"b\" }\r\nlink c{device=d}link e{}# x\n"
			 "link \"f\" { device = 'g' } // \"\n");
	PARSED q = parse("link \"it's \\\"a\\\\\" {}");
	PARSED bom = parse("\xef\xbb\xbfseed = 3");

	assert_true(!p.r && p.m.n_links == 4 && p.m.links[3].place.line == 3);
	ASSERT_ONE(&q.f, FINDING_ERROR, 1, "link: \"it's \"a\\\" is no name");
	assert_true(!bom.r && bom.m.seed == 3);
}

/* ::/0 means IPv6 to people, but as 16 bytes it holds the mapped IPv4 addresses too. */
static void test_all_v6(void **state)
{
	PARSED p = parse("rule a { dst = ::/0 } rule b { dst = 2001:db8::/32 } rule c { dst = 0.0.0.0/0 }"
			 "rule d { dst = !::/0 }");

	assert_int_equal(p.m.rules[0].match, ASYM_MATCH_DST | ASYM_MATCH_FAMILY);
	assert_int_equal(p.m.rules[0].family, ASYM_V6);
	assert_int_equal(p.m.rules[1].match, ASYM_MATCH_DST);
	assert_int_equal(p.m.rules[2].match, ASYM_MATCH_DST);
	assert_int_equal(p.m.rules[3].match, ASYM_MATCH_DST);
}

/* -------- limits: the most is taken, one more is an error */

static void try_limit(const char *head, const char *each, const char *tail, int n, int max,
		      const char *text)
{
	_cleanup_(str_done) struct str s = {};

	str_add(&s, "%s", head);
	for (int i = 0; i < n; i++) {
		const char *hash = strchr(each, '#');

		str_add(&s, "%.*s%d%s", (int)(hash - each), each, i, hash + 1);
	}
	str_add(&s, "%s", tail);

	PARSED p = parse(s.s);

	if (n <= max)
		assert_int_equal(p.f.n, 0);
	else
		ASSERT_ONE(&p.f, FINDING_ERROR, -1, text);
}

static void test_limits(void **state)
{
	static const struct {
		const char *head, *each, *tail;
		int max;
		const char *text;
	} limits[] = {
		{ "", "link l# {}\n", "", ASYM_MAX_LINKS, "link: one more than the limit, expected at most 250" },
		{ "", "policy p# { links = a }\n", "", ASYM_MAX_POLICIES, "policy: one more" },
		{ "", "rule r# { policy = p }\n", "", ASYM_MAX_RULES, "rule: one more" },
		{ "", "set s# { prefixes = :: }\n", "", ASYM_MAX_SETS, "set: one more" },
		{ "set s { prefixes = {", "2001:db8:#::,", "} }", 9999, "" },
		{ "rule r { dport = {", "#,", "} }", ASYM_MAX_PORTS, "dport: one more" },
		{ "rule r { sport = {", "#,", "} }", ASYM_MAX_PORTS, "sport: one more" },
		{ "rule r { in = {", "e#,", "} }", ASYM_MAX_DEVICES, "in: one more" },
		{ "lan { devices = {", "e#,", "} }", MODEL_MAX_LANS, "devices: one more" },
		{ "policy p {", "tier { links = l# }", "}", MODEL_MAX_TIERS, "tier: one more" },
		{ "policy p { links = {", "l#,", "} }", ASYM_MAX_LINKS, "links: one more" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		try_limit(limits[i].head, limits[i].each, limits[i].tail, limits[i].max,
			  limits[i].max, limits[i].text);
		if (limits[i].max != 9999)
			try_limit(limits[i].head, limits[i].each, limits[i].tail,
				  limits[i].max + 1, limits[i].max, limits[i].text);
	}
}

/* -------- files */

static char dir[] = "/tmp/asymbpf-conf-XXXXXX";

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static const char *const names[] = { "a", "b", "c", "set", "big" };

static int remove_dir(void **state)
{
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	for (int i = 0; i < 12; i++) {
		snprintf(path, sizeof(path), "%s/deep%d", dir, i);
		unlink(path);
	}
	return rmdir(dir);
}

static void put(const char *name, const char *text, size_t len)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(file_replace(path, text, len), 0);
}

static struct parsed read_conf(const char *name)
{
	struct parsed p = {};
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	model_init(&p.m);
	p.r = config_read(&p.m, path, &p.f);
	return p;
}

#define PUT(name, text) put(name, text, strlen(text))

static void test_include(void **state)
{
	PUT("a", "rule one { policy = p }\ninclude(\"b\")\nrule four { policy = p }\nseed = x\n");
	PUT("b", "\nrule two { policy = p }\n\ninclude(c) rule three { policy = p dport = x }\n");
	PUT("c", "seed = 7\nlink l { weight = 3 }\nlink l {}");

	PARSED p = read_conf("a");

	assert_int_equal(p.m.n_rules, 4);
	assert_string_equal(p.m.rules[0].name, "one");
	assert_string_equal(p.m.rules[1].name, "two");
	assert_string_equal(p.m.rules[2].name, "three");
	assert_string_equal(p.m.rules[3].name, "four");
	assert_int_equal(p.m.rules[3].place.line, 3);
	assert_non_null(strstr(p.m.rules[2].place.file, "/b"));
	assert_int_equal(p.m.links[0].weight, 3);
	assert_int_equal(p.f.n, 3);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 4, "dport: \"x\" is no port"), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 3, "link: name \"l\" is taken"), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 4, "seed: given twice, first in /"), 1);
}

static void test_include_bad(void **state)
{
	char text[64];

	PUT("a", "include('b')\nseed = 1\ninclude('nowhere')");
	PUT("b", "include('./a') seed = 2\n");

	PARSED p = read_conf("a");

	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 1, "/./a\" includes itself"), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 3, "cannot be read: No such file"), 1);
	assert_int_equal(findings_with(&p.f, FINDING_ERROR, 2, "seed: given twice, first in /"), 1);
	assert_int_equal(p.f.n, 3);

	for (int i = 0; i < 12; i++) {
		char name[16];

		snprintf(name, sizeof(name), "deep%d", i);
		snprintf(text, sizeof(text), "include('deep%d')", i + 1);
		PUT(name, text);
	}
	PARSED deep = read_conf("deep0");

	ASSERT_ONE(&deep.f, FINDING_ERROR, 1, "is nested too deeply, expected at most 8");
}

static void test_set_file(void **state)
{
	PUT("a", "set s { prefixes = 192.0.2.0/24 file = set }");
	PUT("set", "# list\n10.0.0.0/8 # ten\r\n\n  2001:db8::/32\t\n192.0.2.1");
	PARSED good_set = read_conf("a");

	assert_int_equal(good_set.r, 0);
	assert_int_equal(good_set.m.sets[0].n, 4);
	assert_int_equal(good_set.m.sets[0].prefixes[1].len, 104);

	put("set", "10.0.0.0/8\n\nten\n1.2.3.4/8\n\0\n", 27);
	PARSED bad_set = read_conf("a");

	assert_int_equal(bad_set.f.n, 3);
	assert_int_equal(findings_with(&bad_set.f, FINDING_ERROR, 3, "file: \"ten\" is no prefix"), 1);
	assert_int_equal(findings_with(&bad_set.f, FINDING_ERROR, 4, "expected \"1.0.0.0/8\""), 1);
	assert_int_equal(findings_with(&bad_set.f, FINDING_ERROR, 5, "NUL byte"), 1);
	assert_non_null(strstr(bad_set.f.items[0].file, "/set"));
}

static void test_set_limit(void **state)
{
	_cleanup_(str_done) struct str s = {};

	PUT("a", "set s { file = set }");
	for (int i = 0; i < ASYM_MAX_PREFIXES; i++)
		str_add(&s, "10.%d.%d.0/24\n", i >> 8, i & 255);
	put("set", s.s, s.len);
	PARSED full = read_conf("a");

	assert_true(!full.r && full.m.sets[0].n == ASYM_MAX_PREFIXES);
	str_add(&s, "::1\n::2\n");
	put("set", s.s, s.len);
	PARSED over = read_conf("a");

	ASSERT_ONE(&over.f, FINDING_ERROR, ASYM_MAX_PREFIXES + 1, "one more than the limit");
}

static void test_files(void **state)
{
	_cleanup_free_ char *big = malloc((16 << 20) + 1);
	PARSED none = read_conf("none");

	ASSERT_ONE(&none.f, FINDING_ERROR, 0, "file: cannot be read: No such file");
	memset(big, '\n', (16 << 20) + 1);
	put("big", big, (16 << 20) + 1);
	PARSED over = read_conf("big");

	ASSERT_ONE(&over.f, FINDING_ERROR, 0, "file: cannot be read: File too large");
	put("big", big, 16 << 20);
	PARSED full = read_conf("big");

	assert_int_equal(full.r, 0);
	PARSED text = parse_bytes(big, (16 << 20) + 1);

	ASSERT_ONE(&text.f, FINDING_ERROR, 0, "file: larger than");
}

/* -------- config_print */

static void blank_places(struct model *m)
{
	for (size_t i = 0; i < m->n_links; i++)
		m->links[i].place = (struct place){};
	for (size_t i = 0; i < m->n_rules; i++)
		m->rules[i].place = (struct place){};
}

/* The rest is compared byte by byte. */
static void without_probe(const struct model_link *l, struct model_link *ret)
{
	memcpy(ret, l, sizeof(*ret));
	memset(&ret->probe, 0, sizeof(ret->probe));
}

static void same_links(const struct model *a, const struct model *b)
{
	assert_int_equal(a->n_links, b->n_links);
	for (size_t i = 0; i < a->n_links; i++) {
		struct model_link s, t;

		without_probe(&a->links[i], &s);
		without_probe(&b->links[i], &t);
		assert_memory_equal(&s, &t, sizeof(s));
		same_probe(&a->links[i].probe, &b->links[i].probe);
	}
}

static void same_policy(const struct model_policy *a, const struct model_policy *b)
{
	assert_string_equal(a->name, b->name);
	assert_true(a->n == b->n && a->key == b->key && a->last_resort == b->last_resort);
	assert_true(a->failback == b->failback && a->drain_s == b->drain_s);
	for (size_t t = 0; t < a->n; t++) {
		assert_int_equal(a->tiers[t].n, b->tiers[t].n);
		for (size_t i = 0; i < a->tiers[t].n; i++) {
			assert_string_equal(a->tiers[t].members[i].link, b->tiers[t].members[i].link);
			assert_int_equal(a->tiers[t].members[i].weight,
					 b->tiers[t].members[i].weight);
		}
	}
}

static void same_model(struct model *a, struct model *b)
{
	blank_places(a);
	blank_places(b);
	assert_true(a->mark_mask == b->mark_mask && a->table_base == b->table_base &&
		    a->priority_base == b->priority_base && a->seed == b->seed &&
		    a->sticky_entries == b->sticky_entries && a->mss_clamp == b->mss_clamp &&
		    a->forwarding == b->forwarding && a->host_traffic == b->host_traffic &&
		    a->fastpath == b->fastpath && a->flow_pairs == b->flow_pairs &&
		    a->revalidate_s == b->revalidate_s && a->reset == b->reset &&
		    a->dhcp == b->dhcp && a->dhcp_watchdog == b->dhcp_watchdog);
	assert_true(same_text(a->hook, b->hook) && a->hook_timeout_ms == b->hook_timeout_ms &&
		    a->metrics_port == b->metrics_port &&
		    (!a->metrics_port || addr_equal(&a->metrics, &b->metrics)));
	assert_true(a->n_lans == b->n_lans && a->n_links == b->n_links &&
		    a->n_policies == b->n_policies && a->n_rules == b->n_rules &&
		    a->n_sets == b->n_sets);
	assert_memory_equal(a->lans, b->lans, a->n_lans * sizeof(*a->lans));
	same_links(a, b);
	same_probe(&a->probe, &b->probe);
	assert_memory_equal(a->rules, b->rules, a->n_rules * sizeof(*a->rules));
	for (size_t i = 0; i < a->n_policies; i++)
		same_policy(&a->policies[i], &b->policies[i]);
	for (size_t i = 0; i < a->n_sets; i++) {
		assert_string_equal(a->sets[i].name, b->sets[i].name);
		assert_int_equal(a->sets[i].n, b->sets[i].n);
		assert_memory_equal(a->sets[i].prefixes, b->sets[i].prefixes,
				    a->sets[i].n * sizeof(struct prefix));
	}
}

static void test_print(void **state)
{
	_cleanup_(str_done) struct str s = {};
	PARSED p = parse(good);

	assert_int_equal(config_print(&p.m, &s), 0);
	PARSED q = parse(s.s);

	findings_show(&q.f);
	assert_int_equal(q.r, 0);
	same_model(&p.m, &q.m);
}

static void test_print_all_numbers(void **state)
{
	_cleanup_(str_done) struct str in = {}, out = {};

	str_add(&in, "set empty {} policy none {} policy half { tier {} } rule r { policy = p proto = {");
	for (int i = 0; i < 256; i++)
		str_add(&in, "%d,", i);
	str_add(&in, "} dscp = {");
	for (int i = 0; i < 64; i++)
		str_add(&in, "!%d,", i);
	str_add(&in, "} sport = 0 dport = !0-65535 }");
	PARSED p = parse(in.s);

	assert_int_equal(config_print(&p.m, &out), 0);
	PARSED q = parse(out.s);

	assert_true(!p.r && !q.r);
	assert_true(q.m.rules[0].proto[7] == UINT32_MAX && q.m.rules[0].dscp == UINT64_MAX);
	same_model(&p.m, &q.m);
}

/* -------- flags */

static void test_flags(void **state)
{
	static const struct {
		const char *iface, *lan, *text;
	} wrong[] = {
		{ "wan:0", NULL, "--iface: \"0\" is no weight, expected 1 to 1000" },
		{ "wan:1001", NULL, "--iface: \"1001\" is no weight" },
		{ "wan:x", NULL, "--iface: \"x\" is no weight" },
		{ "wan:", NULL, "--iface: \"\" is no weight" },
		{ "", NULL, "--iface: \"\" is no name of a device" },
		{ "abcdefghijklmnopqrst", NULL, "--iface: \"abcdefghijklmnopqrst\" is no name" },
		{ "a/b", NULL, "--iface: \"a/b\" is no name" },
		{ "named", NULL, "--iface: \"named\" is the name of the link of device \"eth0.2\"" },
		{ "eth9", NULL, "--iface: \"eth9\" is given twice" },
		{ "_x", NULL, "--iface: \"_x\" cannot name a link" },
		{ NULL, "a b", "--lan: \"a b\" is no name of a device" },
	};
	PARSED p = parse("link named { device = eth0.2 weight = 5 } lan { devices = lan0 }");

	assert_int_equal(config_add_iface(&p.m, "eth9", &p.f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct findings f = {};

		if (wrong[i].iface)
			assert_int_equal(config_add_iface(&p.m, wrong[i].iface, &f), -EINVAL);
		else
			assert_int_equal(config_add_lan(&p.m, wrong[i].lan, &f), -EINVAL);
		ASSERT_ONE(&f, FINDING_ERROR, 0, wrong[i].text);
		findings_done(&f);
	}
	assert_int_equal(p.m.n_links, 2);
	assert_int_equal(config_add_iface(&p.m, "eth0.2:9", &p.f), 0);
	assert_true(p.m.n_links == 2 && p.m.links[0].weight == 9 && p.m.links[0].from_flags);
	assert_int_equal(config_add_lan(&p.m, "lan0", &p.f), 0);
	assert_int_equal(config_add_lan(&p.m, "lan1", &p.f), 0);
	assert_true(p.m.n_lans == 2 && p.m.n_lans_from_flags == 1);
}

static void test_flag_fastpath(void **state)
{
	PARSED p = parse("fastpath = no");
	struct findings f = {};

	assert_int_equal(config_set_fastpath(&p.m, "yes", &p.f), 0);
	assert_true(p.m.fastpath);
	assert_int_equal(config_set_fastpath(&p.m, "stateless", &f), -EINVAL);
	ASSERT_ONE(&f, FINDING_ERROR, 0, "--fastpath: \"stateless\" is neither, expected yes or no");
	assert_true(p.m.fastpath);
	assert_int_equal(config_set_fastpath(&p.m, "no", &p.f), 0);
	assert_false(p.m.fastpath);
	findings_done(&f);
}

/* -------- damage: any bytes are parsed without a crash, and what is accepted prints and parses */

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

static void damage(char *text, size_t len)
{
	static const char signs[] = "{}()=,\"'#/!*\\ \n\t\r";

	for (uint32_t n = 1 + random_below(6); n; n--) {
		size_t at = random_below(len);

		switch (random_below(3)) {
		case 0:
			text[at] ^= 1 << random_below(8);
			break;
		case 1:
			text[at] = signs[random_below(sizeof(signs) - 1)];
			break;
		default:
			memmove(text + at, text + at / 2, random_below(len - at) / 8);
		}
	}
}

static void test_damage(void **state)
{
	for (int i = 0; i < 4000; i++) {
		char text[sizeof(good)];
		size_t len = sizeof(good) - 1 - (i % 7 ? 0 : random_below(sizeof(good) - 1));

		memcpy(text, good, sizeof(good));
		damage(text, sizeof(good) - 1);
		PARSED p = parse_bytes(text, len);

		assert_true((p.r == 0) == (findings_errors(&p.f) == 0));
		if (p.r)
			continue;
		_cleanup_(str_done) struct str s = {};

		assert_int_equal(config_print(&p.m, &s), 0);
		PARSED q = parse(s.s);

		assert_int_equal(q.r, 0);
		same_model(&p.m, &q.m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	     cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_bad),	     cmocka_unit_test(test_nul),
		cmocka_unit_test(test_all_in_one_run), cmocka_unit_test(test_long_word),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_all_v6),	     cmocka_unit_test(test_limits),
		cmocka_unit_test(test_include),	     cmocka_unit_test(test_include_bad),
		cmocka_unit_test(test_set_file),     cmocka_unit_test(test_set_limit),
		cmocka_unit_test(test_files),	     cmocka_unit_test(test_print),
		cmocka_unit_test(test_print_all_numbers), cmocka_unit_test(test_flags), cmocka_unit_test(test_flag_fastpath),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests_name("config", tests, make_dir, remove_dir);
}
