// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/backoff.h"
#include "base/defs.h"
#include "base/file.h"
#include "base/log.h"
#include "base/num.h"
#include "base/str.h"
#include "tests/unit/addr.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_addr(void **state)
{
	static const char *const same[] = { "192.0.2.1", "0.0.0.0", "255.255.255.255", "::",
					    "2001:db8::1", "fe80::1" };
	static const char *const bad[] = { "", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.4 ",
					   "2001:db8::g", "fe80::1%eth0", "1:2:3:4:5:6:7:8:9" };
	struct in6_addr a, before;
	char buf[ADDR_STRLEN];
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		assert_int_equal(addr_parse(same[i], &a), 0);
		assert_string_equal(addr_str(&a, buf), same[i]);
	}
	before = a;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(addr_parse(bad[i], &a), -EINVAL);
	assert_true(addr_equal(&a, &before));
	assert_int_equal(addr_parse("192.0.2.1", &a), 0);
	assert_true(addr_is_v4(&a) && addr_family(&a) == AF_INET);
	assert_memory_equal(addr_wire(&a, &len), "\xc0\x00\x02\x01", 4);
	assert_int_equal(len, 4);
	before = addr_from_wire(AF_INET, "\xc0\x00\x02\x01");
	assert_true(addr_equal(&a, &before));
	assert_int_equal(addr_parse("2001:db8::1", &a), 0);
	assert_true(!addr_is_v4(&a) && addr_wire(&a, &len) == &a && len == 16);
	assert_int_equal(addr_parse("::", &a), 0);
	assert_true(addr_is_zero(&a));
}

static void test_prefix(void **state)
{
	struct prefix p = prefix("10.0.0.0/8"), q = prefix("10.1.0.0/16"),
		      all4 = prefix("0.0.0.0/0"), all6 = prefix("::/0"), host = prefix("192.0.2.1");
	char buf[ADDR_STRLEN];

	assert_int_equal(p.len, 104);
	assert_int_equal(prefix_len(&p), 8);
	assert_int_equal(host.len, 128);
	assert_string_equal(prefix_str(&host, buf), "192.0.2.1/32");
	assert_string_equal(prefix_str(&all6, buf), "::/0");
	assert_string_equal(prefix_str(&all4, buf), "0.0.0.0/0");
	assert_true(prefix_covers(&p, &q) && !prefix_covers(&q, &p));
	assert_true(prefix_overlaps(&p, &q) && prefix_overlaps(&q, &p));
	assert_false(prefix_overlaps(&q, &host));
	assert_true(prefix_contains(&all4, &host.addr) && !prefix_contains(&p, &host.addr));
	assert_true(prefix_equal(&p, &p) && !prefix_equal(&p, &q));
	assert_int_equal(prefix_parse("10.0.0.1/8", &p), -EDOM);
	assert_int_equal(prefix_parse("10.0.0.0/33", &p), -ERANGE);
	assert_int_equal(prefix_parse("::/129", &p), -ERANGE);
	assert_int_equal(prefix_parse("10.0.0.0/", &p), -EINVAL);
	assert_int_equal(prefix_parse("10.0.0.0/0x8", &p), -EINVAL);
	assert_int_equal(prefix_parse("10.0.0.0/-1", &p), -EINVAL);
	assert_int_equal(prefix_parse("/8", &p), -EINVAL);
	assert_int_equal(prefix_parse("1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8", &p),
			 -EINVAL);
	assert_int_equal(p.len, 104);
}

/* Against the plain definition: the first len bits as they were, the rest clear. */
static void test_mask(void **state)
{
	struct in6_addr ones;

	memset(&ones, 0xff, sizeof(ones));
	for (unsigned int len = 0; len <= 128; len++) {
		struct in6_addr m = addr_mask(&ones, len);

		for (unsigned int bit = 0; bit < 128; bit++)
			assert_int_equal(m.s6_addr[bit / 8] >> (7 - bit % 8) & 1, bit < len);
	}
}

static void test_number(void **state)
{
	uint32_t v = 7;

	assert_int_equal(num_parse_u32("4294967295", 0, UINT32_MAX, &v), 0);
	assert_int_equal(v, UINT32_MAX);
	assert_int_equal(num_parse_u32("0xFf00", 0, UINT32_MAX, &v), 0);
	assert_int_equal(v, 0xff00);
	assert_int_equal(num_parse_u32("010", 0, UINT32_MAX, &v), 0);
	assert_int_equal(v, 10);
	assert_int_equal(num_parse_u32("4294967296", 0, UINT32_MAX, &v), -ERANGE);
	assert_int_equal(num_parse_u32("99999999999999999999999999", 0, UINT32_MAX, &v), -ERANGE);
	assert_int_equal(num_parse_u32("18446744073709551617", 0, UINT32_MAX, &v), -ERANGE);
	assert_int_equal(num_parse_u32("5", 6, 9, &v), -ERANGE);
	assert_int_equal(num_parse_u32("10", 6, 9, &v), -ERANGE);
	assert_int_equal(num_parse_u32("", 0, 9, &v), -EINVAL);
	assert_int_equal(num_parse_u32("0x", 0, 9, &v), -EINVAL);
	assert_int_equal(num_parse_u32("-1", 0, 9, &v), -EINVAL);
	assert_int_equal(num_parse_u32(" 1", 0, 9, &v), -EINVAL);
	assert_int_equal(num_parse_u32("1 ", 0, 9, &v), -EINVAL);
	assert_int_equal(num_parse_u32("99999999999x", 0, 9, &v), -EINVAL);
	assert_int_equal(v, 10);
}

static void test_seconds(void **state)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} good[] = { { "30", 30 }, { "30s", 30 }, { "10m", 600 }, { "2h", 7200 }, { "1d", 86400 } };
	uint32_t v;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(num_parse_seconds(good[i].text, 0, UINT32_MAX, &v), 0);
		assert_int_equal(v, good[i].seconds);
	}
	assert_int_equal(num_parse_seconds("49710d", 0, UINT32_MAX, &v), 0);
	assert_int_equal(num_parse_seconds("49711d", 0, UINT32_MAX, &v), -ERANGE);
	assert_int_equal(num_parse_seconds("1w", 0, UINT32_MAX, &v), -EINVAL);
	assert_int_equal(num_parse_seconds("1m30", 0, UINT32_MAX, &v), -EINVAL);
	assert_int_equal(num_parse_seconds("m", 0, UINT32_MAX, &v), -EINVAL);
	assert_int_equal(num_parse_seconds("10m", 1, 599, &v), -ERANGE);
	assert_int_equal(num_parse_seconds("10ms", 0, UINT32_MAX, &v), -EINVAL);
}

static void test_ms(void **state)
{
	static const struct {
		const char *text;
		uint32_t ms;
	} good[] = { { "3", 3000 },	{ "3s", 3000 },	  { "500ms", 500 },
		     { "2m", 120000 }, { "1h", 3600000 }, { "1d", 86400000 } };
	uint32_t v;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(num_parse_ms(good[i].text, 0, UINT32_MAX, &v), 0);
		assert_int_equal(v, good[i].ms);
	}
	assert_int_equal(num_parse_ms("49d", 0, UINT32_MAX, &v), 0);
	assert_int_equal(num_parse_ms("50d", 0, UINT32_MAX, &v), -ERANGE);
	assert_int_equal(num_parse_ms("499ms", 500, 1000, &v), -ERANGE);
	assert_int_equal(num_parse_ms("1.5s", 0, UINT32_MAX, &v), -EINVAL);
	assert_int_equal(num_parse_ms("5 ms", 0, UINT32_MAX, &v), -EINVAL);
	assert_int_equal(num_parse_ms("5us", 0, UINT32_MAX, &v), -EINVAL);
}

static void test_ports(void **state)
{
	uint16_t lo, hi;

	assert_int_equal(num_parse_port_range("443", &lo, &hi), 0);
	assert_true(lo == 443 && hi == 443);
	assert_int_equal(num_parse_port_range("0-65535", &lo, &hi), 0);
	assert_true(lo == 0 && hi == 65535);
	assert_int_equal(num_parse_port_range("2-1", &lo, &hi), -ERANGE);
	assert_int_equal(num_parse_port_range("65536", &lo, &hi), -ERANGE);
	assert_int_equal(num_parse_port_range("1-", &lo, &hi), -EINVAL);
	assert_int_equal(num_parse_port_range("-1", &lo, &hi), -EINVAL);
	assert_int_equal(num_parse_port_range("1-2-3", &lo, &hi), -EINVAL);
	assert_true(lo == 0 && hi == 65535);
}

static void test_string(void **state)
{
	_cleanup_(str_done) struct str s = {};
	char buf[4] = "abc";

	for (int i = 0; i < 1000; i++)
		str_add(&s, "%d,", i % 10);
	assert_int_equal(s.err, 0);
	assert_int_equal(s.len, 2000);
	assert_int_equal(strlen(s.s), 2000);
	assert_memory_equal(s.s + 1980, "0,1,2,3,4,5,6,7,8,9,", 21);
	assert_int_equal(str_copy(buf, sizeof(buf), "four"), -ENAMETOOLONG);
	assert_string_equal(buf, "abc");
	assert_int_equal(str_copy(buf, sizeof(buf), "xyz"), 0);
	assert_string_equal(buf, "xyz");
}

static void test_nearest(void **state)
{
	static const char *const names[] = { "device", "weight", "nat", "nat6", "gateway", "link" };
	const size_t n = ARRAY_SIZE(names);

	assert_string_equal(str_nearest("devise", names, n), "device");
	assert_string_equal(str_nearest("wieght", names, n), "weight");
	assert_string_equal(str_nearest("lnik", names, n), "link");
	assert_string_equal(str_nearest("gatewayy", names, n), "gateway");
	assert_string_equal(str_nearest("nat4", names, n), "nat");
	assert_null(str_nearest("zebra", names, n));
	assert_null(str_nearest("", names, n));
	assert_null(str_nearest("device", names, 0));
}

static void test_array(void **state)
{
	_cleanup_free_ int *items = NULL;
	size_t n = 0;

	for (int i = 0; i < 1000; i++) {
		int *item = ARRAY_ADD(items, n);

		assert_non_null(item);
		assert_int_equal(*item, 0);
		*item = i + 1;
	}
	assert_int_equal(n, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(items[i], i + 1);
}

static void test_file(void **state)
{
	char dir[] = "/tmp/asymbpf-test-XXXXXX", path[80], deep[64], *text = NULL;
	struct stat st;
	size_t len;

	assert_non_null(mkdtemp(dir));
	snprintf(deep, sizeof(deep), "%s/a/b", dir);
	snprintf(path, sizeof(path), "%s/f", deep);
	assert_int_equal(file_replace(path, "x", 1), -ENOENT);
	assert_int_equal(file_mkdirs(deep), 0);
	assert_int_equal(file_mkdirs(deep), 0);
	assert_int_equal(file_read(path, 10, &text, &len), -ENOENT);
	assert_int_equal(file_replace(path, "hello", 5), 0);
	assert_int_equal(file_replace(path, "bye\0x", 5), 0);
	assert_int_equal(file_read(path, 4, &text, &len), -EFBIG);
	assert_null(text);
	assert_int_equal(file_read(path, 5, &text, &len), 0);
	assert_int_equal(len, 5);
	assert_memory_equal(text, "bye\0x", 6);
	free(text);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_write(path, "HE", 2), 0);
	assert_int_equal(file_mkdirs(path), -ENOTDIR);
	assert_int_equal(file_read(deep, 10, &text, &len), -EISDIR);
	unlink(path);
	assert_int_equal(file_write(path, "1", 1), -ENOENT);
	assert_int_equal(rmdir(deep), 0); /* no temporary file is left */
	snprintf(deep, sizeof(deep), "%s/a", dir);
	rmdir(deep);
	rmdir(dir);
}

static void test_take(void **state)
{
	int fd = 3;
	char c, *p = &c;

	assert_ptr_equal(TAKE_PTR(p), &c);
	assert_null(p);
	assert_int_equal(TAKE_FD(fd), 3);
	assert_int_equal(fd, -1);
}

/* 1, 2, 4 .. 30 s; what happens meanwhile makes it at once, but for a second after the last time. */
static void test_backoff(void **state)
{
	static const uint64_t s = 1000000000;
	static const uint64_t want[] = { 1, 2, 4, 8, 16, 30, 30 };
	struct backoff b = { 0 };
	uint64_t now = 7;

	backoff_hurry(&b);
	assert_int_equal(backoff_left(&b, now), 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		backoff_failed(&b, now);
		assert_int_equal(backoff_left(&b, now), want[i] * s);
		now += want[i] * s;
		assert_int_equal(backoff_left(&b, now), 0);
		assert_int_equal(backoff_left(&b, now - 1), 1);
	}
	backoff_failed(&b, now);
	now += 10 * s;
	backoff_failed(&b, now);
	assert_int_equal(backoff_left(&b, now), 20 * s);
	backoff_hurry(&b);
	assert_int_equal(backoff_left(&b, now), s);
	backoff_hurry(&b);
	assert_int_equal(backoff_left(&b, now + s), 0);
	backoff_worked(&b);
	assert_int_equal(backoff_left(&b, now), 0);
	backoff_failed(&b, now);
	assert_int_equal(backoff_left(&b, now), s);
}

/* What comes out on stderr. */
static void print_lines(int number)
{
	log_error("a %d", number);
	log_warn("b");
	log_once(true);
	log_error("c %d", number);
	log_error("d");
	log_error("d");
	log_once(false);
	log_error("d");
}

static void test_log_once(void **state)
{
	static const char *const once = "asymbpf: error: a 1\nasymbpf: warning: b\n"
					"asymbpf: error: c 1\nasymbpf: error: d\n"
					"asymbpf: error: d\n";
	static const char *const again = "asymbpf: error: a 1\nasymbpf: warning: b\n"
					 "asymbpf: error: d\n";
	static const char *const other = "asymbpf: error: a 2\nasymbpf: warning: b\n"
					 "asymbpf: error: c 2\nasymbpf: error: d\n";
	int fd[2], before = dup(STDERR_FILENO);
	char text[1024], want[1024];
	ssize_t n;

	unsetenv("JOURNAL_STREAM");
	assert_int_equal(pipe(fd), 0);
	dup2(fd[1], STDERR_FILENO);
	print_lines(1);
	print_lines(1);
	print_lines(2);
	log_forget();
	print_lines(1);
	log_forget();
	n = read(fd[0], text, sizeof(text) - 1);
	dup2(before, STDERR_FILENO);
	close(before);
	close(fd[0]);
	close(fd[1]);
	assert_true(n > 0);
	text[n] = 0;
	snprintf(want, sizeof(want), "%s%s%s%s", once, again, other, once);
	assert_string_equal(text, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr),	cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_mask),	cmocka_unit_test(test_number),
		cmocka_unit_test(test_seconds), cmocka_unit_test(test_ms), cmocka_unit_test(test_ports),
		cmocka_unit_test(test_string),	cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_array),	cmocka_unit_test(test_file),
		cmocka_unit_test(test_take),	cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_log_once),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
