// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp: the leases of the links, and which way their renewals go. */
#include "apply/maps.h"
#include "base/log.h"
#include "cmd/dhcp_view.h"
#include "cmd/duration.h"
#include "cmd/json.h"
#include "cmd/table.h"
#include "cmd/verb.h"
#include <errno.h>
#include <string.h>

static const char *word(struct json_object *o, const char *name)
{
	return json_object_get_string(dhcp_view_get(o, name)) ?: "-";
}

/* What the client's socket is to people. */
static const char *client_text(const struct dhcp_row *row)
{
	static const struct {
		const char *name, *text;
	} kinds[] = {
		{"packet", "packet socket"},
		{"raw", "raw IP"},
		{"udp", "UDP"},
		{"udp-address", "UDP bound to address"},
		{"udp-device", "UDP bound to device"},
	};
	const char *client = word(row->lease, "client");

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(client, kinds[i].name))
			return kinds[i].text;
	return row->lease ? "not seen renewing" : "none seen";
}

static void add_left(struct table *t, const struct dhcp_row *row, const char *name)
{
	struct json_object *left = dhcp_view_get(row->lease, name);
	char text[DURATION_TEXT];

	if (left && json_object_get_int64(left) < 0)
		table_add(t, "past");
	else if (left)
		table_add(t, "%s", duration_text(json_object_get_int64(left), text));
	else
		table_add(t, dhcp_view_get(row->lease, "address") ? "never" : "-");
}

static void add_row(struct table *t, const struct dhcp_row *row)
{
	table_add(t, "%s", row->link->conf->name);
	table_add(t, "%s", client_text(row));
	table_add(t, "%s", word(row->lease, "address"));
	table_add(t, "%s", word(row->lease, "server"));
	table_add(t, "%s", word(row->lease, "state"));
	add_left(t, row, "t1_s");
	add_left(t, row, "t2_s");
	add_left(t, row, "expires_s");
	table_add(t, "%llu", (unsigned long long)row->renewals.right);
	table_add(t, "%llu", (unsigned long long)row->renewals.guard);
	table_add(t, "%llu", (unsigned long long)row->renewals.shim);
	table_add(t, "%llu", (unsigned long long)row->renewals.watchdog);
	table_add(t, "%llu", (unsigned long long)row->renewals.failed);
}

static void print_text(const struct dhcp_view *v)
{
	static const char *const heads[] = {"LINK", "CLIENT", "ADDRESS", "SERVER", "STATE",
					    "T1",   "T2",     "EXPIRES", "RIGHT",  "GUARD",
					    "SHIM", "WATCHDOG", "FAILED"};
	struct table t = {.columns = ARRAY_SIZE(heads)};

	printf("dhcp = %s, %s\n\n", model_dhcp_names[v->s->model.dhcp],
	       !v->daemon ? "the daemon is not running: leases as it left them" :
	       v->s->model.dhcp_watchdog ? "the watchdog renews what clients do not" :
					   "no watchdog");
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&t, "%s", heads[i]);
	for (size_t i = 0; i < v->n; i++)
		add_row(&t, &v->rows[i]);
	table_print(&t, 0x1fe0, stdout);
	table_done(&t);
}

/* --- JSON */

static struct json_object *json_guard(const struct asym_dhcp *c)
{
	struct json_object *o = json_object_new_object();

	json_add_u64(o, "right", c->right);
	json_add_u64(o, "mended", c->mended);
	json_add_u64(o, "moved", c->moved);
	json_add_u64(o, "failed", c->failed);
	json_add_u64(o, "returned", c->returned);
	json_add_u64(o, "kept", c->kept);
	return o;
}

static struct json_object *json_renewals(const struct dhcp_renewals *r)
{
	struct json_object *o = json_object_new_object();

	json_add_u64(o, "right", r->right);
	json_add_u64(o, "guard", r->guard);
	json_add_u64(o, "shim", r->shim);
	json_add_u64(o, "watchdog", r->watchdog);
	json_add_u64(o, "failed", r->failed);
	return o;
}

static struct json_object *json_row(const struct dhcp_row *row)
{
	struct json_object *o = json_object_new_object();

	json_add_str(o, "name", row->link->conf->name);
	json_add_str(o, "device", row->link->conf->device);
	json_object_object_add(o, "lease", json_object_get(row->lease));
	json_object_object_add(o, "renewals", json_renewals(&row->renewals));
	json_object_object_add(o, "guard", row->counted ? json_guard(&row->counts) : NULL);
	json_object_object_add(o, "shim", json_object_get(row->shim));
	return o;
}

static void print_json(const struct dhcp_view *v)
{
	struct json_object *o = json_object_new_object(), *links = json_object_new_array();

	for (size_t i = 0; i < v->n; i++)
		json_object_array_add(links, json_row(&v->rows[i]));
	json_add_str(o, "dhcp", model_dhcp_names[v->s->model.dhcp]);
	json_object_object_add(o, "watchdog", json_object_new_boolean(v->s->model.dhcp_watchdog));
	json_object_object_add(o, "daemon", json_object_new_boolean(v->daemon != NULL));
	json_object_object_add(o, "links", links);
	json_print(o);
}

static int show(struct session *s, const struct options *o)
{
	struct dhcp_view v;
	int r = dhcp_view_open(&v, s);

	if (r)
		return log_err(r, "cannot tell the leases");
	if (o->json)
		print_json(&v);
	else
		print_text(&v);
	dhcp_view_done(&v);
	return fflush(stdout) ? log_err(-errno, "cannot print") : 0;
}

int cmd_dhcp(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {.planned = true, .body = show};

	return verb_run(self, argc, argv, &verb);
}
