// SPDX-License-Identifier: GPL-2.0-or-later
/* Leases that outlive the daemon: what is written is read again, what makes no sense is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apply/state.h"
#include "base/file.h"
#include "run/leases_file.h"
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#define S 1000000000ull
#define NOW (1000000 * S)
#define COOKIE (UINT64_MAX - 7) /* of no namespace */

static const struct leases_link full = {
	.id = 7,
	.name = "wan",
	.lease = {
		.chaddr = {2, 0, 0, 0, 0xab, 0xff},
		.client_id = {0, 1, 0xfe},
		.client_id_len = 3,
		.repeat = {12, 1, 'h', 60, 0},
		.repeat_len = 5,
		.acked_ns = NOW - 90 * S,
		.lease_s = 3600,
		.t1_s = 1800,
		.t2_s = 3150,
		.relayed = true,
		.by_watchdog = true,
		.asked_ns = NOW - 5 * S,
		.asked = 3,
		.tried_ns = NOW - 4 * S,
		.acks = 12,
		.naks = 2,
		.renewed = 4,
	},
	.sender = ASYM_SENDER_UDP_ADDR,
	.told = LEASE_LATE,
	.sent = 6,
	.failed = 1,
};

static struct leases_link *links_new(void)
{
	struct leases_link *links = calloc(ASYM_LINK_IDS, sizeof(*links));

	assert_non_null(links);
	return links;
}

static struct leases_link *links_full(void)
{
	struct leases_link *links = links_new();

	links[7] = full;
	links[7].lease.addr.s_addr = inet_addr("192.0.2.9");
	links[7].lease.server.s_addr = inet_addr("198.51.100.1");
	return links;
}

static char *text_of(struct leases_link *links)
{
	char *text = leases_file_text(links);

	assert_non_null(text);
	free(links);
	return text;
}

static size_t count(const struct leases_link *links)
{
	size_t n = 0;

	for (size_t i = 0; i < ASYM_LINK_IDS; i++)
		n += links[i].id != 0;
	return n;
}

static void test_round_trip(void **state)
{
	struct leases_link *links = links_full(), *read = links_new();
	char *text;

	links[250] = (struct leases_link){.id = 250, .name = "over", .lease.naks = 1};
	links[3] = (struct leases_link){.id = 3, .name = "never"};
	links[7].lease.n_requests = 1;
	links[7].error = -ENETDOWN;
	text = leases_file_text(links);
	assert_int_equal(leases_file_parse(text, NOW, read), 0);
	links[7].lease.n_requests = 0;
	links[7].error = 0;
	assert_memory_equal(&read[7], &links[7], sizeof(*links));
	assert_memory_equal(&read[250], &links[250], sizeof(*links));
	assert_int_equal(count(read), 2);
	free(text);
	free(read);
	free(links);
}

static void test_longest(void **state)
{
	struct leases_link *links = links_full(), *read = links_new();
	char *text;

	memset(links[7].lease.client_id, 0xa5, DHCP_CLIENT_ID_MAX);
	links[7].lease.client_id_len = DHCP_CLIENT_ID_MAX;
	memset(links[7].lease.repeat, 0, DHCP_REPEAT_MAX);
	for (size_t i = 0; i < DHCP_REPEAT_MAX; i += 2)
		links[7].lease.repeat[i] = 60;
	links[7].lease.repeat_len = DHCP_REPEAT_MAX;
	for (int id = 1; id <= ASYM_MAX_LINKS; id++) {
		links[id] = links[7];
		links[id].id = id;
		memset(links[id].name, 'x', MODEL_NAME - 1);
	}
	text = leases_file_text(links);
	assert_true(strlen(text) < LEASES_FILE_MAX);
	assert_int_equal(leases_file_parse(text, NOW, read), 0);
	assert_int_equal(count(read), ASYM_MAX_LINKS);
	assert_memory_equal(&read[250], &links[250], sizeof(*links));
	free(text);
	free(read);
	free(links);
}

/* In the text of a good file, one line is another. */
static void test_nonsense(void **state)
{
	static const struct {
		const char *name, *value; /* value NULL: the line is missing */
	} rows[] = {
		{"link", NULL},
		{"link", "\"\""},
		{"link", "\"a-name-that-is-longer-than-any-link-has\""},
		{"link", "5"},
		{"id", NULL},
		{"id", "0"},
		{"id", "251"},
		{"id", "-1"},
		{"id", "\"7\""},
		{"sender", "6"},
		{"told", "6"},
		{"acks", "-1"},
		{"acks", "1.5"},
		{"address", "\"0.0.0.0\""},
		{"address", "\"224.0.0.1\""},
		{"address", "\"255.255.255.255\""},
		{"address", "\"2001:db8::1\""},
		{"address", "\"192.0.2\""},
		{"address", "5"},
		{"server", NULL},
		{"server", "\"239.1.1.1\""},
		{"mac", "\"0200000000\""},
		{"mac", "\"02000000000000\""},
		{"mac", "\"02000000000g\""},
		{"client_id", "\"0\""},
		{"client_id", "[1]"},
		{"options", NULL},
		{"options", "\"0c02\""},
		{"options", "\"350103\""}, /* none to be repeated */
		{"options", "\"0\""},
		{"acked_ns", "1000000000000001"}, /* in the future */
		{"acked_ns", "-5"},
		{"lease_s", "0"},
		{"lease_s", "4294967296"},
		{"lease_s", "3000"}, /* less than T2 */
		{"t1_s", "3151"},
		{"t2_s", "99999999999999999999999"},
		{"tried_ns", "1000000000000001"},
		{"asked", "null"},
		{"relayed", "1"},
		{"by_watchdog", "\"yes\""},
		{"failed", "{}"},
		{"failed", "7"}, /* more than were sent */
		{"renewed", "13"}, /* more than were acknowledged */
	};
	char *text = text_of(links_full());

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct leases_link *read = links_new();
		_cleanup_free_ char *bad = NULL;
		char key[32], *at, *end;

		snprintf(key, sizeof(key), "\"%s\":", rows[i].name);
		at = strstr(text, key);
		assert_non_null(at);
		end = at + strcspn(at, "\n");
		end -= end[-1] == ',';
		if (!rows[i].value)
			strcpy(key, "\"x\":");
		assert_true(asprintf(&bad, "%.*s%s%s%s", (int)(at - text), text, key,
				     rows[i].value ?: "0", end) > 0);
		if (leases_file_parse(bad, NOW, read) != 1 || count(read))
			fail_msg("taken: %s %s", rows[i].name, rows[i].value ?: "missing");
		free(read);
	}
	free(text);
}

/* Wherever it ends, nothing of it is taken, and nothing is read beyond. */
static void test_truncated(void **state)
{
	char *text = text_of(links_full());

	for (size_t len = 0; len < strlen(text); len++) {
		struct leases_link *read = links_new();
		_cleanup_free_ char *cut = strndup(text, len);

		assert_int_equal(leases_file_parse(cut, NOW, read), 1);
		assert_int_equal(count(read), 0);
		free(read);
	}
	free(text);
}

static void test_garbage(void **state)
{
	static const char *const rows[] = {
		"", "null", "[]", "{}", "5", "\"leases\"", "{\"leases\": {}}", "{\"leases\": null}",
		"{\"leases\": [5", "\xff\xfe", "{\"leases\": [[[[[[[[[[[[[[[[[[[[[[",
	};
	struct leases_link *read = links_new();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(leases_file_parse(rows[i], NOW, read), 1);
	assert_int_equal(leases_file_parse("{\"leases\": [null, 5, [], {}, \"x\"]}", NOW, read), 5);
	assert_int_equal(leases_file_parse("{\"leases\": []}", NOW, read), 0);
	assert_int_equal(count(read), 0);
	free(read);
}

/* The second of two is not believed, nor the good one left out. */
static void test_twice(void **state)
{
	char *text = text_of(links_full()), *from = strchr(text, '[') + 1;
	struct leases_link *read = links_new();
	_cleanup_free_ char *twice = NULL;
	int len = strrchr(text, ']') - from;

	assert_true(asprintf(&twice, "{\"leases\": [%.*s,%.*s]}", len, from, len, from) > 0);
	assert_int_equal(leases_file_parse(twice, NOW, read), 1);
	assert_int_equal(count(read), 1);
	free(read);
	free(text);
}

/* --- the file */

/* A /run of our own: others remove its directory while it is empty. */
static void own_run(void)
{
	if (geteuid() || unshare(CLONE_NEWNS))
		skip();
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", "/run", "tmpfs", 0, NULL), 0);
}

static void test_goes_with_state(void **state)
{
	struct leases_link *links = links_full(), *read = links_new();
	struct state none = {.config = (char *)""};
	char path[STATE_PATH];
	size_t ignored = 0;
	int lock;

	own_run();
	state_path(COOKIE, STATE_LEASES, path);
	assert_int_equal(leases_file_write(COOKIE, links), -ENOENT);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(leases_file_read(COOKIE, NOW, read, &ignored), -ENOENT);

	assert_int_equal(file_mkdirs(STATE_ROOT), 0);
	assert_int_equal(state_write(&none, COOKIE), 0);
	lock = state_lock(COOKIE);
	assert_true(lock >= 0);
	assert_int_equal(leases_file_write(COOKIE, links), -EWOULDBLOCK);
	state_unlock(COOKIE, lock);
	assert_int_equal(leases_file_write(COOKIE, links), 0);
	assert_int_equal(leases_file_read(COOKIE, NOW, read, &ignored), 0);
	assert_int_equal(ignored, 0);
	assert_memory_equal(&read[7], &links[7], sizeof(*links));

	state_remove(COOKIE);
	assert_int_equal(access(path, F_OK), -1);
	free(read);
	free(links);
}

static void test_too_large(void **state)
{
	struct leases_link *read = links_new();
	char path[STATE_PATH];
	size_t ignored = 0;

	own_run();
	assert_int_equal(file_mkdirs(STATE_ROOT), 0);
	state_path(COOKIE, STATE_LEASES, path);
	assert_int_equal(file_replace(path, "", 0), 0);
	assert_int_equal(truncate(path, LEASES_FILE_MAX + 1), 0);
	assert_int_equal(leases_file_read(COOKIE, NOW, read, &ignored), -EFBIG);
	free(read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_goes_with_state),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
