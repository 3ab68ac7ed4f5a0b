// SPDX-License-Identifier: GPL-2.0-or-later
/* What happens to leases, each thing once, to people. */
#include "base/clock.h"
#include "base/str.h"
#include "run/leases_int.h"
#include <arpa/inet.h>

static bool may_tell(struct leases_now *now, uint64_t now_ns)
{
	if (now_ns - now->minute_ns >= 60 * NS_PER_S || now_ns < now->minute_ns) {
		now->minute_ns = now_ns;
		now->events = 0;
	}
	return now->events++ < LEASES_EVENTS;
}

static void tell(struct leases *l, const struct leases_link *k, const char *state,
		 const char *text, uint64_t now_ns)
{
	struct leases_now *now = &l->now[k->id];
	const struct event e = {
		.kind = EVENT_LEASE,
		.link = k->name,
		.device = *now->device ? now->device : NULL,
		.family = AF_INET,
		.state = state,
		.text = text,
	};

	if (may_tell(now, now_ns))
		events_send(l->events, &e);
}

static const char *addr_text(struct in_addr addr, char ret[INET_ADDRSTRLEN])
{
	return inet_ntop(AF_INET, &addr, ret, INET_ADDRSTRLEN);
}

static void add_lease(struct str *out, const struct lease *lease)
{
	char addr[INET_ADDRSTRLEN], server[INET_ADDRSTRLEN];

	str_add(out, "%s by %s", addr_text(lease->addr, addr), addr_text(lease->server, server));
	if (lease->lease_s == DHCP_FOREVER)
		str_add(out, " without end");
	else
		str_add(out, " for %u s", lease->lease_s);
}

static void tell_ack(struct leases *l, struct leases_link *k, const struct lease *was,
		     uint64_t now_ns)
{
	bool again = was->addr.s_addr == k->lease.addr.s_addr, moved = was->addr.s_addr && !again;
	_cleanup_(str_done) struct str text = {};
	char addr[INET_ADDRSTRLEN];

	if (again && k->told < LEASE_LATE && !k->lease.by_watchdog)
		return;
	if (moved)
		str_add(&text, "%s, then ", addr_text(was->addr, addr));
	add_lease(&text, &k->lease);
	if (k->lease.by_watchdog)
		str_add(&text, ", by the watchdog");
	tell(l, k, moved ? "moved" : again && k->told < LEASE_EXPIRED ? "renewed" : "bound", text.s,
	     now_ns);
}

void leases_tell_answer(struct leases *l, struct leases_link *k, const struct lease *was,
			enum lease_answer answer, uint64_t now_ns)
{
	char addr[INET_ADDRSTRLEN];

	if (answer == LEASE_REFUSED)
		tell(l, k, "refused", was->addr.s_addr ? addr_text(was->addr, addr) : NULL, now_ns);
	else if (answer == LEASE_ACKED || answer == LEASE_MOVED)
		tell_ack(l, k, was, now_ns);
	k->told = LEASE_NONE; /* what is to be told of it now, time tells */
}

static void tell_late(struct leases *l, struct leases_link *k, uint64_t now_ns)
{
	const struct lease *lease = &k->lease;
	uint64_t t1_ns = lease->acked_ns + lease->t1_s * NS_PER_S;
	_cleanup_(str_done) struct str text = {};
	char addr[INET_ADDRSTRLEN];

	str_add(&text, "%s was to be renewed %llu s ago, ", addr_text(lease->addr, addr),
		(unsigned long long)((now_ns - MIN(now_ns, t1_ns)) / NS_PER_S));
	str_add(&text, lease->asked ? "the client asked in vain" : "the client does not ask");
	tell(l, k, "late", text.s, now_ns);
}

static void tell_expired(struct leases *l, struct leases_link *k, uint64_t now_ns)
{
	char addr[INET_ADDRSTRLEN];

	tell(l, k, "expired", addr_text(k->lease.addr, addr), now_ns);
}

static bool is_late(enum lease_state state)
{
	return state == LEASE_LATE || state == LEASE_REBINDING;
}

/* An address that the link no longer has is not missed. */
void leases_tell_state(struct leases *l, struct leases_link *k, uint64_t now_ns)
{
	enum lease_state state = lease_state(&k->lease, now_ns);
	bool missed = leases_device(l, k) || is_late(k->told);

	if (is_late(state) && !missed)
		state = LEASE_RENEWING;
	if (state == k->told)
		return;
	if (is_late(state) && !is_late(k->told))
		tell_late(l, k, now_ns);
	if (state == LEASE_EXPIRED && missed)
		tell_expired(l, k, now_ns);
	k->told = state;
	l->changed = true;
}
