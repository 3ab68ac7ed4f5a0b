// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of wg-quick(8), for machines without asymbpf: the ways that are preferred, without
 * measurement.  What a node sends itself follows its main table; what comes in by a tunnel follows a
 * table in which every node is reached by its own tunnel.
 */
#include "core/mesh_plan.h"
#include <string.h>

#define TRANSIT_TABLE 5182 /* wg-quick's own are 51820 and those after */
#define TRANSIT_PRIORITY 5182

static void quick_interface(const struct mesh_plan *p, const struct mesh_tunnel *t, const char *key,
			    struct str *out)
{
	const struct mesh_node *n = &p->mesh->nodes[p->self];
	char buf[ADDR_STRLEN];

	str_add(out, "# %s: node %s to %s, made by asymbpf wg plan\n[Interface]\n", t->device,
		n->name, p->mesh->nodes[t->peer].name);
	str_add(out, "PrivateKey = %s\n", key ?: "# put the output of: asymbpf wg genkey");
	str_add(out, "ListenPort = %u\nMTU = %u\nTable = off\n", t->listen_port, t->mtu);
	for (int i = 0; i < ASYM_FAMILIES; i++)
		if (!addr_is_zero(&n->addr[i]))
			str_add(out, "Address = %s/%d\n", addr_str(&n->addr[i], buf),
				i == ASYM_V4 ? 32 : 128);
}

static const char *family_flag(const struct in6_addr *a)
{
	return addr_is_v4(a) ? "-4" : "-6";
}

/* Replies come in by other tunnels than requests leave by. */
static void quick_filter(struct str *out)
{
	str_add(out, "PostUp = echo 2 >/proc/sys/net/ipv4/conf/%%i/rp_filter\n");
	str_add(out, "PostUp = echo 0 >/proc/sys/net/ipv4/conf/%%i/send_redirects\n");
}

static bool has_family(const struct mesh_plan *p, const char *flag)
{
	for (size_t i = 0; i < p->n_routes; i++)
		if (!strcmp(family_flag(&p->routes[i].to.addr), flag))
			return true;
	return false;
}

static void quick_rules(const struct mesh_plan *p, struct str *out)
{
	static const char *const flags[] = { "-4", "-6" };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (!has_family(p, flags[i]))
			continue;
		str_add(out, "PostUp = ip %s rule add iif %%i lookup %d priority %d\n", flags[i],
			TRANSIT_TABLE, TRANSIT_PRIORITY);
		str_add(out, "PreDown = ip %s rule del iif %%i lookup %d priority %d\n", flags[i],
			TRANSIT_TABLE, TRANSIT_PRIORITY);
	}
}

static void quick_route(const struct mesh_plan *p, const struct mesh_tunnel *t,
			const struct mesh_route *r, struct str *out)
{
	const struct mesh_target *target = mesh_plan_target(p, r->node);
	char to[ADDR_STRLEN], src[ADDR_STRLEN];
	uint16_t tunnel = t - p->tunnels;

	prefix_str(&r->to, to);
	if (target->ways[target->paths.order[0]].tunnel == tunnel) {
		str_add(out, "PostUp = ip %s route replace %s dev %%i", family_flag(&r->to.addr),
			to);
		if (!addr_is_zero(&r->src))
			str_add(out, " src %s", addr_str(&r->src, src));
		str_add(out, "\n");
	}
	if (target->direct == tunnel)
		str_add(out, "PostUp = ip %s route replace %s dev %%i table %d\n",
			family_flag(&r->to.addr), to, TRANSIT_TABLE);
}

static void quick_peer(const struct mesh_plan *p, const struct mesh_tunnel *t, struct str *out)
{
	bool six = strchr(t->endpoint.host, ':');
	char key[MESH_KEY_TEXT];

	mesh_key_text(p->mesh->nodes[t->peer].public_key, key);
	str_add(out, "\n[Peer]\nPublicKey = %s\nAllowedIPs = 0.0.0.0/0, ::/0\n", key);
	if (*t->endpoint.host)
		str_add(out, "Endpoint = %s%s%s:%u\n", six ? "[" : "", t->endpoint.host,
			six ? "]" : "", t->endpoint.port);
	if (t->keepalive_s)
		str_add(out, "PersistentKeepalive = %u\n", t->keepalive_s);
}

void mesh_quick_text(const struct mesh_plan *p, const struct mesh_tunnel *t,
		     const char *private_key, struct str *out)
{
	quick_interface(p, t, private_key, out);
	quick_filter(out);
	quick_rules(p, out);
	for (size_t i = 0; i < p->n_routes; i++)
		quick_route(p, t, &p->routes[i], out);
	quick_peer(p, t, out);
}
