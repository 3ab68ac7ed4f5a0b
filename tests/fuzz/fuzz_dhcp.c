// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as what a link sees of DHCP: records of two bytes of length, one of the time that
 * passes before (an hour is 256), and a packet from its IP header on.  What is read is within its
 * limits, what is written reads as it was meant, and the lease stays sane.
 */
#include "core/lease.h"
#include <errno.h>
#include <string.h>

#define SECOND 1000000000ull
#define SOURCE 0xc0000207 /* 192.0.2.7 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static uint32_t sum(uint32_t s, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		s += i & 1 ? p[i] : p[i] * 256U;
	return s;
}

static bool is_summed(uint32_t s)
{
	return s && s % 0xffff == 0;
}

static void check_message(const struct dhcp_message *m)
{
	must(m->dport == (m->reply ? DHCP_CLIENT_PORT : DHCP_SERVER_PORT));
	must(m->type < DHCP_TYPE_MAX);
	must(m->client_id_len != 1);
	must(!dhcp_is_renewal(m) || (m->ciaddr.s_addr && !m->reply));
}

static void check_source(const uint8_t *packet, size_t len, const struct dhcp_message *m)
{
	uint8_t *copy = malloc(len), *udp;
	bool summed;
	struct dhcp_message n;
	size_t whole;

	memcpy(copy, packet, len);
	udp = copy + (copy[0] & 15) * 4U;
	summed = udp[6] || udp[7];
	whole = dhcp_set_source(copy, len, (struct in_addr){htonl(SOURCE)});
	must(whole <= len && !dhcp_parse(copy, whole, &n));
	must(n.src.s_addr == htonl(SOURCE) && n.sport == DHCP_CLIENT_PORT);
	must(n.dst.s_addr == m->dst.s_addr && n.dport == m->dport && n.xid == m->xid);
	must(n.type == m->type && n.ciaddr.s_addr == m->ciaddr.s_addr);
	must(n.client_id_len == m->client_id_len);
	must(!memcmp(n.client_id, m->client_id, n.client_id_len));
	must(is_summed(sum(0, copy, (size_t)(udp - copy))));
	must(summed == (udp[6] || udp[7]));
	if (summed)
		must(is_summed(sum(IPPROTO_UDP + udp[4] * 256U + udp[5] + sum(0, copy + 12, 8), udp,
				   udp[4] * 256U + udp[5])));
	free(copy);
}

static void check_renewal(const struct lease *l, uint64_t now)
{
	uint8_t packet[DHCP_MAX_PACKET];
	struct dhcp_renewal r;
	struct dhcp_message m;
	size_t len;

	lease_renewal(l, 1, now, &r);
	len = dhcp_write_renewal(&r, packet);
	must(len >= DHCP_RENEWAL_MIN && len <= DHCP_RENEWAL_MAX);
	must(!dhcp_parse(packet, len, &m) && dhcp_is_renewal(&m) && m.type == DHCP_REQUEST);
	must(m.ciaddr.s_addr == l->addr.s_addr && m.dst.s_addr == l->server.s_addr);
	must(m.client_id_len == l->client_id_len);
	must(!memcmp(m.client_id, l->client_id, m.client_id_len));
	must(m.repeat_len == l->repeat_len && dhcp_may_repeat(m.repeat, m.repeat_len));
	must(!memcmp(m.repeat, l->repeat, m.repeat_len));
}

static void check_lease(const struct lease *l, uint64_t now)
{
	enum lease_state s = lease_state(l, now);

	must(l->n_requests <= LEASE_REQUESTS);
	for (size_t i = 0; i < l->n_requests; i++) {
		for (size_t k = 0; k < i; k++)
			must(l->requests[i].xid != l->requests[k].xid);
	}
	must((s == LEASE_NONE) == !l->addr.s_addr);
	must(lease_next_ns(l, now) > now);
	if (lease_wants_renewal(l, now))
		must(s == LEASE_LATE || s == LEASE_REBINDING);
	if (s == LEASE_NONE)
		return;
	must(l->acks && l->t1_s && l->t1_s <= l->t2_s && l->t2_s <= l->lease_s);
	must(dhcp_is_unicast(l->addr));
	if (l->server.s_addr)
		check_renewal(l, now);
}

static void see(struct lease *l, const uint8_t *packet, size_t len, uint64_t now)
{
	struct dhcp_message m, before;
	int r;

	memset(&m, 0xa5, sizeof(m));
	before = m;
	r = dhcp_parse(packet, len, &m);
	if (r) {
		must(r == -ENOENT || r == -EBADMSG);
		must(!memcmp(&m, &before, sizeof(m)));
		return;
	}
	check_message(&m);
	check_source(packet, len, &m);
	if (m.reply)
		lease_reply(l, &m, now);
	else
		lease_request(l, &m, m.secs & 1, now);
	check_lease(l, now);
}

/* On the heap, at its own length, so that a byte too far is seen. */
static void see_copy(struct lease *l, const uint8_t *packet, size_t len, uint64_t now)
{
	uint8_t *copy = malloc(len ?: 1);

	memcpy(copy, packet, len);
	see(l, copy, len, now);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t now = SECOND;
	struct lease l = {};

	while (size >= 3) {
		size_t len = data[0] * 256U + data[1];

		now += data[2] * (3600 * SECOND / 256);
		data += 3;
		size -= 3;
		len = MIN(len, size);
		see_copy(&l, data, len, now);
		data += len;
		size -= len;
	}
	return 0;
}
