// SPDX-License-Identifier: GPL-2.0-or-later
/* The answer of explain, for people and as JSON. */
#include "cmd/explain.h"

#include "cmd/json.h"
#include <string.h>

const char *explain_link_name(const struct session *s, uint8_t id)
{
	static const char *const reserved[PLAN_RESERVED_MAX] = {"probe", "unreachable", "blackhole",
								"main"};
	const struct plan_link *l = plan_link_by_id(&s->plan, id);

	for (int i = 0; i < PLAN_RESERVED_MAX; i++)
		if (s->plan.reserved[i] == id)
			return reserved[i];
	return l ? l->conf->name : "?";
}

static const char *device_name(const struct session *s, uint32_t ifindex)
{
	const struct host_device *d = host_device_by_index(&s->host, ifindex);

	return d ? d->name : "-";
}

static void miss_text(const struct answer *a, int rule, struct str *out)
{
	static const char *const fields[] = {"family", "src",  "dst", "proto",	 "sport",
					     "dport",  "dscp", "in",  "src-set", "dst-set"};
	const char *comma = "";

	if (a->v.unseen[rule])
		str_add(out, "the packet shows no ports");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (a->v.misses[rule] >> i & 1) {
			str_add(out, "%s%s", comma, fields[i]);
			comma = ", ";
		}
}

static void print_route(const struct answer *a)
{
	char buf[ADDR_STRLEN];

	if (a->route_err) {
		printf("route    none: %s\n", strerror(-a->route_err));
		return;
	}
	printf("route    dev %s", device_name(a->s, a->route.ifindex));
	if (!addr_is_zero(&a->route.gateway))
		printf(" via %s", addr_str(&a->route.gateway, buf));
	printf(" table %u\n", a->route.table);
}

void explain_print_text(const struct answer *a)
{
	const struct model *m = a->s->plan.model;
	int last = a->v.rule < 0 ? (int)a->v.rules : a->v.rule;

	for (int i = 0; i < last; i++) {
		struct str text = {};

		miss_text(a, i, &text);
		printf("         rule %s does not match: %s\n", m->rules[i].name, text.s ?: "");
		str_done(&text);
	}
	if (a->v.rule >= 0) {
		printf("rule     %s\n", m->rules[a->v.rule].name);
		printf("policy   %s, key %s\n", m->policies[a->v.policy].name,
		       model_key_names[a->v.key]);
		printf("bucket   %u\n", a->v.bucket);
		printf("link     %s\n", explain_link_name(a->s, a->v.link));
		printf("mark     0x%x/0x%x\n", a->mark, m->mark_mask);
	}
	print_route(a);
	printf("because  %s\n", a->why.s ?: "");
}

static void json_route(const struct answer *a, struct json_object *o)
{
	struct json_object *route = json_object_new_object();
	char buf[ADDR_STRLEN];

	if (a->route_err) {
		json_add_str(route, "error", strerror(-a->route_err));
	} else {
		json_add_str(route, "device", device_name(a->s, a->route.ifindex));
		json_add_str(route, "gateway",
			     addr_is_zero(&a->route.gateway) ? NULL
							     : addr_str(&a->route.gateway, buf));
		json_add_u64(route, "table", a->route.table);
	}
	json_object_object_add(o, "route", route);
}

static void json_verdict(const struct answer *a, struct json_object *o)
{
	const struct model *m = a->s->plan.model;
	const struct plan_link *link = plan_link_by_id(&a->s->plan, a->v.link);
	char mark[16];

	json_add_str(o, "rule", m->rules[a->v.rule].name);
	json_add_str(o, "policy", m->policies[a->v.policy].name);
	json_add_str(o, "key", model_key_names[a->v.key]);
	json_add_u64(o, "bucket", a->v.bucket);
	json_object_object_add(o, "sticky", json_object_new_boolean(a->v.sticky));
	json_object_object_add(o, "last_resort", json_object_new_boolean(a->v.last_resort));
	json_add_str(o, "link", explain_link_name(a->s, a->v.link));
	snprintf(mark, sizeof(mark), "0x%x", a->mark);
	json_add_str(o, "mark", mark);
	if (link)
		json_add_u64(o, "table", link->table);
}

void explain_print_json(const struct answer *a)
{
	const struct model *m = a->s->plan.model;
	struct json_object *o = json_object_new_object(), *skipped = json_object_new_array();
	int last = a->v.rule < 0 ? (int)a->v.rules : a->v.rule;

	for (int i = 0; i < last; i++) {
		struct json_object *rule = json_object_new_object();
		struct str text = {};

		miss_text(a, i, &text);
		json_add_str(rule, "rule", m->rules[i].name);
		json_add_str(rule, "misses", text.s ?: "");
		json_object_array_add(skipped, rule);
		str_done(&text);
	}
	json_object_object_add(o, "skipped", skipped);
	if (a->v.rule >= 0)
		json_verdict(a, o);
	else
		json_add_str(o, "rule", NULL);
	json_route(a, o);
	json_add_str(o, "reason", a->why.s);
	json_print(o);
}
