// SPDX-License-Identifier: GPL-2.0-or-later
/* Datagrams between daemons of a mesh: what is written is read, and nothing else is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/mesh_wire.h"

static struct wire sample(uint8_t n)
{
	struct wire w = {.from = 1,
	                 .to = 127,
	                 .way = 7,
	                 .hash = 0x1122334455667788,
	                 .session = 9,
	                 .sent_ns = UINT64_MAX - 1,
	                 .seq = 0xfffffffe,
	                 .echo_ns = 77,
	                 .echo_age_us = 0x80000001,
	                 .n = n};

	for (size_t i = 0; i < n; i++)
		w.reports[i] = (struct choice_report){.seq = 0xf0000000 + i,
		                                      .age_ms = UINT32_MAX - i,
		                                      .min_ns = INT64_MIN + (int64_t)i,
		                                      .loss = 1000 - i,
		                                      .padded = 0xfff0 + i};
	return w;
}

static void test_round_trip(void **state)
{
	for (uint8_t n = 0; n <= MESH_MAX_PATHS; n++) {
		struct wire in = sample(n), out = {};
		uint8_t bytes[WIRE_MAX];
		size_t len = wire_write(&in, bytes);

		assert_int_equal(len, WIRE_HEAD + 20 * n);
		assert_int_equal(wire_read(bytes, len, &out), 0);
		assert_memory_equal(&in, &out, sizeof(in));
	}
}

/* As the header says, byte by byte. */
static void test_layout(void **state)
{
	static const uint8_t want[] = {
		'a',  'm',  's',  'h',  1,    1,    127,  7,    0x11, 0x22, 0x33, 0x44,
		0x55, 0x66, 0x77, 0x88, 0,    0,    0,    0,    0,    0,    0,    9,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xfe,
		0x80, 0,    0,    1,    0,    0,    0,    0,    0,    0,    0,    77,
		1,    0,    0,    0,    0xf0, 0,    0,    0,    0xff, 0xff, 0xff, 0xff,
		0x80, 0,    0,    0,    0,    0,    0,    0,    3,    0xe8, 0xff, 0xf0};
	struct wire w = sample(1);
	uint8_t bytes[WIRE_MAX];

	assert_int_equal(wire_write(&w, bytes), sizeof(want));
	assert_memory_equal(bytes, want, sizeof(want));
}

static void assert_refused(const uint8_t *bytes, size_t len, int r)
{
	struct wire out, before;

	memset(&out, 0xa5, sizeof(out));
	before = out;
	assert_int_equal(wire_read(bytes, len, &out), r);
	assert_memory_equal(&out, &before, sizeof(out));
}

/* Its head counts, whatever is behind. */
static void test_padded(void **state)
{
	struct wire in = sample(0), out = {};
	uint8_t bytes[WIRE_HEAD + 1400];

	memset(bytes, 0xa5, sizeof(bytes));
	in.padded = 0xfffe;
	assert_int_equal(wire_write(&in, bytes), WIRE_HEAD);
	assert_memory_equal(bytes + 48, ((uint8_t[]){0, 0, 0xff, 0xfe, 0xa5}), 5);
	for (size_t len = WIRE_HEAD; len <= sizeof(bytes); len += 100) {
		assert_int_equal(wire_read(bytes, len, &out), 0);
		assert_memory_equal(&in, &out, sizeof(in));
	}
	for (size_t len = 0; len < WIRE_HEAD; len++)
		assert_refused(bytes, len, -EBADMSG);
	bytes[48] = 1;
	assert_refused(bytes, sizeof(bytes), -EBADMSG);
	assert_refused(bytes, WIRE_HEAD + 20, -EBADMSG);
}

static void test_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int r;
	} odd[] = {{0, 'A', -EBADMSG}, {4, 2, -EPROTO},   {4, 0, -EPROTO},   {5, 128, -EBADMSG},
	           {6, 128, -EBADMSG}, {7, 8, -EBADMSG},  {23, 0, -EBADMSG}, {48, 1, -EBADMSG},
	           {48, 3, -EBADMSG},  {48, 9, -EBADMSG}, {51, 1, -EBADMSG},  {68, 4, -EBADMSG}};
	struct wire w = sample(2);
	uint8_t bytes[WIRE_MAX + 1] = {};
	size_t len = wire_write(&w, bytes);

	for (size_t i = 0; i < len; i++)
		assert_refused(bytes, i, -EBADMSG);
	assert_refused(bytes, len + 1, -EBADMSG);
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		uint8_t was = bytes[odd[i].at];

		bytes[odd[i].at] = odd[i].value;
		assert_refused(bytes, len, odd[i].r);
		bytes[odd[i].at] = was;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_padded),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
