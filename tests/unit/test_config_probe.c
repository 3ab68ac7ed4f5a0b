// SPDX-License-Identifier: GPL-2.0-or-later
/* The language of probes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"
#include "tests/unit/config.h"

static const struct model_probe *probe_of(const struct parsed *p, const char *link)
{
	assert_non_null(model_link_find(&p->m, link));
	return &model_link_find(&p->m, link)->probe;
}

/* -------- every key */

static const char all_keys[] =
	"quorum = 2 interval = 2 failure-interval = 250ms recovery-interval = 1m timeout = 800ms fall = 4\n"
	"rise = 5 window = 30 loss = {5, 20} latency = {80ms, 1s} jitter = 30ms initial = down\n"
	"hold-down = 10s hold-down-max = 1h dns-name = \"www.example.org.\" http-status = 200-299\n";

static void check_values(const struct model_probe *p)
{
	assert_int_equal(p->quorum, 2);
	assert_int_equal(p->interval_ms, 2000);
	assert_int_equal(p->failure_ms, 250);
	assert_int_equal(p->recovery_ms, 60000);
	assert_int_equal(p->timeout_ms, 800);
	assert_int_equal(p->fall, 4);
	assert_int_equal(p->rise, 5);
	assert_int_equal(p->window, 30);
	assert_true(p->loss.low == 5 && p->loss.high == 20);
	assert_true(p->latency_ms.low == 80 && p->latency_ms.high == 1000);
	assert_true(p->jitter_ms.low == 30 && p->jitter_ms.high == 30);
	assert_true(p->initial_down);
	assert_int_equal(p->hold_ms, 10000);
	assert_int_equal(p->hold_max_ms, 3600000);
	assert_string_equal(p->dns_name, "www.example.org.");
	assert_true(p->status_min == 200 && p->status_max == 299);
}

static void test_values(void **state)
{
	_cleanup_(str_done) struct str link = {}, root = {};

	str_add(&link, "link a { probe { %s } } link b {}", all_keys);
	str_add(&root, "link a {} probe { %s }", all_keys);
	PARSED l = complete(link.s);
	PARSED r = complete(root.s);

	check_values(probe_of(&l, "a"));
	check_values(probe_of(&r, "a"));
	assert_memory_equal(&l.m.probe, &model_probe_default, sizeof(model_probe_default));
	assert_int_equal(probe_of(&l, "b")->quorum, 1);
}

/* The ends of every range, and what switches off what is on. */
static void test_ends(void **state)
{
	PARSED p = complete(
		"link low { probe { quorum = 1 interval = 100ms failure-interval = 100ms timeout = 10ms fall = 1 "
		"rise = 1 window = 5 loss = {0, 1} latency = 0 jitter = {1ms, 1ms} initial = up hold-down = 0 "
		"hold-down-max = 0 dns-name = . http-status = 100 } }"
		"link high { probe { quorum = 16 interval = 1h recovery-interval = 3600 timeout = 1m fall = 1000 "
		"rise = 1000 window = 256 loss = {100, 100} latency = {1, 1m} jitter = 60s hold-down = 24h "
		"hold-down-max = 1d http-status = 599 } }"
		"probe { latency = 50ms loss = 10 initial = down dns-name = example.org }");
	const struct model_probe *low = probe_of(&p, "low"), *high = probe_of(&p, "high");

	assert_true(low->interval_ms == 100 && low->timeout_ms == 10 && low->window == 5);
	assert_true(low->loss.low == 0 && low->loss.high == 1);
	assert_true(low->latency_ms.low == 0 && low->latency_ms.high == 0);
	assert_true(!low->initial_down && low->hold_ms == 0 && low->hold_max_ms == 0);
	assert_true(low->status_min == 100 && low->status_max == 100);
	assert_string_equal(low->dns_name, ".");
	assert_true(high->interval_ms == 3600000 && high->timeout_ms == 60000);
	assert_true(high->latency_ms.high == 60000 && high->hold_max_ms == 86400000);
	assert_string_equal(high->dns_name, "example.org");
}

/* -------- targets */

static void test_targets(void **state)
{
	static const struct {
		enum model_probe_kind kind;
		enum asym_family family;
		const char *addr;
		uint16_t port;
		const char *url;
		int line;
	} want[] = {
		{ PROBE_DNS, ASYM_V4, "9.9.9.9", 53, NULL, 2 },
		{ PROBE_DNS, ASYM_V4, "9.9.9.9", 5353, NULL, 2 },
		{ PROBE_DNS, ASYM_V6, "2620:fe::fe", 53, NULL, 3 },
		{ PROBE_DNS, ASYM_V6, "2620:fe::9", 53, NULL, 3 },
		{ PROBE_DNS, ASYM_V6, "2620:fe::9", 54, NULL, 3 },
		{ PROBE_PING, ASYM_V4, "192.0.2.1", 0, NULL, 4 },
		{ PROBE_PING, ASYM_V6, "2001:db8::1", 0, NULL, 5 },
		{ PROBE_GATEWAY, ASYM_V4, "::", 0, NULL, 6 },
		{ PROBE_GATEWAY, ASYM_V6, "::", 0, NULL, 6 },
		{ PROBE_TCP, ASYM_V4, "192.0.2.1", 443, NULL, 7 },
		{ PROBE_TCP, ASYM_V6, "2001:db8::1", 65535, NULL, 7 },
		{ PROBE_HTTP, ASYM_V4, "192.0.2.1", 0, "http://192.0.2.1/", 8 },
		{ PROBE_HTTP, ASYM_V6, "2001:db8::1", 0, "https://[2001:db8::1]:8443?up", 8 },
		{ PROBE_HTTP, ASYM_V4, "::", 0, "https://example.org:80/a//b#c", 9 },
		{ PROBE_HTTP, ASYM_V4, "::", 0, "http://router", 9 },
	};
	PARSED p = complete("link a { probe {\ndns = {9.9.9.9, '9.9.9.9:5353',\n 2620:fe::fe, '[2620:fe::9]', '[2620:fe::9]:54'}\n"
			    "ping = {192.0.2.1,\n 2001:db8::1}\ngateway = yes\ntcp = {192.0.2.1:443, [2001:db8::1]:65535}\n"
			    "http = {http://192.0.2.1/, 'https://[2001:db8::1]:8443?up',\n'https://example.org:80/a//b#c', http://router}\n"
			    "} } probe { ping = 1.1.1.1 gateway = no }");
	const struct model_probe *probe = probe_of(&p, "a");

	assert_int_equal(probe->n, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const struct model_target *t = &probe->targets[i];
		struct in6_addr addr;

		assert_int_equal(addr_parse(want[i].addr, &addr), 0);
		assert_true(t->kind == want[i].kind && t->family == want[i].family);
		assert_true(addr_equal(&t->addr, &addr) && t->port == want[i].port);
		assert_true(same_text(t->url, want[i].url));
		assert_int_equal(t->place.line, want[i].line);
	}
}

static void test_target_limit(void **state)
{
	_cleanup_(str_done) struct str s = {};

	str_add(&s, "link a { probe { ping = {");
	for (int i = 0; i < MODEL_MAX_TARGETS - 2; i++)
		str_add(&s, "192.0.2.%d,", i + 1);
	str_add(&s, "} gateway = yes");
	size_t len = s.len;

	str_add(&s, "} }");
	PARSED full = complete(s.s);

	assert_int_equal(probe_of(&full, "a")->n, MODEL_MAX_TARGETS);
	s.len = len;
	str_add(&s, "\ndns = 192.0.2.1 } }");
	PARSED over = parse(s.s);

	ASSERT_ONE(&over.f, FINDING_ERROR, 2, "dns: one more than the limit, expected at most 16");
	s.len = len - strlen(" gateway = yes");
	str_add(&s, "dns = 192.0.2.1\ngateway = yes } }");
	PARSED gateway = parse(s.s);

	ASSERT_ONE(&gateway.f, FINDING_ERROR, 2, "gateway: one more than the limit");
}

/* -------- what a link takes from the file, and what from nowhere */

static void test_defaults(void **state)
{
	PARSED p = complete("link a {} link b { probe {} }");
	struct findings f = {};

	assert_int_equal(config_add_iface(&p.m, "c", &f), 0);
	assert_int_equal(model_add_defaults(&p.m), 0);
	for (const char *name = "a\0b\0c\0"; *name; name += 2) {
		const struct model_probe *d = probe_of(&p, name);

		assert_true(d->quorum == 1 && d->interval_ms == 500 && d->failure_ms == 500 &&
			    d->recovery_ms == 500 && d->timeout_ms == 1000 && d->fall == 3 &&
			    d->rise == 3 && d->window == 20 && !d->loss.high && !d->latency_ms.high &&
			    !d->jitter_ms.high && !d->initial_down && !d->hold_ms &&
			    d->hold_max_ms == 300000 && d->status_min == 200 && d->status_max == 399);
		assert_string_equal(d->dns_name, ".");
		assert_int_equal(d->n, 2);
		assert_true(d->targets[0].kind == PROBE_GATEWAY && d->targets[0].family == ASYM_V4);
		assert_true(d->targets[1].kind == PROBE_GATEWAY && d->targets[1].family == ASYM_V6);
	}
}

static void test_intervals(void **state)
{
	static const struct {
		const char *link, *file;
		uint32_t interval, failure, recovery;
	} cases[] = {
		{ "interval = 2", "", 2000, 2000, 2000 },
		{ "", "interval = 2", 2000, 2000, 2000 },
		{ "interval = 3", "interval = 2", 3000, 3000, 3000 },
		{ "failure-interval = 1", "interval = 2", 2000, 1000, 2000 },
		{ "interval = 3", "recovery-interval = 1", 3000, 3000, 1000 },
		{ "interval = 3 recovery-interval = 500ms", "interval = 4 failure-interval = 1", 3000, 1000, 500 },
		{ "recovery-interval = 9", "recovery-interval = 8 failure-interval = 7", 500, 7000, 9000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(str_done) struct str s = {};

		str_add(&s, "link a { probe { %s } } probe { %s }", cases[i].link, cases[i].file);
		PARSED p = complete(s.s);

		assert_int_equal(probe_of(&p, "a")->interval_ms, cases[i].interval);
		assert_int_equal(probe_of(&p, "a")->failure_ms, cases[i].failure);
		assert_int_equal(probe_of(&p, "a")->recovery_ms, cases[i].recovery);
	}
}

/* Targets as letters of their kinds; a gateway is one of each family. */
static void test_inherited_targets(void **state)
{
	static const struct {
		const char *link, *file, *targets;
	} cases[] = {
		{ "", "", "gg" },
		{ "", "ping = {192.0.2.1, 192.0.2.2} http = http://a", "pph" },
		{ "", "gateway = no", "" },
		{ "", "gateway = yes", "gg" },
		{ "", "ping = 192.0.2.1 gateway = yes", "pgg" },
		{ "", "ping = 192.0.2.1 gateway = no", "p" },
		{ "gateway = no", "", "" },
		{ "gateway = no", "ping = 192.0.2.1", "" },
		{ "gateway = yes", "ping = 192.0.2.1", "gg" },
		{ "dns = 192.0.2.1", "ping = 192.0.2.1 gateway = yes", "d" },
		{ "gateway = yes dns = 192.0.2.1", "gateway = no", "ggd" },
		{ "tcp = 192.0.2.1:1 gateway = no", "", "t" },
		{ "fall = 1", "ping = 192.0.2.1", "p" },
		{ "tcp = 192.0.2.1:53 dns = 192.0.2.1", "", "td" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(str_done) struct str s = {}, got = {};

		str_add(&s, "link a { probe { %s } } probe { %s }", cases[i].link, cases[i].file);
		PARSED p = complete(s.s);

		assert_int_equal(model_add_defaults(&p.m), 0);
		str_add(&got, "%s", "");
		for (size_t j = 0; j < probe_of(&p, "a")->n; j++)
			str_add(&got, "%c", *model_probe_names[probe_of(&p, "a")->targets[j].kind]);
		assert_string_equal(got.s, cases[i].targets);
	}
}

/* Each link's targets are its own memory. */
static void test_copies(void **state)
{
	PARSED p = complete("link a {} link b {} probe { http = http://example.org/ }");
	const struct model_target *a = probe_of(&p, "a")->targets, *b = probe_of(&p, "b")->targets;

	assert_true(a != b && a != p.m.probe.targets);
	assert_true(a->url != b->url && a->url != p.m.probe.targets->url);
	assert_string_equal(a->url, b->url);
}

/* -------- whatever is written: the order of the file does not matter, and it prints */

static void shuffle(const char **items, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = random_below(i);
		const char *swap = items[j];

		items[j] = items[i - 1];
		items[i - 1] = swap;
	}
}

static const char *const choices[][3] = {
	{ "ping = 192.0.2.1", "ping = {192.0.2.1, 2001:db8::1}", "ping = 2001:db8::2" },
	{ "tcp = 192.0.2.1:1", "tcp = {192.0.2.1:1, [2001:db8::1]:2}", "tcp = [::1]:65535" },
	{ "dns = 192.0.2.1", "dns = {2001:db8::1, '[2001:db8::1]:54'}", "dns = 192.0.2.1:54" },
	{ "http = http://a", "http = {https://[2001:db8::1]/x, https://192.0.2.1}", "http = 'http://b/?x=(y,z)#'" },
	{ "gateway = yes", "gateway = no", "gateway = off" },
	{ "quorum = 1", "quorum = 2", "quorum = 16" },
	{ "interval = 1", "interval = 100ms", "interval = 1h" },
	{ "failure-interval = 1", "failure-interval = 150ms", "failure-interval = 1m" },
	{ "recovery-interval = 1", "recovery-interval = 1001ms", "recovery-interval = 10m" },
	{ "timeout = 10ms", "timeout = 1m", "timeout = 2" },
	{ "fall = 1", "fall = 1000", "fall = 5" },
	{ "rise = 1", "rise = 1000", "rise = 5" },
	{ "window = 5", "window = 256", "window = 21" },
	{ "loss = 0", "loss = {0, 100}", "loss = {1, 2}" },
	{ "latency = 0", "latency = {1ms, 1m}", "latency = 2" },
	{ "jitter = 0", "jitter = {1ms, 1m}", "jitter = 20ms" },
	{ "initial = up", "initial = down", "initial = down" },
	{ "hold-down = 0", "hold-down = 24h", "hold-down = 1500ms" },
	{ "hold-down-max = 0", "hold-down-max = 1d", "hold-down-max = 9" },
	{ "dns-name = .", "dns-name = a.b_c.example", "dns-name = example.org." },
	{ "http-status = 100", "http-status = 200-599", "http-status = 204" },
};

#define TARGET_KEYS 5 /* the first of choices: the model keeps their order */
#define KEYS ARRAY_SIZE(choices)

/* A choice for each key, or none. */
static void choose(uint8_t *ret)
{
	uint32_t sparse = 4 + random_below(20);

	for (size_t i = 0; i < KEYS; i++)
		ret[i] = random_below(sparse);
}

static void add_probe(struct str *out, const uint8_t *chosen)
{
	const char *values[KEYS];
	size_t n = 0, target = 0;

	for (size_t i = TARGET_KEYS; i < KEYS; i++)
		if (chosen[i] < 3)
			values[n++] = choices[i][chosen[i]];
	shuffle(values, n);
	str_add(out, "probe {");
	while (n || target < TARGET_KEYS) {
		if (n && (target == TARGET_KEYS || random_below(2))) {
			str_add(out, " %s", values[--n]);
			continue;
		}
		if (chosen[target] < 3)
			str_add(out, " %s", choices[target][chosen[target]]);
		target++;
	}
	str_add(out, " }\n");
}

#define LINKS 3

/* The same statements in another order each time. */
static void add_file(struct str *out, uint8_t (*chosen)[KEYS], bool file_has)
{
	static const char *const names[] = { "a", "b", "c" };
	const char *order[LINKS + 1] = { "a", "b", "c", "" };

	shuffle(order, LINKS + file_has);
	for (size_t i = 0; i < (size_t)LINKS + file_has; i++) {
		size_t which = 0;

		while (which < LINKS && strcmp(names[which], order[i]))
			which++;
		if (which < LINKS)
			str_add(out, "link %s { ", order[i]);
		add_probe(out, chosen[which]);
		if (which < LINKS)
			str_add(out, "}\n");
	}
}

static void same_links(const struct parsed *a, const struct parsed *b)
{
	same_probe(probe_of(a, "a"), probe_of(b, "a"));
	same_probe(probe_of(a, "b"), probe_of(b, "b"));
	same_probe(probe_of(a, "c"), probe_of(b, "c"));
	same_probe(&a->m.probe, &b->m.probe);
}

static void test_random(void **state)
{
	for (int i = 0; i < 500; i++) {
		_cleanup_(str_done) struct str s = {}, t = {};
		uint8_t chosen[LINKS + 1][KEYS];
		bool file_has = random_below(4);

		for (size_t j = 0; j <= LINKS; j++)
			choose(chosen[j]);
		add_file(&s, chosen, file_has);
		add_file(&t, chosen, file_has);
		PARSED p = parse(s.s);
		PARSED raw = printed(&p);

		findings_show(&p.f);
		assert_true(!p.r && !raw.r);
		same_links(&p, &raw);
		PARSED other = complete(t.s);

		assert_int_equal(model_add_defaults(&p.m), 0);
		same_links(&p, &other);
		PARSED again = printed(&p);

		assert_int_equal(model_add_defaults(&again.m), 0);
		assert_int_equal(model_add_defaults(&p.m), 0);
		same_links(&p, &again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_target_limit),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_inherited_targets),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("config_probe", tests, NULL, NULL);
}
