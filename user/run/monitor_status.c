// SPDX-License-Identifier: GPL-2.0-or-later
/* What the daemon knows, for {"do": "status"}. */
#include "run/monitor.h"

#include <time.h>
#include <unistd.h>

static void add_str(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, json_object_new_string(value));
}

static void add_num(struct json_object *o, const char *name, double value)
{
	json_object_object_add(o, name, json_object_new_double(value));
}

static void add_ms(struct json_object *o, const char *name, uint32_t us, bool known)
{
	json_object_object_add(o, name, known ? json_object_new_double(us / 1000.0) : NULL);
}

static struct json_object *target(const struct track *t, size_t i)
{
	const struct health *h = &t->health;
	struct health_figures figures = health_figures(h, i);
	struct json_object *o = json_object_new_object();
	char text[TRACKER_TARGET];

	tracker_target_text(t, i, text);
	add_str(o, "kind", model_probe_names[h->targets[i].conf->kind]);
	add_str(o, "target", text);
	json_object_object_add(o, "answers",
			       figures.n ? json_object_new_boolean(h->targets[i].answers) : NULL);
	json_object_object_add(o, "loss", figures.n ? json_object_new_int(figures.loss) : NULL);
	add_ms(o, "latency_ms", figures.latency_us, figures.latency_us);
	add_ms(o, "jitter_ms", figures.jitter_us, figures.latency_us);
	return o;
}


static struct json_object *family(const struct monitor *m, const struct plan_link *l,
				  enum asym_family f)
{
	const struct track *t = tracker_find(&m->tracker, l->id, f);
	const struct health *h = t && t->health.n ? &t->health : NULL;
	struct json_object *o = json_object_new_object(), *targets = json_object_new_array();

	add_str(o, "state", l->down[f] == PLAN_LIVE ? "up" : "down");
	add_str(o, "reason", tracker_reason(&m->tracker, l, f));
	add_num(o, "since_s", (uv_hrtime() - m->since_ns[l->id][f]) / 1e9);
	json_object_object_add(o, "degraded", json_object_new_boolean(h && h->degraded));
	for (size_t i = 0; h && i < h->n; i++)
		json_object_array_add(targets, target(t, i));
	json_object_object_add(o, "targets", targets);
	return o;
}

static void add_manual(const struct monitor *m, uint8_t id, struct json_object *o)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	for (size_t i = 0; i < m->s->state.n_ids; i++) {
		const struct plan_id *known = &m->s->state.ids[i];

		if (known->id != id)
			continue;
		add_str(o, "manual", plan_manual_names[known->manual]);
		if (known->manual_until)
			json_object_object_add(o, "manual_left_s",
					       json_object_new_int64(known->manual_until -
								     now.tv_sec));
	}
}

static struct json_object *lease(const struct monitor *m, uint8_t id)
{
	const struct leases_link *k = leases_find(m->leases, id);

	return k ? leases_json(k, leases_now_ns()) : NULL;
}

static struct json_object *shim(const struct monitor *m, uint8_t id)
{
	const struct shim_count *c = m->shim ? shim_counts(m->shim, id) : NULL;
	struct json_object *o = c ? json_object_new_object() : NULL;

	if (!c)
		return NULL;
	json_object_object_add(o, "right", json_object_new_uint64(c->right));
	json_object_object_add(o, "moved", json_object_new_uint64(c->moved));
	json_object_object_add(o, "failed", json_object_new_uint64(c->failed));
	return o;
}

static struct json_object *link_status(const struct monitor *m, const struct plan_link *l)
{
	struct json_object *o = json_object_new_object();

	add_str(o, "name", l->conf->name);
	json_object_object_add(o, "id", json_object_new_int(l->id));
	add_manual(m, l->id, o);
	json_object_object_add(o, "ipv4", family(m, l, ASYM_V4));
	json_object_object_add(o, "ipv6", family(m, l, ASYM_V6));
	json_object_object_add(o, "lease", lease(m, l->id));
	json_object_object_add(o, "shim", shim(m, l->id));
	return o;
}

void monitor_status(void *data, struct json_object *ret)
{
	const struct monitor *m = data;
	struct json_object *links = json_object_new_array();

	for (size_t i = 0; m->s && i < m->s->plan.n_links; i++)
		json_object_array_add(links, link_status(m, &m->s->plan.links[i]));
	json_object_object_add(ret, "pid", json_object_new_int(getpid()));
	add_num(ret, "running_s", (uv_hrtime() - m->begun_ns) / 1e9);
	json_object_object_add(ret, "links", links);
}
