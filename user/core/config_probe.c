// SPDX-License-Identifier: GPL-2.0-or-later
/* The section "probe", of a link and of the file. */
#include "base/num.h"
#include "core/config_ctx.h"
#include "core/model_probe.h"
#include "core/name.h"
#include <errno.h>
#include <string.h>

static void begin_probe(struct config *c, const char *title)
{
	bool of_link = c->stack[c->depth - 2] == &config_link;

	c->probe = of_link ? &c->link.probe : &c->m->probe;
}

static void end_probe(struct config *c)
{
	c->probe = NULL;
}

/* -------- values by their type */

static bool read_level(struct config *c, const struct probe_key *k, const char *value,
		       uint32_t *ret)
{
	if (k->type == PROBE_TYPE_PERCENTS)
		return config_number(c, k->name, value, k->min, k->max, ret);
	return config_duration(c, k->name, value, k->min, k->max, ret);
}

/* A link that went down comes up again at the low level or below. */
static void check_levels(struct config *c, const struct probe_key *k, const char *value,
			 const struct model_levels *l)
{
	if (l->low > l->high)
		config_error(c, "%s: \"" SHOWN "\" is below the low level, expected {LOW, HIGH}",
			     k->name, value);
	else if (!l->low && l->high && k->type == PROBE_TYPE_TIMES)
		config_error(c, "%s: no answer is as fast as the low level, 0, expected at least 1ms",
			     k->name);
}

#define LEVELS 2
#define LEVELS_BAD (LEVELS + 1) /* was said */

/* The low level, then the high one; a single value is both. */
static void set_levels(struct config *c, const struct probe_key *k, const char *value,
		       struct model_levels *l)
{
	uint32_t level;

	if (c->first)
		c->levels = 0;
	if (c->levels == LEVELS)
		config_error(c, "%s: \"" SHOWN "\" is a third value, expected LOW and HIGH", k->name,
			     value);
	if (c->levels >= LEVELS || !read_level(c, k, value, &level)) {
		c->levels = LEVELS_BAD;
		return;
	}
	l->high = level;
	if (!c->levels++)
		l->low = level;
	else
		check_levels(c, k, value, l);
}

static void set_state(struct config *c, const char *key, const char *value, bool *ret_down)
{
	static const char *const words[] = { "up", "down" };
	unsigned int word;

	if (config_word(c, key, value, words, ARRAY_SIZE(words), &word))
		*ret_down = word;
}

static void set_domain(struct config *c, const char *key, const char *value, char *ret, size_t size)
{
	if (!strcmp(value, ".") || name_is_domain(value))
		str_copy(ret, size, value);
	else
		config_error(c, "%s: \"" SHOWN "\" is no name in DNS, expected such as example.org, or "
			     "\".\"", key, value);
}

static void set_status(struct config *c, const struct probe_key *k, const char *value,
		       struct model_probe *p)
{
	uint16_t lo, hi;
	int r = num_parse_port_range(value, &lo, &hi);

	if (!r && lo >= k->min && hi <= k->max) {
		p->status_min = lo;
		p->status_max = hi;
		return;
	}
	config_error(c, "%s: \"" SHOWN "\" is %s, expected a status %u to %u or a range such as "
		     "200-399", k->name, value,
		     r == -EINVAL ? "no status" : "out of range or out of order", k->min, k->max);
}

static void set_type(struct config *c, const struct probe_key *k, const char *value)
{
	void *field = (char *)c->probe + k->offset;

	switch (k->type) {
	case PROBE_TYPE_NUMBER:
		config_number(c, k->name, value, k->min, k->max, field);
		break;
	case PROBE_TYPE_TIME:
		config_duration(c, k->name, value, k->min, k->max, field);
		break;
	case PROBE_TYPE_PERCENTS:
	case PROBE_TYPE_TIMES:
		set_levels(c, k, value, field);
		break;
	case PROBE_TYPE_STATE:
		set_state(c, k->name, value, field);
		break;
	case PROBE_TYPE_DOMAIN:
		set_domain(c, k->name, value, field, k->size);
		break;
	case PROBE_TYPE_STATUS:
		set_status(c, k, value, c->probe);
	}
}

static void set_key(struct config *c, const char *key, const char *value)
{
	for (size_t i = 0; i < PROBE_KEY_MAX; i++) {
		if (strcmp(probe_keys[i].name, key))
			continue;
		c->probe->given |= 1u << i;
		set_type(c, &probe_keys[i], value);
	}
}

static const struct config_key keys[] = {
	{ "ping", true, config_target },
	{ "tcp", true, config_target },
	{ "dns", true, config_target },
	{ "http", true, config_target },
	{ "gateway", false, config_target_gateway },
	{ "dns-name", false, set_key },
	{ "http-status", false, set_key },
	{ "quorum", false, set_key },
	{ "interval", false, set_key },
	{ "failure-interval", false, set_key },
	{ "recovery-interval", false, set_key },
	{ "timeout", false, set_key },
	{ "fall", false, set_key },
	{ "rise", false, set_key },
	{ "window", false, set_key },
	{ "loss", true, set_key },
	{ "latency", true, set_key },
	{ "jitter", true, set_key },
	{ "initial", false, set_key },
	{ "hold-down", false, set_key },
	{ "hold-down-max", false, set_key },
};
_Static_assert(ARRAY_SIZE(keys) < CONFIG_MAX_KEYS, "the outline has a place for each");
_Static_assert(ARRAY_SIZE(keys) == PROBE_KEY_MAX + PROBE_MAX, "all of probe_keys and the targets");

const struct config_section config_probe = {
	.name = "probe",
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
	.begin = begin_probe,
	.end = end_probe,
};
