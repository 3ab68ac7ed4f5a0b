// SPDX-License-Identifier: GPL-2.0-or-later
/* What happens to ways, for people: events, and the status. */
#include "base/clock.h"
#include "run/paths_int.h"
#include <string.h>

static const char *device_of(const struct paths *p, const struct path_peer *peer, uint8_t way)
{
	return p->plan->tunnels[peer->t->ways[way].tunnel].device;
}

static void tell(struct paths *p, const struct path_peer *peer, uint8_t way, const char *state,
                 const char *reason, const char *text)
{
	const struct event e = {.kind = EVENT_WAY,
	                        .device = device_of(p, peer, way),
	                        .state = state,
	                        .reason = reason,
	                        .text = text};

	events_send(p->events, &e);
}

static void tell_death(struct paths *p, const struct path_peer *peer, uint8_t way)
{
	bool dead = peer->choice.ways[way].dead;
	char text[80];

	snprintf(text, sizeof(text), "to %s, %s", peer->name, peer->t->ways[way].name);
	tell(p, peer, way, dead ? "dead" : "alive", NULL, text);
}

static void tell_move(struct paths *p, const struct path_peer *peer, const char *flows, uint8_t to,
                      enum choice_reason reason)
{
	char text[80];

	snprintf(text, sizeof(text), "to %s, %s flows: %s", peer->name, flows,
	         peer->t->ways[to].name);
	tell(p, peer, to, "chosen", choice_reason_names[reason], text);
}

void path_peer_tell(struct paths *p, const struct path_peer *peer, const struct choice *before)
{
	const struct choice *c = &peer->choice;

	for (uint8_t i = 0; i < c->n; i++)
		if (c->ways[i].dead != before->ways[i].dead)
			tell_death(p, peer, i);
	if (c->thin != before->thin)
		tell_move(p, peer, "thin", c->thin, c->thin_reason);
	if (c->thick != before->thick)
		tell_move(p, peer, "thick", c->thick, c->thick_reason);
}

void path_peer_tell_mtu(struct paths *p, const struct path_peer *peer, uint8_t way)
{
	char text[80];

	snprintf(text, sizeof(text), "to %s, %s: %u bytes", peer->name, peer->t->ways[way].name,
	         peer->mtus[way].use);
	tell(p, peer, way, "mtu", NULL, text);
}

void path_peer_tell_differs(struct paths *p, const struct path_peer *peer)
{
	char text[120];

	snprintf(
		text, sizeof(text),
		peer->differs
			? "%s has another description of the mesh: ways to it are measured by pings"
			: "%s has the same description of the mesh again",
		peer->name);
	tell(p, peer, 0, peer->differs ? "differs" : "agrees", NULL, text);
}

/* -------- status */

static void add_str(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

/* Two decimals are what is worth knowing. */
static struct json_object *ms_json(bool known, int64_t ns)
{
	char text[32];

	if (!known)
		return NULL;
	snprintf(text, sizeof(text), "%.2f", (double)ns / 1e6);
	return json_object_new_double_s((double)ns / 1e6, text);
}

static struct json_object *percent_json(bool known, double value)
{
	char text[32];

	if (!known)
		return NULL;
	snprintf(text, sizeof(text), "%.1f", value);
	return json_object_new_double_s(value, text);
}

static const char *state_of(const struct choice *c, uint8_t way, uint64_t now_ns)
{
	if (!choice_talks(c, now_ns))
		return NULL;
	if (c->ways[way].dead)
		return "dead";
	return now_ns < c->ways[way].usable_ns ? "waits" : "alive";
}

static struct json_object *to_json(const struct paths *p, const struct path_peer *peer, uint8_t way,
                                   uint64_t now_ns)
{
	const struct choice_way *w = &peer->choice.ways[way];
	const struct mtu *mtu = &peer->mtus[way];
	const char *state = state_of(&peer->choice, way, now_ns);
	struct json_object *o = json_object_new_object();

	add_str(o, "way", peer->t->ways[way].name);
	add_str(o, "device", device_of(p, peer, way));
	json_object_object_add(o, "state", state ? json_object_new_string(state) : NULL);
	json_object_object_add(
		o, "since_s",
		!state || !w->changed_ns
			? NULL
			: json_object_new_int64((now_ns - w->changed_ns) / NS_PER_S));
	json_object_object_add(o, "delay_ms", ms_json(state && w->diff_ns >= 0, w->diff_ns));
	json_object_object_add(o, "loss", percent_json(state, w->loss_ppm / 1e4));
	json_object_object_add(
		o, "mtu",
		mtu_is_found(mtu) ? json_object_new_int(mtu->use) : NULL);
	return o;
}

static struct json_object *from_json(struct choice_arrivals *a, const struct path_peer *peer,
                                     uint8_t way, int64_t least_ns, uint64_t now_ns)
{
	struct json_object *o = json_object_new_object();
	struct choice_report r;
	bool came;

	choice_report(a, way, now_ns, &r);
	came = r.age_ms != UINT32_MAX;
	add_str(o, "way", peer->ways[way]);
	json_object_object_add(
		o, "delay_ms",
		ms_json(r.min_ns != INT64_MAX, (int64_t)((uint64_t)r.min_ns - least_ns)));
	json_object_object_add(o, "loss", percent_json(came, r.loss / 10.0));
	json_object_object_add(o, "age_ms", came ? json_object_new_int64(r.age_ms) : NULL);
	return o;
}

static struct json_object *all_from(const struct path_peer *peer, uint64_t now_ns)
{
	struct json_object *list = json_object_new_array();
	struct choice_arrivals a = peer->arrivals;
	int64_t least_ns = INT64_MAX;
	struct choice_report r;

	for (uint8_t i = 0; i < peer->n_ways; i++) {
		choice_report(&a, i, now_ns, &r);
		least_ns = MIN(least_ns, r.min_ns);
	}
	for (uint8_t i = 0; i < peer->n_ways && !peer->echoes; i++)
		json_object_array_add(list, from_json(&a, peer, i, least_ns, now_ns));
	return list;
}

static struct json_object *chosen_json(const struct path_peer *peer, uint8_t way,
                                       enum choice_reason reason)
{
	struct json_object *o = json_object_new_object();

	add_str(o, "way", peer->t->ways[way].name);
	add_str(o, "reason", choice_reason_names[reason]);
	return o;
}

static struct json_object *peer_json(const struct paths *p, const struct path_peer *peer,
                                     uint64_t now_ns)
{
	struct json_object *o = json_object_new_object(), *to = json_object_new_array();
	const struct choice *c = &peer->choice;
	bool answers = choice_talks(c, now_ns);

	for (uint8_t i = 0; i < c->n; i++)
		json_object_array_add(to, to_json(p, peer, i, now_ns));
	add_str(o, "node", peer->name);
	json_object_object_add(o, "answers", json_object_new_boolean(answers && !peer->echoes));
	json_object_object_add(o, "differs", json_object_new_boolean(peer->differs));
	json_object_object_add(o, "rtt_ms", ms_json(answers && c->rtt_ns, (int64_t)c->rtt_ns));
	json_object_object_add(o, "mtu", json_object_new_int(peer->mtu));
	json_object_object_add(o, "thin", chosen_json(peer, c->thin, c->thin_reason));
	json_object_object_add(o, "thick", chosen_json(peer, c->thick, c->thick_reason));
	json_object_object_add(o, "to", to);
	json_object_object_add(o, "from", all_from(peer, now_ns));
	return o;
}

void paths_status(const struct paths *p, struct json_object *ret)
{
	struct json_object *peers = json_object_new_array();
	uint64_t now_ns = paths_now();

	for (size_t i = 0; i < p->n_peers; i++)
		json_object_array_add(peers, peer_json(p, &p->peers[i], now_ns));
	json_object_object_add(ret, "peers", peers);
}
