// SPDX-License-Identifier: GPL-2.0-or-later
/* wg show: what the daemon of the mesh measures, of each direction and way. */
#include "cmd/table.h"
#include "cmd/wg_show.h"
#include <string.h>

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(o, key, &value);
	return value;
}

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *value = member(o, key);

	return value ? json_object_get_string(value) : "-";
}

/* "thin: faster", "thick: preferred", both, or nothing. */
static void add_chosen(struct table *t, struct json_object *peer, const char *way)
{
	static const char *const flows[] = {"thin", "thick"};
	char text[80] = "";

	for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
		struct json_object *chosen = member(peer, flows[i]);
		size_t len = strlen(text);

		if (!strcmp(text_of(chosen, "way"), way))
			snprintf(text + len, sizeof(text) - len, "%s%s: %s", len ? ", " : "",
			         flows[i], text_of(chosen, "reason"));
	}
	table_add(t, "%s", text);
}

static void add_figures(struct table *t, struct json_object *way)
{
	bool has_delay = member(way, "delay_ms"), has_loss = member(way, "loss");

	table_add(t, "%s%s", text_of(way, "delay_ms"), has_delay ? " ms" : "");
	table_add(t, "%s%s", text_of(way, "loss"), has_loss ? "%" : "");
}

static void add_direction(struct table *t, struct json_object *peer, bool to)
{
	struct json_object *list = member(peer, to ? "to" : "from");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *way = json_object_array_get_idx(list, i);

		table_add(t, "%s%s", i ? "" : to ? "to " : "from ", i ? "" : text_of(peer, "node"));
		table_add(t, "%s", text_of(way, "way"));
		add_figures(t, way);
		table_add(t, "%s", to ? text_of(way, "state") : "");
		table_add(t, "%s", to ? text_of(way, "mtu") : "");
		if (to)
			add_chosen(t, peer, text_of(way, "way"));
		else
			table_add(t, "%s", "");
	}
}

static void print_differing(struct json_object *peers)
{
	for (size_t i = 0; i < json_object_array_length(peers); i++) {
		struct json_object *peer = json_object_array_get_idx(peers, i);

		if (json_object_get_boolean(member(peer, "differs")))
			printf("\n%s has another description of the mesh\n", text_of(peer, "node"));
	}
}

void wg_show_measured(struct json_object *measured)
{
	static const char *const heads[] = {"DIRECTION", "WAY", "DELAY", "LOSS", "STATE",
					    "MTU", "CHOSEN"};
	struct json_object *peers = member(measured, "peers");
	struct table t = {.columns = ARRAY_SIZE(heads)};

	if (!peers)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&t, "%s", heads[i]);
	for (size_t i = 0; i < json_object_array_length(peers); i++) {
		add_direction(&t, json_object_array_get_idx(peers, i), true);
		add_direction(&t, json_object_array_get_idx(peers, i), false);
	}
	printf("\n");
	table_print(&t, 0x2c, stdout);
	table_done(&t);
	print_differing(peers);
}
