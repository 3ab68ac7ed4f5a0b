// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys of the section "probe" that name targets. */
#include "base/num.h"
#include "core/config_ctx.h"
#include "core/model_probe.h"
#include "core/name.h"
#include <string.h>

#define DNS_PORT 53
#define URL_TEXT "expected such as http://192.0.2.1/, https://[2001:db8::1]:8443/up or https://example.org/"

static bool same_target(const struct model_target *a, const struct model_target *b)
{
	if (a->url || b->url)
		return a->url && b->url && !strcmp(a->url, b->url);
	return a->kind == b->kind && a->family == b->family && a->port == b->port &&
	       addr_equal(&a->addr, &b->addr);
}

static bool is_taken(const struct model_probe *p, const struct model_target *t)
{
	for (size_t i = 0; i < p->n; i++)
		if (same_target(&p->targets[i], t))
			return true;
	return false;
}

/* -------- URLs */

/* A name that ends in digits would be an address with a mistake in it. */
static bool is_host_name(const char *s)
{
	const char *dot = strrchr(s, '.'), *last = dot ? dot + 1 : s;

	return name_is_domain(s) && (!*last || strspn(last, "0123456789") < strlen(last));
}

/* The text between the slashes: HOST or HOST:PORT.  Fills family and address. */
static bool parse_authority(char *s, struct model_target *t)
{
	char *port = (char *)config_port(s);
	size_t len = port ? (size_t)(port - s) : strlen(s);
	bool bracket = *s == '[' && s[len - 1] == ']';
	uint32_t number;

	if (port && num_parse_u32(port + 1, 1, UINT16_MAX, &number))
		return false;
	s[len - bracket] = 0;
	s += bracket;
	if (!bracket && is_host_name(s))
		return true;
	if (addr_parse(s, &t->addr) || addr_is_v4(&t->addr) == bracket)
		return false;
	t->family = bracket ? ASYM_V6 : ASYM_V4;
	return config_is_host(&t->addr);
}

/* No white space, nothing beyond ASCII: what goes into a request (RFC 3986, 2). */
static bool is_url_text(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~' || strchr("\"<>\\^`{|}", *s))
			return false;
	return true;
}

static bool parse_url(struct config *c, const char *value, struct model_target *t)
{
	size_t scheme = !strncmp(value, "http://", 7) ? 7 : !strncmp(value, "https://", 8) ? 8 : 0;
	_cleanup_free_ char *authority = NULL;

	if (!scheme || !is_url_text(value))
		return false;
	authority = strndup(value + scheme, strcspn(value + scheme, "/?#"));
	t->url = authority ? strdup(value) : NULL;
	c->no_memory |= !t->url;
	return !t->url || (*authority && parse_authority(authority, t));
}

static bool read_url(struct config *c, const char *key, const char *value, struct model_target *t)
{
	t->family = ASYM_V4;
	if (parse_url(c, value, t))
		return t->url;
	config_error(c, "%s: \"" SHOWN "\" is no URL that can be asked, " URL_TEXT, key, value);
	return false;
}

/* -------- all kinds */

static bool read_addr(struct config *c, const char *key, const char *value, struct model_target *t)
{
	bool ping = t->kind == PROBE_PING;

	if (ping && addr_parse(value, &t->addr)) {
		config_error(c, "%s: \"" SHOWN "\" is no address, expected one", key, value);
		return false;
	}
	if (!ping && !config_addr_port(c, key, value, t->kind == PROBE_DNS ? DNS_PORT : 0, &t->addr,
				       &t->port))
		return false;
	if (!config_is_host(&t->addr)) {
		config_error(c, "%s: \"" SHOWN "\" is no host, expected an address of one", key,
			     value);
		return false;
	}
	t->family = addr_is_v4(&t->addr) ? ASYM_V4 : ASYM_V6;
	return true;
}

static bool read_target(struct config *c, const char *key, const char *value,
			struct model_target *t)
{
	if (!(t->kind == PROBE_HTTP ? read_url : read_addr)(c, key, value, t))
		return false;
	if (is_taken(c->probe, t)) {
		config_error(c, "%s: \"" SHOWN "\" is given twice, expected once", key, value);
		return false;
	}
	return config_room(c, key, c->probe->n, MODEL_MAX_TARGETS);
}

void config_target(struct config *c, const char *key, const char *value)
{
	struct model_target t = { .place = config_place(c) }, *slot = NULL;

	while (t.kind < PROBE_GATEWAY && strcmp(model_probe_names[t.kind], key))
		t.kind++;
	c->probe->given |= PROBE_GIVEN_TARGETS;
	if (read_target(c, key, value, &t)) {
		slot = ARRAY_ADD(c->probe->targets, c->probe->n);
		c->no_memory |= !slot;
	}
	if (slot)
		*slot = t;
	else
		free(t.url);
}

void config_target_gateway(struct config *c, const char *key, const char *value)
{
	struct place place = config_place(c);
	bool yes;

	if (!config_bool(c, key, value, &yes))
		return;
	c->probe->given |= PROBE_GIVEN_TARGETS | (yes ? 0 : PROBE_GIVEN_NO_GATEWAY);
	if (yes && config_room(c, key, c->probe->n + 1, MODEL_MAX_TARGETS))
		c->no_memory |= model_probe_add_gateways(c->probe, &place) != 0;
}
