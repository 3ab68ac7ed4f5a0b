// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/flows_view.h"

#include "base/str.h"
#include "cmd/json.h"
#include "cmd/table.h"

#define CHUNK 1000 /* rows of the table that are held in memory */

static const char *device_name(const struct flows_view *v, uint32_t ifindex)
{
	const struct host_device *d = host_device_by_index(&v->s->host, ifindex);

	return d ? d->name : NULL;
}

static const char *state_name(const struct flow_info *f)
{
	return f->fast ? "fast" : "learning";
}

/* Text */

static const char *const heads[] = {"PROTO",   "SOURCE",   "DESTINATION", "NAT",	 "LINK",
				    "OUT",     "BACK",	   "PACKETS OUT", "PACKETS BACK",
				    "BYTES OUT", "BYTES BACK", "AGE",	  "IDLE",	 "STATE"};
#define RIGHT 0x1f80u /* columns of numbers */

/* Long enough for "[address]:port". */
#define END_STRLEN (ADDR_STRLEN + 8)

static const char *end_str(const struct in6_addr *a, uint16_t port, char *buf)
{
	char text[ADDR_STRLEN];

	snprintf(buf, END_STRLEN, addr_is_v4(a) ? "%s:%u" : "[%s]:%u", addr_str(a, text), port);
	return buf;
}

/* What NAT made of source and destination. */
static void add_nat(struct table *t, const struct flow_info *f)
{
	const struct flow_tuple *a = &f->sent, *b = &f->translated;
	bool src = !addr_equal(&a->src, &b->src) || a->sport != b->sport;
	bool dst = !addr_equal(&a->dst, &b->dst) || a->dport != b->dport;
	char from[END_STRLEN], to[END_STRLEN];

	table_add(t, "%s%s%s%s", src ? "from " : dst ? "" : "-",
		  src ? end_str(&b->src, b->sport, from) : "", src && dst ? " to " : dst ? "to " : "",
		  dst ? end_str(&b->dst, b->dport, to) : "");
}

static void add_way(struct table *t, const struct flows_view *v, const struct flow_way *w)
{
	if (w->in && w->out)
		table_add(t, "%s>%s", device_name(v, w->in) ?: "?", device_name(v, w->out) ?: "?");
	else
		table_add(t, "-");
}

static void add_row(struct flows_view *v, const struct flow_info *f, void *arg)
{
	const struct flow_way *out = &f->way[FLOW_ORIGINAL], *back = &f->way[FLOW_REPLY];
	char text[END_STRLEN];
	struct table *t = arg;

	table_add(t, "%s", f->udp ? "udp" : "tcp");
	table_add(t, "%s", end_str(&f->sent.src, f->sent.sport, text));
	table_add(t, "%s", end_str(&f->sent.dst, f->sent.dport, text));
	add_nat(t, f);
	table_add(t, "%s", flows_view_link(v, f->link) ?: "-");
	add_way(t, v, out);
	add_way(t, v, back);
	table_add(t, "%llu", (unsigned long long)out->packets);
	table_add(t, "%llu", (unsigned long long)back->packets);
	table_add(t, "%llu", (unsigned long long)out->bytes);
	table_add(t, "%llu", (unsigned long long)back->bytes);
	table_add(t, "%u", f->age_s);
	table_add(t, "%u", f->idle_s);
	table_add(t, "%s%s", state_name(f), f->stateless ? ", stateless" : "");
	if (t->n == CHUNK * t->columns) {
		table_print(t, RIGHT, stdout);
		table_clear(t);
	}
}

static void print_text(struct flows_view *v)
{
	struct table t = {.columns = ARRAY_SIZE(heads)};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&t, "%s", heads[i]);
	flows_view_each(v, add_row, &t);
	table_print(&t, RIGHT, stdout);
	table_done(&t);
}

static void print_counts(const struct flows_view *v)
{
	struct table t = {.columns = 2};
	size_t total = 0;

	for (int id = 0; id < ASYM_LINK_IDS; id++) {
		const char *name = flows_view_link(v, id);

		total += v->count[id];
		if (!name && !v->count[id])
			continue;
		table_add(&t, "%s", name ?: "-");
		table_add(&t, "%zu", v->count[id]);
	}
	table_add(&t, "total");
	table_add(&t, "%zu", total);
	table_print(&t, 1 << 1, stdout);
	table_done(&t);
}

/* JSON */

static struct json_object *json_tuple(const struct flow_tuple *t)
{
	struct json_object *o = json_object_new_object();
	char text[ADDR_STRLEN];

	json_add_str(o, "source", addr_str(&t->src, text));
	json_add_u64(o, "source_port", t->sport);
	json_add_str(o, "destination", addr_str(&t->dst, text));
	json_add_u64(o, "destination_port", t->dport);
	return o;
}

static struct json_object *json_way(const struct flows_view *v, const struct flow_way *w)
{
	struct json_object *o;

	if (!w->present)
		return NULL;
	o = json_object_new_object();
	json_add_str(o, "in", device_name(v, w->in));
	json_add_str(o, "out", device_name(v, w->out));
	json_add_u64(o, "packets", w->packets);
	json_add_u64(o, "bytes", w->bytes);
	json_add_u64(o, "idle", w->idle_s);
	json_add_u64(o, "largest", w->largest);
	return o;
}

static struct json_object *json_flow(const struct flows_view *v, const struct flow_info *f)
{
	struct json_object *o = json_object_new_object();

	json_add_str(o, "family", addr_is_v4(&f->sent.src) ? "ipv4" : "ipv6");
	json_add_str(o, "protocol", f->udp ? "udp" : "tcp");
	json_add_str(o, "state", state_name(f));
	json_object_object_add(o, "stateless", json_object_new_boolean(f->stateless));
	json_add_str(o, "link", flows_view_link(v, f->link));
	json_add_u64(o, "age", f->age_s);
	json_add_u64(o, "idle", f->idle_s);
	json_object_object_add(o, "sent", json_tuple(&f->sent));
	json_object_object_add(o, "translated", json_tuple(&f->translated));
	json_object_object_add(o, "original", json_way(v, &f->way[FLOW_ORIGINAL]));
	json_object_object_add(o, "reply", json_way(v, &f->way[FLOW_REPLY]));
	return o;
}

/* One line for each: a full cache as one object would not fit into memory. */
static void print_json_row(struct flows_view *v, const struct flow_info *f, void *arg)
{
	struct json_object *o = json_flow(v, f);
	const char **comma = arg;

	printf("%s\n%s", *comma,
	       json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	*comma = ",";
	json_object_put(o);
}

static void print_json_counts(const struct flows_view *v)
{
	struct json_object *o = json_object_new_object(), *links = json_object_new_object();
	size_t total = 0;

	for (int id = 0; id < ASYM_LINK_IDS; id++) {
		const char *name = flows_view_link(v, id);

		total += v->count[id];
		if (name)
			json_add_u64(links, name, v->count[id]);
	}
	json_object_object_add(o, "links", links);
	json_add_u64(o, "total", total);
	json_print(o);
}

void flows_view_print(struct flows_view *v)
{
	const char *comma = "";

	if (v->o->count && v->o->json) {
		print_json_counts(v);
	} else if (v->o->count) {
		print_counts(v);
	} else if (v->o->json) {
		printf("[");
		flows_view_each(v, print_json_row, &comma);
		printf("\n]\n");
	} else {
		print_text(v);
	}
}
