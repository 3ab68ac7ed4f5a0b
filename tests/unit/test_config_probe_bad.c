// SPDX-License-Identifier: GPL-2.0-or-later
/* Probes that are wrong: one finding each, on its line, with the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"
#include "tests/unit/config.h"

/* The keys of a probe, on line 2. */
static const struct {
	const char *keys, *text;
} bad_probe[] = {
	{ "png = 192.0.2.1", "\"png\": unknown key of section probe, did you mean \"ping\"?" },
	{ "ping = example.org", "ping: \"example.org\" is no address, expected one" },
	{ "ping = 192.0.2.1:80", "ping: \"192.0.2.1:80\" is no address" },
	{ "ping = {192.0.2.1, 192.0.2.1}", "ping: \"192.0.2.1\" is given twice, expected once" },
	{ "ping = 224.0.0.1", "ping: \"224.0.0.1\" is no host, expected an address of one" },
	{ "ping = ::", "ping: \"::\" is no host" },
	{ "ping = {}", "ping: empty list" },
	{ "tcp = 192.0.2.1", "tcp: \"192.0.2.1\" has no port, expected one of 1 to 65535" },
	{ "tcp = 2001:db8::1", "tcp: \"2001:db8::1\" has no port" },
	{ "tcp = '[2001:db8::1]'", "tcp: \"[2001:db8::1]\" has no port" },
	{ "tcp = 192.0.2.1:0", "tcp: \"192.0.2.1:0\" has a port out of range" },
	{ "tcp = 192.0.2.1:65536", "tcp: \"192.0.2.1:65536\" has a port out of range" },
	{ "tcp = 192.0.2.1:http", "tcp: \"192.0.2.1:http\" has a bad port, expected one of 1 to 65535" },
	{ "tcp = 192.0.2.1:", "tcp: \"192.0.2.1:\" has a bad port" },
	{ "tcp = :80", "tcp: \":80\" is no address and port, expected such as 192.0.2.1:443 or [2001" },
	{ "tcp = '[192.0.2.1]:80'", "tcp: \"[192.0.2.1]:80\" is no address" },
	{ "tcp = '[::1:80'", "tcp: \"[::1:80\" is no address" },
	{ "tcp = '[]:80'", "tcp: \"[]:80\" is no address" },
	{ "tcp = ''", "tcp: \"\" is no address" },
	{ "tcp = example.org:80", "tcp: \"example.org:80\" is no address" },
	{ "tcp = {192.0.2.1:80, 192.0.2.1:80}", "tcp: \"192.0.2.1:80\" is given twice" },
	{ "tcp = 255.1.2.3:80", "tcp: \"255.1.2.3:80\" is no host" },
	{ "dns = x", "dns: \"x\" is no address, expected such as 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53" },
	{ "dns = {192.0.2.1, 192.0.2.1:53}", "dns: \"192.0.2.1:53\" is given twice" },
	{ "dns = 192.0.2.1:x", "dns: \"192.0.2.1:x\" has a bad port" },
	{ "dns-name = 'a b'", "dns-name: \"a b\" is no name in DNS, expected such as example.org, or \".\"" },
	{ "dns-name = a..b", "dns-name: \"a..b\" is no name" },
	{ "dns-name = .a", "dns-name: \".a\" is no name" },
	{ "dns-name = ''", "dns-name: \"\" is no name" },
	{ "dns-name = a123456789012345678901234567890123456789012345678901234567890123.b", "is no name in DNS" },
	{ "http = example.org", "http: \"example.org\" is no URL that can be asked, expected such as http://" },
	{ "http = ftp://example.org/", "http: \"ftp://example.org/\" is no URL" },
	{ "http = http://", "http: \"http://\" is no URL" },
	{ "http = http:///x", "http: \"http:///x\" is no URL" },
	{ "http = http://:80/", "http: \"http://:80/\" is no URL" },
	{ "http = http://a:0/", "http: \"http://a:0/\" is no URL" },
	{ "http = http://a:/", "http: \"http://a:/\" is no URL" },
	{ "http = http://u@a/", "http: \"http://u@a/\" is no URL" },
	{ "http = http://2001:db8::1/", "http: \"http://2001:db8::1/\" is no URL" },
	{ "http = 'http://[192.0.2.1]/'", "http: \"http://[192.0.2.1]/\" is no URL" },
	{ "http = 'http://[::1/'", "http: \"http://[::1/\" is no URL" },
	{ "http = http://192.0.2.256/", "http: \"http://192.0.2.256/\" is no URL" },
	{ "http = http://224.0.0.1/", "http: \"http://224.0.0.1/\" is no URL" },
	{ "http = 'http://a/b c'", "http: \"http://a/b c\" is no URL" },
	{ "http = {http://a/, http://a/}", "http: \"http://a/\" is given twice" },
	{ "http-status = ok", "http-status: \"ok\" is no status, expected a status 100 to 599 or a range such" },
	{ "http-status = 99", "http-status: \"99\" is out of range or out of order" },
	{ "http-status = 200-600", "http-status: \"200-600\" is out of range" },
	{ "http-status = 300-200", "http-status: \"300-200\" is out of range or out of order" },
	{ "gateway = maybe", "gateway: \"maybe\" is neither, expected yes or no" },
	{ "quorum = 0", "quorum: \"0\" is out of range, expected 1 to 16" },
	{ "quorum = 17", "quorum: \"17\" is out of range" },
	{ "quorum = all", "quorum: \"all\" is not a number" },
	{ "interval = 99ms", "interval: \"99ms\" is out of range, expected 100ms to 1h" },
	{ "interval = 0", "interval: \"0\" seconds is out of range" },
	{ "interval = 3601", "interval: \"3601\" seconds is out of range" },
	{ "interval = often", "interval: \"often\" is no time, expected 100ms to 1h" },
	{ "interval = 0.5s", "interval: \"0.5s\" is no time" },
	{ "interval = -1", "interval: \"-1\" is no time" },
	{ "failure-interval = 99ms", "failure-interval: \"99ms\" is out of range, expected 100ms to 1h" },
	{ "recovery-interval = 2h", "recovery-interval: \"2h\" is out of range, expected 100ms to 1h" },
	{ "timeout = 9ms", "timeout: \"9ms\" is out of range, expected 10ms to 1m" },
	{ "timeout = 1000", "timeout: \"1000\" seconds is out of range, expected 10ms to 1m" },
	{ "fall = 0", "fall: \"0\" is out of range, expected 1 to 1000" },
	{ "rise = 1001", "rise: \"1001\" is out of range, expected 1 to 1000" },
	{ "window = 4", "window: \"4\" is out of range, expected 5 to 256" },
	{ "window = 257", "window: \"257\" is out of range" },
	{ "loss = 101", "loss: \"101\" is out of range, expected 0 to 100" },
	{ "loss = 10%", "loss: \"10%\" is not a number" },
	{ "loss = {20, 10}", "loss: \"10\" is below the low level, expected {LOW, HIGH}" },
	{ "loss = {20, 0}", "loss: \"0\" is below the low level" },
	{ "loss = {1, 2, 3}", "loss: \"3\" is a third value, expected LOW and HIGH" },
	{ "loss = {20, x}", "loss: \"x\" is not a number" },
	{ "latency = {100ms, 50ms}", "latency: \"50ms\" is below the low level" },
	{ "latency = {0, 50ms}", "latency: no answer is as fast as the low level, 0, expected at least 1ms" },
	{ "latency = 100", "latency: \"100\" seconds is out of range, expected 0 to 1m" },
	{ "jitter = {1h, 50ms}", "jitter: \"1h\" is out of range" },
	{ "jitter = {50ms, 61s}", "jitter: \"61s\" is out of range, expected 0 to 1m" },
	{ "initial = dwon", "initial: \"dwon\" is unknown, expected one of up, down; did you mean \"down\"?" },
	{ "hold-down = 25h", "hold-down: \"25h\" is out of range, expected 0 to 1d" },
	{ "hold-down-max = 2d", "hold-down-max: \"2d\" is out of range" },
	{ "probe {}", "\"probe\": unknown key of section probe" },
};

static void test_bad_probe(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_probe); i++) {
		_cleanup_(str_done) struct str link = {}, file = {};

		str_add(&link, "link a { probe {\n%s\n} }", bad_probe[i].keys);
		str_add(&file, "probe {\n%s\n}", bad_probe[i].keys);
		is_bad(link.s, 2, bad_probe[i].text);
		is_bad(file.s, 2, bad_probe[i].text);
	}
}

static void test_bad(void **state)
{
	static const struct bad bad[] = {
		{ "probe {}\nprobe {}", 2, "probe: given twice, first in line 1" },
		{ "link a { probe {}\n\nprobe {} }", 3, "probe: given twice, first in line 1" },
		{ "link a { probe { fall = 1\nfall = 2 } }", 2, "fall: given twice, first in line 1" },
		{ "probe { loss = 5\nping = 192.0.2.1 loss = 6 }", 2, "loss: given twice, first in line 1" },
		{ "probe a {}", 1, "probe: unexpected \"a\", expected \"{\"" },
		{ "link a { probe {\nfall = 2", 2, "probe: section of line 1 does not end" },
		{ "policy p { links = a probe {} }", 1, "\"probe\": unknown key of section policy" },
		{ "probe { interval = {1, 2} }", 1, "interval: a list, expected one value" },
		{ "link 'a b' { probe { ping = 192.0.2.1 http = http://a } }", 1, "link: \"a b\" is no name" },
		{ "link a {}\nlink a { probe { http = http://a } }", 2, "link: name \"a\" is taken" },
	};

	all_bad(bad, ARRAY_SIZE(bad));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_probe),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests_name("config_probe_bad", tests, NULL, NULL);
}
