// SPDX-License-Identifier: GPL-2.0-or-later
/* Events to stderr and stdout, whatever these are. */
#include "base/log.h"
#include "run/event.h"
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <syslog.h>

/* Bound, renewed and moved are as it should be. */
static bool is_bad_lease(const char *state)
{
	return state && (!strcmp(state, "late") || !strcmp(state, "refused") ||
			 !strcmp(state, "expired"));
}

static int priority(const struct event *e)
{
	switch (e->kind) {
	case EVENT_ERROR:
		return LOG_ERR;
	case EVENT_LINK:
		return e->state && !strcmp(e->state, "down") ? LOG_WARNING : LOG_NOTICE;
	case EVENT_LEASE:
		return is_bad_lease(e->state) ? LOG_WARNING : LOG_INFO;
	case EVENT_REPAIR:
		return LOG_WARNING;
	case EVENT_MANUAL:
		return LOG_NOTICE;
	default:
		return LOG_INFO;
	}
}

static void take_log(struct event_sink *s, const struct event *e, const char *json, size_t len)
{
	char text[EVENT_LINE / 2];

	event_text(e, text, sizeof(text));
	log_line(priority(e), "asymbpf: %s", text);
}

/* As base/log.c writes: a pipe that polls as writable takes EVENT_LINE bytes (PIPE_BUF). */
static bool write_line(const char *line, size_t len)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && p.revents == POLLOUT &&
	       write(STDOUT_FILENO, line, len) == (ssize_t)len;
}

static void take_json(struct event_sink *s, const struct event *e, const char *json, size_t len)
{
	static unsigned long long lost;
	char line[EVENT_LINE];
	int n;

	if (lost) {
		n = snprintf(line, sizeof(line), "{\"lost\":%llu}\n", lost);
		if (write_line(line, n))
			lost = 0;
	}
	memcpy(line, json, len);
	line[len] = '\n';
	lost += !write_line(line, len + 1);
}

struct event_sink event_log = {.take = take_log};
struct event_sink event_json = {.take = take_json};
