// SPDX-License-Identifier: GPL-2.0-or-later
/* The keys outside of sections. */
#include "base/num.h"
#include "core/check_int.h"
#include "core/config_ctx.h"
#include <errno.h>
#include <string.h>

#define MIN_HOOK_MS 100
#define MAX_HOOK_MS 3600000

/* check_model judges these too; here the line is known. */
static void set_mark_mask(struct config *c, const char *key, const char *value)
{
	uint32_t mask;

	if (!config_number(c, key, value, 1, UINT32_MAX, &mask))
		return;
	if (check_mark_mask(mask))
		c->m->mark_mask = mask;
	else
		config_error(c, "%s: \"" SHOWN "\" does not fit, expected %s", key, value,
			     CHECK_MARK_MASK_TEXT);
}

static void set_table_base(struct config *c, const char *key, const char *value)
{
	uint32_t base;

	if (!config_number(c, key, value, 0, UINT32_MAX - ASYM_MAX_LINKS, &base))
		return;
	if (check_table_base(base))
		c->m->table_base = base;
	else
		config_error(c, "%s: \"" SHOWN "\" takes in a reserved table, expected %s", key,
			     value, CHECK_TABLE_BASE_TEXT);
}

static void set_priority_base(struct config *c, const char *key, const char *value)
{
	config_number(c, key, value, 1, CHECK_MAX_PRIORITY_BASE, &c->m->priority_base);
}

static void set_seed(struct config *c, const char *key, const char *value)
{
	config_number(c, key, value, 0, UINT32_MAX, &c->m->seed);
}

static void set_sticky_entries(struct config *c, const char *key, const char *value)
{
	config_number(c, key, value, 1024, ASYM_MAX_STICKY, &c->m->sticky_entries);
}

static void set_mss_clamp(struct config *c, const char *key, const char *value)
{
	config_bool(c, key, value, &c->m->mss_clamp);
}

static void set_forwarding(struct config *c, const char *key, const char *value)
{
	config_bool(c, key, value, &c->m->forwarding);
}

static void set_host_traffic(struct config *c, const char *key, const char *value)
{
	config_bool(c, key, value, &c->m->host_traffic);
}

static void set_host_raw(struct config *c, const char *key, const char *value)
{
	config_bool(c, key, value, &c->m->host_raw);
}

static void set_fastpath(struct config *c, const char *key, const char *value)
{
	config_bool(c, key, value, &c->m->fastpath);
}

static void set_flow_pairs(struct config *c, const char *key, const char *value)
{
	config_number(c, key, value, MODEL_MIN_PAIRS, MODEL_MAX_PAIRS, &c->m->flow_pairs);
}

static void set_revalidate(struct config *c, const char *key, const char *value)
{
	int r = num_parse_seconds(value, 1, MODEL_MAX_REVALIDATE_S, &c->m->revalidate_s);

	if (r)
		config_error(c, "%s: \"" SHOWN "\" is %s, expected 1s to %ds", key, value,
			     r == -ERANGE ? "out of range" : "no time", MODEL_MAX_REVALIDATE_S);
}

static void set_reset(struct config *c, const char *key, const char *value)
{
	config_bool(c, key, value, &c->m->reset);
}

static void set_dhcp(struct config *c, const char *key, const char *value)
{
	unsigned int word;

	if (config_word(c, key, value, model_dhcp_names, DHCP_MAX, &word))
		c->m->dhcp = word;
}

static void set_dhcp_watchdog(struct config *c, const char *key, const char *value)
{
	config_bool(c, key, value, &c->m->dhcp_watchdog);
}

static void set_hook(struct config *c, const char *key, const char *value)
{
	if (*value != '/') {
		config_error(c, "%s: \"" SHOWN "\" is no absolute path, expected one such as "
			     "/etc/asymbpf/hook", key, value);
		return;
	}
	c->m->hook = strdup(value);
	c->no_memory |= !c->m->hook;
}

static void set_hook_timeout(struct config *c, const char *key, const char *value)
{
	config_duration(c, key, value, MIN_HOOK_MS, MAX_HOOK_MS, &c->m->hook_timeout_ms);
}

/* :: and 0.0.0.0 are every address of the router. */
static void set_metrics(struct config *c, const char *key, const char *value)
{
	struct in6_addr addr;
	uint16_t port;

	if (!strcmp(value, "no")) {
		c->m->metrics_port = 0;
	} else if (config_addr_port(c, key, value, 0, &addr, &port)) {
		c->m->metrics = addr;
		c->m->metrics_port = port;
	}
}

static const struct config_key root_keys[] = {
	{ "mark-mask", false, set_mark_mask },
	{ "table-base", false, set_table_base },
	{ "priority-base", false, set_priority_base },
	{ "seed", false, set_seed },
	{ "sticky-entries", false, set_sticky_entries },
	{ "mss-clamp", false, set_mss_clamp },
	{ "forwarding", false, set_forwarding },
	{ "host-traffic", false, set_host_traffic },
	{ "host-raw", false, set_host_raw },
	{ "fastpath", false, set_fastpath },
	{ "flow-pairs", false, set_flow_pairs },
	{ "revalidate", false, set_revalidate },
	{ "reset", false, set_reset },
	{ "dhcp", false, set_dhcp },
	{ "dhcp-watchdog", false, set_dhcp_watchdog },
	{ "hook", false, set_hook },
	{ "hook-timeout", false, set_hook_timeout },
	{ "metrics", false, set_metrics },
};

static const struct config_section *const root_sections[] = {
	&config_lan, &config_link, &config_set, &config_policy, &config_rule, &config_probe,
};

_Static_assert(ARRAY_SIZE(root_keys) + ARRAY_SIZE(root_sections) < CONFIG_MAX_KEYS,
	       "the outline has a place for each");

const struct config_section config_root = {
	.name = "root",
	.keys = root_keys,
	.n_keys = ARRAY_SIZE(root_keys),
	.sections = root_sections,
	.n_sections = ARRAY_SIZE(root_sections),
};
