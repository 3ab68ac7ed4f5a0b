// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/mesh_check_int.h"
#include <errno.h>
#include <string.h>

static void check_forwarder(const struct mesh *m, const struct mesh_forwarder *fw,
			    struct findings *f)
{
	if (fw->from == fw->to)
		check_error(f, &fw->place, "to: forwarder \"%s\" leads from \"%s\" to itself, "
			    "expected two nodes", fw->name, m->nodes[fw->to].name);
	if (!*fw->endpoint.host)
		check_error(f, &fw->place, "endpoint: forwarder \"%s\" has none, expected what "
			    "\"%s\" is to send to", fw->name, m->nodes[fw->from].name);
}

static bool has_pair(const struct mesh *m, const struct mesh_pairs *p, const struct mesh_connect *c)
{
	for (size_t i = 0; i < c->n; i++)
		for (size_t j = 0; j < i; j++)
			if (mesh_pairs_have(p, c->nodes[i], c->nodes[j]))
				return true;
	return false;
}

static void check_connect(const struct mesh *m, const struct mesh_pairs *p,
			  const struct mesh_connect *c, struct findings *f)
{
	if (c->n < 2)
		check_error(f, &c->place, "nodes: connect \"%s\" has %s, expected two at least",
			    c->name, c->n ? "one" : "none");
	else if (!has_pair(m, p, c))
		check_error(f, &c->place, "nodes: none of connect \"%s\" has an endpoint, expected "
			    "one of them to have one", c->name);
}

/* -------- who reaches whom */

static bool has_tunnel(const struct mesh *m, const struct mesh_pairs *p, size_t node)
{
	for (size_t i = 0; i < m->n_nodes; i++)
		if (mesh_pairs_have(p, node, i))
			return true;
	for (size_t i = 0; i < m->n_forwarders; i++)
		if (m->forwarders[i].from == node || m->forwarders[i].to == node)
			return true;
	return false;
}

/* Ways go both ways round, so each pair is asked for once. */
static void check_reach(const struct mesh *m, const struct mesh_pairs *p, size_t node,
			struct findings *f)
{
	_cleanup_(str_done) struct str missing = {};

	if (!has_tunnel(m, p, node)) {
		check_error(f, &m->nodes[node].place,
			    "node: \"%s\" is connected to nobody, expected "
			    "an endpoint of it or of another",
			    m->nodes[node].name);
		return;
	}
	for (size_t i = node + 1; i < m->n_nodes; i++) {
		struct mesh_way_state state = {};
		struct mesh_path way;

		if (has_tunnel(m, p, i) && !mesh_way_next(m, p, node, i, &state, &way))
			str_add(&missing, "%s\"%s\"", missing.len ? ", " : "", m->nodes[i].name);
	}
	if (missing.len)
		check_warn(f, &m->nodes[node].place, "node: there is no way between \"%s\" and %s: "
			   "neither a connection nor a forwarder nor a node between",
			   m->nodes[node].name, missing.s);
}

int mesh_check(const struct mesh *m, struct findings *f)
{
	_cleanup_free_ struct mesh_pairs *p = mesh_pairs_new(m);
	size_t errors = findings_errors(f);

	if (!p)
		return -ENOMEM;
	if (m->n_nodes < 2)
		finding_add(f, FINDING_ERROR, m->n_files ? m->files[0] : NULL, 0,
			    "node: there %s, expected two at least",
			    m->n_nodes ? "is one" : "is none");
	mesh_check_nodes(m, f);
	for (size_t i = 0; i < m->n_forwarders; i++)
		check_forwarder(m, &m->forwarders[i], f);
	for (size_t i = 0; i < m->n_connects; i++)
		check_connect(m, p, &m->connects[i], f);
	mesh_check_ports(m, p, f);
	mesh_check_directions(m, p, f);
	mesh_check_rules(m, f);
	for (size_t i = 0; m->n_nodes > 1 && i < m->n_nodes; i++)
		check_reach(m, p, i, f);
	findings_sort(f);
	return findings_errors(f) > errors ? -EINVAL : 0;
}
