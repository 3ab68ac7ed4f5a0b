// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/tracker_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull

void tracker_target_text(const struct track *t, size_t target, char ret[static TRACKER_TARGET])
{
	const struct model_target *conf = t->health.targets[target].conf;
	const struct in6_addr *gateway = &t->path.gateway[t->family];
	char addr[ADDR_STRLEN];

	if (conf->kind == PROBE_HTTP)
		snprintf(ret, TRACKER_TARGET, "%.280s", conf->url);
	else if (conf->kind == PROBE_GATEWAY)
		snprintf(ret, TRACKER_TARGET, "%s",
			 addr_is_zero(gateway) ? "-" : addr_str(gateway, addr));
	else if (conf->kind == PROBE_PING)
		snprintf(ret, TRACKER_TARGET, "%s", addr_str(&conf->addr, addr));
	else
		snprintf(ret, TRACKER_TARGET, t->family == ASYM_V4 ? "%s:%u" : "[%s]:%u",
			 addr_str(&conf->addr, addr), conf->port);
}

/* --- targets */

static void tell(struct track *t, size_t target, const char *state, const char *why)
{
	char name[TRACKER_TARGET], text[TRACKER_TARGET + 16];
	const struct event e = {
		.kind = EVENT_TARGET,
		.link = t->conf->name,
		.device = t->conf->device,
		.family = t->family == ASYM_V4 ? AF_INET : AF_INET6,
		.state = state,
		.reason = why,
		.text = text,
	};

	tracker_target_text(t, target, name);
	snprintf(text, sizeof(text), "%s %s",
		 model_probe_names[t->health.targets[target].conf->kind], name);
	events_send(t->tracker->events, &e);
}

/* A lost packet is no news, `fall` of them on end are. */
static void tell_target(struct track *t, size_t target, const char *why)
{
	const struct health_target *state = &t->health.targets[target];

	if (!t->told[target] && state->silent >= t->conf->probe.fall)
		tell(t, target, "down", why);
	else if (t->told[target] && !state->silent)
		tell(t, target, "up", NULL);
	else
		return;
	t->told[target] = state->silent;
}

/* --- rounds */

static void on_timer(uv_timer_t *timer);

void tracker_schedule(struct track *t)
{
	uint64_t due = health_due(&t->health), now = uv_hrtime();

	if (!t->able || due == UINT64_MAX) {
		uv_timer_stop(&t->timer);
		return;
	}
	uv_update_time(t->tracker->loop);
	uv_timer_start(&t->timer, on_timer, due > now ? (due - now + MS - 1) / MS : 0, 0);
}

/* Whether the link's round is bad, as far as is known, if this target does not answer. */
static bool matters(const struct track *t, size_t silent)
{
	size_t answer = 0;

	for (size_t i = 0; i < t->health.n; i++)
		answer += i != silent && t->health.targets[i].answers;
	return answer < MIN((size_t)t->health.conf->quorum, t->health.n);
}

static void result(struct track *t, const struct track_probe *p, uint32_t rtt_us, const char *why)
{
	bool changed;

	if (!rtt_us && t->health.up && t->tracker->missing && matters(t, p->target))
		t->tracker->missing(t->tracker->missing_data, t);
	changed = health_result(&t->health, p->round, p->target, rtt_us, uv_hrtime());
	tell_target(t, p->target, why);
	if (changed)
		t->tracker->changed(t->tracker->data);
}

static void on_end(void *data, uint32_t rtt_us, const char *why)
{
	struct track_probe *p = data;

	p->probe = NULL;
	result(p->track, p, rtt_us, why);
	tracker_schedule(p->track);
}

/* What a link cannot be asked says nothing against it. */
static void probe(struct track *t, uint32_t round, uint32_t target)
{
	struct track_probe *p = &t->probes[health_place(&t->health, round, target)];
	int r;

	*p = (struct track_probe){.track = t, .round = round, .target = target};
	r = probe_start(t->tracker->prober, &t->path, t->health.targets[target].conf,
			t->health.conf, on_end, p, &p->probe);
	if (r)
		result(t, p, probe_says_nothing(-r), probe_reason(-r));
}

static void on_timer(uv_timer_t *timer)
{
	struct track *t = timer->data;
	uint32_t round;

	if (health_tick(&t->health, uv_hrtime()))
		t->tracker->changed(t->tracker->data);
	round = health_round(&t->health, uv_hrtime());
	for (uint32_t i = 0; round && i < t->health.n; i++)
		probe(t, round, i);
	tracker_schedule(t);
}

void tracker_cancel(struct track *t)
{
	for (size_t i = 0; i < HEALTH_ROUNDS * t->health.n; i++)
		if (t->probes[i].probe)
			probe_cancel(t->probes[i].probe);
	memset(t->probes, 0, HEALTH_ROUNDS * t->health.n * sizeof(*t->probes));
	health_cancel(&t->health, uv_hrtime());
}

struct track *tracker_place(const struct tracker *t, uint8_t id, enum asym_family family)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->tracks[i]->id == id && t->tracks[i]->family == family)
			return t->tracks[i];
	return NULL;
}

/* --- what real traffic says */

void tracker_evidence(struct tracker *t, uint8_t id, enum asym_family family, uint64_t at_ns)
{
	struct track *track = tracker_place(t, id, family);

	if (!track)
		return;
	health_evidence(&track->health, at_ns);
	tracker_schedule(track);
}

void tracker_doubt(struct tracker *t, uint8_t id)
{
	for (int f = 0; f < ASYM_FAMILIES; f++) {
		struct track *track = tracker_place(t, id, f);

		if (!track || !track->health.n || !track->health.up)
			continue;
		health_doubt(&track->health, uv_hrtime());
		tracker_schedule(track);
	}
}

/* --- what it says */

const struct track *tracker_find(const struct tracker *t, uint8_t id, enum asym_family family)
{
	return tracker_place(t, id, family);
}

/* Without an address of its family it is not, and then its verdict is an old one. */
static bool is_asked(const struct track *t)
{
	return t->able || !addr_is_zero(&t->path.source[t->family]);
}

bool tracker_failed(const struct tracker *t, uint8_t id, enum asym_family family)
{
	const struct track *own = tracker_find(t, id, family), *other = tracker_find(t, id, !family);

	if (own && own->health.n)
		return !own->health.up;
	return other && other->health.n && !other->health.up && is_asked(other);
}

const char *tracker_reason(const struct tracker *t, const struct plan_link *l, enum asym_family family)
{
	const struct track *track = tracker_find(t, l->id, family);
	enum plan_down down = l->down[family];

	if (track && track->health.n && (down == PLAN_LIVE || down == PLAN_PROBES))
		return health_reason_names[track->health.reason];
	return plan_down_names[down];
}

int tracker_open(uv_loop_t *loop, struct events *events, void (*changed)(void *data), void *data,
		 struct tracker *ret)
{
	*ret = (struct tracker){.loop = loop, .events = events, .changed = changed, .data = data};
	return prober_open(loop, &ret->prober);
}

void tracker_close(struct tracker *t)
{
	for (size_t i = 0; i < t->n; i++)
		tracker_drop(t->tracks[i]);
	free(t->tracks);
	prober_close(t->prober);
}
