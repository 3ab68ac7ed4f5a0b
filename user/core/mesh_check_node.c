// SPDX-License-Identifier: GPL-2.0-or-later
/* Nodes by themselves, and what two of them must not share. */
#include "core/mesh_check_int.h"
#include <string.h>

static void check_complete(const struct mesh_node *n, struct findings *f)
{
	static const uint8_t zero[MESH_KEY];

	if (addr_is_zero(&n->addr[ASYM_V4]) && addr_is_zero(&n->addr[ASYM_V6]))
		check_error(f, &n->place, "address: node \"%s\" has none, expected one at least",
			    n->name);
	if (!memcmp(n->public_key, zero, MESH_KEY))
		check_error(f, &n->place,
			    "public-key: node \"%s\" has none, expected what asymbpf wg "
			    "genkey --public prints",
			    n->name);
}

static void check_key(const struct mesh_node *n, const struct mesh_node *older, struct findings *f)
{
	static const uint8_t zero[MESH_KEY];
	char key[MESH_KEY_TEXT];

	if (!memcmp(n->public_key, zero, MESH_KEY) ||
	    memcmp(n->public_key, older->public_key, MESH_KEY))
		return;
	mesh_key_text(n->public_key, key);
	check_error(f, &n->place,
		    "public-key: \"%s\" of node \"%s\" is that of node \"%s\" in %s:%d "
		    "too, expected another",
		    key, n->name, older->name, check_file(&older->place), older->place.line);
}

/* -------- addresses and LANs: a packet's destination names one node */

static struct prefix host(const struct in6_addr *a)
{
	return (struct prefix){ *a, 128 };
}

static void check_same(const struct mesh_node *n, const struct prefix *p, const char *key,
		       const struct mesh_node *older, const struct prefix *q, struct findings *f)
{
	char text[ADDR_STRLEN];

	if (!prefix_equal(p, q) || addr_is_zero(&p->addr))
		return;
	check_error(f, &n->place, "%s: \"%s\" of node \"%s\" is that of node \"%s\" in %s:%d too, "
		    "expected another", key, p->len == 128 ? addr_str(&p->addr, text) :
		    prefix_str(p, text), n->name, older->name, check_file(&older->place),
		    older->place.line);
}

static void check_prefix(const struct mesh_node *n, const struct prefix *p, const char *key,
			 const struct mesh_node *older, struct findings *f)
{
	for (int i = 0; i < ASYM_FAMILIES; i++) {
		const struct prefix q = host(&older->addr[i]);

		check_same(n, p, key, older, &q, f);
	}
	for (size_t i = 0; i < older->n_lans; i++)
		check_same(n, p, key, older, &older->lans[i], f);
}

static void check_pair(const struct mesh_node *n, const struct mesh_node *older,
		       struct findings *f)
{
	check_key(n, older, f);
	for (int i = 0; i < ASYM_FAMILIES; i++) {
		const struct prefix p = host(&n->addr[i]);

		check_prefix(n, &p, "address", older, f);
	}
	for (size_t i = 0; i < n->n_lans; i++)
		check_prefix(n, &n->lans[i], "lan", older, f);
}

static void check_own_lans(const struct mesh_node *n, struct findings *f)
{
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < n->n_lans; i++)
		for (size_t j = 0; j < i; j++)
			if (prefix_equal(&n->lans[i], &n->lans[j]))
				check_error(f, &n->place,
					    "lan: \"%s\" is given twice in node \"%s\", "
					    "expected once",
					    prefix_str(&n->lans[i], text), n->name);
}

/* -------- endpoints: what goes to one must not go into a tunnel */

static const char *covering(const struct mesh_node *n, const struct in6_addr *a, char *buf)
{
	for (int i = 0; i < ASYM_FAMILIES; i++)
		if (addr_equal(&n->addr[i], a))
			return addr_str(a, buf);
	for (size_t i = 0; i < n->n_lans; i++)
		if (prefix_contains(&n->lans[i], a))
			return prefix_str(&n->lans[i], buf);
	return NULL;
}

static void check_endpoint(const struct mesh *m, const struct mesh_endpoint *e,
			   const struct place *place, struct findings *f)
{
	struct in6_addr addr;
	char buf[ADDR_STRLEN];

	if (!*e->host || addr_parse(e->host, &addr))
		return;
	for (size_t i = 0; i < m->n_nodes; i++) {
		const char *inside = covering(&m->nodes[i], &addr, buf);

		if (inside)
			check_error(f, place,
				    "endpoint: \"%s\" is inside of \"%s\" of node \"%s\", "
				    "which lies behind the tunnels, expected an address outside",
				    e->host, inside, m->nodes[i].name);
	}
}

void mesh_check_nodes(const struct mesh *m, struct findings *f)
{
	for (size_t i = 0; i < m->n_nodes; i++) {
		check_complete(&m->nodes[i], f);
		check_own_lans(&m->nodes[i], f);
		check_endpoint(m, &m->nodes[i].endpoint, &m->nodes[i].place, f);
		for (size_t j = 0; j < i; j++)
			check_pair(&m->nodes[i], &m->nodes[j], f);
	}
	for (size_t i = 0; i < m->n_forwarders; i++)
		check_endpoint(m, &m->forwarders[i].endpoint, &m->forwarders[i].place, f);
}
