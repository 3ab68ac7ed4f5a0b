// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/status_cache.h"

#include "apply/maps.h"
#include "apply/room.h"
#include "base/log.h"
#include "cmd/json.h"
#include "run/load.h"

static const char *checksums(const struct object *o)
{
	return o->summed ? "direct" : "helper";
}

/* How conntrack is kept from judging what it misses. */
static const char *handover(const struct object *o)
{
	return o->lease_s ? "module" : "sysctl";
}

/* The LANs and links on which others have ingress filters, one after the other; NULL: no more. */
static const char *next_filtered(const struct plan *p, size_t *n, uint32_t *ret_ifindex)
{
	while (*n < p->n_lans + p->n_links) {
		size_t i = (*n)++;
		const struct plan_lan *lan = i < p->n_lans ? &p->lans[i] : NULL;
		const struct plan_link *link = lan ? NULL : &p->links[i - p->n_lans];

		if (!(lan ? lan->ingress_filters : link->ingress_filters))
			continue;
		*ret_ifindex = lan ? lan->ifindex : link->ifindex;
		return lan ? lan->device : link->conf->device;
	}
	return NULL;
}

static void print_filtered(const struct plan *p)
{
	const char *device;
	uint32_t ifindex;
	size_t n = 0;

	while ((device = next_filtered(p, &n, &ifindex)))
		printf("ingress filters of others on %s: what arrives there does not pass the flow "
		       "cache\n", device);
}

void status_cache_print(const struct session *s)
{
	const struct object *o = &s->object;

	if (o->fastpath)
		printf("\nflow cache on, room for %u IPv4 and %u IPv6 connections (%llu MiB), "
		       "checked every %u s, checksums %s\n",
		       room_pairs(o->flow_blocks, ASYM_V4), room_pairs(o->flow_blocks, ASYM_V6),
		       (unsigned long long)room_bytes(o->flow_blocks) >> 20, o->revalidate_s,
		       checksums(o));
	else if (s->running)
		printf("\nflow cache off: %s\n",
		       s->model.fastpath ? LOAD_CACHE_REFUSED : "fastpath = no");
	if (o->fastpath) {
		printf("hand-over: %s\n", handover(o));
		print_filtered(&s->plan);
	}
}

static struct json_object *json_filtered(const struct plan *p)
{
	struct json_object *list = json_object_new_array();
	const char *device;
	uint32_t ifindex;
	size_t n = 0;

	while ((device = next_filtered(p, &n, &ifindex)))
		json_object_array_add(list, json_object_new_string(device));
	return list;
}

struct json_object *status_cache_json(const struct session *s)
{
	const struct object *found = &s->object;
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "on", json_object_new_boolean(found->fastpath));
	if (found->fastpath) {
		json_add_u64(o, "connections", room_pairs(found->flow_blocks, ASYM_V4));
		json_add_u64(o, "connections_ipv6", room_pairs(found->flow_blocks, ASYM_V6));
		json_add_u64(o, "bytes", room_bytes(found->flow_blocks));
		json_add_u64(o, "revalidate_s", found->revalidate_s);
		json_add_str(o, "checksums", checksums(found));
		json_add_str(o, "hand_over", handover(found));
		json_object_object_add(o, "ingress_filters", json_filtered(&s->plan));
	} else if (s->running) {
		json_add_str(o, "reason", s->model.fastpath ? LOAD_CACHE_REFUSED : "fastpath = no");
	}
	return o;
}

void status_cache_warn(const struct session *s, uint32_t bank)
{
	const char *device;
	uint32_t ifindex;
	size_t n = 0;

	while (s->object.fastpath && (device = next_filtered(&s->plan, &n, &ifindex)))
		if (maps_caches(&s->object, bank, ifindex))
			log_warn("%s: others have put ingress filters there, which miss what passes the "
				 "flow cache; asymbpf reload shows them all", device);
}
