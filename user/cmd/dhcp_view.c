// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/dhcp_view.h"

#include "apply/maps.h"
#include "base/log.h"
#include "cmd/status_daemon.h"
#include "run/leases_file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct json_object *dhcp_view_get(struct json_object *o, const char *name)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, name, &v);
	return v;
}

static uint64_t number(struct json_object *o, const char *name)
{
	return json_object_get_uint64(dhcp_view_get(o, name));
}

static struct json_object *find_link(struct json_object *daemon, const char *name)
{
	struct json_object *links = dhcp_view_get(daemon, "links");
	bool is_list = json_object_is_type(links, json_type_array);

	for (size_t i = 0; is_list && i < json_object_array_length(links); i++) {
		struct json_object *link = json_object_array_get_idx(links, i);

		if (!strcmp(json_object_get_string(dhcp_view_get(link, "name")) ?: "", name))
			return link;
	}
	return NULL;
}

static struct leases_link *read_file(uint64_t cookie)
{
	struct leases_link *links = calloc(ASYM_LINK_IDS, sizeof(*links));
	size_t ignored = 0;
	int r = links ? leases_file_read(cookie, leases_now_ns(), links, &ignored) : 0;

	if (r && r != -ENOENT)
		log_err(r, "cannot read the leases");
	if (ignored)
		log_warn("%zu of the leases in the file make no sense, ignoring", ignored);
	return links;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/*
 * Guard sees last what leaves: what shim and watchdog send is right by then, and what the shim lets
 * pass is counted by both.
 */
static void count(struct dhcp_row *row)
{
	struct json_object *watchdog = dhcp_view_get(row->lease, "watchdog");
	uint64_t sent = number(watchdog, "sent") - number(watchdog, "failed");
	struct dhcp_renewals *r = &row->renewals;

	r->guard = row->counts.mended + row->counts.moved;
	r->shim = number(row->shim, "moved");
	r->watchdog = number(watchdog, "acknowledged");
	r->right = MAX(less(row->counts.right, sent + r->shim), number(row->shim, "right"));
	r->failed = MAX(row->counts.failed, number(row->shim, "failed")) +
		    number(watchdog, "failed");
}

static void fill(struct dhcp_view *v, struct dhcp_row *row, const struct leases_link *file)
{
	struct json_object *link = find_link(v->daemon, row->link->conf->name);
	const struct leases_link *k = &file[row->link->id];

	if (link)
		row->lease = json_object_get(dhcp_view_get(link, "lease"));
	else if (v->s->model.dhcp != DHCP_OFF && k->id && !strcmp(k->name, row->link->conf->name))
		row->lease = leases_json(k, leases_now_ns());
	row->shim = json_object_get(dhcp_view_get(link, "shim"));
	row->counted = v->s->running && !maps_dhcp(&v->s->object, row->link->id, &row->counts);
	count(row);
}

int dhcp_view_open(struct dhcp_view *v, const struct session *s)
{
	_cleanup_free_ struct leases_link *file = read_file(s->cookie);

	*v = (struct dhcp_view){.s = s, .n = s->plan.n_links};
	v->rows = calloc(v->n + 1, sizeof(*v->rows));
	if (!v->rows || !file) {
		free(v->rows);
		return -ENOMEM;
	}
	v->daemon = status_daemon_ask(s->cookie);
	for (size_t i = 0; i < v->n; i++) {
		v->rows[i].link = &s->plan.links[i];
		fill(v, &v->rows[i], file);
	}
	return 0;
}

void dhcp_view_done(struct dhcp_view *v)
{
	for (size_t i = 0; i < v->n; i++) {
		json_object_put(v->rows[i].lease);
		json_object_put(v->rows[i].shim);
	}
	free(v->rows);
	json_object_put(v->daemon);
}
