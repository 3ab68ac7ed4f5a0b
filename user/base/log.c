// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#define LINE 4096 /* PIPE_BUF: what a pipe that polls as writable takes without waiting */

static bool never_wait;
static unsigned long long lost;
static bool once;
static uint64_t said[LOG_MEMORY]; /* hashes of lines, a ring */
static size_t n_said;

/* systemd.exec(5), JOURNAL_STREAM. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st))
		return false;
	return st.st_dev == dev && st.st_ino == ino;
}

/* The description may be shared with a shell, so it is not made non-blocking. */
static bool has_room(void)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && p.revents == POLLOUT;
}

/* One write, so that lines of several processes do not mix. */
static bool write_line(const char *line, size_t len)
{
	ssize_t n;

	if (never_wait && !has_room())
		return false;
	do
		n = write(STDERR_FILENO, line, len);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

static void say_lost(bool journal)
{
	char line[96];
	int n = snprintf(line, sizeof(line), "%sasymbpf: %llu lines lost\n", journal ? "<4>" : "",
			 lost);

	if (write_line(line, n))
		lost = 0;
}

/* FNV-1a. */
static uint64_t hash(const char *line, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ull;

	while (len--)
		h = (h ^ (unsigned char)*line++) * 0x100000001b3ull;
	return h;
}

static bool is_said(const char *line, size_t len)
{
	uint64_t h = hash(line, len);

	for (size_t i = 0; i < MIN(n_said, (size_t)LOG_MEMORY); i++)
		if (said[i] == h)
			return true;
	said[n_said++ % LOG_MEMORY] = h;
	return false;
}

/* head and tail go around the text; what is too long is cut. */
static void emit(int priority, const char *head, const char *fmt, va_list ap, const char *tail)
{
	bool journal = is_journal();
	char line[LINE];
	size_t n = 0, size = sizeof(line) - 1;

	if (journal)
		n = snprintf(line, size, "<%d>", priority);
	n += snprintf(line + n, size - n, "%s", head);
	n += MAX(vsnprintf(line + n, size - n, fmt, ap), 0);
	n = MIN(n, size - 1);
	n += snprintf(line + n, size - n, "%s", tail);
	n = MIN(n, size - 1);
	line[n++] = '\n';
	if (once && is_said(line, n))
		return;
	if (lost)
		say_lost(journal);
	lost += !write_line(line, n);
}

#define EMIT(priority, head, fmt, tail)                                                            \
	do {                                                                                       \
		va_list ap;                                                                        \
                                                                                                   \
		va_start(ap, fmt);                                                                 \
		emit(priority, head, fmt, ap, tail);                                               \
		va_end(ap);                                                                        \
	} while (0)

int log_err(int r, const char *fmt, ...)
{
	char reason[128] = "";

	if (r)
		snprintf(reason, sizeof(reason), ": %s", strerror(-r));
	EMIT(LOG_ERR, "asymbpf: error: ", fmt, reason);
	return r;
}

void log_error(const char *fmt, ...)
{
	EMIT(LOG_ERR, "asymbpf: error: ", fmt, "");
}

void log_warn(const char *fmt, ...)
{
	EMIT(LOG_WARNING, "asymbpf: warning: ", fmt, "");
}

void log_line(int priority, const char *fmt, ...)
{
	EMIT(priority, "", fmt, "");
}

void log_once(bool on)
{
	once = on;
}

void log_forget(void)
{
	n_said = 0;
}

void log_never_wait(void)
{
	never_wait = true;
}
