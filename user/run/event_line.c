// SPDX-License-Identifier: GPL-2.0-or-later
/* An event as a line, for machines and for people. */
#include "base/defs.h"
#include "run/event.h"
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Bytes of a member that are told.  Quoting doubles them at most: five members of WORD, one of TEXT
 * and the names of all stay below EVENT_LINE. */
#define WORD 64
#define TEXT 1500

struct line {
	char *s;
	size_t size, len; /* len < size; what has no room is left out */
};

static void put(struct line *l, const char *s, size_t n)
{
	n = MIN(n, l->size - 1 - l->len);
	memcpy(l->s + l->len, s, n);
	l->len += n;
	l->s[l->len] = 0;
}

static void put_str(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

/* Bytes of the UTF-8 character at s (RFC 3629), 0 when there is none. */
static size_t character(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t n = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 :
		   u[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return n;
}

/* Text of others: one line of valid UTF-8, at most max bytes of it; quoted for JSON or not. */
static void put_foreign(struct line *l, const char *s, size_t max, bool quoted)
{
	size_t n;

	for (const char *end = s + strnlen(s, max); s < end; s += n ?: 1) {
		n = character(s);
		if (s + n > end)
			return;
		if (!n || (unsigned char)*s < 0x20 || *s == 0x7f)
			put(l, n ? " " : "?", 1);
		else if (quoted && (*s == '"' || *s == '\\'))
			put(l, (const char[]){'\\', *s}, 2);
		else
			put(l, s, n);
	}
}

static void member(struct line *l, const char *name, const char *value, size_t max)
{
	if (!value)
		return;
	put_str(l, ",\"");
	put_str(l, name);
	put_str(l, "\":\"");
	put_foreign(l, value, max, true);
	put_str(l, "\"");
}

static void put_time(struct line *l)
{
	struct timespec now;
	struct tm utc;
	char text[64];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	put_str(l, text);
	snprintf(text, sizeof(text), ".%03ldZ", now.tv_nsec / 1000000);
	put_str(l, text);
}

size_t event_json_line(const struct event *e, char ret[EVENT_LINE])
{
	struct line l = {.s = ret, .size = EVENT_LINE};

	put_str(&l, "{\"time\":\"");
	put_time(&l);
	put_str(&l, "\"");
	member(&l, "event", event_kind_names[e->kind], WORD);
	member(&l, "link", e->link, WORD);
	member(&l, "device", e->device, WORD);
	member(&l, "family", event_family_name(e->family), WORD);
	member(&l, "state", e->state, WORD);
	member(&l, "reason", e->reason, WORD);
	member(&l, "text", e->text, TEXT);
	put_str(&l, "}");
	return l.len;
}

/* What happened, after "link wan: IPv4 ". */
static const char *predicate(const struct event *e)
{
	switch (e->kind) {
	case EVENT_START:
		return "monitoring";
	case EVENT_STOP:
		return "monitoring ends";
	case EVENT_MANUAL:
		if (!e->state || !strcmp(e->state, "auto"))
			return "no longer forced";
		return !strcmp(e->state, "up") ? "forced up" : "forced down";
	case EVENT_TARGET:
		return e->state && !strcmp(e->state, "up") ? "target answers" :
							     "target does not answer";
	case EVENT_RELOAD:
		return "reloaded";
	case EVENT_REPAIR:
		return "repaired";
	case EVENT_ERROR:
		return "error";
	default:
		return e->state ?: event_kind_names[e->kind];
	}
}

void event_text(const struct event *e, char *ret, size_t size)
{
	struct line l = {.s = ret, .size = size};

	*ret = 0;
	if (e->link || e->device) {
		put_str(&l, e->link ? "link " : "");
		put_foreign(&l, e->link ?: e->device, WORD, false);
		put_str(&l, ": ");
	}
	if (e->family)
		put_str(&l, e->family == AF_INET ? "IPv4 " : "IPv6 ");
	if (e->kind == EVENT_LEASE)
		put_str(&l, "lease ");
	put_str(&l, predicate(e));
	if (e->reason) {
		put_str(&l, " (");
		put_foreign(&l, e->reason, WORD, false);
		put_str(&l, ")");
	}
	if (e->text) {
		put_str(&l, ": ");
		put_foreign(&l, e->text, TEXT, false);
	}
}
