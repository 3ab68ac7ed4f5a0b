// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCP options: each with each length, twice, split, overloaded, overrunning. */
#include "dhcp_frames.h"

#define END 255
#define SNAME 64
#define FILE_LEN 128

static int parse_options(const void *options, size_t len, struct dhcp_message *m)
{
	struct packet p = packet_with(options, len);

	return packet_parse(&p, m);
}

static void test_rows(void **state)
{
	static const struct {
		const char *what;
		uint8_t options[24];
		size_t len;
		int want;
	} rows[] = {
		{"none", {0}, 0, 0},
		{"end", {END}, 1, 0},
		{"no end", {53, 1, 3}, 3, 0},
		{"padding", {0, 0, 53, 1, 3, 0, END, 0}, 8, 0},
		{"padding without end", {53, 1, 3, 0, 0}, 5, 0},
		{"code alone", {53}, 1, -EBADMSG},
		{"code alone, at the end", {53, 1, 3, 12}, 4, -EBADMSG},
		{"no data", {53, 1}, 2, -EBADMSG},
		{"one byte too few", {54, 4, 192, 0, 2}, 5, -EBADMSG},
		{"length swallows the end", {53, 1, 3, 12, 2, END}, 6, -EBADMSG},
		{"length of 255", {53, 1, 3, 12, 255, 'x', END}, 7, -EBADMSG},
		{"unknown, empty", {53, 1, 3, 80, 0, END}, 6, 0},
		{"unknown, overrunning", {53, 1, 3, 224, 9, 1, 2, END}, 8, -EBADMSG},
		{"option inside an option", {12, 6, 54, 4, 1, 2, 3, 4, 53, 1, 3}, 11, 0},
		{"behind the end all is well", {53, 1, 3, END, 54, 99, 1}, 7, 0},
		{"same twice", {53, 1, 3, 53, 1, 3}, 6, 0},
		{"another type", {53, 1, 3, 53, 1, 5}, 6, -EBADMSG},
		{"another server", {53, 1, 3, 54, 4, 1, 2, 3, 4, 54, 4, 1, 2, 3, 5}, 15, -EBADMSG},
		{"split server (RFC 3396)", {53, 1, 3, 54, 2, 1, 2, 54, 2, 3, 4}, 11, -EBADMSG},
		{"another address", {53, 1, 3, 50, 4, 1, 2, 3, 4, 50, 4, 9, 2, 3, 4}, 15, -EBADMSG},
		{"another lease", {53, 1, 3, 51, 4, 0, 0, 0, 9, 51, 4, 0, 0, 0, 0}, 15, -EBADMSG},
		{"another T1", {53, 1, 3, 58, 4, 0, 0, 0, 0, 58, 4, 0, 0, 0, 9}, 15, -EBADMSG},
		{"another T2", {53, 1, 3, 59, 4, 0, 0, 0, 9, 59, 4, 0, 0, 1, 9}, 15, -EBADMSG},
		{"overload of nothing", {53, 1, 3, 52, 1, 0}, 6, -EBADMSG},
		{"overload of more", {53, 1, 3, 52, 1, 4}, 6, -EBADMSG},
		{"overload of 255", {53, 1, 3, 52, 1, 255}, 6, -EBADMSG},
		{"overload twice", {53, 1, 3, 52, 1, 1, 52, 1, 2}, 9, -EBADMSG},
	};
	struct dhcp_message m;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (parse_options(rows[i].options, rows[i].len, &m) != rows[i].want)
			fail_msg("%s", rows[i].what);
		if (!rows[i].want)
			assert_int_equal(m.type, rows[i].len > 1 ? DHCP_REQUEST : DHCP_BOOTP);
		if (!rows[i].want)
			assert_int_equal(m.server_id.s_addr, 0);
	}
}

static void test_lengths(void **state)
{
	static const struct {
		uint8_t code, len;
	} rows[] = {{50, 4}, {51, 4}, {52, 1}, {53, 1}, {54, 4}, {58, 4}, {59, 4}};
	uint8_t options[260];
	struct dhcp_message m;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t len = 0; len < 256; len++) {
			memset(options, 1, sizeof(options));
			options[0] = rows[i].code;
			options[1] = (uint8_t)len;
			assert_int_equal(parse_options(options, len + 2, &m),
					 len == rows[i].len ? 0 : -EBADMSG);
		}
	}
}

static void test_values(void **state)
{
	static const uint8_t options[] = {
		59, 4, 0xff, 0xff, 0xff, 0xff, 54, 4, 192, 0, 2, 1, 50, 4, 192, 0, 2, 2,
		51, 4, 0x80, 0x01, 0x51, 0x80, 58, 4, 0x00, 0x00, 0xa8, 0xc0, 53, 1, 8,
	};
	struct dhcp_message m;

	assert_int_equal(parse_options(options, sizeof(options), &m), 0);
	assert_int_equal(m.type, DHCP_INFORM);
	assert_string_equal(text(m.server_id), "192.0.2.1");
	assert_string_equal(text(m.requested), "192.0.2.2");
	assert_int_equal(m.lease_s, 0x80015180);
	assert_int_equal(m.t1_s, 43200);
	assert_int_equal(m.t2_s, DHCP_FOREVER);
}

static void test_types(void **state)
{
	struct dhcp_message m;

	for (unsigned int type = 0; type < 256; type++) {
		uint8_t options[] = {53, 1, (uint8_t)type, END};
		bool known = type >= 1 && type <= 8;

		assert_int_equal(parse_options(options, sizeof(options), &m),
				 known ? 0 : -EBADMSG);
		if (known)
			assert_int_equal(m.type, type);
	}
}

/* As many bytes as said, of increasing value, in pieces of at most so many. */
static size_t write_client_id(uint8_t *p, size_t len, size_t piece)
{
	uint8_t *begin = p;

	for (size_t at = 0; at < len; at += piece) {
		size_t n = MIN(piece, len - at);

		*p++ = 61;
		*p++ = (uint8_t)n;
		for (size_t i = 0; i < n; i++)
			*p++ = (uint8_t)(at + i);
	}
	return (size_t)(p - begin);
}

static void test_client_id(void **state)
{
	static const size_t pieces[] = {1, 2, 7, 100, 254, 255};
	uint8_t options[1200];
	struct dhcp_message m;

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		for (size_t len = 1; len <= 300; len++) {
			size_t n = write_client_id(options, len, pieces[i]);
			bool fits = len >= 2 && len <= DHCP_CLIENT_ID_MAX;

			assert_int_equal(parse_options(options, n, &m), fits ? 0 : -EBADMSG);
			if (!fits)
				continue;
			assert_int_equal(m.client_id_len, len);
			for (size_t k = 0; k < len; k++)
				assert_int_equal(m.client_id[k], k);
		}
	}
	assert_int_equal(parse_options("\x3d\0", 2, &m), -EBADMSG);
	assert_int_equal(parse_options("\x3d\0\x3d\2ab", 6, &m), 0);
	assert_int_equal(m.client_id_len, 2);
	/* what stands between the pieces does not matter */
	assert_int_equal(parse_options("\x3d\1a\x35\1\3\0\x3d\1b\xff", 11, &m), 0);
	assert_memory_equal(m.client_id, "ab", 2);
}

/* -------- what another request repeats */

static void repeats(const char *options, size_t len, const char *want, size_t want_len)
{
	struct dhcp_message m;

	assert_int_equal(parse_options(options, len, &m), 0);
	assert_int_equal(m.repeat_len, want_len);
	assert_memory_equal(m.repeat, want, want_len);
	assert_true(dhcp_may_repeat(m.repeat, m.repeat_len));
}

static void test_repeat(void **state)
{
	static const char all[] = "\x0c\1h\x37\2\1\3\x39\2\5\xdc\x3c\1v\x4d\2\1u\x51\3\0\0\0"
				  "\x5a\2\0t\x7c\0\x7d\0";
	char with[64] = "\x35\1\3\x36\4\1\2\3\4\x32\4\1\2\3\4\x3d\2id\x52\1r\x5d\1a";
	size_t n = 28;

	memcpy(with + n, all, sizeof(all) - 1);
	repeats(with, n, all, 0);
	repeats(with, n + sizeof(all) - 1, all, sizeof(all) - 1);
	/* pieces stay in their order */
	repeats("\x3c\1a\x35\1\3\x3c\1b\xff\x3c\1c", 13, "\x3c\1a\x3c\1b", 6);
	/* a signature is that of one message */
	repeats("\x5a\2\1t\x0c\1h\x5a\0", 9, "\x0c\1h", 3);
}

static void test_repeat_too_much(void **state)
{
	uint8_t options[DHCP_REPEAT_MAX + 1];
	struct dhcp_message m;

	memset(options, 'x', sizeof(options));
	for (size_t at = 0; at < DHCP_REPEAT_MAX; at += 256)
		memcpy(options + at, "\x0c\xfe", 2);
	assert_int_equal(parse_options(options, DHCP_REPEAT_MAX, &m), 0);
	assert_int_equal(m.repeat_len, DHCP_REPEAT_MAX);
	assert_memory_equal(m.repeat, options, DHCP_REPEAT_MAX);
	options[257] = 0xff;
	assert_int_equal(parse_options(options, sizeof(options), &m), 0);
	assert_int_equal(m.repeat_len, 0);
}

/* A server's say nothing of the client. */
static void test_repeat_of_reply(void **state)
{
	struct packet p = packet_with("\x35\1\5\x0c\1h", 6);
	struct dhcp_message m;

	p.data[AT_BOOTP] = 2;
	put16(p.data + AT_UDP + 2, 68);
	assert_int_equal(packet_parse(&p, &m), 0);
	assert_int_equal(m.repeat_len, 0);
}

static void test_may_repeat(void **state)
{
	static const struct {
		const char *options;
		size_t len;
		bool want;
	} rows[] = {
		{"", 0, true},		   {"\x0c\0", 2, true},	    {"\x0c", 1, false},
		{"\x0c\2a", 3, false},	   {"\x0c\1a\x3c\1b", 6, true}, {"\x0c\1a\0", 4, false},
		{"\x35\1\7", 3, false},	   {"\x36\4abcd", 6, false},    {"\x32\4abcd", 6, false},
		{"\xff\0", 2, false},	   {"\x5a\0", 2, false},	    {"\x5a\1\1", 3, false},
		{"\x5a\1\0", 3, true},	   {"\x3d\2id", 4, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (dhcp_may_repeat((const uint8_t *)rows[i].options, rows[i].len) != rows[i].want)
			fail_msg("row %zu", i);
}

/* -------- overload */

static const uint8_t in_file[] = {54, 4, 192, 0, 2, 7, 61, 2, 'f', 'i', END};
static const uint8_t in_sname[] = {51, 4, 0, 0, 0, 9, 61, 2, 's', 'n', END};

static struct packet overloaded(uint8_t which)
{
	uint8_t options[] = {61, 2, 'o', 'p', 52, 1, which, 53, 1, 5, END};
	struct packet p = packet_with(options, sizeof(options));

	memcpy(p.data + AT_FILE, in_file, sizeof(in_file));
	memcpy(p.data + AT_SNAME, in_sname, sizeof(in_sname));
	return p;
}

static void test_overload(void **state)
{
	static const char *const ids[] = {NULL, "opfi", "opsn", "opfisn"};
	struct dhcp_message m;

	for (uint8_t which = 1; which <= 3; which++) {
		struct packet p = overloaded(which);

		assert_int_equal(packet_parse(&p, &m), 0);
		assert_int_equal(m.type, DHCP_ACK);
		assert_string_equal(text(m.server_id), which & 1 ? "192.0.2.7" : "0.0.0.0");
		assert_int_equal(m.lease_s, which & 2 ? 9 : 0);
		assert_int_equal(m.client_id_len, strlen(ids[which]));
		assert_memory_equal(m.client_id, ids[which], strlen(ids[which]));
	}
}

/* Names of files may look like anything as long as nobody says that they are options. */
static void test_not_overloaded(void **state)
{
	struct packet p = packet_with("\x35\1\5\xff\x34\1\3", 7);
	struct dhcp_message m;

	memset(p.data + AT_SNAME, 54, SNAME + FILE_LEN);
	assert_int_equal(packet_parse(&p, &m), 0);
	p = packet_with("\x35\1\5", 3);
	memset(p.data + AT_SNAME, 54, SNAME + FILE_LEN);
	assert_int_equal(packet_parse(&p, &m), 0);
	assert_int_equal(m.server_id.s_addr, 0);
}

/* The last option of a field ends with it, or overruns it by one; padding may fill it. */
static void overrun(uint8_t which, size_t at, size_t room)
{
	struct dhcp_message m;
	struct packet p = overloaded(which);
	uint8_t *field = p.data + at;

	memset(field, 0, room);
	assert_int_equal(packet_parse(&p, &m), 0);
	field[0] = 12;
	field[1] = (uint8_t)(room - 2);
	assert_int_equal(packet_parse(&p, &m), 0);
	field[1]++;
	assert_int_equal(packet_parse(&p, &m), -EBADMSG);
	field[1] = (uint8_t)(room - 3);
	field[room - 1] = 12;
	assert_int_equal(packet_parse(&p, &m), -EBADMSG);
	field[room - 1] = END;
	assert_int_equal(packet_parse(&p, &m), 0);
}

static void test_overload_overruns(void **state)
{
	overrun(1, AT_FILE, FILE_LEN);
	overrun(2, AT_SNAME, SNAME);
	overrun(3, AT_FILE, FILE_LEN);
	overrun(3, AT_SNAME, SNAME);
}

static void test_overload_disagrees(void **state)
{
	static const uint8_t again[] = {52, 1, 2, END}, same[] = {52, 1, 1, END};
	static const uint8_t type[] = {53, 1, 6, END};
	struct packet p = overloaded(1);
	struct dhcp_message m;

	memcpy(p.data + AT_FILE, again, sizeof(again));
	assert_int_equal(packet_parse(&p, &m), -EBADMSG);
	memcpy(p.data + AT_FILE, same, sizeof(same));
	assert_int_equal(packet_parse(&p, &m), 0);
	memcpy(p.data + AT_FILE, type, sizeof(type));
	assert_int_equal(packet_parse(&p, &m), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_client_id),
		cmocka_unit_test(test_repeat),
		cmocka_unit_test(test_repeat_too_much),
		cmocka_unit_test(test_repeat_of_reply),
		cmocka_unit_test(test_may_repeat),
		cmocka_unit_test(test_overload),
		cmocka_unit_test(test_not_overloaded),
		cmocka_unit_test(test_overload_overruns),
		cmocka_unit_test(test_overload_disagrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
