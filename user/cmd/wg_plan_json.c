// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/json.h"
#include "cmd/wg.h"
#include "core/match.h"

static const char *node_name(const struct mesh_plan *p, uint8_t node)
{
	return p->mesh->nodes[node].name;
}

static struct json_object *json_addresses(const struct mesh_plan *p)
{
	const struct mesh_node *n = &p->mesh->nodes[p->self];
	struct json_object *list = json_object_new_array();
	char buf[ADDR_STRLEN];

	for (int i = 0; i < ASYM_FAMILIES; i++)
		if (!addr_is_zero(&n->addr[i]))
			json_object_array_add(list,
					      json_object_new_string(addr_str(&n->addr[i], buf)));
	return list;
}

static struct json_object *json_tunnel(const struct mesh_plan *p, const struct mesh_tunnel *t)
{
	struct json_object *o = json_object_new_object();
	char key[MESH_KEY_TEXT];

	mesh_key_text(p->mesh->nodes[t->peer].public_key, key);
	json_add_str(o, "device", t->device);
	json_add_str(o, "peer", node_name(p, t->peer));
	json_add_str(o, "public_key", key);
	if (t->forwarder != MESH_FORWARDER_NONE)
		json_add_str(o, "forwarder", p->mesh->forwarders[t->forwarder].name);
	json_add_u64(o, "listen_port", t->listen_port);
	json_add_str(o, "endpoint", *t->endpoint.host ? t->endpoint.host : NULL);
	if (*t->endpoint.host)
		json_add_u64(o, "endpoint_port", t->endpoint.port);
	json_add_u64(o, "keepalive_s", t->keepalive_s);
	json_add_u64(o, "mtu", t->mtu);
	return o;
}

static struct json_object *json_route(const struct mesh_plan *p, const struct mesh_route *r)
{
	struct json_object *o = json_object_new_object();
	char to[ADDR_STRLEN], src[ADDR_STRLEN];

	json_add_str(o, "to", prefix_str(&r->to, to));
	json_add_str(o, "node", node_name(p, r->node));
	json_add_str(o, "device", p->mesh->device);
	json_add_str(o, "src", addr_is_zero(&r->src) ? NULL : addr_str(&r->src, src));
	return o;
}

static struct json_object *json_way(const struct mesh_plan *p, const struct mesh_choice *c)
{
	struct json_object *o = json_object_new_object();

	json_add_str(o, "name", c->name);
	json_add_str(o, "device", p->tunnels[c->tunnel].device);
	json_object_object_add(o, "metered", json_object_new_boolean(c->metered));
	return o;
}

static struct json_object *json_wish(const struct mesh_target *t, const struct mesh_wish *w)
{
	struct json_object *o = json_object_new_object(), *own = json_object_new_array(),
			   *others = json_object_new_array();

	for (size_t i = 0; i < w->n; i++) {
		struct json_object *way = json_object_new_object();

		json_add_str(way, "name", t->ways[w->order[i]].name);
		if (w->weight[i])
			json_add_u64(way, "weight", w->weight[i]);
		json_object_array_add(i < w->n_own ? own : others, way);
	}
	json_object_object_add(o, "auto", json_object_new_boolean(w->automatic));
	json_object_object_add(o, "ways", own);
	json_object_object_add(o, "fallbacks", others);
	return o;
}

static struct json_object *json_target(const struct mesh_plan *p, const struct mesh_target *t)
{
	struct json_object *o = json_object_new_object(), *ways = json_object_new_array();

	for (size_t i = 0; i < t->n; i++)
		json_object_array_add(ways, json_way(p, &t->ways[i]));
	json_add_str(o, "node", node_name(p, t->node));
	json_object_object_add(o, "ways", ways);
	json_object_object_add(o, "paths", json_wish(t, &t->paths));
	json_object_object_add(o, "bulk", t->bulk.n ? json_wish(t, &t->bulk) : NULL);
	if (t->rate_bps)
		json_add_u64(o, "rate_bps", t->rate_bps);
	json_add_str(o, "transit_device",
		     t->direct == MESH_TUNNEL_NONE ? NULL : p->tunnels[t->direct].device);
	return o;
}

static void add_nodes(struct json_object *o, const struct mesh *m, const struct mesh_nodes *n)
{
	struct json_object *list = json_object_new_array();
	char value[MESH_NODES_VALUE];

	for (size_t i = 0; mesh_nodes_value(m, n, i, value); i++)
		json_object_array_add(list, json_object_new_string(value));
	json_object_object_add(o, "to", list);
}

static void add_field(struct json_object *o, const struct model_rule *r,
		      const struct match_field *f)
{
	struct json_object *list = json_object_new_array();
	char value[MATCH_VALUE];

	for (size_t i = 0; match_value(r, f->match, i, value); i++)
		json_object_array_add(list, json_object_new_string(value));
	json_object_object_add(o, f->key, list);
}

/* Values as written; fields that are not tested are not there. */
static struct json_object *json_rule(const struct mesh *m, const struct mesh_rule *r)
{
	struct json_object *o = json_object_new_object();

	json_add_str(o, "name", r->match.name);
	json_add_str(o, "class", mesh_class_names[r->class]);
	if (r->to.given)
		add_nodes(o, m, &r->to);
	for (size_t i = 0; i < MATCH_FIELDS; i++)
		if (r->match.match & match_fields[i].match)
			add_field(o, &r->match, &match_fields[i]);
	return o;
}

static struct json_object *json_rules(const struct mesh_plan *p)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < p->mesh->n_rules; i++)
		if (mesh_nodes_have(&p->mesh->rules[i].from, p->self))
			json_object_array_add(list, json_rule(p->mesh, &p->mesh->rules[i]));
	return list;
}

struct json_object *wg_plan_json(const struct mesh_plan *p)
{
	struct json_object *o = json_object_new_object(), *tunnels = json_object_new_array(),
			   *routes = json_object_new_array(), *targets = json_object_new_array();

	for (size_t i = 0; i < p->n_tunnels; i++)
		json_object_array_add(tunnels, json_tunnel(p, &p->tunnels[i]));
	for (size_t i = 0; i < p->n_routes; i++)
		json_object_array_add(routes, json_route(p, &p->routes[i]));
	for (size_t i = 0; i < p->n_targets; i++)
		json_object_array_add(targets, json_target(p, &p->targets[i]));
	json_add_str(o, "node", node_name(p, p->self));
	json_add_str(o, "device", p->mesh->device);
	json_object_object_add(o, "addresses", json_addresses(p));
	json_add_u64(o, "mtu", p->mtu);
	json_object_object_add(o, "tunnels", tunnels);
	json_object_object_add(o, "routes", routes);
	json_object_object_add(o, "rules", json_rules(p));
	json_object_object_add(o, "targets", targets);
	return o;
}
