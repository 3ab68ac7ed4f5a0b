// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/overlay_state.h"

#include "apply/state.h"
#include "base/file.h"
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#define SUFFIX ".mesh"
#define STATE_MAX (16u << 20)

void overlay_state_done(struct overlay_state *s)
{
	free(s->description);
	free(s->tunnels);
	*s = (struct overlay_state){};
}

struct overlay_device *overlay_state_tunnel(const struct overlay_state *s, const char *name)
{
	for (size_t i = 0; i < s->n_tunnels; i++)
		if (!strcmp(s->tunnels[i].name, name))
			return &s->tunnels[i];
	return NULL;
}

static struct json_object *device_json(const struct overlay_device *d)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "device", json_object_new_string(d->name));
	json_object_object_add(o, "ifindex", json_object_new_int64(d->ifindex));
	json_object_object_add(o, "adopted", json_object_new_boolean(d->adopted));
	if (!*d->host)
		return o;
	json_object_object_add(o, "host", json_object_new_string(d->host));
	json_object_object_add(o, "endpoint", json_object_new_string(d->endpoint));
	return o;
}

static struct json_object *addresses_json(const struct overlay_state *s)
{
	struct json_object *list = json_object_new_array();
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < ARRAY_SIZE(s->addr); i++)
		if (!addr_is_zero(&s->addr[i]))
			json_object_array_add(list,
					      json_object_new_string(addr_str(&s->addr[i], text)));
	return list;
}

static struct json_object *to_json(const struct overlay_state *s)
{
	struct json_object *o = json_object_new_object(), *tunnels = json_object_new_array();

	for (size_t i = 0; i < s->n_tunnels; i++)
		json_object_array_add(tunnels, device_json(&s->tunnels[i]));
	json_object_object_add(o, "node", json_object_new_string(s->node));
	json_object_object_add(o, "description", json_object_new_string(s->description ?: ""));
	if (*s->overlay.name)
		json_object_object_add(o, "overlay", device_json(&s->overlay));
	json_object_object_add(o, "addresses", addresses_json(s));
	json_object_object_add(o, "tunnels", tunnels);
	return o;
}

/* The last namespace to be left removes the directory, perhaps just before we write into it. */
static int write_text(const char *path, const char *text)
{
	int r = -ENOENT;

	for (int tries = 0; r == -ENOENT && tries < 3; tries++)
		r = file_mkdirs(STATE_ROOT) ?: file_replace(path, text, strlen(text));
	return r;
}

int overlay_state_write(const struct overlay_state *s, uint64_t cookie)
{
	struct json_object *o = to_json(s);
	char path[STATE_PATH];
	int r;

	state_path(cookie, SUFFIX, path);
	r = write_text(path, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
	return r;
}

/* 0; -EBADMSG: not there, not a text or too long. */
static int get_text(struct json_object *o, const char *key, char *ret, size_t size)
{
	struct json_object *v = json_object_object_get(o, key);

	if (!json_object_is_type(v, json_type_string))
		return -EBADMSG;
	return str_copy(ret, size, json_object_get_string(v)) ? -EBADMSG : 0;
}

static int fill_device(struct json_object *o, struct overlay_device *d)
{
	int64_t ifindex = json_object_get_int64(json_object_object_get(o, "ifindex"));

	if (get_text(o, "device", d->name, sizeof(d->name)) || ifindex < 0 || ifindex > INT32_MAX)
		return -EBADMSG;
	d->ifindex = ifindex;
	d->adopted = json_object_get_boolean(json_object_object_get(o, "adopted"));
	if (!json_object_object_get(o, "host"))
		return 0;
	return get_text(o, "host", d->host, sizeof(d->host)) ?:
	       get_text(o, "endpoint", d->endpoint, sizeof(d->endpoint));
}

static int fill_tunnels(struct json_object *list, struct overlay_state *s)
{
	struct overlay_device *d;
	int r = 0;

	if (!json_object_is_type(list, json_type_array))
		return -EBADMSG;
	for (size_t i = 0; i < json_object_array_length(list) && !r; i++) {
		d = ARRAY_ADD(s->tunnels, s->n_tunnels);
		r = d ? fill_device(json_object_array_get_idx(list, i), d) : -ENOMEM;
	}
	return r;
}

static int fill_addresses(struct json_object *list, struct overlay_state *s)
{
	struct in6_addr a;

	if (!json_object_is_type(list, json_type_array))
		return -EBADMSG;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(list, i));

		if (!text || addr_parse(text, &a))
			return -EBADMSG;
		s->addr[addr_is_v4(&a) ? ASYM_V4 : ASYM_V6] = a;
	}
	return 0;
}

static int fill(struct json_object *o, struct overlay_state *s)
{
	struct json_object *description = json_object_object_get(o, "description");
	struct json_object *overlay = json_object_object_get(o, "overlay");
	int r = get_text(o, "node", s->node, sizeof(s->node));

	if (!r && !json_object_is_type(description, json_type_string))
		r = -EBADMSG;
	if (!r && overlay)
		r = fill_device(overlay, &s->overlay);
	r = r ?: fill_addresses(json_object_object_get(o, "addresses"), s);
	r = r ?: fill_tunnels(json_object_object_get(o, "tunnels"), s);
	if (r)
		return r;
	s->description = strdup(json_object_get_string(description));
	return s->description ? 0 : -ENOMEM;
}

int overlay_state_read(struct overlay_state *ret, uint64_t cookie)
{
	_cleanup_free_ char *text = NULL;
	struct overlay_state s = {};
	struct json_object *o;
	char path[STATE_PATH];
	size_t len;
	int r;

	state_path(cookie, SUFFIX, path);
	r = file_read(path, STATE_MAX, &text, &len);
	if (r)
		return r;
	o = json_tokener_parse(text);
	r = json_object_is_type(o, json_type_object) ? fill(o, &s) : -EBADMSG;
	json_object_put(o);
	if (r)
		overlay_state_done(&s);
	else
		*ret = s;
	return r;
}

void overlay_state_remove(uint64_t cookie)
{
	char path[STATE_PATH];

	state_path(cookie, SUFFIX FILE_NEW, path);
	unlink(path);
	state_path(cookie, SUFFIX, path);
	unlink(path);
	rmdir(STATE_ROOT);
}
