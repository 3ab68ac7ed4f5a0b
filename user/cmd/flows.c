// SPDX-License-Identifier: GPL-2.0-or-later
/* flows: the connections in the flow cache. */
#include "base/log.h"
#include "cmd/flows_view.h"
#include "cmd/verb.h"
#include <errno.h>
#include <string.h>

/* What is asked for */

static int parse_prefix(const struct command *self, const char *name, const char *s,
			struct prefix *ret)
{
	int r = prefix_parse(s, ret);

	if (r == -EDOM)
		return options_wrong(self, "--%s: \"%s\" has bits set beyond its length", name, s);
	return r ? options_wrong(self, "--%s: \"%s\" is not a prefix", name, s) : STATUS_OK;
}

static int parse_proto(const struct command *self, const char *s, uint8_t *ret)
{
	if (strcmp(s, "tcp") && strcmp(s, "udp"))
		return options_wrong(self, "--proto: \"%s\" is neither tcp nor udp", s);
	*ret = *s == 't' ? IPPROTO_TCP : IPPROTO_UDP;
	return STATUS_OK;
}

static int parse_sort(const struct command *self, const char *s, enum flow_sort *ret)
{
	for (int i = 0; i < FLOW_SORT_MAX; i++)
		if (!strcmp(s, flow_sort_names[i])) {
			*ret = i;
			return STATUS_OK;
		}
	return options_wrong(self, "--sort: \"%s\" is none of bytes, packets, age", s);
}

static int parse(struct flows_view *v, const struct command *self, const struct options *o)
{
	int status = STATUS_OK;

	v->o = o;
	v->filter.has_src = o->src;
	v->filter.has_dst = o->dst;
	v->filter.port = o->port;
	if (o->n_args)
		return options_wrong(self, "what is \"%s\"?", o->args[0]);
	if (o->src)
		status = parse_prefix(self, "src", o->src, &v->filter.src);
	if (o->dst && !status)
		status = parse_prefix(self, "dst", o->dst, &v->filter.dst);
	if (o->proto && !status)
		status = parse_proto(self, o->proto, &v->filter.proto);
	if (o->sort && !status)
		status = parse_sort(self, o->sort, &v->sort);
	return status;
}

/* Links that a reload took away may still have flows. */
const char *flows_view_link(const struct flows_view *v, uint8_t id)
{
	const struct plan *p = &v->s->plan;
	const struct plan_link *l = plan_link_by_id(p, id);

	for (size_t i = 0; i < p->n_gone && !l; i++)
		if (p->gone[i].id == id)
			return p->gone[i].name;
	return l ? l->conf->name : NULL;
}

static int find_link(struct flows_view *v)
{
	for (int id = 1; id <= ASYM_MAX_LINKS; id++) {
		const char *name = flows_view_link(v, id);

		if (name && !strcmp(name, v->o->link)) {
			v->filter.link = id;
			return 0;
		}
	}
	return log_err(0, "no link \"%s\"", v->o->link), -ENODEV;
}

/* Finding and sorting */

static bool read_flow(const struct flows_view *v, uint32_t position, struct flow_info *ret)
{
	return flows_get(&v->flows, position, ret) && flow_matches(ret, &v->filter);
}

static int collect(struct flows_view *v)
{
	struct flow_info f;

	for (uint32_t i = 0; i < flows_size(&v->flows); i++) {
		struct flows_row *row;

		if (!read_flow(v, i, &f))
			continue;
		v->count[f.link]++;
		if (v->o->count)
			continue;
		row = ARRAY_ADD(v->rows, v->n_rows);
		if (!row)
			return -ENOMEM;
		*row = (struct flows_row){flow_weight(&f, v->sort), i};
	}
	return 0;
}

static int heavier_first(const void *a, const void *b)
{
	const struct flows_row *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return x->position < y->position ? -1 : x->position > y->position;
}

void flows_view_each(struct flows_view *v,
		     void (*each)(struct flows_view *, const struct flow_info *, void *), void *arg)
{
	size_t limit = v->o->limit ?: SIZE_MAX;
	struct flow_info f;

	if (v->n_rows)
		qsort(v->rows, v->n_rows, sizeof(*v->rows), heavier_first);
	for (size_t i = 0; i < v->n_rows && limit; i++)
		if (read_flow(v, v->rows[i].position, &f)) {
			each(v, &f, arg);
			limit--;
		}
}

static int usage(const struct command *self, const struct options *o)
{
	struct flows_view v = {};

	return parse(&v, self, o);
}

static int show(struct session *s, const struct options *o)
{
	struct flows_view v = {.s = s};
	int r;

	parse(&v, NULL, o);
	if (o->link && find_link(&v))
		return -ENODEV;
	r = flows_open(&s->object, &v.flows);
	if (r == -ENOENT)
		return log_err(0, "the flow cache is off, asymbpf status says why"), r;
	if (r)
		return log_err(r, "cannot read the flow cache");
	r = collect(&v);
	if (r)
		log_err(r, "cannot list the flow cache");
	else
		flows_view_print(&v);
	free(v.rows);
	flows_close(&v.flows);
	return r;
}

int cmd_flows(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {
		.planned = true, .running = true, .usage = usage, .body = show,
	};

	return verb_run(self, argc, argv, &verb);
}
