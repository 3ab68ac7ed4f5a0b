// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"
#include <stdarg.h>
#include <string.h>

static enum log_level log_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	log_level = level;
}

/* One write per message, so that lines of several processes do not mix. */
static void emit(enum log_level level, const char *head, int r, const char *fmt, va_list ap)
{
	char line[1024];
	int n;

	if (level > log_level)
		return;
	n = vsnprintf(line, sizeof(line), fmt, ap);
	if (n < 0)
		return;
	if (r)
		fprintf(stderr, "asymbpf: %s%s: %s\n", head, line, strerror(-r));
	else
		fprintf(stderr, "asymbpf: %s%s\n", head, line);
}

#define EMIT(level, head, r, fmt)                                                                  \
	do {                                                                                       \
		va_list ap;                                                                        \
                                                                                                   \
		va_start(ap, fmt);                                                                 \
		emit(level, head, r, fmt, ap);                                                     \
		va_end(ap);                                                                        \
	} while (0)

int log_err(int r, const char *fmt, ...)
{
	EMIT(LOG_ERROR, "", r, fmt);
	return r;
}

void log_error(const char *fmt, ...)
{
	EMIT(LOG_ERROR, "error: ", 0, fmt);
}

void log_warn(const char *fmt, ...)
{
	EMIT(LOG_WARNING, "warning: ", 0, fmt);
}

void log_info(const char *fmt, ...)
{
	EMIT(LOG_INFO, "", 0, fmt);
}

void log_detail(const char *fmt, ...)
{
	EMIT(LOG_DETAIL, "", 0, fmt);
}
