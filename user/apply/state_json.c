// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/state_json.h"

#include "base/str.h"
#include <errno.h>
#include <string.h>

/* What is not there is false, automatic, without end. */
static void json_verdict(struct json_object *o, const struct plan_id *id)
{
	static const char *const failed[ASYM_FAMILIES] = {"failed_ipv4", "failed_ipv6"};

	if (id->tested)
		json_object_object_add(o, "tested", json_object_new_boolean(true));
	for (int f = 0; f < ASYM_FAMILIES; f++)
		if (id->failed[f])
			json_object_object_add(o, failed[f], json_object_new_boolean(true));
	if (id->manual == PLAN_AUTO)
		return;
	json_object_object_add(o, "manual", json_object_new_int(id->manual));
	json_object_object_add(o, "manual_until", json_object_new_int64(id->manual_until));
}

static struct json_object *json_ids(const struct state *s)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < s->n_ids; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", json_object_new_string(s->ids[i].name));
		json_object_object_add(o, "id", json_object_new_int(s->ids[i].id));
		json_verdict(o, &s->ids[i]);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *json_sysctls(const struct sysctl_list *sysctls)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < sysctls->n; i++) {
		const struct sysctl_saved *saved = &sysctls->items[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "path", json_object_new_string(saved->path));
		json_object_object_add(o, "before", json_object_new_string(saved->before));
		json_object_object_add(o, "written", json_object_new_string(saved->written));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *json_devices(const struct state *s)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < s->n_devices; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "ifindex", json_object_new_int64(s->devices[i].ifindex));
		json_object_object_add(o, "name", json_object_new_string(s->devices[i].name));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *json_drains(const struct state *s)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < s->n_drains; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "policy", json_object_new_string(s->drains[i].policy));
		json_object_object_add(o, "at_ns", json_object_new_int64(s->drains[i].at_ns));
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *state_json(const struct state *s)
{
	struct json_object *o = json_object_new_object();
	struct json_object *flags = json_object_new_array(), *clsact = json_object_new_array();

	for (size_t i = 0; i < s->n_flags; i++)
		json_object_array_add(flags, json_object_new_string(s->flags[i]));
	for (size_t i = 0; i < s->n_clsact; i++)
		json_object_array_add(clsact, json_object_new_int64(s->clsact[i]));
	json_object_object_add(o, "version", json_object_new_int(ASYM_ABI));
	json_object_object_add(o, "mark_mask", json_object_new_int64(s->mark_mask));
	json_object_object_add(o, "netns", json_object_new_int64(s->netns));
	json_object_object_add(o, "loaded_at", json_object_new_int64(s->loaded_at));
	json_object_object_add(o, "router_table", json_object_new_int64(s->router.table));
	json_object_object_add(o, "router_text", json_object_new_int64(s->router.text));
	if (s->config_path)
		json_object_object_add(o, "config_path", json_object_new_string(s->config_path));
	json_object_object_add(o, "config", json_object_new_string(s->config ?: ""));
	json_object_object_add(o, "flags", flags);
	json_object_object_add(o, "ids", json_ids(s));
	json_object_object_add(o, "sysctls", json_sysctls(&s->sysctls));
	json_object_object_add(o, "clsact", clsact);
	json_object_object_add(o, "devices", json_devices(s));
	json_object_object_add(o, "drains", json_drains(s));
	return o;
}

/* Reading: a missing or mistyped member leaves its field empty. */

static const char *member(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ? json_object_get_string(v) : NULL;
}

static size_t member_list(struct json_object *o, const char *name, struct json_object **ret)
{
	if (!json_object_object_get_ex(o, name, ret) || !json_object_is_type(*ret, json_type_array))
		return 0;
	return json_object_array_length(*ret);
}

static int64_t member_int(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ? json_object_get_int64(v) : 0;
}

static void read_verdict(struct plan_id *id, struct json_object *o)
{
	int64_t manual = member_int(o, "manual");

	id->tested = member_int(o, "tested");
	id->failed[ASYM_V4] = member_int(o, "failed_ipv4");
	id->failed[ASYM_V6] = member_int(o, "failed_ipv6");
	id->manual = manual > 0 && manual < PLAN_MANUAL_MAX ? manual : PLAN_AUTO;
	id->manual_until = member_int(o, "manual_until");
}

static int read_ids(struct state *s, struct json_object *o)
{
	struct json_object *list, *id;
	size_t n = member_list(o, "ids", &list);

	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *name = member(item, "name");
		struct plan_id *to;

		if (!name || !json_object_object_get_ex(item, "id", &id))
			return -EBADMSG;
		to = ARRAY_ADD(s->ids, s->n_ids);
		if (!to)
			return -ENOMEM;
		if (json_object_get_int(id) < 1 || json_object_get_int(id) >= ASYM_LINK_IDS)
			return -EBADMSG;
		to->id = json_object_get_int(id);
		read_verdict(to, item);
		if (str_copy(to->name, sizeof(to->name), name))
			return -EBADMSG;
	}
	return 0;
}

static int read_sysctls(struct sysctl_list *sysctls, struct json_object *o)
{
	struct json_object *list;
	size_t n = member_list(o, "sysctls", &list);

	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		struct sysctl_saved *to = ARRAY_ADD(sysctls->items, sysctls->n);

		if (!to)
			return -ENOMEM;
		if (str_copy(to->path, sizeof(to->path), member(item, "path") ?: "") ||
		    str_copy(to->before, sizeof(to->before), member(item, "before") ?: "") ||
		    str_copy(to->written, sizeof(to->written), member(item, "written") ?: ""))
			return -EBADMSG;
	}
	return 0;
}

static int read_devices(struct state *s, struct json_object *o)
{
	struct json_object *list;
	size_t n = member_list(o, "devices", &list);
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		r = state_add_device(s, member_int(item, "ifindex"), member(item, "name") ?: "");
	}
	return r;
}

static int read_drains(struct state *s, struct json_object *o)
{
	struct json_object *list;
	size_t n = member_list(o, "drains", &list);
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		r = state_add_drain(s, member(item, "policy") ?: "", member_int(item, "at_ns"));
	}
	return r;
}

static int read_lists(struct state *s, struct json_object *o)
{
	struct json_object *list;
	size_t n = member_list(o, "flags", &list);

	for (size_t i = 0; i < n; i++) {
		char **flag = ARRAY_ADD(s->flags, s->n_flags);

		if (!flag)
			return -ENOMEM;
		*flag = strdup(json_object_get_string(json_object_array_get_idx(list, i)) ?: "");
		if (!*flag)
			return -ENOMEM;
	}
	n = member_list(o, "clsact", &list);
	for (size_t i = 0; i < n; i++) {
		uint32_t *ifindex = ARRAY_ADD(s->clsact, s->n_clsact);

		if (!ifindex)
			return -ENOMEM;
		*ifindex = json_object_get_int64(json_object_array_get_idx(list, i));
	}
	return 0;
}

int state_fill(struct state *s, struct json_object *o)
{
	struct json_object *v;
	const char *path = member(o, "config_path");
	int r;

	s->config = strdup(member(o, "config") ?: "");
	if (path)
		s->config_path = strdup(path);
	if (!s->config || (path && !s->config_path))
		return -ENOMEM;
	if (json_object_object_get_ex(o, "netns", &v))
		s->netns = json_object_get_int64(v);
	if (json_object_object_get_ex(o, "loaded_at", &v))
		s->loaded_at = json_object_get_int64(v);
	if (json_object_object_get_ex(o, "mark_mask", &v))
		s->mark_mask = json_object_get_int64(v);
	s->router.table = member_int(o, "router_table");
	s->router.text = member_int(o, "router_text");
	r = read_ids(s, o);
	r = r ?: read_sysctls(&s->sysctls, o);
	r = r ?: read_devices(s, o);
	r = r ?: read_drains(s, o);
	return r ?: read_lists(s, o);
}
