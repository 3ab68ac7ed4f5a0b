// SPDX-License-Identifier: GPL-2.0-or-later
/* The sections "lan" and "link". */
#include "core/config_ctx.h"
#include <string.h>

/* -------- lan */

static void begin_lan(struct config *c, const char *title)
{
}

static void set_lan_devices(struct config *c, const char *key, const char *value)
{
	char device[IFNAMSIZ] = {}, (*slot)[IFNAMSIZ];

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

static bool keep_link(struct config *c)
{
	if (c->drop || !config_room(c, "link", c->m->n_links, ASYM_MAX_LINKS))
		return false;
	return *c->link.device || config_device(c, "link", c->link.name, c->link.device);
}

static void end_link(struct config *c)
{
	struct model_link *slot = NULL;

	c->line = c->link.place.line;
	if (keep_link(c)) {
		slot = ARRAY_ADD(c->m->links, c->m->n_links);
		c->no_memory |= !slot;
	}
	if (slot)
		*slot = c->link;
	else
		model_probe_done(&c->link.probe);
	c->link = (struct model_link){};
}

static const struct config_key link_keys[] = {
	{ "device", false, set_device },   { "weight", false, set_weight },
	{ "nat", false, set_nat },	   { "nat6", false, set_nat6 },
	{ "gateway", false, set_gateway }, { "gateway6", false, set_gateway6 },
	{ "reply", false, set_reply },	   { "fastpath", false, set_link_fastpath },
};

static const struct config_section *const link_sections[] = { &config_probe };

const struct config_section config_link = {
	.name = "link",
	.titled = true,
	.many = true,
	.keys = link_keys,
	.n_keys = ARRAY_SIZE(link_keys),
	.sections = link_sections,
	.n_sections = ARRAY_SIZE(link_sections),
	.begin = begin_link,
	.end = end_link,
};
