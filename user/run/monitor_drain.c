// SPDX-License-Identifier: GPL-2.0-or-later
/* When a better tier is back: which connections follow it, and when. */
#include "base/log.h"
#include "core/buckets.h"
#include "run/monitor.h"
#include <string.h>

#define S 1000000000ull

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

static void on_drain(uv_timer_t *timer);

static void schedule(struct monitor *m)
{
	uint64_t next = UINT64_MAX, now = uv_hrtime();

	for (size_t i = 0; i < m->s->model.n_policies; i++)
		if (m->drain_at_ns[i])
			next = MIN(next, m->drain_at_ns[i]);
	if (next == UINT64_MAX)
		return;
	uv_update_time(&m->loop);
	uv_timer_start(&m->drain, on_drain, next > now ? (next - now) / 1000000 + 1 : 0, 0);
}

static void drain_due(struct monitor *m, const struct plan *p)
{
	uint64_t now = uv_hrtime();
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
}

static void on_drain(uv_timer_t *timer)
{
	struct monitor *m = timer->data;

	drain_due(m, &m->s->plan);
}

void monitor_drain_keep(struct monitor *m, const struct session *old)
{
	uint64_t before[ASYM_MAX_POLICIES];

	memcpy(before, m->drain_at_ns, sizeof(before));
	memset(m->drain_at_ns, 0, sizeof(m->drain_at_ns));
	for (size_t i = 0; old && i < m->s->model.n_policies; i++) {
		const struct model_policy *now = &m->s->model.policies[i];
		const struct model_policy *was = model_policy_find(&old->model, now->name);

		if (was && now->failback != FAILBACK_KEEP)
			m->drain_at_ns[i] = before[was - old->model.policies];
	}
}

void monitor_drain(struct monitor *m, const struct plan *plan)
{
	for (size_t i = 0; m->settled && i < m->s->model.n_policies; i++) {
		const struct model_policy *policy = &m->s->model.policies[i];

		if (policy->failback == FAILBACK_KEEP ||
		    !is_better(&m->s->plan, plan, i))
			continue;
		m->drain_at_ns[i] = uv_hrtime() +
				    (policy->failback == FAILBACK_DRAIN ? policy->drain_s * S : 0);
	}
	drain_due(m, plan);
}
