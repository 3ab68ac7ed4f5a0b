// SPDX-License-Identifier: GPL-2.0-or-later
/* What the daemon did and saw, as events. */
#include "base/str.h"
#include "run/monitor.h"
#include <string.h>

/* "no-answer" says less than the probes know. */
static const char *reason_of(const struct monitor *m, const struct plan_link *l, enum asym_family f)
{
	const struct track *track = tracker_find(&m->tracker, l->id, f);

	if (l->down[f] == PLAN_PROBES && track && track->health.n && !track->health.up)
		return health_reason_names[track->health.reason];
	return plan_down_names[l->down[f]];
}

static void tell_family(struct monitor *m, const struct plan_link *l, enum asym_family f)
{
	const struct event e = {
		.kind = EVENT_LINK,
		.link = l->conf->name,
		.device = l->conf->device,
		.family = f == ASYM_V4 ? AF_INET : AF_INET6,
		.state = l->down[f] == PLAN_LIVE ? "up" : "down",
		.reason = reason_of(m, l, f),
	};

	m->since_ns[l->id][f] = uv_hrtime();
	events_send(&m->events, &e);
}

/* True when it has changed.  What is new has not. */
static bool learn_family(struct monitor *m, const struct plan_link *l, enum asym_family f)
{
	bool *live = &m->live.has[f][l->id], was = *live;
	bool new = !m->since_ns[l->id][f];

	*live = l->down[f] == PLAN_LIVE;
	if (new)
		m->since_ns[l->id][f] = uv_hrtime();
	return !new && *live != was;
}

/* Since people were told last, whoever loaded meanwhile. */
static bool tell_links(struct monitor *m, const struct plan *plan)
{
	bool any = false;

	for (size_t i = 0; i < plan->n_links; i++)
		for (int f = 0; f < ASYM_FAMILIES; f++) {
			if (!learn_family(m, &plan->links[i], f))
				continue;
			tell_family(m, &plan->links[i], f);
			any = true;
		}
	return any;
}

/* An empty array is no pointer that memcmp() may be given. */
static bool same_bytes(const void *a, const void *b, size_t n)
{
	return !n || !memcmp(a, b, n);
}

/* Whether the plans differ in anything that rules, routes, ruleset or programs come from. */
static bool same_links(const struct monitor *m, const struct plan *plan)
{
	if (!m->settled || plan->n_links != m->s->plan.n_links ||
	    plan->n_lans != m->s->plan.n_lans ||
	    !same_bytes(plan->lans, m->s->plan.lans, plan->n_lans * sizeof(*plan->lans)))
		return false;
	return same_bytes(plan->links, m->s->plan.links, plan->n_links * sizeof(*plan->links)) &&
	       plan->n_routes == m->s->plan.n_routes && plan->n_rules == m->s->plan.n_rules;
}

static void tell_repair(struct monitor *m, unsigned int done)
{
	static const char *const parts[] = {
		"programs", "rules and routes", NULL, "nftables", "sysctls", NULL, NULL, "kernel module",
		"table inet " PLAN_ROUTER_TABLE,
	};
	_cleanup_(str_done) struct str text = {};
	struct event e = {.kind = EVENT_REPAIR};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i] && done & 1u << i)
			str_add(&text, "%s%s", text.len ? ", " : "somebody changed our ", parts[i]);
	if (!text.len)
		return;
	e.text = text.s;
	events_send(&m->events, &e);
}

/* Of one that is there and cannot be used; without any all is well. */
static void tell_module(struct monitor *m, const struct module *now)
{
	char text[160];
	const struct event e = {.kind = EVENT_ERROR, .text = text};

	module_complaint(now, text, sizeof(text));
	if (*text && (m->module.state != MODULE_OTHER || m->module.info.abi != now->info.abi))
		events_send(&m->events, &e);
	m->module = *now;
}

static void tell_failure(struct monitor *m, const struct update *u)
{
	const struct event e = {.kind = EVENT_ERROR, .text = u->error};

	if (u->failed & ~m->failing)
		events_send(&m->events, &e);
	m->failing = u->failed | (m->state_owed ? UPDATE_STATE : 0);
}

void monitor_tell(struct monitor *m, const struct plan *plan, const struct update *u)
{
	bool same = same_links(m, plan), is_new = m->module.state != MODULE_USED;

	if (!tell_links(m, plan) && same)
		tell_repair(m, u->done & ~(is_new ? UPDATE_MODULE : 0u));
	tell_module(m, &u->module);
	tell_failure(m, u);
}

void monitor_tell_manual(struct monitor *m, const struct plan_id *id)
{
	const struct event e = {
		.kind = EVENT_MANUAL,
		.link = id->name,
		.state = plan_manual_names[id->manual],
	};

	events_send(&m->events, &e);
}

static void tell(struct monitor *m, enum event_kind kind, const char *text)
{
	const struct event e = {.kind = kind, .text = text};

	events_send(&m->events, &e);
}

void monitor_tell_reload(struct monitor *m)
{
	tell(m, EVENT_RELOAD, "another configuration is in force");
}

/* Links that do not work are told at the start, too: nobody would hear of them otherwise. */
void monitor_tell_start(struct monitor *m)
{
	const struct plan *p = &m->s->plan;
	char text[80];

	snprintf(text, sizeof(text), "%zu links, %zu LANs", p->n_links, p->n_lans);
	tell(m, EVENT_START, text);
	for (size_t i = 0; i < p->n_links; i++)
		for (int f = 0; f < ASYM_FAMILIES; f++) {
			m->since_ns[p->links[i].id][f] = uv_hrtime();
			if (f == ASYM_V4 && p->links[i].down[f] != PLAN_LIVE)
				tell_family(m, &p->links[i], f);
		}
}

void monitor_tell_stop(struct monitor *m)
{
	tell(m, EVENT_STOP, "everything stays as it is");
}
