// SPDX-License-Identifier: GPL-2.0-or-later
/* The sections "lan" and "link", and the keys outside of sections. */
#include "base/num.h"
#include "core/check_int.h"
#include "core/config_ctx.h"
#include <errno.h>
#include <string.h>

/* -------- keys outside of sections */

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

static const struct config_key root_keys[] = {
	{ "mark-mask", false, set_mark_mask },
	{ "table-base", false, set_table_base },
	{ "priority-base", false, set_priority_base },
	{ "seed", false, set_seed },
	{ "sticky-entries", false, set_sticky_entries },
	{ "mss-clamp", false, set_mss_clamp },
	{ "forwarding", false, set_forwarding },
	{ "host-traffic", false, set_host_traffic },
	{ "fastpath", false, set_fastpath },
	{ "flow-pairs", false, set_flow_pairs },
	{ "revalidate", false, set_revalidate },
};

static const struct config_section *const root_sections[] = {
	&config_lan, &config_link, &config_set, &config_policy, &config_rule,
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

/* -------- lan */

static void begin_lan(struct config *c, const char *title)
{
}

static void set_lan_devices(struct config *c, const char *key, const char *value)
{
	char device[IFNAMSIZ], (*slot)[IFNAMSIZ];

	if (!config_device(c, key, value, device))
		return;
	for (size_t i = 0; i < c->m->n_lans; i++) {
		if (!strcmp(c->m->lans[i], device)) {
			config_error(c, "%s: \"%s\" is given twice, expected once", key, device);
			return;
		}
	}
	if (!config_room(c, key, c->m->n_lans, MODEL_MAX_LANS))
		return;
	slot = ARRAY_ADD(c->m->lans, c->m->n_lans);
	if (slot)
		memcpy(*slot, device, sizeof(device));
	else
		c->no_memory = true;
}

static void end_lan(struct config *c)
{
}

static const struct config_key lan_keys[] = { { "devices", true, set_lan_devices } };

const struct config_section config_lan = {
	.name = "lan",
	.keys = lan_keys,
	.n_keys = ARRAY_SIZE(lan_keys),
	.begin = begin_lan,
	.end = end_lan,
};

/* -------- link */

static void begin_link(struct config *c, const char *title)
{
	const struct model_link *older = model_link_find(c->m, title);

	c->link = (struct model_link){ .weight = 1, .place = config_place(c) };
	config_title(c, title, c->link.name, older ? &older->place : NULL);
}

static void set_device(struct config *c, const char *key, const char *value)
{
	config_device(c, key, value, c->link.device);
}

static void set_weight(struct config *c, const char *key, const char *value)
{
	config_number(c, key, value, 1, MODEL_MAX_WEIGHT, &c->link.weight);
}

static void set_nat_of(struct config *c, const char *key, const char *value, enum asym_family f)
{
	if (!strcmp(value, model_nat_names[NAT_MASQUERADE]))
		c->link.nat[f] = NAT_MASQUERADE;
	else if (!strcmp(value, model_nat_names[NAT_NONE]))
		c->link.nat[f] = NAT_NONE;
	else if (strpbrk(value, ".:"))
		c->link.nat[f] = config_addr(c, key, value, f, &c->link.snat[f]) ? NAT_SNAT :
										   NAT_MASQUERADE;
	else
		config_error(c, "%s: \"" SHOWN "\" is unknown, expected masquerade, none or an "
			     "address", key, value);
}

static void set_nat(struct config *c, const char *key, const char *value)
{
	set_nat_of(c, key, value, ASYM_V4);
}

static void set_nat6(struct config *c, const char *key, const char *value)
{
	set_nat_of(c, key, value, ASYM_V6);
}

static void set_gateway(struct config *c, const char *key, const char *value)
{
	config_addr(c, key, value, ASYM_V4, &c->link.gateway[ASYM_V4]);
}

static void set_gateway6(struct config *c, const char *key, const char *value)
{
	config_addr(c, key, value, ASYM_V6, &c->link.gateway[ASYM_V6]);
}

static void set_reply(struct config *c, const char *key, const char *value)
{
	config_name(c, key, value, c->link.reply);
}

static void set_link_fastpath(struct config *c, const char *key, const char *value)
{
	config_fastpath(c, key, value, &c->link.fastpath);
}

static void end_link(struct config *c)
{
	struct model_link *slot;

	c->line = c->link.place.line;
	if (c->drop || !config_room(c, "link", c->m->n_links, ASYM_MAX_LINKS))
		return;
	if (!*c->link.device && !config_device(c, "link", c->link.name, c->link.device))
		return;
	slot = ARRAY_ADD(c->m->links, c->m->n_links);
	if (slot)
		*slot = c->link;
	else
		c->no_memory = true;
}

static const struct config_key link_keys[] = {
	{ "device", false, set_device },   { "weight", false, set_weight },
	{ "nat", false, set_nat },	   { "nat6", false, set_nat6 },
	{ "gateway", false, set_gateway }, { "gateway6", false, set_gateway6 },
	{ "reply", false, set_reply },	   { "fastpath", false, set_link_fastpath },
};

const struct config_section config_link = {
	.name = "link",
	.titled = true,
	.many = true,
	.keys = link_keys,
	.n_keys = ARRAY_SIZE(link_keys),
	.begin = begin_link,
	.end = end_link,
};
