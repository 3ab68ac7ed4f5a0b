// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/tracker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull
#define SPREAD_MS 1000 /* first rounds of all links are over by then, however long the interval is */

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

static void schedule(struct track *t)
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
	schedule(p->track);
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
	schedule(t);
}

static void cancel(struct track *t)
{
	for (size_t i = 0; i < HEALTH_ROUNDS * t->health.n; i++)
		if (t->probes[i].probe)
			probe_cancel(t->probes[i].probe);
	memset(t->probes, 0, HEALTH_ROUNDS * t->health.n * sizeof(*t->probes));
	health_cancel(&t->health, uv_hrtime());
}

/* --- tracks */

static void free_track(uv_handle_t *timer)
{
	struct track *t = timer->data;

	health_done(&t->health);
	free(t->probes);
	free(t);
}

static void drop(struct track *t)
{
	cancel(t);
	uv_close((uv_handle_t *)&t->timer, free_track);
}

static const struct plan_id *known(const struct plan_id *ids, size_t n, uint8_t id)
{
	static const struct plan_id none;

	for (size_t i = 0; i < n; i++)
		if (ids[i].id == id)
			return &ids[i];
	return &none;
}

/* up: as it was.  0 or -ENOMEM. */
static int judge(const struct track *t, const struct model_link *conf, bool up, bool fresh,
		 struct track_state *ret)
{
	struct track_state state;
	int r = health_init(&state.health, &conf->probe, t->family, up, fresh, uv_hrtime());

	if (r)
		return r;
	state.probes = calloc(HEALTH_ROUNDS * state.health.n + 1, sizeof(*state.probes));
	if (!state.probes) {
		health_done(&state.health);
		return -ENOMEM;
	}
	*ret = state;
	return 0;
}

static struct track *new_track(struct tracker *tracker, const struct plan_link *l,
			       enum asym_family family, const struct plan_id *before)
{
	struct track *t = calloc(1, sizeof(*t));
	struct track_state state;

	if (!t)
		return NULL;
	t->tracker = tracker;
	t->family = family;
	t->id = l->id;
	t->conf = l->conf;
	t->is_new = true;
	if (judge(t, l->conf, !before->failed[family], !before->tested, &state)) {
		free(t);
		return NULL;
	}
	t->health = state.health;
	t->probes = state.probes;
	uv_timer_init(tracker->loop, &t->timer);
	t->timer.data = t;
	return t;
}

static void drop_state(struct track_state *state)
{
	if (!state->probes)
		return;
	health_done(&state->health);
	free(state->probes);
	*state = (struct track_state){};
}

/* Another model, with or without other targets; t->anew is ready for these. */
static void renew(struct track *t, const struct model_link *conf)
{
	cancel(t);
	t->conf = conf;
	if (!health_adopt(&t->health, &conf->probe, uv_hrtime())) {
		struct track_state old = {t->health, t->probes};

		t->health = t->anew.health;
		t->probes = t->anew.probes;
		t->anew = old;
		memset(t->told, 0, sizeof(t->told));
	}
	drop_state(&t->anew);
}

/* --- following a plan */

static struct probe_path path_of(const struct plan *p, const struct plan_link *l)
{
	struct probe_path path = {
		.ifindex = l->ifindex,
		.mark = plan_mark(p, p->reserved[PLAN_PROBE]),
		.ethernet = l->ethernet,
		.source = {l->addr[ASYM_V4], l->addr[ASYM_V6]},
		.gateway = {l->gateway[ASYM_V4], l->gateway[ASYM_V6]},
	};

	memcpy(path.device, l->conf->device, sizeof(path.device));
	return path;
}

static bool is_able(enum plan_down down)
{
	return down == PLAN_LIVE || down == PLAN_PROBES || down == PLAN_FORCED;
}

/* Starts and stops with the link's device and address. */
static void walk(struct track *t, const struct plan *p, const struct plan_link *l)
{
	bool able = is_able(l->down[t->family]);

	t->path = path_of(p, l);
	if (t->able && !able)
		cancel(t);
	if (t->able == able)
		return;
	t->able = able;
	schedule(t);
}

static struct track **place(struct tracker *t, uint8_t id, enum asym_family family)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->tracks[i]->id == id && t->tracks[i]->family == family)
			return &t->tracks[i];
	return NULL;
}

/* All that takes memory.  0 or -ENOMEM. */
static int prepare(struct tracker *t, const struct plan_link *l, enum asym_family family,
		   const struct plan_id *before, bool anew)
{
	struct track **at = place(t, l->id, family), *new;

	if (at)
		return anew ? judge(*at, l->conf, (*at)->health.up, false, &(*at)->anew) : 0;
	new = new_track(t, l, family, before);
	at = new ? ARRAY_ADD(t->tracks, t->n) : NULL;
	if (at)
		*at = new;
	else if (new)
		drop(new);
	return at ? 0 : -ENOMEM;
}

/* Rounds that begin together would go on so: the i-th of n links has its own part of the interval. */
static void stagger(struct track *t, size_t i, size_t n)
{
	uint64_t spread_ms = MIN(t->conf->probe.interval_ms, (uint32_t)SPREAD_MS);

	if (t->health.n)
		t->health.next_ns += spread_ms * MS * (2 * i + t->family) / (2 * n);
}

static int prepare_all(struct tracker *t, const struct plan *plan, const struct plan_id *ids,
		       size_t n_ids, bool anew)
{
	size_t before = t->n;
	int r = 0;

	for (size_t i = 0; i < plan->n_links; i++)
		for (int f = 0; f < ASYM_FAMILIES && !r; f++) {
			const struct plan_link *l = &plan->links[i];

			r = prepare(t, l, f, known(ids, n_ids, l->id), anew);
		}
	if (!r)
		return 0;
	while (t->n > before)
		drop(t->tracks[--t->n]);
	for (size_t i = 0; i < t->n; i++)
		drop_state(&t->tracks[i]->anew);
	return r;
}

static void follow_link(struct tracker *t, const struct plan *p, const struct plan_link *l,
			enum asym_family family)
{
	struct track *track = *place(t, l->id, family);
	bool anew = track->anew.probes;

	if (anew)
		renew(track, l->conf);
	if (anew || track->is_new)
		stagger(track, l - p->links, p->n_links);
	track->is_new = false;
	walk(track, p, l);
	if (anew)
		schedule(track);
}

static void drop_gone(struct tracker *t, const struct plan *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (plan_link_by_id(p, t->tracks[i]->id))
			t->tracks[kept++] = t->tracks[i];
		else
			drop(t->tracks[i]);
	}
	t->n = kept;
}

int tracker_follow(struct tracker *t, const struct plan *plan, const struct plan_id *ids,
		   size_t n_ids, bool anew)
{
	int r = prepare_all(t, plan, ids, n_ids, anew);

	if (r)
		return r;
	drop_gone(t, plan);
	for (size_t i = 0; i < plan->n_links; i++)
		for (int f = 0; f < ASYM_FAMILIES; f++)
			follow_link(t, plan, &plan->links[i], f);
	return 0;
}

/* --- what real traffic says */

void tracker_evidence(struct tracker *t, uint8_t id, enum asym_family family, uint64_t at_ns)
{
	struct track **at = place(t, id, family);

	if (!at)
		return;
	health_evidence(&(*at)->health, at_ns);
	schedule(*at);
}

void tracker_doubt(struct tracker *t, uint8_t id)
{
	for (int f = 0; f < ASYM_FAMILIES; f++) {
		struct track **at = place(t, id, f);

		if (!at || !(*at)->health.n || !(*at)->health.up)
			continue;
		health_doubt(&(*at)->health, uv_hrtime());
		schedule(*at);
	}
}

/* --- what it says */

const struct track *tracker_find(const struct tracker *t, uint8_t id, enum asym_family family)
{
	struct track **at = place((struct tracker *)t, id, family);

	return at ? *at : NULL;
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
		drop(t->tracks[i]);
	free(t->tracks);
	prober_close(t->prober);
}
