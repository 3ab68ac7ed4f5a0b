// SPDX-License-Identifier: GPL-2.0-or-later
/* A lease for people: what status and dhcp show. */
#include "base/clock.h"
#include "base/defs.h"
#include "run/leases.h"
#include <arpa/inet.h>
#include <string.h>

const char *const leases_sender_names[] = {
	[ASYM_SENDER_UNKNOWN] = NULL,	  [ASYM_SENDER_PACKET] = "packet",
	[ASYM_SENDER_RAW] = "raw",	  [ASYM_SENDER_UDP] = "udp",
	[ASYM_SENDER_UDP_ADDR] = "udp-address", [ASYM_SENDER_UDP_DEVICE] = "udp-device",
};
_Static_assert(ARRAY_SIZE(leases_sender_names) == ASYM_SENDER_MAX, "leases_sender_names");

uint64_t leases_now_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

static void add_str(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, value ? json_object_new_string(value) : NULL);
}

static void add_addr(struct json_object *o, const char *name, struct in_addr addr)
{
	char text[INET_ADDRSTRLEN];

	add_str(o, name, addr.s_addr ? inet_ntop(AF_INET, &addr, text, sizeof(text)) : NULL);
}

/* Seconds from now; negative: it is over. */
static void add_left(struct json_object *o, const char *name, const struct lease *l, uint32_t s,
		     uint64_t now)
{
	bool never = !l->addr.s_addr || l->lease_s == DHCP_FOREVER;
	int64_t left = (int64_t)(l->acked_ns + s * NS_PER_S - now);

	json_object_object_add(o, name,
			       never ? NULL : json_object_new_int64(left / (int64_t)NS_PER_S));
}

static struct json_object *watchdog(const struct leases_link *k)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "sent", json_object_new_uint64(k->sent));
	json_object_object_add(o, "acknowledged", json_object_new_uint64(k->lease.renewed));
	json_object_object_add(o, "failed", json_object_new_uint64(k->failed));
	add_str(o, "error", k->error ? strerror(-k->error) : NULL);
	return o;
}

struct json_object *leases_json(const struct leases_link *k, uint64_t now_ns)
{
	const struct lease *l = &k->lease;
	struct json_object *o = json_object_new_object();

	add_str(o, "state", lease_state_names[lease_state(l, now_ns)]);
	add_addr(o, "address", l->addr);
	add_addr(o, "server", l->server);
	add_str(o, "client", leases_sender_names[k->sender]);
	add_left(o, "t1_s", l, l->t1_s, now_ns);
	add_left(o, "t2_s", l, l->t2_s, now_ns);
	add_left(o, "expires_s", l, l->lease_s, now_ns);
	json_object_object_add(o, "relayed", json_object_new_boolean(l->relayed));
	json_object_object_add(o, "by_watchdog", json_object_new_boolean(l->by_watchdog));
	json_object_object_add(o, "asked", json_object_new_int64(l->asked));
	json_object_object_add(o, "acks", json_object_new_uint64(l->acks));
	json_object_object_add(o, "naks", json_object_new_uint64(l->naks));
	json_object_object_add(o, "watchdog", watchdog(k));
	return o;
}
