// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports: none twice at a node, nor at an address that nodes or forwarders share. */
#include "core/mesh_check_int.h"
#include <string.h>

struct ports {
	uint32_t port[MESH_MAX_NODES + MESH_MAX_FORWARDERS];
	int forwarder[MESH_MAX_NODES + MESH_MAX_FORWARDERS]; /* -1: of a pair */
	size_t n;
};

static void add(struct ports *s, uint32_t port, int forwarder)
{
	s->port[s->n] = port;
	s->forwarder[s->n++] = forwarder;
}

static void listen_ports(const struct mesh *m, const struct mesh_pairs *p, size_t node,
			 struct ports *s)
{
	s->n = 0;
	for (size_t i = 0; i < m->n_nodes; i++)
		if (mesh_pairs_have(p, node, i))
			add(s, mesh_port(m, node, i), -1);
	for (size_t i = 0; i < m->n_forwarders; i++)
		if (m->forwarders[i].from == node || m->forwarders[i].to == node)
			add(s, mesh_forwarder_port(m, i, node), i);
}

static bool has_port(const struct ports *s, size_t n, uint32_t port)
{
	for (size_t i = 0; i < n; i++)
		if (s->port[i] == port)
			return true;
	return false;
}

/* Where the number was written, or its node. */
static const struct place *place_of(const struct mesh *m, size_t node, int forwarder)
{
	if (forwarder >= 0 && m->forwarders[forwarder].port && m->forwarders[forwarder].to == node)
		return &m->forwarders[forwarder].place;
	return &m->nodes[node].place;
}

static void check_own(const struct mesh *m, size_t node, const struct ports *s, struct findings *f)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct place *place = place_of(m, node, s->forwarder[i]);

		if (s->port[i] > UINT16_MAX)
			check_error(f, place,
				    "port: node \"%s\" would listen at \"%u\", expected %d at "
				    "most: a lower first port",
				    m->nodes[node].name, s->port[i], UINT16_MAX);
		else if (s->port[i] == (uint32_t)m->port - 1)
			check_error(f, place, "port: \"%u\" of node \"%s\" is that of the probes, "
				    "expected another", s->port[i], m->nodes[node].name);
		else if (has_port(s, i, s->port[i]))
			check_error(f, place,
				    "port: \"%u\" is taken twice at node \"%s\", expected "
				    "another",
				    s->port[i], m->nodes[node].name);
	}
}

/* Behind one address each port leads to one node. */
static void check_shared(const struct mesh *m, size_t node, const struct ports *s, size_t other,
			 const struct ports *t, struct findings *f)
{
	const struct mesh_node *a = &m->nodes[node], *b = &m->nodes[other];

	if (!*a->endpoint.host || strcmp(a->endpoint.host, b->endpoint.host))
		return;
	for (size_t i = 0; i < s->n; i++) {
		if (!has_port(t, t->n, s->port[i]))
			continue;
		check_error(f, &a->place,
			    "endpoint: \"%s\" port \"%u\" of node \"%s\" is that of node "
			    "\"%s\" too, expected another port",
			    a->endpoint.host, s->port[i], a->name, b->name);
		return;
	}
}

static uint32_t outer_port(const struct mesh *m, size_t i)
{
	return m->forwarders[i].endpoint.port ?: mesh_forwarder_port(m, i, m->forwarders[i].to);
}

static void check_forwarders(const struct mesh *m, struct findings *f)
{
	for (size_t i = 0; i < m->n_forwarders; i++)
		for (size_t j = 0; j < i; j++) {
			const struct mesh_forwarder *a = &m->forwarders[i], *b = &m->forwarders[j];

			if (!*a->endpoint.host || strcmp(a->endpoint.host, b->endpoint.host) ||
			    outer_port(m, i) != outer_port(m, j))
				continue;
			check_error(f, &a->place,
				    "endpoint: \"%s\" port \"%u\" of forwarder \"%s\" is "
				    "that of forwarder \"%s\" too, expected another port",
				    a->endpoint.host, outer_port(m, i), a->name, b->name);
			break;
		}
}

void mesh_check_ports(const struct mesh *m, const struct mesh_pairs *p, struct findings *f)
{
	struct ports own, other;

	for (size_t i = 0; i < m->n_nodes; i++) {
		listen_ports(m, p, i, &own);
		check_own(m, i, &own, f);
		for (size_t j = 0; j < i && *m->nodes[i].endpoint.host; j++) {
			listen_ports(m, p, j, &other);
			check_shared(m, i, &own, j, &other, f);
		}
	}
	check_forwarders(m, f);
}
