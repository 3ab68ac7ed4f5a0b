// SPDX-License-Identifier: GPL-2.0-or-later
/* Events to stderr and stdout, whatever these are. */
#include "base/defs.h"
#include "run/event.h"
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

struct output {
	int fd;
	const char *head, *tail; /* around the number of lost lines */
	uint64_t lost;		 /* since the last one that went out */
};

/*
 * The description may be shared with a shell, so it is not made non-blocking.  A pipe or terminal that
 * polls as writable takes a line of EVENT_LINE bytes (PIPE_BUF is as much) without blocking; a file
 * always does.
 */
static bool write_line(const struct output *o, const char *line, size_t len)
{
	struct pollfd p = {.fd = o->fd, .events = POLLOUT};

	if (poll(&p, 1, 0) != 1 || p.revents != POLLOUT)
		return false;
	return write(o->fd, line, len) == (ssize_t)len;
}

static void output_line(struct output *o, const char *line, size_t len)
{
	char text[64];
	int n;

	if (o->lost) {
		n = snprintf(text, sizeof(text), "%s%llu%s\n", o->head,
			     (unsigned long long)o->lost, o->tail);
		if (write_line(o, text, n))
			o->lost = 0;
	}
	if (!write_line(o, line, len))
		o->lost++;
}

static int priority(const struct event *e)
{
	switch (e->kind) {
	case EVENT_ERROR:
		return LOG_ERR;
	case EVENT_LINK:
		return e->state && !strcmp(e->state, "down") ? LOG_WARNING : LOG_NOTICE;
	case EVENT_REPAIR:
		return LOG_WARNING;
	case EVENT_MANUAL:
		return LOG_NOTICE;
	default:
		return LOG_INFO;
	}
}

/* systemd.exec(5), JOURNAL_STREAM; sd-daemon(3) for what the prefixes mean. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2 || fstat(fd, &st))
		return false;
	return st.st_dev == dev && st.st_ino == ino;
}

static void take_log(struct event_sink *s, const struct event *e, const char *json, size_t len)
{
	static struct output out = {STDERR_FILENO, "asymbpf: ", " lines lost", 0};
	char text[EVENT_LINE / 2], line[EVENT_LINE], head[8] = "";
	int n;

	if (is_journal(out.fd))
		snprintf(head, sizeof(head), "<%d>", priority(e));
	event_text(e, text, sizeof(text));
	n = snprintf(line, sizeof(line), "%sasymbpf: %s\n", head, text);
	output_line(&out, line, n);
}

static void take_json(struct event_sink *s, const struct event *e, const char *json, size_t len)
{
	static struct output out = {STDOUT_FILENO, "{\"lost\":", "}", 0};
	char line[EVENT_LINE];

	memcpy(line, json, len);
	line[len] = '\n';
	output_line(&out, line, len + 1);
}

struct event_sink event_log = {.take = take_log};
struct event_sink event_json = {.take = take_json};
