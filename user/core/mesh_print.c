// SPDX-License-Identifier: GPL-2.0-or-later
/* The description as text, in one way only: what it says, without layout and order of keys. */
#include "core/match.h"
#include "core/mesh.h"
#include <string.h>

static void print_endpoint(const struct mesh_endpoint *e, const char *key, struct str *out)
{
	struct in6_addr addr;
	bool bracket = !addr_parse(e->host, &addr) && !addr_is_v4(&addr) && e->port;

	if (!*e->host)
		return;
	str_add(out, "\t%s = \"%s%s%s", key, bracket ? "[" : "", e->host, bracket ? "]" : "");
	if (e->port)
		str_add(out, ":%u", e->port);
	str_add(out, "\"\n");
}

static void print_addresses(const struct mesh_node *n, struct str *out)
{
	const char *before = "\taddress = {";
	char buf[ADDR_STRLEN];

	for (int i = 0; i < ASYM_FAMILIES; i++) {
		if (addr_is_zero(&n->addr[i]))
			continue;
		str_add(out, "%s\"%s\"", before, addr_str(&n->addr[i], buf));
		before = ", ";
	}
	if (*before == ',')
		str_add(out, "}\n");
}

static void print_key(const struct mesh_node *n, struct str *out)
{
	static const uint8_t none[MESH_KEY];
	char key[MESH_KEY_TEXT];

	if (!memcmp(n->public_key, none, MESH_KEY))
		return;
	mesh_key_text(n->public_key, key);
	str_add(out, "\tpublic-key = \"%s\"\n", key);
}

static void print_node(const struct mesh_node *n, struct str *out)
{
	char buf[ADDR_STRLEN];

	str_add(out, "node \"%s\" {\n", n->name);
	print_addresses(n, out);
	print_key(n, out);
	print_endpoint(&n->endpoint, "endpoint", out);
	for (size_t i = 0; i < n->n_lans; i++)
		str_add(out, "%s\"%s\"%s", i ? ", " : "\tlan = {", prefix_str(&n->lans[i], buf),
			i == n->n_lans - 1 ? "}\n" : "");
	str_add(out, "\tmetered = %s\n", n->metered ? "yes" : "no");
	if (!n->relays)
		str_add(out, "\trelay = no\n");
	if (*n->device)
		str_add(out, "\tdevice = \"%s\"\n", n->device);
	str_add(out, "}\n");
}

static void print_ends(const struct mesh *m, uint8_t from, uint8_t to, struct str *out)
{
	str_add(out, "\tfrom = \"%s\"\n\tto = \"%s\"\n", m->nodes[from].name, m->nodes[to].name);
}

static void print_forwarder(const struct mesh *m, const struct mesh_forwarder *f, struct str *out)
{
	str_add(out, "forwarder \"%s\" {\n", f->name);
	print_ends(m, f->from, f->to, out);
	print_endpoint(&f->endpoint, "endpoint", out);
	if (f->port)
		str_add(out, "\tport = %u\n", f->port);
	if (f->mtu)
		str_add(out, "\tmtu = %u\n", f->mtu);
	str_add(out, "\tmetered = %s\n}\n", f->metered ? "yes" : "no");
}

static void print_connect(const struct mesh *m, const struct mesh_connect *c, struct str *out)
{
	str_add(out, "connect \"%s\" {\n", c->name);
	for (size_t i = 0; i < c->n; i++)
		str_add(out, "%s\"%s\"%s", i ? ", " : "\tnodes = {", m->nodes[c->nodes[i]].name,
			i == c->n - 1 ? "}\n" : "");
	if (c->mtu)
		str_add(out, "\tmtu = %u\n", c->mtu);
	str_add(out, "}\n");
}

static void print_paths(const struct mesh *m, const struct mesh_paths *p, const char *key,
			struct str *out)
{
	const char *before = "";
	char text[MESH_PATH_TEXT];

	if (!p->place.line)
		return;
	str_add(out, "\t%s = {%s", key, p->automatic ? "auto" : "");
	if (p->automatic)
		before = ", ";
	for (size_t i = 0; i < p->n; i++) {
		bool forwarder = p->items[i].way == MESH_FORWARDER;

		mesh_path_text(m, &p->items[i], text);
		str_add(out, "%s\"%s%s", before, forwarder ? "forwarder " : "", text);
		if (p->items[i].weight)
			str_add(out, ":%u", p->items[i].weight);
		str_add(out, "\"");
		before = ", ";
	}
	str_add(out, "}\n");
}

static void print_direction(const struct mesh *m, const struct mesh_direction *d, struct str *out)
{
	str_add(out, "direction \"%s\" {\n", d->name);
	print_ends(m, d->from, d->to, out);
	print_paths(m, &d->paths, "paths", out);
	print_paths(m, &d->bulk, "bulk", out);
	if (d->rate_bps)
		str_add(out, "\trate = %llu%s\n",
			(unsigned long long)d->rate_bps / (d->rate_bps % 1000 ? 1 : 1000),
			d->rate_bps % 1000 ? "bit" : "kbit");
	str_add(out, "}\n");
}

static void print_nodes(const struct mesh *m, const struct mesh_nodes *n, const char *key,
			struct str *out)
{
	char value[MESH_NODES_VALUE];

	for (size_t i = 0; mesh_nodes_value(m, n, i, value); i++) {
		if (!i)
			str_add(out, "\t%s = {", key);
		str_add(out, "%s\"%s\"", i ? ", " : "", value);
	}
	if (n->given)
		str_add(out, "}\n");
}

static void print_rule(const struct mesh *m, const struct mesh_rule *r, struct str *out)
{
	str_add(out, "rule \"%s\" {\n", r->match.name);
	print_nodes(m, &r->from, "from", out);
	print_nodes(m, &r->to, "to", out);
	match_print(&r->match, out);
	if (r->class)
		str_add(out, "\tclass = %s\n", mesh_class_names[r->class]);
	str_add(out, "}\n");
}

/* What is as ever is not printed: nodes whose asymbpf does not know these keys have the same hash. */
static void print_later(const struct mesh *m, struct str *out)
{
	if (m->resolve_ms != MESH_RESOLVE_MS)
		str_add(out, "\tresolve-interval = %ums\n", m->resolve_ms);
	if (!m->mtu_probe)
		str_add(out, "\tmtu-probe = no\n");
	if (m->mtu_raise_ms != MESH_MTU_RAISE_MS)
		str_add(out, "\tmtu-raise = %ums\n", m->mtu_raise_ms);
}

void mesh_print(const struct mesh *m, struct str *out)
{
	unsigned long long split = m->split_bytes;

	str_add(out, "mesh \"%s\" {\n\tdevice = \"%s\"\n\tport = %u\n\tmtu = %u\n", m->name,
		m->device, m->port, m->mtu);
	print_later(m, out);
	str_add(out, "\tkeepalive = %us\n\tprobe-interval = %ums\n\tsplit = %llu%s\n}\n",
		m->keepalive_s, m->probe_ms, split / (split % 1000 ? 1 : 1000),
		split % 1000 ? "B" : "kB");
	for (size_t i = 0; i < m->n_nodes; i++)
		print_node(&m->nodes[i], out);
	for (size_t i = 0; i < m->n_forwarders; i++)
		print_forwarder(m, &m->forwarders[i], out);
	for (size_t i = 0; i < m->n_connects; i++)
		print_connect(m, &m->connects[i], out);
	for (size_t i = 0; i < m->n_directions; i++)
		print_direction(m, &m->directions[i], out);
	for (size_t i = 0; i < m->n_rules; i++)
		print_rule(m, &m->rules[i], out);
}

/* FNV-1a, https://datatracker.ietf.org/doc/html/draft-eastlake-fnv */
uint64_t mesh_hash(const struct mesh *m)
{
	_cleanup_(str_done) struct str text = {};
	uint64_t hash = 0xcbf29ce484222325;

	mesh_print(m, &text);
	if (text.err)
		return 0;
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (uint8_t)text.s[i]) * 0x100000001b3;
	return hash ?: 1;
}
