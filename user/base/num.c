// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/num.h"
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Value of a digit, or 255. */
static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 255;
}

/* Reads the digits at s up to the first other character.  A value too large is -ERANGE only once
 * all digits are read, so that "99999999999x" is no number rather than too large a one. */
static int parse_digits(const char *s, unsigned int base, const char **ret_end, uint64_t *ret)
{
	const char *start = s;
	bool over = false;
	uint64_t v = 0;

	for (; digit(*s) < base; s++) {
		v = v * base + digit(*s);
		over |= v > UINT32_MAX;
		if (over)
			v = 0;
	}
	if (s == start)
		return -EINVAL;
	*ret_end = s;
	*ret = over ? UINT64_MAX : v;
	return 0;
}

int num_parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *ret)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	const char *end;
	uint64_t v;
	int r;

	r = parse_digits(hex ? s + 2 : s, hex ? 16 : 10, &end, &v);
	if (r)
		return r;
	if (*end)
		return -EINVAL;
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

/* The unit at s in ms, or 0. */
static uint32_t unit_ms(const char *s)
{
	static const struct {
		const char *name;
		uint32_t ms;
	} units[] = { { "", 1000 },   { "ms", 1 },	{ "s", 1000 },
		      { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(s, units[i].name))
			return units[i].ms;
	return 0;
}

/* In units of `scale` ms; units smaller than that are none. */
static int parse_time(const char *s, uint32_t scale, uint32_t min, uint32_t max, uint32_t *ret)
{
	const char *end;
	uint32_t unit;
	uint64_t v;
	int r;

	r = parse_digits(s, 10, &end, &v);
	if (r)
		return r;
	unit = unit_ms(end) / scale;
	if (!unit)
		return -EINVAL;
	if (v > UINT32_MAX || v * unit < min || v * unit > max)
		return -ERANGE;
	*ret = v * unit;
	return 0;
}

int num_parse_seconds(const char *s, uint32_t min, uint32_t max, uint32_t *ret)
{
	return parse_time(s, 1000, min, max, ret);
}

int num_parse_ms(const char *s, uint32_t min, uint32_t max, uint32_t *ret)
{
	return parse_time(s, 1, min, max, ret);
}

struct unit {
	const char *name;
	uint64_t factor;
};

static int parse_scaled(const char *s, const struct unit *units, size_t n, uint64_t min,
			uint64_t max, uint64_t *ret)
{
	const char *end;
	uint64_t v;
	int r;

	r = parse_digits(s, 10, &end, &v);
	if (r)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(end, units[i].name))
			continue;
		if (v > UINT32_MAX || v * units[i].factor < min || v * units[i].factor > max)
			return -ERANGE;
		*ret = v * units[i].factor;
		return 0;
	}
	return -EINVAL;
}

int num_parse_bits(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	static const struct unit units[] = {
		{ "bit", 1 }, { "kbit", 1000 }, { "mbit", 1000000 }, { "gbit", 1000000000 }
	};

	return parse_scaled(s, units, sizeof(units) / sizeof(units[0]), min, max, ret);
}

int num_parse_bytes(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	static const struct unit units[] = {
		{ "", 1 }, { "B", 1 }, { "kB", 1000 }, { "MB", 1000000 }, { "GB", 1000000000 }
	};

	return parse_scaled(s, units, sizeof(units) / sizeof(units[0]), min, max, ret);
}

int num_parse_port_range(const char *s, uint16_t *ret_lo, uint16_t *ret_hi)
{
	const char *end;
	uint64_t lo, hi;
	int r;

	r = parse_digits(s, 10, &end, &lo);
	if (r)
		return r;
	hi = lo;
	if (*end == '-') {
		r = parse_digits(end + 1, 10, &end, &hi);
		if (r)
			return r;
	}
	if (*end)
		return -EINVAL;
	if (lo > UINT16_MAX || hi > UINT16_MAX || lo > hi)
		return -ERANGE;
	*ret_lo = lo;
	*ret_hi = hi;
	return 0;
}
