// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health.h"
#include "core/health_int.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

#define MS 1000000ULL
#define ASLEEP_MS 1000 /* nobody came for so long after something was due */

static_assert(MODEL_MAX_TARGETS <= 32, "health_round.pending has a bit for each");

static struct health_round *round_at(struct health *h, uint32_t number)
{
	return &h->rounds[number % HEALTH_ROUNDS];
}

/* From one index of conf's targets to the next of the family, or conf->n. */
static size_t next_of_family(const struct model_probe *conf, enum asym_family family, size_t i)
{
	while (i < conf->n && conf->targets[i].family != family)
		i++;
	return i;
}

static size_t count_of_family(const struct model_probe *conf, enum asym_family family)
{
	size_t n = 0;

	for (size_t i = 0; (i = next_of_family(conf, family, i)) < conf->n; i++)
		n++;
	return MIN(n, (size_t)MODEL_MAX_TARGETS);
}

static void bind_targets(struct health *h)
{
	size_t at = 0;

	for (size_t i = 0; i < h->n; i++, at++) {
		at = next_of_family(h->conf, h->family, at);
		h->targets[i].conf = &h->conf->targets[at];
	}
}

int health_init(struct health *ret, const struct model_probe *conf, enum asym_family family,
                bool was_up, bool fresh, uint64_t now)
{
	size_t n = count_of_family(conf, family);
	_cleanup_free_ struct health_target *targets = calloc(MAX(n, 1u), sizeof(*targets));
	_cleanup_free_ uint32_t *rings = calloc(MAX(n, 1u) * conf->window, sizeof(*rings));

	if (!targets || !rings)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		targets[i].rtt_us = rings + i * conf->window;
	*ret = (struct health){
		.conf = conf,
		.family = family,
		.targets = TAKE_PTR(targets),
		.rings = TAKE_PTR(rings),
		.n = n,
		.up = !n || (fresh ? !conf->initial_down : was_up),
		.since_ns = now,
		.first = 1,
		.counted = 1,
		.next = 1,
		.next_ns = n ? now : UINT64_MAX,
		.seen_ns = now,
		.calm_ns = now,
	};
	bind_targets(ret);
	return 0;
}

void health_done(struct health *h)
{
	free(h->targets);
	free(h->rings);
	*h = (struct health){0};
}

static bool same_target(const struct model_target *a, const struct model_target *b)
{
	return a->kind == b->kind && !memcmp(&a->addr, &b->addr, sizeof(a->addr)) &&
	       a->port == b->port && !a->url == !b->url && (!a->url || !strcmp(a->url, b->url));
}

static bool same_targets(const struct health *h, const struct model_probe *conf)
{
	size_t at = 0;

	if (count_of_family(conf, h->family) != h->n)
		return false;
	for (size_t i = 0; i < h->n; i++, at++) {
		at = next_of_family(conf, h->family, at);
		if (!same_target(h->targets[i].conf, &conf->targets[at]))
			return false;
	}
	return true;
}

static uint32_t interval_ms(const struct health *h)
{
	bool missing = h->bad || h->doubted;

	if (!h->up)
		return h->conf->recovery_ms;
	/* A target that has been silent for a window is nothing new. */
	for (size_t i = 0; i < h->n; i++)
		missing |= h->targets[i].silent && h->targets[i].silent < h->targets[i].filled;
	return missing ? h->conf->failure_ms : h->conf->interval_ms;
}

static void schedule(struct health *h, uint64_t now)
{
	if (h->next - h->first == HEALTH_ROUNDS)
		h->next_ns = UINT64_MAX;
	else if (h->begun_ns)
		h->next_ns = MAX(now, h->begun_ns + interval_ms(h) * MS);
}

bool health_adopt(struct health *h, const struct model_probe *conf, uint64_t now)
{
	if (conf->window != h->conf->window || !same_targets(h, conf))
		return false;
	h->conf = conf;
	bind_targets(h);
	schedule(h, now);
	return true;
}

uint64_t health_due(const struct health *h)
{
	bool held = !h->up && h->reason == HEALTH_HELD && h->good >= h->conf->rise;

	return held ? MIN(h->next_ns, h->held_until_ns) : h->next_ns;
}

/* Answers that came while the process was asleep look like timeouts: timers run first. */
static void void_if_asleep(struct health *h, uint64_t now)
{
	uint64_t due = h->next_ns;

	if (h->first != h->next)
		due = MIN(due, round_at(h, h->first)->begun_ns + h->conf->timeout_ms * MS);
	if (due != UINT64_MAX && now > MAX(due, h->seen_ns) + ASLEEP_MS * MS)
		for (uint32_t i = h->first; i != h->next; i++)
			if (round_at(h, i)->pending)
				round_at(h, i)->verdict = HEALTH_VOID;
	h->seen_ns = now;
}

uint32_t health_round(struct health *h, uint64_t now)
{
	void_if_asleep(h, now);
	if (now < h->next_ns)
		return 0;
	*round_at(h, h->next) = (struct health_round){
		.begun_ns = now,
		.pending = (1ULL << h->n) - 1,
	};
	for (size_t i = 0; i < h->n; i++)
		h->targets[i].sent++;
	h->begun_ns = now;
	h->next++;
	schedule(h, now);
	return h->next - 1;
}

size_t health_place(const struct health *h, uint32_t round, size_t target)
{
	return round % HEALTH_ROUNDS * h->n + target;
}

static void count(struct health *h, uint32_t number)
{
	const struct health_round *r = round_at(h, number);

	switch (r->verdict) {
	case HEALTH_GOOD:
		h->good++;
		h->bad = 0;
		if (number >= h->doubted)
			h->doubted = 0;
		break;
	case HEALTH_BAD:
		h->good = 0;
		h->bad += r->begun_ns >= h->evidence_ns;
		break;
	}
}

/* Each round by itself: several may have waited for one. */
static void count_rounds(struct health *h, uint64_t now)
{
	while (h->counted != h->next && round_at(h, h->counted)->verdict != HEALTH_OPEN) {
		count(h, h->counted++);
		health_judge(h, now);
	}
	while (h->first != h->next && !round_at(h, h->first)->pending)
		h->first++;
}

static void decide(struct health *h, struct health_round *r)
{
	if (r->verdict != HEALTH_OPEN)
		return;
	if (r->answered >= health_quorum(h))
		r->verdict = HEALTH_GOOD;
	else if (r->failed > h->n - health_quorum(h))
		r->verdict = HEALTH_BAD;
}

bool health_result(struct health *h, uint32_t round, size_t target, uint32_t rtt_us, uint64_t now)
{
	struct health_round *r = round_at(h, round);
	bool up = h->up;

	void_if_asleep(h, now);
	if (round < h->first || round >= h->next || target >= h->n || !(r->pending >> target & 1))
		return false;
	r->pending &= ~(1u << target);
	if (r->verdict != HEALTH_VOID) {
		*(rtt_us ? &r->answered : &r->failed) += 1;
		health_feed(h, &h->targets[target], round, rtt_us);
		decide(h, r);
	}
	count_rounds(h, now);
	health_judge(h, now);
	schedule(h, now);
	return h->up != up;
}

void health_cancel(struct health *h, uint64_t now)
{
	h->seen_ns = now;
	h->first = h->counted = h->next;
	if (h->n) {
		h->begun_ns = 0;
		h->next_ns = now;
	}
}

bool health_tick(struct health *h, uint64_t now)
{
	bool up = h->up;

	void_if_asleep(h, now);
	health_judge(h, now);
	if (h->up != up)
		schedule(h, now);
	return h->up != up;
}

/* Of the bad rounds on end those that began at at_ns or later, as far back as is known. */
static uint32_t bad_since(struct health *h, uint64_t at_ns)
{
	uint32_t bad = 0;

	for (uint32_t i = h->counted - 1; i && h->next - i <= HEALTH_ROUNDS; i--) {
		const struct health_round *r = round_at(h, i);

		if (r->begun_ns < at_ns)
			return bad;
		bad += r->verdict == HEALTH_BAD;
	}
	return UINT32_MAX;
}

void health_evidence(struct health *h, uint64_t at_ns)
{
	if (at_ns <= h->evidence_ns)
		return;
	h->evidence_ns = at_ns;
	if (at_ns >= h->doubted_ns)
		h->doubted = 0;
	h->bad = MIN(h->bad, bad_since(h, at_ns));
	for (size_t i = 0; i < h->n; i++)
		if (h->targets[i].silent >= h->conf->fall)
			health_excuse(&h->targets[i]);
}

void health_doubt(struct health *h, uint64_t now)
{
	h->doubted = h->next;
	h->doubted_ns = now;
	schedule(h, now);
}
