// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/event.h"

#include <sys/socket.h>

const char *const event_kind_names[EVENT_MAX] = {
#define X(name, text) [EVENT_##name] = text,
	EVENTS(X)
#undef X
};

/* Where an events_send stands; sends nest when a sink sends. */
struct event_walk {
	struct event_sink *next;
	struct event_walk *outer;
};

void events_add(struct events *e, struct event_sink *s)
{
	struct event_sink **at = &e->sinks;

	while (*at)
		at = &(*at)->next;
	s->next = NULL;
	*at = s;
}

void events_remove(struct events *e, struct event_sink *s)
{
	struct event_sink **at = &e->sinks;

	while (*at && *at != s)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = s->next;
	for (struct event_walk *w = e->walks; w; w = w->outer)
		if (w->next == s)
			w->next = s->next;
}

void events_send(struct events *e, const struct event *event)
{
	struct event_walk walk = {.next = e->sinks, .outer = e->walks};
	char json[EVENT_LINE];
	size_t len = event_json_line(event, json);

	e->count[event->kind]++;
	e->walks = &walk;
	while (walk.next) {
		struct event_sink *s = walk.next;

		walk.next = s->next;
		s->take(s, event, json, len);
	}
	e->walks = walk.outer;
}

const char *event_family_name(int family)
{
	return family == AF_INET ? "ipv4" : family == AF_INET6 ? "ipv6" : NULL;
}
