/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of a section "probe" that hold a value (those of targets are in config_target.c), as
 * one table for reading, printing and inheriting them.
 */
#ifndef CORE_MODEL_PROBE_H
#define CORE_MODEL_PROBE_H

#include "core/model.h"

enum probe_key_id {
	PROBE_KEY_QUORUM,
	PROBE_KEY_INTERVAL,
	PROBE_KEY_FAILURE,
	PROBE_KEY_RECOVERY,
	PROBE_KEY_TIMEOUT,
	PROBE_KEY_FALL,
	PROBE_KEY_RISE,
	PROBE_KEY_WINDOW,
	PROBE_KEY_LOSS,
	PROBE_KEY_LATENCY,
	PROBE_KEY_JITTER,
	PROBE_KEY_INITIAL,
	PROBE_KEY_HOLD,
	PROBE_KEY_HOLD_MAX,
	PROBE_KEY_DNS_NAME,
	PROBE_KEY_STATUS,
	PROBE_KEY_MAX
};

enum probe_key_type {
	PROBE_TYPE_NUMBER,   /* uint32_t */
	PROBE_TYPE_TIME,     /* uint32_t, ms */
	PROBE_TYPE_PERCENTS, /* struct model_levels */
	PROBE_TYPE_TIMES,    /* struct model_levels, ms */
	PROBE_TYPE_STATE,    /* bool: down */
	PROBE_TYPE_DOMAIN,   /* char[] */
	PROBE_TYPE_STATUS,   /* two uint16_t */
};

struct probe_key {
	const char *name;
	enum probe_key_type type;
	size_t offset, size; /* in struct model_probe */
	uint32_t min, max;   /* of numbers and times */
};

/* By enum probe_key_id. */
extern const struct probe_key probe_keys[PROBE_KEY_MAX];

/* Bits of model_probe.given: 1 << enum probe_key_id, and these. */
#define PROBE_GIVEN_TARGETS (1u << 30) /* a key of targets, "gateway" with either value too */
#define PROBE_GIVEN_NO_GATEWAY (1u << 31)

/* What the link's probe does not say itself it takes from the file's, then from the defaults.
 * Calling it again changes nothing.  0 or -ENOMEM. */
int model_probe_complete(struct model_probe *p, const struct model_probe *file);

/* A target for the gateway of each family.  0 or -ENOMEM. */
int model_probe_add_gateways(struct model_probe *p, const struct place *place);

#endif
