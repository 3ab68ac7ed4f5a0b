// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/match.h"
#include "core/mesh_plan.h"
#include <string.h>

static const char *peer_name(const struct mesh_plan *p, uint8_t node)
{
	return p->mesh->nodes[node].name;
}

static void text_self(const struct mesh_plan *p, struct str *out)
{
	const struct mesh_node *n = &p->mesh->nodes[p->self];
	char buf[ADDR_STRLEN];

	str_add(out, "node %s\n", n->name);
	str_add(out, "overlay %s mtu %u", p->mesh->device, p->mtu);
	for (int i = 0; i < ASYM_FAMILIES; i++)
		if (!addr_is_zero(&n->addr[i]))
			str_add(out, " address %s", addr_str(&n->addr[i], buf));
	str_add(out, "\n");
}

static void text_tunnel(const struct mesh_plan *p, const struct mesh_tunnel *t, struct str *out)
{
	bool six = t->endpoint.host[0] && strchr(t->endpoint.host, ':');

	str_add(out, "tunnel %s peer %s listen %u", t->device, peer_name(p, t->peer),
		t->listen_port);
	if (t->forwarder != MESH_FORWARDER_NONE)
		str_add(out, " forwarder %s", p->mesh->forwarders[t->forwarder].name);
	if (*t->endpoint.host)
		str_add(out, " endpoint %s%s%s:%u", six ? "[" : "", t->endpoint.host,
			six ? "]" : "", t->endpoint.port);
	if (t->keepalive_s)
		str_add(out, " keepalive %us", t->keepalive_s);
	str_add(out, " mtu %u\n", t->mtu);
}

static void text_routes(const struct mesh_plan *p, struct str *out)
{
	char to[ADDR_STRLEN], src[ADDR_STRLEN];

	for (size_t i = 0; i < p->n_routes; i++) {
		const struct mesh_route *r = &p->routes[i];

		str_add(out, "route %s dev %s", prefix_str(&r->to, to), p->mesh->device);
		if (!addr_is_zero(&r->src))
			str_add(out, " src %s", addr_str(&r->src, src));
		str_add(out, " node %s\n", peer_name(p, r->node));
	}
}

/* What comes in by a tunnel for another node goes direct, whatever we would choose ourselves. */
static void text_rules(const struct mesh_plan *p, struct str *out)
{
	if (!p->mesh->nodes[p->self].relays)
		str_add(out, "rule no transit\n");
	for (size_t i = 0; i < p->n_targets; i++)
		if (p->targets[i].direct != MESH_TUNNEL_NONE)
			str_add(out, "rule transit to %s dev %s\n",
				peer_name(p, p->targets[i].node),
				p->tunnels[p->targets[i].direct].device);
}

/* key: of the first value. */
static void text_value(const char *key, const char *value, struct str *out)
{
	if (key)
		str_add(out, " %s %s", key, value);
	else
		str_add(out, ",%s", value);
}

static void text_nodes(const struct mesh *m, const struct mesh_nodes *n, struct str *out)
{
	char value[MESH_NODES_VALUE];

	for (size_t i = 0; mesh_nodes_value(m, n, i, value); i++)
		text_value(i ? NULL : "to", value, out);
}

static void text_class(const struct mesh_plan *p, const struct mesh_rule *r, struct str *out)
{
	char value[MATCH_VALUE];

	if (!mesh_nodes_have(&r->from, p->self))
		return;
	str_add(out, "class %s rule %s", mesh_class_names[r->class], r->match.name);
	text_nodes(p->mesh, &r->to, out);
	for (size_t i = 0; i < MATCH_FIELDS; i++)
		for (size_t n = 0; match_value(&r->match, match_fields[i].match, n, value); n++)
			text_value(n ? NULL : match_fields[i].key, value, out);
	str_add(out, "\n");
}

static void text_wish(const struct mesh_target *t, const struct mesh_wish *w, const char *noun,
		      struct str *out)
{
	if (!w->n)
		return;
	str_add(out, "\t%s%s", noun, w->automatic ? " auto of" : "");
	for (size_t i = 0; i < w->n; i++) {
		str_add(out, "%s %s", i == w->n_own ? ", else" : i ? "," : "",
			t->ways[w->order[i]].name);
		if (w->weight[i])
			str_add(out, ":%u", w->weight[i]);
	}
	str_add(out, "\n");
}

static void text_target(const struct mesh_plan *p, const struct mesh_target *t, struct str *out)
{
	str_add(out, "to %s\n", peer_name(p, t->node));
	text_wish(t, &t->paths, "paths", out);
	text_wish(t, &t->bulk, "bulk", out);
	if (t->rate_bps)
		str_add(out, "\trate of metered ways %llu bit/s\n",
			(unsigned long long)t->rate_bps);
	for (size_t i = 0; i < t->n; i++)
		str_add(out, "\tway %zu %s dev %s%s\n", i, t->ways[i].name,
			p->tunnels[t->ways[i].tunnel].device, t->ways[i].metered ? " metered" : "");
}

void mesh_plan_text(const struct mesh_plan *p, struct str *out)
{
	text_self(p, out);
	for (size_t i = 0; i < p->n_tunnels; i++)
		text_tunnel(p, &p->tunnels[i], out);
	text_routes(p, out);
	text_rules(p, out);
	for (size_t i = 0; i < p->mesh->n_rules; i++)
		text_class(p, &p->mesh->rules[i], out);
	for (size_t i = 0; i < p->n_targets; i++)
		text_target(p, &p->targets[i], out);
}
