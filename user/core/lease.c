// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/lease.h"

#include <string.h>

#define SECOND_NS 1000000000ull
#define PATIENCE_NS (LEASE_PATIENCE_S * SECOND_NS)

const char *const lease_state_names[] = {
	"none", "bound", "renewing", "late", "rebinding", "expired",
};
_Static_assert(ARRAY_SIZE(lease_state_names) == LEASE_STATE_MAX, "a name for each");

/* -------- requests */

static struct lease_request *find_request(struct lease *l, uint32_t xid)
{
	for (size_t i = 0; i < l->n_requests; i++) {
		if (l->requests[i].xid == xid)
			return &l->requests[i];
	}
	return NULL;
}

static void drop_request(struct lease *l, struct lease_request *r)
{
	struct lease_request *end = l->requests + l->n_requests--;

	memmove(r, r + 1, (size_t)((char *)end - (char *)(r + 1)));
}

static void end_lease(struct lease *l)
{
	l->addr.s_addr = 0;
	l->n_requests = 0;
	l->asked_ns = 0;
	l->asked = 0;
}

/* A message that gives an address back.  DECLINE names it as requested (RFC 2131, table 5). */
static void give_up(struct lease *l, const struct dhcp_message *m)
{
	struct in_addr a = m->type == DHCP_DECLINE ? m->requested : m->ciaddr;

	if (a.s_addr == l->addr.s_addr)
		end_lease(l);
	else
		l->n_requests = 0;
}

static struct in_addr server_of_request(const struct dhcp_message *m)
{
	if (m->server_id.s_addr || !dhcp_is_unicast(m->dst))
		return m->server_id;
	return m->dst;
}

/* A client keeps the xid of one exchange: what it sent last with it is what is answered. */
static void remember(struct lease *l, const struct dhcp_message *m, bool ours, uint64_t now_ns)
{
	struct lease_request *r = find_request(l, m->xid);

	if (r || l->n_requests == LEASE_REQUESTS)
		drop_request(l, r ?: l->requests);
	r = &l->requests[l->n_requests++];
	*r = (struct lease_request){
		.xid = m->xid,
		.type = m->type,
		.server = server_of_request(m),
		.ns = now_ns,
		.ours = ours,
		.client_id_len = m->client_id_len,
		.repeat_len = m->repeat_len,
	};
	memcpy(r->chaddr, m->chaddr, sizeof(r->chaddr));
	memcpy(r->client_id, m->client_id, m->client_id_len);
	memcpy(r->repeat, m->repeat, m->repeat_len);
}

static void count_renewal(struct lease *l, uint64_t now_ns)
{
	if (!l->asked)
		l->asked_ns = now_ns;
	if (l->asked < UINT32_MAX)
		l->asked++;
}

void lease_request(struct lease *l, const struct dhcp_message *m, bool ours, uint64_t now_ns)
{
	const struct lease_request *known = find_request(l, m->xid);

	if (m->reply || m->giaddr.s_addr)
		return;
	if (m->type == DHCP_RELEASE || m->type == DHCP_DECLINE)
		give_up(l, m);
	if (m->type != DHCP_DISCOVER && m->type != DHCP_REQUEST)
		return;
	if (ours)
		l->tried_ns = now_ns;
	ours = ours || (known && known->ours);
	if (!ours && m->type == DHCP_REQUEST && l->addr.s_addr &&
	    m->ciaddr.s_addr == l->addr.s_addr)
		count_renewal(l, now_ns);
	remember(l, m, ours, now_ns);
}

/* -------- replies */

/* RFC 2131, 4.3.1: replies bear the server's identifier; those of plain servers may not. */
static struct in_addr server_of_reply(const struct dhcp_message *m)
{
	return m->server_id.s_addr ? m->server_id : m->src;
}

static struct lease_request *find_question(struct lease *l, const struct dhcp_message *m,
					   uint64_t now_ns)
{
	struct lease_request *r = find_request(l, m->xid);

	if (!r || memcmp(r->chaddr, m->chaddr, sizeof(r->chaddr)))
		return NULL;
	if (now_ns > r->ns && now_ns - r->ns > PATIENCE_NS)
		return NULL;
	if (r->server.s_addr && r->server.s_addr != server_of_reply(m).s_addr)
		return NULL;
	return r;
}

static uint32_t share(uint32_t s, uint32_t of, uint32_t parts)
{
	return (uint32_t)((uint64_t)s * of / parts);
}

/* RFC 2131, 4.4.5: T1 is half of the lease, T2 seven eighths, and T1 < T2 < lease. */
static void take_times(struct lease *l, const struct dhcp_message *m)
{
	uint32_t t1 = m->t1_s, t2 = m->t2_s;

	if (!t2 || t2 >= m->lease_s)
		t2 = share(m->lease_s, 7, 8);
	if (!t1 || t1 >= t2)
		t1 = m->lease_s / 2 < t2 ? m->lease_s / 2 : share(t2, 4, 7);
	l->lease_s = m->lease_s;
	l->t1_s = MAX(t1, 1u);
	l->t2_s = MAX(t2, 1u);
}

static void take_lease(struct lease *l, const struct dhcp_message *m, const struct lease_request *r,
		       uint64_t now_ns)
{
	struct in_addr server = server_of_reply(m);

	l->addr = m->yiaddr;
	l->server.s_addr = dhcp_is_unicast(server) ? server.s_addr : 0;
	memcpy(l->chaddr, r->chaddr, sizeof(l->chaddr));
	memcpy(l->client_id, r->client_id, r->client_id_len);
	l->client_id_len = r->client_id_len;
	memcpy(l->repeat, r->repeat, r->repeat_len);
	l->repeat_len = r->repeat_len;
	l->acked_ns = now_ns;
	take_times(l, m);
	l->relayed = m->giaddr.s_addr;
	l->by_watchdog = r->ours;
	l->asked_ns = 0;
	l->asked = 0;
	l->acks++;
	l->renewed += r->ours;
}

static enum lease_answer take_ack(struct lease *l, const struct dhcp_message *m,
				  struct lease_request *r, uint64_t now_ns)
{
	bool same = l->addr.s_addr == m->yiaddr.s_addr;

	if (!m->lease_s || !dhcp_is_unicast(m->yiaddr))
		return LEASE_IGNORED;
	take_lease(l, m, r, now_ns);
	if (same) {
		drop_request(l, r);
		return LEASE_ACKED;
	}
	l->n_requests = 0;
	return LEASE_MOVED;
}

enum lease_answer lease_reply(struct lease *l, const struct dhcp_message *m, uint64_t now_ns)
{
	struct lease_request *r;

	if (!m->reply)
		return LEASE_IGNORED;
	r = find_question(l, m, now_ns);
	if (r && m->type == DHCP_ACK)
		return take_ack(l, m, r, now_ns);
	if (!r || m->type != DHCP_NAK || r->type != DHCP_REQUEST)
		return LEASE_IGNORED;
	end_lease(l);
	l->naks++;
	return LEASE_REFUSED;
}

/* -------- time */

static uint64_t later(uint64_t ns, uint64_t by_ns)
{
	return by_ns < UINT64_MAX - ns ? ns + by_ns : UINT64_MAX;
}

static uint64_t at(const struct lease *l, uint32_t s)
{
	return later(l->acked_ns, s * SECOND_NS);
}

static uint64_t late_ns(const struct lease *l)
{
	return later(at(l, l->t1_s), MIN(l->t1_s * SECOND_NS / 8, PATIENCE_NS));
}

enum lease_state lease_state(const struct lease *l, uint64_t now_ns)
{
	if (!l->addr.s_addr)
		return LEASE_NONE;
	if (l->lease_s == DHCP_FOREVER)
		return LEASE_BOUND;
	if (now_ns >= at(l, l->lease_s))
		return LEASE_EXPIRED;
	if (now_ns >= at(l, l->t2_s))
		return LEASE_REBINDING;
	if (now_ns < at(l, l->t1_s))
		return LEASE_BOUND;
	return now_ns >= late_ns(l) ? LEASE_LATE : LEASE_RENEWING;
}

/* The shortest time between two tries of the watchdog. */
static uint64_t pace_ns(const struct lease *l)
{
	uint64_t part = MAX(l->lease_s * SECOND_NS / 8, SECOND_NS);

	return MIN(part, PATIENCE_NS);
}

/* When the watchdog may try again, its last try being one for the lease as it is. */
static uint64_t retry_ns(const struct lease *l)
{
	uint64_t t2 = at(l, l->t2_s), goal = l->tried_ns < t2 ? t2 : at(l, l->lease_s);
	uint64_t left = goal > l->tried_ns ? goal - l->tried_ns : 0;

	return later(l->tried_ns, MAX(left / 2, pace_ns(l)));
}

/* When the watchdog is to act: perhaps past already, perhaps behind the end of the lease. */
static uint64_t due_ns(const struct lease *l)
{
	if (!l->server.s_addr)
		return UINT64_MAX;
	if (!l->tried_ns)
		return late_ns(l);
	if (l->tried_ns <= l->acked_ns)
		return MAX(late_ns(l), later(l->tried_ns, pace_ns(l)));
	return MAX(late_ns(l), retry_ns(l));
}

bool lease_wants_renewal(const struct lease *l, uint64_t now_ns)
{
	enum lease_state s = lease_state(l, now_ns);

	return (s == LEASE_LATE || s == LEASE_REBINDING) && now_ns >= due_ns(l);
}

uint64_t lease_next_ns(const struct lease *l, uint64_t now_ns)
{
	uint64_t end = at(l, l->lease_s), next = end, t2 = at(l, l->t2_s), late = late_ns(l);
	const uint64_t turns[] = {at(l, l->t1_s), MIN(late, t2), t2, due_ns(l)};

	if (!l->addr.s_addr || l->lease_s == DHCP_FOREVER || now_ns >= end)
		return UINT64_MAX;
	for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
		if (turns[i] > now_ns && turns[i] < next)
			next = turns[i];
	}
	return next;
}

void lease_renewal(const struct lease *l, uint32_t xid, uint64_t now_ns, struct dhcp_renewal *ret)
{
	uint64_t t1 = at(l, l->t1_s), secs = now_ns > t1 ? (now_ns - t1) / SECOND_NS : 0;

	*ret = (struct dhcp_renewal){
		.xid = xid,
		.ciaddr = l->addr,
		.server = l->server,
		.client_id = l->client_id_len ? l->client_id : NULL,
		.client_id_len = l->client_id_len,
		.secs = (uint16_t)MIN(secs, (uint64_t)UINT16_MAX),
		.repeat = l->repeat_len ? l->repeat : NULL,
		.repeat_len = l->repeat_len,
	};
	memcpy(ret->chaddr, l->chaddr, sizeof(ret->chaddr));
}
