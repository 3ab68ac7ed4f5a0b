// SPDX-License-Identifier: GPL-2.0-or-later
/* The watchdog: asks for more of a lease in the client's place.  It never says anything else. */
#include "base/clock.h"
#include "run/leases_int.h"
#include <stdlib.h>
#include <sys/random.h>

#define MS 1000000ull
#define WAIT_NS (60 * NS_PER_S) /* timers stand still while the machine sleeps */
#define LEAST_NS (20 * MS)
#define AGAIN_NS NS_PER_S /* where a renewal is due that may not be sent */

struct parcel {
	struct leases *leases;
	uint8_t id;
};

bool leases_is_ours(const struct lease *lease, uint32_t xid)
{
	for (size_t i = 0; i < lease->n_requests; i++)
		if (lease->requests[i].ours && lease->requests[i].xid == xid)
			return true;
	return false;
}

static void sent(void *data, int result)
{
	struct parcel *parcel = data;
	struct leases *l = parcel->leases;
	struct leases_link *k = &l->links[parcel->id];

	free(parcel);
	if (k->id && !l->closed) {
		/* what it was counted of may be forgotten */
		k->failed += result && k->failed < k->sent;
		k->error = result;
		l->changed = true;
	}
	leases_unref(l);
}

/* Returns its length, 0: there is no randomness. */
static size_t write_renewal(const struct lease *lease, uint64_t now_ns, uint8_t *ret)
{
	struct dhcp_renewal r;
	uint32_t xid;

	if (getrandom(&xid, sizeof(xid), GRND_NONBLOCK) != sizeof(xid))
		return 0;
	lease_renewal(lease, xid, now_ns, &r);
	return dhcp_write_renewal(&r, ret);
}

/* The lease remembers what was asked before anything can answer. */
static void renew(struct leases *l, struct leases_link *k, uint32_t ifindex, uint64_t now_ns)
{
	struct parcel *parcel = malloc(sizeof(*parcel));
	uint8_t packet[DHCP_MAX_PACKET];
	size_t len = write_renewal(&k->lease, now_ns, packet);
	struct dhcp_message m;

	if (!parcel || !len || dhcp_parse(packet, len, &m)) {
		free(parcel);
		return;
	}
	*parcel = (struct parcel){l, k->id};
	lease_request(&k->lease, &m, true, now_ns);
	k->sent++;
	l->changed = true;
	l->refs++;
	courier_send(l->courier, ifindex, packet, len, sent, parcel);
}

/* True when it has sent one. */
static bool watch_link(struct leases *l, struct leases_link *k, uint64_t now_ns)
{
	uint32_t ifindex = l->watchdog ? leases_device(l, k) : 0;

	if (!ifindex || !lease_wants_renewal(&k->lease, now_ns))
		return false;
	renew(l, k, ifindex, now_ns);
	return true;
}

static uint64_t next_ns(const struct leases_link *k, uint64_t now_ns)
{
	uint64_t next = lease_next_ns(&k->lease, now_ns);

	return lease_wants_renewal(&k->lease, now_ns) ? now_ns + AGAIN_NS :
							MAX(next, now_ns + LEAST_NS);
}

uint64_t leases_watch(struct leases *l, uint64_t now_ns)
{
	uint64_t next = now_ns + WAIT_NS;
	unsigned int sends = 0;

	for (size_t i = 1; i < ASYM_LINK_IDS; i++) {
		struct leases_link *k = &l->links[i];

		if (!k->id)
			continue;
		if (sends < LEASES_SENDS)
			sends += watch_link(l, k, now_ns);
		next = MIN(next, next_ns(k, now_ns));
	}
	return sends < LEASES_SENDS ? next : MIN(next, now_ns + LEASES_SENDS_MS * MS);
}
