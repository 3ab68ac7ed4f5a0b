/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine written out by a test, one thing a line, for plan_build:
 *	device NAME index N [up] [carrier] [ethernet] [loopback] [p2p] [nbma] [filters] [mtu N]
 *		[master N] [mac LAST-BYTE] [was NAME]
 *	addr NAME ADDRESS/LEN [peer ADDRESS] [tentative] [deprecated]
 *	route PREFIX|default|default6 [via ADDRESS] dev NAME [metric N] [table N] [src ADDRESS]
 *		[mtu N [lock]]
 *	id NAME N [failed4] [failed6] [up|down]		what is remembered of a link
 * and, for tests of the command line, what stands there:
 *	iface ARG		lan ARG
 * "for A B ..." repeats the rest of the line with $ as A, A + 1, .. B; "#" begins a comment.
 */
#ifndef TESTS_UNIT_MACHINE_H
#define TESTS_UNIT_MACHINE_H

#include "core/config.h"
#include "core/plan.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MACHINE_WORDS 24

struct machine {
	struct host h;
	struct plan_id *ids;
	size_t n_ids;
	struct model *m; /* takes iface and lan lines */
	struct findings *f;
};

static inline void machine_done(struct machine *m)
{
	host_done(&m->h);
	free(m->ids);
}

static inline void machine_die(const char *word, const char *what)
{
	fprintf(stderr, "machine: \"%s\" is %s\n", word ? word : "(nothing)", what);
	abort();
}

static inline bool machine_has(char **words, const char *word)
{
	for (; *words; words++)
		if (!strcmp(*words, word))
			return true;
	return false;
}

/* The word behind this one, NULL when it is not there. */
static inline const char *machine_value(char **words, const char *word)
{
	for (; *words; words++)
		if (!strcmp(*words, word))
			return words[1];
	return NULL;
}

static inline uint32_t machine_number(char **words, const char *word, uint32_t otherwise)
{
	const char *s = machine_value(words, word);

	return s ? (uint32_t)strtoul(s, NULL, 0) : otherwise;
}

static inline struct in6_addr machine_addr(const char *s)
{
	struct in6_addr a = { 0 };

	if (s && addr_parse(s, &a))
		machine_die(s, "no address");
	return a;
}

/* Unlike prefix_parse keeps the bits beyond the length. */
static inline struct prefix machine_prefix(const char *s)
{
	struct prefix p = { .len = 128 };
	char addr[ADDR_STRLEN];
	const char *slash = strchrnul(s, '/');

	snprintf(addr, sizeof(addr), "%.*s", (int)(slash - s), s);
	p.addr = machine_addr(addr);
	if (*slash)
		p.len = (uint8_t)((addr_is_v4(&p.addr) ? 96 : 0) + atoi(slash + 1));
	return p;
}

static inline const struct host_device *machine_device(const struct machine *m, const char *name)
{
	const struct host_device *d = name ? host_device_find(&m->h, name) : NULL;

	if (!d)
		machine_die(name, "no device");
	return d;
}

static inline void machine_add_device(struct machine *m, char **words)
{
	struct host_device *d = ARRAY_ADD(m->h.devices, m->h.n_devices);

	snprintf(d->name, sizeof(d->name), "%s", words[1]);
	d->ifindex = machine_number(words, "index", 0);
	d->up = machine_has(words, "up");
	d->carrier = machine_has(words, "carrier");
	d->ethernet = machine_has(words, "ethernet");
	d->mac[0] = 2;
	d->mac[5] = machine_number(words, "mac", d->ifindex);
	d->loopback = machine_has(words, "loopback");
	d->point_to_point = machine_has(words, "p2p");
	d->nbma = machine_has(words, "nbma");
	d->ingress_filters = machine_has(words, "filters");
	d->mtu = machine_number(words, "mtu", 1500);
	d->master = machine_number(words, "master", 0);
	snprintf(d->was, sizeof(d->was), "%s", machine_value(words, "was") ?: "");
}

static inline void machine_add_addr(struct machine *m, char **words)
{
	struct prefix local_v4 = machine_prefix("169.254.0.0/16");
	struct prefix local_v6 = machine_prefix("fe80::/10");
	struct host_addr *a = ARRAY_ADD(m->h.addrs, m->h.n_addrs);

	a->ifindex = machine_device(m, words[1])->ifindex;
	a->prefix = machine_prefix(words[2]);
	a->peer = machine_addr(machine_value(words, "peer"));
	a->usable = !machine_has(words, "tentative");
	a->deprecated = machine_has(words, "deprecated");
	a->link_scope = prefix_contains(&local_v4, &a->prefix.addr) ||
			prefix_contains(&local_v6, &a->prefix.addr);
}

static inline void machine_add_route(struct machine *m, char **words)
{
	struct route *r = ARRAY_ADD(m->h.routes, m->h.n_routes);
	bool v6 = !strcmp(words[1], "default6");

	if (!strncmp(words[1], "default", 7))
		r->dst = machine_prefix(v6 ? "::/0" : "0.0.0.0/0");
	else
		r->dst = machine_prefix(words[1]);
	r->family = addr_family(&r->dst.addr);
	r->gateway = machine_addr(machine_value(words, "via"));
	r->ifindex = machine_device(m, machine_value(words, "dev"))->ifindex;
	r->src = machine_addr(machine_value(words, "src"));
	r->mtu = machine_number(words, "mtu", 0);
	r->mtu_lock = machine_has(words, "lock");
	r->metric = machine_number(words, "metric", 0);
	r->table = machine_number(words, "table", TABLE_MAIN);
}

static inline void machine_add_id(struct machine *m, char **words)
{
	struct plan_id *id = ARRAY_ADD(m->ids, m->n_ids);

	snprintf(id->name, sizeof(id->name), "%s", words[1]);
	id->id = (uint8_t)atoi(words[2]);
	for (size_t i = 3; words[i]; i++) {
		if (!strcmp(words[i], "failed4"))
			id->failed[ASYM_V4] = true;
		else if (!strcmp(words[i], "failed6"))
			id->failed[ASYM_V6] = true;
		else if (!strcmp(words[i], "down"))
			id->manual = PLAN_MANUAL_DOWN;
		else if (!strcmp(words[i], "up"))
			id->manual = PLAN_MANUAL_UP;
		else
			machine_die(words[i], "unknown");
	}
}

static inline void machine_add(struct machine *m, char **words)
{
	if (!strcmp(words[0], "device"))
		machine_add_device(m, words);
	else if (!strcmp(words[0], "addr"))
		machine_add_addr(m, words);
	else if (!strcmp(words[0], "route"))
		machine_add_route(m, words);
	else if (!strcmp(words[0], "id"))
		machine_add_id(m, words);
	else if (m->m && !strcmp(words[0], "iface"))
		config_add_iface(m->m, words[1], m->f);
	else if (m->m && !strcmp(words[0], "lan"))
		config_add_lan(m->m, words[1], m->f);
	else
		machine_die(words[0], "unknown");
}

/* One line, its "$" taken for n. */
static inline void machine_line(struct machine *m, const char *line, unsigned int n)
{
	char text[512], *words[MACHINE_WORDS + 1] = { 0 }, *save, *word;
	size_t len = 0, count = 0;

	for (; *line && len < sizeof(text) - 12; line++)
		if (*line == '$')
			len += (size_t)sprintf(text + len, "%u", n);
		else
			text[len++] = *line;
	text[len] = '\0';
	for (word = strtok_r(text, " \t", &save); word && count < MACHINE_WORDS;
	     word = strtok_r(NULL, " \t", &save))
		words[count++] = word;
	if (count < 2)
		machine_die(words[0], "alone on its line");
	machine_add(m, words);
}

static inline void machine_parse(struct machine *m, const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	char *save, *line;

	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned int from = 0, to = 0;
		int skipped = 0;

		line[strcspn(line, "#")] = '\0';
		line += strspn(line, " \t");
		if (sscanf(line, "for %u %u %n", &from, &to, &skipped) < 2)
			from = to = 0;
		for (unsigned int n = from; *line && n <= to; n++)
			machine_line(m, line + skipped, n);
	}
}

#endif
