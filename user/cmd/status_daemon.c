// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/status_daemon.h"

#include "base/log.h"
#include "cmd/daemon.h"
#include "cmd/duration.h"
#include "cmd/json.h"
#include "cmd/table.h"
#include "run/control.h"
#include <errno.h>
#include <string.h>

struct json_object *status_daemon_ask(uint64_t cookie)
{
	struct json_object *request = json_object_new_object(), *answer = NULL;
	int r;

	json_add_str(request, "do", "status");
	r = control_ask(cookie, request, &answer);
	json_object_put(request);
	if (r == -EINPROGRESS) {
		answer = json_object_new_object();
		json_object_object_add(answer, "starting", json_object_new_boolean(true));
		return answer;
	}
	if (r && r != -ENOENT)
		daemon_error(r);
	return r ? NULL : answer;
}

/* Reading what may not be there: NULL, 0. */

static struct json_object *get(struct json_object *o, const char *name)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, name, &v);
	return v;
}

static const char *word(struct json_object *o, const char *name)
{
	return json_object_get_string(get(o, name)) ?: "-";
}

static size_t length(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

/* As text. */

void status_daemon_print(struct json_object *daemon)
{
	char since[DURATION_TEXT];

	if (!daemon)
		printf("daemon: not running\n");
	else if (get(daemon, "starting"))
		printf("daemon: starting\n");
	else
		printf("daemon: process %s, for %s\n", word(daemon, "pid"),
		       duration_text(json_object_get_int64(get(daemon, "running_s")), since));
}

static void add_ms(struct table *t, struct json_object *v)
{
	if (v)
		table_add(t, "%.1f ms", json_object_get_double(v));
	else
		table_add(t, "-");
}

static void add_target(struct table *t, struct json_object *target)
{
	struct json_object *answers = get(target, "answers");

	table_add(t, "%s %s", word(target, "kind"), word(target, "target"));
	table_add(t, "%s", !answers ? "-" : json_object_get_boolean(answers) ? "yes" : "no");
	table_add(t, "%s%s", word(target, "loss"), get(target, "loss") ? "%" : "");
	add_ms(t, get(target, "latency_ms"));
	add_ms(t, get(target, "jitter_ms"));
}

/* A row for each target, or one without. */
static void add_family(struct table *t, const char *name, const char *family,
		       struct json_object *o)
{
	struct json_object *targets = get(o, "targets");
	bool degraded = json_object_get_boolean(get(o, "degraded"));
	char since[DURATION_TEXT];

	for (size_t i = 0; i < MAX(length(targets), (size_t)1); i++) {
		if (!i) {
			table_add(t, "%s", name);
			table_add(t, "%s", family);
			table_add(t, "%s%s", word(o, "state"), degraded ? ", degraded" : "");
			table_add(t, "%s",
				  duration_text(json_object_get_int64(get(o, "since_s")), since));
			table_add(t, "%s", word(o, "reason"));
		}
		for (int k = 0; i && k < 5; k++)
			table_add(t, "%s", "");
		if (length(targets))
			add_target(t, json_object_array_get_idx(targets, i));
		for (int k = 0; !length(targets) && k < 5; k++)
			table_add(t, "-");
	}
}

static void print_manual(struct json_object *link)
{
	struct json_object *left = get(link, "manual_left_s");
	char text[DURATION_TEXT];

	if (!get(link, "manual") || !strcmp(word(link, "manual"), "auto"))
		return;
	printf("link %s: forced %s", word(link, "name"), word(link, "manual"));
	if (left)
		printf(", %s left", duration_text(json_object_get_int64(left), text));
	printf("\n");
}

/* What is left of it in short; nothing about leases without end. */
static void print_lease(struct json_object *link)
{
	struct json_object *lease = get(link, "lease"), *expires = get(lease, "expires_s");
	int64_t left = json_object_get_int64(expires);
	char text[DURATION_TEXT];

	if (!get(lease, "address"))
		return;
	printf("link %s: lease of %s by %s, %s", word(link, "name"), word(lease, "address"),
	       word(lease, "server"), word(lease, "state"));
	if (expires && left > 0)
		printf(", %s left", duration_text(left, text));
	printf("\n");
}

void status_daemon_print_links(struct json_object *daemon)
{
	static const char *const heads[] = {"LINK",   "FAMILY",	 "STATE", "SINCE",   "REASON",
					    "TARGET", "ANSWERS", "LOSS",  "LATENCY", "JITTER"};
	struct json_object *links = get(daemon, "links");
	struct table t = {.columns = ARRAY_SIZE(heads)};

	if (!length(links))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&t, "%s", heads[i]);
	for (size_t i = 0; i < length(links); i++) {
		struct json_object *link = json_object_array_get_idx(links, i);

		if (get(link, "ipv4"))
			add_family(&t, word(link, "name"), "IPv4", get(link, "ipv4"));
		if (get(link, "ipv6"))
			add_family(&t, word(link, "name"), "IPv6", get(link, "ipv6"));
	}
	table_print(&t, 0x388, stdout);
	table_done(&t);
	for (size_t i = 0; i < length(links); i++)
		print_manual(json_object_array_get_idx(links, i));
	for (size_t i = 0; i < length(links); i++)
		print_lease(json_object_array_get_idx(links, i));
	printf("\n");
}

/* As JSON. */

struct json_object *status_daemon_json(struct json_object *daemon)
{
	struct json_object *o = json_object_new_object();

	bool starting = get(daemon, "starting");

	json_object_object_add(o, "running", json_object_new_boolean(daemon && !starting));
	if (starting) {
		json_object_object_add(o, "starting", json_object_new_boolean(true));
	} else if (daemon) {
		json_object_object_add(o, "pid", json_object_get(get(daemon, "pid")));
		json_object_object_add(o, "running_s", json_object_get(get(daemon, "running_s")));
	}
	return o;
}

static struct json_object *find(struct json_object *daemon, const char *name)
{
	struct json_object *links = get(daemon, "links");

	for (size_t i = 0; i < length(links); i++)
		if (!strcmp(word(json_object_array_get_idx(links, i), "name"), name))
			return json_object_array_get_idx(links, i);
	return NULL;
}

static void share(struct json_object *to, struct json_object *from, const char *name)
{
	json_object_object_add(to, name, json_object_get(get(from, name)));
}

void status_daemon_add(struct json_object *daemon, const char *name, struct json_object *link)
{
	static const char *const families[] = {"ipv4", "ipv6"};
	struct json_object *from = find(daemon, name);

	if (!from)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct json_object *to = get(link, families[i]), *f = get(from, families[i]);

		if (!json_object_is_type(f, json_type_object))
			continue;
		json_object_object_add(to, "up", json_object_new_boolean(
						 !strcmp(word(f, "state"), "up")));
		share(to, f, "reason");
		share(to, f, "since_s");
		share(to, f, "degraded");
		share(to, f, "targets");
	}
	share(link, from, "lease");
	share(link, from, "manual");
	share(link, from, "manual_left_s");
}
