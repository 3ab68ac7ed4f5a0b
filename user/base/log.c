// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"
#include <stdarg.h>
#include <string.h>

/* One write per message, so that lines of several processes do not mix. */
static void emit(const char *head, int r, const char *fmt, va_list ap)
{
	char line[1024];
	int n;

	n = vsnprintf(line, sizeof(line), fmt, ap);
	if (n < 0)
		return;
	if (r)
		fprintf(stderr, "asymbpf: %s%s: %s\n", head, line, strerror(-r));
	else
		fprintf(stderr, "asymbpf: %s%s\n", head, line);
}

#define EMIT(head, r, fmt)                                                                         \
	do {                                                                                       \
		va_list ap;                                                                        \
                                                                                                   \
		va_start(ap, fmt);                                                                 \
		emit(head, r, fmt, ap);                                                            \
		va_end(ap);                                                                        \
	} while (0)

int log_err(int r, const char *fmt, ...)
{
	EMIT("", r, fmt);
	return r;
}

void log_error(const char *fmt, ...)
{
	EMIT("error: ", 0, fmt);
}

void log_warn(const char *fmt, ...)
{
	EMIT("warning: ", 0, fmt);
}
