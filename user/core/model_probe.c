// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/model_probe.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define MAX_HOLD_MS (24 * 3600 * 1000)

#define FIELD(member) offsetof(struct model_probe, member), sizeof(((struct model_probe *)0)->member)
#define NUMBER(name, member, min, max) { name, PROBE_TYPE_NUMBER, FIELD(member), min, max }
#define TIME(name, member, min, max) { name, PROBE_TYPE_TIME, FIELD(member), min, max }

const struct probe_key probe_keys[PROBE_KEY_MAX] = {
	[PROBE_KEY_QUORUM] = NUMBER("quorum", quorum, 1, MODEL_MAX_TARGETS),
	[PROBE_KEY_INTERVAL] = TIME("interval", interval_ms, 100, 3600000),
	[PROBE_KEY_FAILURE] = TIME("failure-interval", failure_ms, 100, 3600000),
	[PROBE_KEY_RECOVERY] = TIME("recovery-interval", recovery_ms, 100, 3600000),
	[PROBE_KEY_TIMEOUT] = TIME("timeout", timeout_ms, 10, 60000),
	[PROBE_KEY_FALL] = NUMBER("fall", fall, 1, 1000),
	[PROBE_KEY_RISE] = NUMBER("rise", rise, 1, 1000),
	[PROBE_KEY_WINDOW] = NUMBER("window", window, 5, MODEL_MAX_WINDOW),
	[PROBE_KEY_LOSS] = { "loss", PROBE_TYPE_PERCENTS, FIELD(loss), 0, 100 },
	[PROBE_KEY_LATENCY] = { "latency", PROBE_TYPE_TIMES, FIELD(latency_ms), 0, 60000 },
	[PROBE_KEY_JITTER] = { "jitter", PROBE_TYPE_TIMES, FIELD(jitter_ms), 0, 60000 },
	[PROBE_KEY_INITIAL] = { "initial", PROBE_TYPE_STATE, FIELD(initial_down), 0, 0 },
	[PROBE_KEY_HOLD] = TIME("hold-down", hold_ms, 0, MAX_HOLD_MS),
	[PROBE_KEY_HOLD_MAX] = TIME("hold-down-max", hold_max_ms, 0, MAX_HOLD_MS),
	[PROBE_KEY_DNS_NAME] = { "dns-name", PROBE_TYPE_DOMAIN, FIELD(dns_name), 0, 0 },
	[PROBE_KEY_STATUS] = { "http-status", PROBE_TYPE_STATUS,
			       offsetof(struct model_probe, status_min), 2 * sizeof(uint16_t),
			       100, 599 },
};
_Static_assert(PROBE_KEY_MAX < 30, "a bit of model_probe.given each");
_Static_assert(offsetof(struct model_probe, status_max) ==
	       offsetof(struct model_probe, status_min) + sizeof(uint16_t),
	       "http-status is copied as one");

const struct model_probe model_probe_default = {
	.quorum = 1,
	.interval_ms = 500,
	.failure_ms = 500,
	.recovery_ms = 500,
	.timeout_ms = 1000,
	.fall = 3,
	.rise = 3,
	.window = 20,
	.hold_max_ms = 300000,
	.dns_name = ".",
	.status_min = 200,
	.status_max = 399,
};

const char *const model_probe_names[PROBE_MAX] = {
	[PROBE_PING] = "ping",
	[PROBE_TCP] = "tcp",
	[PROBE_DNS] = "dns",
	[PROBE_HTTP] = "http",
	[PROBE_GATEWAY] = "gateway",
};

void model_probe_done(struct model_probe *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->targets[i].url);
	free(p->targets);
}

static int add_target(struct model_probe *p, const struct model_target *t)
{
	char *url = t->url ? strdup(t->url) : NULL;
	struct model_target *slot = t->url && !url ? NULL : ARRAY_ADD(p->targets, p->n);

	if (!slot) {
		free(url);
		return -ENOMEM;
	}
	*slot = *t;
	slot->url = url;
	return 0;
}

int model_probe_add_gateways(struct model_probe *p, const struct place *place)
{
	struct model_target t = { .kind = PROBE_GATEWAY, .family = ASYM_V4, .place = *place };
	int r = add_target(p, &t);

	t.family = ASYM_V6;
	return r ?: add_target(p, &t);
}

static int complete_targets(struct model_probe *p, const struct model_probe *file)
{
	const struct model_probe *who = p->given & PROBE_GIVEN_TARGETS ? p : file;
	int r = 0;

	if (p->n)
		return 0;
	for (size_t i = 0; i < who->n && !r; i++)
		r = add_target(p, &who->targets[i]);
	if (!r && !p->n && !(who->given & PROBE_GIVEN_NO_GATEWAY))
		r = model_probe_add_gateways(p, &(struct place){});
	return r;
}

int model_probe_complete(struct model_probe *p, const struct model_probe *file)
{
	for (size_t i = 0; i < PROBE_KEY_MAX; i++) {
		const struct probe_key *k = &probe_keys[i];

		if (!(p->given & 1u << i))
			memcpy((char *)p + k->offset, (const char *)file + k->offset, k->size);
	}
	if (!((p->given | file->given) & 1u << PROBE_KEY_FAILURE))
		p->failure_ms = p->interval_ms;
	if (!((p->given | file->given) & 1u << PROBE_KEY_RECOVERY))
		p->recovery_ms = p->interval_ms;
	return complete_targets(p, file);
}
