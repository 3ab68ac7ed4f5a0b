// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/control_request.h"

#include "base/str.h"
#include "core/name.h"
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

/* Requests are flat: an object whose members are words and numbers. */
#define DEPTH 2

const char *const control_do_names[CONTROL_DO_MAX] = {
	[CONTROL_STATUS] = "status",
	[CONTROL_LINK] = "link",
	[CONTROL_RELOAD] = "reload",
	[CONTROL_EVENTS] = "events",
};

/* "" when there is none. */
static const char *word(struct json_object *o, const char *name)
{
	struct json_object *v;
	const char *s;

	if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_string))
		return "";
	s = json_object_get_string(v);
	return strlen(s) == (size_t)json_object_get_string_len(v) ? s : "";
}

/* The place of a word in names[n], or n. */
static size_t find(const char *s, const char *const *names, size_t n)
{
	size_t i = 0;

	while (i < n && strcmp(s, names[i]))
		i++;
	return i;
}

/* A misspelled "seconds" must not make an override that never ends. */
static const char *check_members(struct json_object *o, enum control_do what)
{
	static const char *const known[] = {"do", "link", "set", "seconds"};

	size_t n = what == CONTROL_LINK ? ARRAY_SIZE(known) : 1;

	json_object_object_foreach(o, name, value) {
		(void)value;
		if (find(name, known, n) == n)
			return "unknown member";
	}
	return NULL;
}

static const char *read_seconds(struct json_object *o, uint32_t *ret)
{
	struct json_object *v;
	int64_t seconds;

	if (!json_object_object_get_ex(o, "seconds", &v))
		return NULL;
	if (!json_object_is_type(v, json_type_int))
		return "\"seconds\" is not a whole number";
	seconds = json_object_get_int64(v);
	if (seconds < 0 || seconds > CONTROL_MAX_SECONDS)
		return "\"seconds\" is out of range";
	*ret = seconds;
	return NULL;
}

static const char *read_link(struct json_object *o, struct control_request *r)
{
	const char *why = read_seconds(o, &r->seconds);

	if (why)
		return why;
	if (!name_is_valid(word(o, "link")) || str_copy(r->link, sizeof(r->link), word(o, "link")))
		return "\"link\" is not the name of a link";
	r->manual = find(word(o, "set"), plan_manual_names, PLAN_MANUAL_MAX);
	if (r->manual == PLAN_MANUAL_MAX)
		return "\"set\" is not \"up\", \"down\" or \"auto\"";
	if (r->manual == PLAN_AUTO && r->seconds)
		return "\"auto\" has no end";
	return NULL;
}

static const char *read_request(struct json_object *o, struct control_request *r)
{
	const char *why;

	if (!json_object_is_type(o, json_type_object))
		return "not a JSON object";
	r->what = find(word(o, "do"), control_do_names, CONTROL_DO_MAX);
	if (r->what == CONTROL_DO_MAX)
		return "\"do\" is not \"status\", \"link\", \"reload\" or \"events\"";
	why = check_members(o, r->what);
	return why ?: r->what == CONTROL_LINK ? read_link(o, r) : NULL;
}

/* NULL for what is not one value of JSON and nothing else. */
static struct json_object *parse(const char *line, size_t len)
{
	struct json_tokener *t = memchr(line, 0, len) ? NULL : json_tokener_new_ex(DEPTH);
	struct json_object *o = NULL;

	if (!t)
		return NULL;
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, line, len);
	if (o && json_tokener_get_parse_end(t) != len) {
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(t);
	return o;
}

int control_request_parse(const char *line, size_t len, struct control_request *ret,
			  const char **ret_why)
{
	struct control_request r = {};
	struct json_object *o = parse(line, len);
	const char *why = read_request(o, &r);

	json_object_put(o);
	if (why) {
		*ret_why = why;
		return -EINVAL;
	}
	*ret = r;
	return 0;
}
