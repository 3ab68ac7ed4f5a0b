// SPDX-License-Identifier: GPL-2.0-or-later
/* When a better tier is back: which connections follow it, and when. */
#include "base/log.h"
#include "core/buckets.h"
#include "run/monitor.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define S 1000000000ll

static size_t tier_in_use(const struct plan *p, size_t policy, enum asym_family f)
{
	struct bucket_share shares[ASYM_MAX_LINKS];
	size_t tier;

	plan_shares(p, policy, f, shares, &tier);
	return tier;
}

static bool is_better(const struct plan *before, const struct plan *now, size_t policy)
{
	for (int f = 0; f < ASYM_FAMILIES; f++) {
		size_t was = tier_in_use(before, policy, f);

		if (was < now->model->policies[policy].n && tier_in_use(now, policy, f) < was)
			return true;
	}
	return false;
}

/* --- when */

static int64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * S + now.tv_nsec;
}

static int64_t wait_ns(const struct model_policy *policy)
{
	return policy->failback == FAILBACK_DRAIN ? policy->drain_s * S : 0;
}

static bool same_drains(const struct state *a, const struct state *b)
{
	if (a->n_drains != b->n_drains)
		return false;
	for (size_t i = 0; i < a->n_drains; i++)
		if (strcmp(a->drains[i].policy, b->drains[i].policy) ||
		    a->drains[i].at_ns != b->drains[i].at_ns)
			return false;
	return true;
}

/* For the next life of the daemon.  True: the state file differs. */
static bool note(struct monitor *m)
{
	struct state *s = &m->s->state, now = {};
	bool same;
	int r = 0;

	for (size_t i = 0; i < m->s->model.n_policies && !r; i++)
		if (m->drain_at_ns[i] && wait_ns(&m->s->model.policies[i]))
			r = state_add_drain(&now, m->s->model.policies[i].name, m->drain_at_ns[i]);
	same = r || same_drains(s, &now);
	if (!same) {
		free(s->drains);
		s->drains = TAKE_PTR(now.drains);
		s->n_drains = now.n_drains;
		m->state_changed = true;
	}
	free(now.drains);
	return !same;
}

static void on_drain(uv_timer_t *timer);

static void schedule(struct monitor *m)
{
	int64_t next = INT64_MAX, now = boot_ns();

	for (size_t i = 0; i < m->s->model.n_policies; i++)
		if (m->drain_at_ns[i])
			next = MIN(next, m->drain_at_ns[i]);
	if (next == INT64_MAX)
		return;
	uv_update_time(&m->loop);
	uv_timer_start(&m->drain, on_drain, next > now ? (next - now) / 1000000 + 1 : 0, 0);
}

/* --- the end */

static void drain_due(struct monitor *m, const struct plan *p)
{
	int64_t now = boot_ns();
	int r;

	for (size_t i = 0; i < m->s->model.n_policies; i++) {
		if (!m->drain_at_ns[i] || m->drain_at_ns[i] > now)
			continue;
		m->drain_at_ns[i] = 0;
		r = update_move(&m->s->object, p, i);
		if (r)
			log_err(r, "connections of policy %s cannot be moved",
				m->s->model.policies[i].name);
	}
	schedule(m);
	if (note(m))
		monitor_sync_soon(m);
}

static void on_drain(uv_timer_t *timer)
{
	struct monitor *m = timer->data;

	drain_due(m, &m->s->plan);
}

void monitor_drain(struct monitor *m, const struct plan *plan)
{
	drain_due(m, plan);
}

/* --- the beginning */

static int64_t in_memory(const int64_t *before, const struct session *old, const char *policy)
{
	const struct model_policy *was = model_policy_find(&old->model, policy);

	return was ? before[was - old->model.policies] : 0;
}

static int64_t in_file(const struct state *s, const struct model_policy *policy)
{
	for (size_t i = 0; i < s->n_drains; i++)
		if (!strcmp(s->drains[i].policy, policy->name))
			return MIN(s->drains[i].at_ns, boot_ns() + wait_ns(policy));
	return 0;
}

void monitor_drain_keep(struct monitor *m, const struct session *old)
{
	int64_t before[ASYM_MAX_POLICIES];

	memcpy(before, m->drain_at_ns, sizeof(before));
	memset(m->drain_at_ns, 0, sizeof(m->drain_at_ns));
	for (size_t i = 0; i < m->s->model.n_policies; i++) {
		const struct model_policy *now = &m->s->model.policies[i];

		if (now->failback != FAILBACK_KEEP)
			m->drain_at_ns[i] = old ? in_memory(before, old, now->name) :
						  in_file(&m->s->state, now);
	}
}

void monitor_drain_begin(struct monitor *m, const struct plan *plan)
{
	for (size_t i = 0; m->settled && i < m->s->model.n_policies; i++) {
		const struct model_policy *policy = &m->s->model.policies[i];

		if (policy->failback != FAILBACK_KEEP && is_better(&m->s->plan, plan, i))
			m->drain_at_ns[i] = boot_ns() + wait_ns(policy);
	}
	note(m);
}
