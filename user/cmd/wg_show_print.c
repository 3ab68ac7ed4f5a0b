// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/wg_show.h"

#include "cmd/json.h"
#include "cmd/table.h"
#include <inttypes.h>

static const char *const reasons[OV_REASON_MAX] = {
#define X(name, label, help) label,
	OV_REASONS(X)
#undef X
};

static const char *node_name(const struct wg_view *v, uint8_t node)
{
	return v->mesh.nodes[node].name;
}

static void add_tunnel(struct table *t, const struct wg_view *v, const struct wg_tunnel *tunnel)
{
	table_add(t, "%s", tunnel->t->device);
	table_add(t, "%s", node_name(v, tunnel->t->peer));
	if (!tunnel->there) {
		table_add(t, "gone");
		for (int i = 0; i < 4; i++)
			table_add(t, "-");
		return;
	}
	table_add(t, "%s", tunnel->endpoint[0] ? tunnel->endpoint : "-");
	table_add(t, "%u", tunnel->w.listen_port);
	if (tunnel->age_s < 0)
		table_add(t, "never");
	else
		table_add(t, "%" PRId64 "s", tunnel->age_s);
	table_add(t, "%" PRIu64, tunnel->w.rx_bytes);
	table_add(t, "%" PRIu64, tunnel->w.tx_bytes);
}

static void print_tunnels(const struct wg_view *v)
{
	static const char *const heads[] = {"TUNNEL", "PEER", "ENDPOINT", "PORT", "HANDSHAKE",
					    "RECEIVED", "SENT"};
	struct table t = {.columns = ARRAY_SIZE(heads)};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&t, "%s", heads[i]);
	for (size_t i = 0; i < v->plan.n_tunnels; i++)
		add_tunnel(&t, v, &v->tunnels[i]);
	table_print(&t, 0x78, stdout);
	table_done(&t);
}

static void add_way(struct table *t, const struct wg_view *v, const struct wg_node *n, size_t i)
{
	const struct mesh_choice *c = &n->t->ways[i];
	const struct wg_way *way = &n->ways[i];

	table_add(t, "%s", i ? "" : node_name(v, n->t->node));
	table_add(t, "%s", c->name);
	table_add(t, "%s", v->plan.tunnels[c->tunnel].device);
	table_add(t, "%u%%", way->thin);
	table_add(t, "%u%%", way->thick);
	table_add(t, "%" PRIu64, (uint64_t)way->sent.packets);
	table_add(t, "%" PRIu64, (uint64_t)way->sent.bytes);
	table_add(t, "%s%s", way->dead ? "dead " : "", c->metered ? "metered" : "");
}

static void print_ways(const struct wg_view *v)
{
	static const char *const heads[] = {"TO", "WAY", "TUNNEL", "THIN", "THICK", "PACKETS",
					    "BYTES", ""};
	struct table t = {.columns = ARRAY_SIZE(heads)};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&t, "%s", heads[i]);
	for (size_t i = 0; i < v->plan.n_targets; i++)
		for (size_t k = 0; k < v->nodes[i].t->n; k++)
			add_way(&t, v, &v->nodes[i], k);
	printf("\n");
	table_print(&t, 0x78, stdout);
	table_done(&t);
}

static void print_classes(const struct wg_view *v)
{
	if (v->mesh.n_rules)
		printf("\nFlows that began: %" PRIu64 " default, %" PRIu64 " interactive, %" PRIu64
		       " bulk\n",
		       v->counters[OV_FLOW_DEFAULT], v->counters[OV_FLOW_INTERACTIVE],
		       v->counters[OV_FLOW_BULK]);
}

void wg_show_text(const struct wg_view *v)
{
	printf("mesh %s, node %s, device %s, MTU %u, hash %016" PRIx64 "\n\n", v->mesh.name,
	       v->state.node, v->state.overlay.name, v->plan.mtu, mesh_hash(&v->mesh));
	print_tunnels(v);
	if (v->running) {
		print_ways(v);
		print_classes(v);
	}
	wg_show_measured(v->measured);
}

static struct json_object *tunnel_json(const struct wg_view *v, const struct wg_tunnel *tunnel)
{
	const struct mesh_tunnel *t = tunnel->t;
	struct json_object *o = json_object_new_object();

	json_add_str(o, "device", t->device);
	json_add_str(o, "peer", node_name(v, t->peer));
	json_add_str(o, "forwarder", t->forwarder == MESH_FORWARDER_NONE ?
				     NULL : v->mesh.forwarders[t->forwarder].name);
	json_object_object_add(o, "there", json_object_new_boolean(tunnel->there));
	json_object_object_add(o, "adopted", json_object_new_boolean(tunnel->adopted));
	json_add_u64(o, "port", tunnel->w.listen_port);
	json_add_str(o, "endpoint", tunnel->endpoint[0] ? tunnel->endpoint : NULL);
	json_add_u64(o, "keepalive_s", tunnel->w.keepalive_s);
	json_object_object_add(o, "handshake_age_s", tunnel->age_s < 0 ?
			       NULL : json_object_new_int64(tunnel->age_s));
	json_add_u64(o, "rx_bytes", tunnel->w.rx_bytes);
	json_add_u64(o, "tx_bytes", tunnel->w.tx_bytes);
	return o;
}

static struct json_object *way_json(const struct wg_view *v, const struct wg_node *n, size_t i)
{
	const struct mesh_choice *c = &n->t->ways[i];
	struct json_object *o = json_object_new_object();

	json_add_str(o, "way", c->name);
	json_add_str(o, "device", v->plan.tunnels[c->tunnel].device);
	json_object_object_add(o, "metered", json_object_new_boolean(c->metered));
	json_object_object_add(o, "dead", json_object_new_boolean(n->ways[i].dead));
	json_add_u64(o, "thin_percent", n->ways[i].thin);
	json_add_u64(o, "thick_percent", n->ways[i].thick);
	json_add_u64(o, "packets", n->ways[i].sent.packets);
	json_add_u64(o, "bytes", n->ways[i].sent.bytes);
	return o;
}

static struct json_object *node_json(const struct wg_view *v, const struct wg_node *n)
{
	struct json_object *o = json_object_new_object(), *ways = json_object_new_array();

	for (size_t i = 0; i < n->t->n; i++)
		json_object_array_add(ways, way_json(v, n, i));
	json_add_str(o, "node", node_name(v, n->t->node));
	json_object_object_add(o, "ways", ways);
	return o;
}

static struct json_object *counters_json(const struct wg_view *v)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < OV_REASON_MAX; i++)
		json_add_u64(o, reasons[i], v->counters[i]);
	return o;
}

struct json_object *wg_show_json(const struct wg_view *v)
{
	struct json_object *o = json_object_new_object(), *tunnels = json_object_new_array(),
			   *nodes = json_object_new_array();
	char hash[17];

	snprintf(hash, sizeof(hash), "%016" PRIx64, mesh_hash(&v->mesh));
	for (size_t i = 0; i < v->plan.n_tunnels; i++)
		json_object_array_add(tunnels, tunnel_json(v, &v->tunnels[i]));
	for (size_t i = 0; i < v->plan.n_targets && v->running; i++)
		json_object_array_add(nodes, node_json(v, &v->nodes[i]));
	json_add_str(o, "mesh", v->mesh.name);
	json_add_str(o, "hash", hash);
	json_add_str(o, "node", v->state.node);
	json_add_str(o, "device", v->state.overlay.name);
	json_add_u64(o, "mtu", v->plan.mtu);
	json_object_object_add(o, "running", json_object_new_boolean(v->running));
	json_object_object_add(o, "tunnels", tunnels);
	json_object_object_add(o, "nodes", nodes);
	json_object_object_add(o, "measured", json_object_get(v->measured));
	json_object_object_add(o, "counters", v->running ? counters_json(v) : NULL);
	return o;
}
