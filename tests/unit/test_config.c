// SPDX-License-Identifier: GPL-2.0-or-later
/* What is written is what the model has, and is printed so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"
#include "tests/unit/config.h"
#include <errno.h>

static const char good[] =
	"# one\n// two\n/* three\nfour */\n"
	"mark-mask = 0xff0000   table-base = 0x1000   priority-base = 21000   seed = 9\n"
	"sticky-entries = 4096 mss-clamp = no   forwarding = on   host-traffic = false "
	"host-raw = no fastpath = off flow-pairs = 4096 revalidate = 30s\n"
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
	assert_true(!m->mss_clamp && m->forwarding && !m->host_traffic && !m->host_raw && !m->fastpath);
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
	assert_true(p.m.host_raw && p.m.fastpath && !p.m.flow_pairs && p.m.revalidate_s == 1);
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
		    a->host_raw == b->host_raw && a->fastpath == b->fastpath && a->flow_pairs == b->flow_pairs &&
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
	PARSED p = parse(good);
	PARSED q = printed(&p);

	findings_show(&q.f);
	assert_int_equal(q.r, 0);
	same_model(&p.m, &q.m);
}

static void test_print_all_numbers(void **state)
{
	_cleanup_(str_done) struct str in = {};

	str_add(&in, "set empty {} policy none {} policy half { tier {} } rule r { policy = p proto = {");
	for (int i = 0; i < 256; i++)
		str_add(&in, "%d,", i);
	str_add(&in, "} dscp = {");
	for (int i = 0; i < 64; i++)
		str_add(&in, "!%d,", i);
	str_add(&in, "} sport = 0 dport = !0-65535 }");
	PARSED p = parse(in.s);
	PARSED q = printed(&p);

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
		PARSED q = printed(&p);

		assert_int_equal(q.r, 0);
		same_model(&p.m, &q.m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_all_v6),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_print_all_numbers),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_flag_fastpath),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
