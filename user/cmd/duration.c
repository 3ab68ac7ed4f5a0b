// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/duration.h"

#include "base/defs.h"
#include <stdbool.h>

const char *duration_text(int64_t s, char ret[DURATION_TEXT])
{
	static const struct {
		int64_t s;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		bool last = i == ARRAY_SIZE(units) - 1;

		if (s < units[i].s)
			continue;
		snprintf(ret, DURATION_TEXT, "%lld%c%lld%c", (long long)(s / units[i].s),
			 units[i].unit, (long long)(s % units[i].s / (last ? 1 : units[i + 1].s)),
			 last ? 's' : units[i + 1].unit);
		return ret;
	}
	snprintf(ret, DURATION_TEXT, "%llds", (long long)s);
	return ret;
}
