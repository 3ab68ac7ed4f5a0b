// SPDX-License-Identifier: GPL-2.0-or-later
/* stats: what the programs counted. */
#include "apply/maps.h"
#include "base/log.h"
#include "cmd/json.h"
#include "cmd/verb.h"
#include "cmd/table.h"

static const struct {
	const char *name, *help;
} reasons[ASYM_REASON_MAX] = {
#define X(id, label, text) [ASYM_##id] = {label, text},
	ASYM_REASONS(X)
#undef X
};

struct stats {
	const struct session *s;
	uint64_t counters[ASYM_REASON_MAX];
	struct asym_hits hits[ASYM_MAX_RULES];
	size_t sticky;
};

static void print_counters(const struct stats *st, size_t first, size_t end)
{
	struct table t = {.columns = 3};

	for (size_t i = first; i < end; i++)
		if (st->counters[i]) {
			table_add(&t, "%s", reasons[i].name);
			table_add(&t, "%llu", (unsigned long long)st->counters[i]);
			table_add(&t, "%s", reasons[i].help);
		}
	if (t.n && first)
		printf("\n");
	table_print(&t, 1 << 1, stdout);
	table_done(&t);
}

/* What the flow cache did besides stands apart: it counts packets again. */
static void print_text(const struct stats *st)
{
	const struct model *m = st->s->plan.model;
	struct table rules = {.columns = 4};

	print_counters(st, 0, ASYM_CACHE_NEW);
	print_counters(st, ASYM_CACHE_NEW, ASYM_REASON_MAX);
	printf("\nsticky entries %zu of %u\n\n", st->sticky, m->sticky_entries);
	for (size_t i = 0; i < m->n_rules; i++) {
		table_add(&rules, "rule %s", m->rules[i].name);
		table_add(&rules, "policy %s", m->rules[i].policy);
		table_add(&rules, "%llu packets", (unsigned long long)st->hits[i].packets);
		table_add(&rules, "%llu bytes", (unsigned long long)st->hits[i].bytes);
	}
	table_print(&rules, 3 << 2, stdout);
	table_done(&rules);
}

static void print_json(const struct stats *st)
{
	const struct model *m = st->s->plan.model;
	struct json_object *o = json_object_new_object(), *counters = json_object_new_object();
	struct json_object *rules = json_object_new_array();

	for (size_t i = 0; i < ASYM_REASON_MAX; i++)
		json_add_u64(counters, reasons[i].name, st->counters[i]);
	for (size_t i = 0; i < m->n_rules; i++) {
		struct json_object *rule = json_object_new_object();

		json_add_str(rule, "name", m->rules[i].name);
		json_add_u64(rule, "packets", st->hits[i].packets);
		json_add_u64(rule, "bytes", st->hits[i].bytes);
		json_object_array_add(rules, rule);
	}
	json_object_object_add(o, "counters", counters);
	json_object_object_add(o, "rules", rules);
	json_add_u64(o, "sticky_entries", st->sticky);
	json_print(o);
}

static int show(struct session *s, const struct options *o)
{
	struct stats st = {.s = s};
	struct asym_control control;
	int r;

	r = maps_control(&s->object, &control);
	r = r ?: maps_counters(&s->object, st.counters);
	r = r ?: maps_hits(&s->object, control.bank, st.hits);
	if (r)
		return log_err(r, "cannot read the counters");
	st.sticky = maps_sticky_count(&s->object);
	if (o->json)
		print_json(&st);
	else
		print_text(&st);
	return 0;
}

int cmd_stats(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {.planned = true, .running = true, .body = show};

	return verb_run(self, argc, argv, &verb);
}
