// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/leases_file.h"

#include "apply/state.h"
#include "base/file.h"
#include "base/str.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 4 /* of the JSON */

/* --- to text */

static void add_str(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, json_object_new_string(value));
}

static void add_num(struct json_object *o, const char *name, uint64_t value)
{
	json_object_object_add(o, name, json_object_new_uint64(value));
}

static void add_hex(struct json_object *o, const char *name, const uint8_t *bytes, size_t n)
{
	char text[2 * DHCP_REPEAT_MAX + 1] = "";

	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	add_str(o, name, text);
}

static void add_addr(struct json_object *o, const char *name, struct in_addr addr)
{
	char text[INET_ADDRSTRLEN];

	add_str(o, name, inet_ntop(AF_INET, &addr, text, sizeof(text)));
}

static void add_lease(struct json_object *o, const struct lease *l)
{
	add_addr(o, "address", l->addr);
	add_addr(o, "server", l->server);
	add_hex(o, "mac", l->chaddr, sizeof(l->chaddr));
	add_hex(o, "client_id", l->client_id, l->client_id_len);
	add_hex(o, "options", l->repeat, l->repeat_len);
	add_num(o, "acked_ns", l->acked_ns);
	add_num(o, "lease_s", l->lease_s);
	add_num(o, "t1_s", l->t1_s);
	add_num(o, "t2_s", l->t2_s);
	json_object_object_add(o, "relayed", json_object_new_boolean(l->relayed));
	json_object_object_add(o, "by_watchdog", json_object_new_boolean(l->by_watchdog));
	add_num(o, "asked_ns", l->asked_ns);
	add_num(o, "asked", l->asked);
	add_num(o, "tried_ns", l->tried_ns);
}

static struct json_object *to_json(const struct leases_link *k)
{
	struct json_object *o = json_object_new_object();

	add_str(o, "link", k->name);
	add_num(o, "id", k->id);
	add_num(o, "sender", k->sender);
	add_num(o, "told", k->told);
	add_num(o, "acks", k->lease.acks);
	add_num(o, "naks", k->lease.naks);
	add_num(o, "renewed", k->lease.renewed);
	add_num(o, "sent", k->sent);
	add_num(o, "failed", k->failed);
	if (k->lease.addr.s_addr)
		add_lease(o, &k->lease);
	return o;
}

char *leases_file_text(const struct leases_link *links)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	char *text;

	for (size_t i = 0; i < ASYM_LINK_IDS; i++)
		if (links[i].id && (links[i].lease.acks || links[i].lease.naks || links[i].sent))
			json_object_array_add(list, to_json(&links[i]));
	json_object_object_add(o, "leases", list);
	text = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
	return text;
}

/* --- from text: false where a member is missing, or is not what we write */

static bool get_str(struct json_object *o, const char *name, const char **ret)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_string))
		return false;
	*ret = json_object_get_string(v);
	return true;
}

static bool get_num(struct json_object *o, const char *name, uint64_t max, uint64_t *ret)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_int) ||
	    json_object_get_int64(v) < 0 || json_object_get_uint64(v) > max)
		return false;
	*ret = json_object_get_uint64(v);
	return true;
}

static bool get_bool(struct json_object *o, const char *name, bool *ret)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_boolean))
		return false;
	*ret = json_object_get_boolean(v);
	return true;
}

static bool get_hex(struct json_object *o, const char *name, size_t max, uint8_t *ret,
		    size_t *ret_n)
{
	const char *text;
	size_t n;

	if (!get_str(o, name, &text))
		return false;
	n = strlen(text);
	if (n % 2 || n / 2 > max || strspn(text, "0123456789abcdef") != n)
		return false;
	for (size_t i = 0; i < n / 2; i++)
		sscanf(text + 2 * i, "%2hhx", &ret[i]);
	*ret_n = n / 2;
	return true;
}

/* Of a host, or 0.0.0.0. */
static bool get_addr(struct json_object *o, const char *name, struct in_addr *ret)
{
	struct in_addr addr;
	const char *text;

	if (!get_str(o, name, &text) || inet_pton(AF_INET, text, &addr) != 1 ||
	    IN_MULTICAST(ntohl(addr.s_addr)) || addr.s_addr == INADDR_BROADCAST)
		return false;
	*ret = addr;
	return true;
}

static bool get_u32(struct json_object *o, const char *name, uint64_t max, uint32_t *ret)
{
	uint64_t v;

	if (!get_num(o, name, max, &v))
		return false;
	*ret = v;
	return true;
}

static bool get_times(struct json_object *o, uint64_t now_ns, struct lease *l)
{
	return get_num(o, "acked_ns", now_ns, &l->acked_ns) &&
	       get_u32(o, "lease_s", UINT32_MAX, &l->lease_s) && l->lease_s &&
	       get_u32(o, "t2_s", l->lease_s, &l->t2_s) && get_u32(o, "t1_s", l->t2_s, &l->t1_s) &&
	       get_num(o, "asked_ns", now_ns, &l->asked_ns) &&
	       get_u32(o, "asked", UINT32_MAX, &l->asked) &&
	       get_num(o, "tried_ns", now_ns, &l->tried_ns);
}

static bool get_lease(struct json_object *o, uint64_t now_ns, struct lease *l)
{
	size_t mac, id, options;

	if (!get_hex(o, "mac", sizeof(l->chaddr), l->chaddr, &mac) || mac != sizeof(l->chaddr) ||
	    !get_hex(o, "client_id", DHCP_CLIENT_ID_MAX, l->client_id, &id) ||
	    !get_hex(o, "options", DHCP_REPEAT_MAX, l->repeat, &options) ||
	    !dhcp_may_repeat(l->repeat, options))
		return false;
	l->client_id_len = id;
	l->repeat_len = options;
	return get_addr(o, "address", &l->addr) && l->addr.s_addr &&
	       get_addr(o, "server", &l->server) && get_times(o, now_ns, l) && get_bool(o, "relayed", &l->relayed) &&
	       get_bool(o, "by_watchdog", &l->by_watchdog);
}

static bool from_json(struct json_object *o, uint64_t now_ns, struct leases_link *k)
{
	uint64_t id, sender, told;
	const char *name;

	if (!get_str(o, "link", &name) || str_copy(k->name, sizeof(k->name), name) || !*name ||
	    !get_num(o, "id", ASYM_MAX_LINKS, &id) || !id ||
	    !get_num(o, "sender", ASYM_SENDER_MAX - 1, &sender) ||
	    !get_num(o, "told", LEASE_STATE_MAX - 1, &told))
		return false;
	k->id = id;
	k->sender = sender;
	k->told = told;
	return get_num(o, "acks", UINT64_MAX, &k->lease.acks) &&
	       get_num(o, "naks", UINT64_MAX, &k->lease.naks) &&
	       get_num(o, "renewed", k->lease.acks, &k->lease.renewed) &&
	       get_num(o, "sent", UINT64_MAX, &k->sent) &&
	       get_num(o, "failed", k->sent, &k->failed) &&
	       (!json_object_object_get_ex(o, "address", NULL) || get_lease(o, now_ns, &k->lease));
}

static struct json_object *parse(const char *text)
{
	struct json_tokener *t = json_tokener_new_ex(DEPTH);
	struct json_object *o = t ? json_tokener_parse_ex(t, text, strlen(text) + 1) : NULL;

	if (t)
		json_tokener_free(t);
	return o;
}

size_t leases_file_parse(const char *text, uint64_t now_ns, struct leases_link *links)
{
	struct json_object *o = parse(text), *list;
	size_t ignored = 0, n;

	if (!json_object_object_get_ex(o, "leases", &list) ||
	    !json_object_is_type(list, json_type_array)) {
		json_object_put(o);
		return 1;
	}
	n = json_object_array_length(list);
	for (size_t i = 0; i < n; i++) {
		struct leases_link k = {0};

		if (from_json(json_object_array_get_idx(list, i), now_ns, &k) && !links[k.id].id)
			links[k.id] = k;
		else
			ignored++;
	}
	json_object_put(o);
	return ignored;
}

/* --- the file */

static int write_locked(uint64_t cookie, const char *text)
{
	struct state_stamp stamp;
	char path[STATE_PATH];
	int r = state_stamp(cookie, &stamp);

	if (r)
		return r;
	state_path(cookie, STATE_LEASES, path);
	return file_replace(path, text, strlen(text));
}

int leases_file_write(uint64_t cookie, const struct leases_link *links)
{
	_cleanup_free_ char *text = leases_file_text(links);
	int lock, r;

	if (!text)
		return -ENOMEM;
	lock = state_lock(cookie);
	if (lock < 0)
		return lock;
	r = write_locked(cookie, text);
	state_unlock(cookie, lock);
	return r;
}

int leases_file_read(uint64_t cookie, uint64_t now_ns, struct leases_link *links,
		     size_t *ret_ignored)
{
	_cleanup_free_ char *text = NULL;
	char path[STATE_PATH];
	size_t len;
	int r;

	state_path(cookie, STATE_LEASES, path);
	r = file_read(path, LEASES_FILE_MAX, &text, &len);
	if (!r)
		*ret_ignored = leases_file_parse(text, now_ns, links);
	return r;
}
