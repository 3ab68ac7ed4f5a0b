// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/config_print.h"
#include "core/model_probe.h"

static void print_target(const struct model_target *t, struct str *out)
{
	char buf[ADDR_STRLEN];

	addr_str(&t->addr, buf);
	if (t->kind == PROBE_HTTP)
		str_add(out, "\"%s\"", t->url);
	else if (t->kind == PROBE_PING)
		str_add(out, "\"%s\"", buf);
	else if (t->family == ASYM_V4)
		str_add(out, "\"%s:%u\"", buf, t->port);
	else
		str_add(out, "\"[%s]:%u\"", buf, t->port);
}

/* Targets of a kind are beside each other, as the key that they were read from. */
static void print_targets(const struct model_probe *p, const char *indent, struct str *out)
{
	size_t i = 0;

	while (i < p->n) {
		enum model_probe_kind kind = p->targets[i].kind;
		const char *lead = "{";

		str_add(out, "%s%s = ", indent, model_probe_names[kind]);
		for (; i < p->n && p->targets[i].kind == kind; i++) {
			if (kind == PROBE_GATEWAY)
				continue;
			str_add(out, "%s", lead);
			print_target(&p->targets[i], out);
			lead = ", ";
		}
		str_add(out, kind == PROBE_GATEWAY ? "yes\n" : "}\n");
	}
	if (p->given & PROBE_GIVEN_NO_GATEWAY)
		str_add(out, "%sgateway = no\n", indent);
}

static void print_value(const struct probe_key *k, const struct model_probe *p, struct str *out)
{
	const void *field = (const char *)p + k->offset;
	const struct model_levels *levels = field;
	const uint32_t *number = field;
	const bool *down = field;
	const char *name = field;

	switch (k->type) {
	case PROBE_TYPE_NUMBER:
		str_add(out, "%u\n", *number);
		break;
	case PROBE_TYPE_TIME:
		str_add(out, "%ums\n", *number);
		break;
	case PROBE_TYPE_PERCENTS:
		str_add(out, "{%u, %u}\n", levels->low, levels->high);
		break;
	case PROBE_TYPE_TIMES:
		str_add(out, "{%ums, %ums}\n", levels->low, levels->high);
		break;
	case PROBE_TYPE_STATE:
		str_add(out, "%s\n", *down ? "down" : "up");
		break;
	case PROBE_TYPE_DOMAIN:
		str_add(out, "\"%s\"\n", name);
		break;
	case PROBE_TYPE_STATUS:
		str_add(out, "%u-%u\n", p->status_min, p->status_max);
	}
}

void config_print_probe(const struct model_probe *p, const char *indent, struct str *out)
{
	char inner[8];

	if (!p->given)
		return;
	snprintf(inner, sizeof(inner), "%s\t", indent);
	str_add(out, "%sprobe {\n", indent);
	if (p->given & PROBE_GIVEN_TARGETS)
		print_targets(p, inner, out);
	for (size_t i = 0; i < PROBE_KEY_MAX; i++) {
		if (!(p->given & 1u << i))
			continue;
		str_add(out, "%s%s = ", inner, probe_keys[i].name);
		print_value(&probe_keys[i], p, out);
	}
	str_add(out, "%s}\n", indent);
}
