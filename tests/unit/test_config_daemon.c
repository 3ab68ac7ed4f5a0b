// SPDX-License-Identifier: GPL-2.0-or-later
/* The language of the daemon: failback, hook, metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"
#include "tests/unit/config.h"

static void test_failback(void **state)
{
	PARSED p = complete("policy a { links = l } policy b { links = l failback = keep }"
			    "policy c { links = l failback = move } policy d { links = l failback = 10m }"
			    "policy e { links = l failback = 30d } policy f { links = l failback = 1500ms } link l {}");

	assert_true(p.m.policies[0].failback == FAILBACK_KEEP);
	assert_true(p.m.policies[1].failback == FAILBACK_KEEP);
	assert_true(p.m.policies[2].failback == FAILBACK_MOVE);
	assert_true(p.m.policies[3].failback == FAILBACK_DRAIN && p.m.policies[3].drain_s == 600);
	assert_true(p.m.policies[4].drain_s == 2592000 && p.m.policies[5].drain_s == 2);
}

static void test_daemon(void **state)
{
	static const struct {
		const char *text, *addr;
		uint16_t port;
	} metrics[] = {
		{ "127.0.0.1:9171", "127.0.0.1", 9171 }, { "[::1]:1", "::1", 1 },
		{ "0.0.0.0:65535", "0.0.0.0", 65535 },	 { "[::]:80", "::", 80 },
		{ "no", "::", 0 },
	};
	PARSED none = parse(""), p = parse("reset = yes hook = '/bin/my hook' hook-timeout = 100ms");

	assert_true(!none.m.reset && !none.m.hook && none.m.hook_timeout_ms == 10000 &&
		    !none.m.metrics_port);
	assert_true(!p.r && p.m.reset && p.m.hook_timeout_ms == 100);
	assert_string_equal(p.m.hook, "/bin/my hook");
	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
		_cleanup_(str_done) struct str s = {};
		struct in6_addr addr;

		str_add(&s, "metrics = \"%s\"", metrics[i].text);
		PARSED m = parse(s.s);
		PARSED again = printed(&m);

		assert_true(!m.r && !again.r);
		assert_int_equal(addr_parse(metrics[i].addr, &addr), 0);
		assert_true(addr_equal(&m.m.metrics, &addr) && m.m.metrics_port == metrics[i].port);
		assert_true(addr_equal(&again.m.metrics, &addr) &&
			    again.m.metrics_port == metrics[i].port);
	}
}

static void test_bad(void **state)
{
	static const struct bad bad[] = {
		{ "policy p { links = a\nfailback = drain }", 2,
		  "failback: \"drain\" is unknown, expected keep, move or a time such as 10m" },
		{ "policy p { links = a failback = 0 }", 1, "failback: \"0\" seconds is out of range, expected 1s to 30d" },
		{ "policy p { links = a failback = 31d }", 1, "failback: \"31d\" is out of range" },
		{ "policy p { links = a failback = 10min }", 1, "failback: \"10min\" is no time" },
		{ "\ndhcp = yes", 2, "dhcp: \"yes\" is unknown, expected one of guard, shim, both, off" },
		{ "\nreset = maybe", 2, "reset: \"maybe\" is neither, expected yes or no" },
		{ "\nhook = hook.sh", 2, "hook: \"hook.sh\" is no absolute path, expected one such as /etc/" },
		{ "hook = ''", 1, "hook: \"\" is no absolute path" },
		{ "hook = /a\nhook = /b", 2, "hook: given twice" },
		{ "\nhook-timeout = 99ms", 2, "hook-timeout: \"99ms\" is out of range, expected 100ms to 1h" },
		{ "hook-timeout = never", 1, "hook-timeout: \"never\" is no time" },
		{ "\nmetrics = yes", 2, "metrics: \"yes\" is no address and port, expected such as" },
		{ "metrics = 127.0.0.1", 1, "metrics: \"127.0.0.1\" has no port, expected one of 1 to 65535" },
		{ "metrics = ::1:9171", 1, "metrics: \"::1:9171\" has no port" },
		{ "metrics = 9171", 1, "metrics: \"9171\" is no address" },
		{ "metrics = [::1]:99999", 1, "metrics: \"[::1]:99999\" has a port out of range" },
	};

	all_bad(bad, ARRAY_SIZE(bad));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failback),
		cmocka_unit_test(test_daemon),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests_name("config_daemon", tests, NULL, NULL);
}
