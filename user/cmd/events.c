// SPDX-License-Identifier: GPL-2.0-or-later
/* events: what a running daemon tells, until interrupted. */
#include "base/log.h"
#include "cmd/daemon.h"
#include "cmd/verb.h"
#include "run/control.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static const char *member(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ? json_object_get_string(v) : NULL;
}

static enum event_kind kind_of(const char *name)
{
	enum event_kind k = 0;

	while (name && k < EVENT_MAX && strcmp(event_kind_names[k], name))
		k++;
	return name ? k : EVENT_MAX;
}

static int family_of(const char *name)
{
	return !name ? 0 : !strcmp(name, "ipv4") ? AF_INET : !strcmp(name, "ipv6") ? AF_INET6 : 0;
}

/* What is not known here, as of a later version's daemon, is printed as it came. */
static void print_text(const char *line)
{
	struct json_object *o = json_tokener_parse(line);
	struct event e = {.kind = kind_of(member(o, "event")), .link = member(o, "link"),
			  .device = member(o, "device"), .family = family_of(member(o, "family")),
			  .state = member(o, "state"), .reason = member(o, "reason"),
			  .text = member(o, "text")};
	char text[EVENT_LINE];

	if (e.kind == EVENT_MAX) {
		puts(line);
	} else {
		event_text(&e, text, sizeof(text));
		printf("%s %s\n", member(o, "time") ?: "-", text);
	}
	json_object_put(o);
}

static bool take(const char *line, void *data)
{
	const struct options *o = data;

	if (o->json)
		puts(line);
	else
		print_text(line);
	return !fflush(stdout) && !ferror(stdout);
}

static int listen_to(struct session *s, const struct options *o)
{
	int r = control_listen(s->cookie, take, (void *)o);

	return r ? daemon_error(r) : log_err(-EIO, "cannot print");
}

int cmd_events(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {.remote = true, .body = listen_to};

	return verb_run(self, argc, argv, &verb);
}
