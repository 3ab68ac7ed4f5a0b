// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/shim.h"

#include "core/dhcp.h"
#include "nl/queue.h"
#include "run/shim_table.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#define READ_AT_ONCE 64	  /* packets, then others in the loop have their turn */
#define TELL_EVERY_MS 1000 /* of one link */

_Static_assert(QUEUE_PACKET >= DHCP_MAX_PACKET, "a whole message is read");

/* A packet that waits for its copy to be on its way. */
struct held {
	struct held *next, **prev;
	struct shim *shim; /* NULL: closed meanwhile */
	uint32_t id;
	uint32_t out;
	uint32_t owner; /* ifindex */
	uint8_t link;
	struct in_addr addr;
};

struct shim {
	struct events *events;
	struct courier *courier;
	struct queue queue;
	struct nl table;
	uv_poll_t poll;
	struct plan_owner *owners;
	size_t n_owners;
	struct held *held;
	struct shim_count counts[ASYM_LINK_IDS];
	uint64_t told_ms[ASYM_LINK_IDS]; /* uv_now(); 0: never */
	unsigned int untold[ASYM_LINK_IDS];
};

/* -------- whose it is */

/* The best of those whose `same` holds: the device itself, else one that alone has it. */
static const struct plan_owner *find(const struct shim *s, const struct dhcp_message *m,
				     uint32_t out,
				     bool (*same)(const struct plan_owner *o,
						  const struct dhcp_message *m))
{
	const struct plan_owner *found = NULL;

	for (size_t i = 0; i < s->n_owners; i++) {
		const struct plan_owner *o = &s->owners[i];

		if (!same(o, m))
			continue;
		if (o->ifindex == out)
			return o;
		found = found ?: o;
	}
	return found;
}

static bool same_addr(const struct plan_owner *o, const struct dhcp_message *m)
{
	const struct in6_addr addr = addr_from_wire(AF_INET, &m->ciaddr);

	return addr_equal(&o->addr, &addr);
}

static bool same_mac(const struct plan_owner *o, const struct dhcp_message *m)
{
	return !memcmp(o->mac, m->chaddr, sizeof(o->mac));
}

/* Two providers may well give the same private address. */
static bool is_shared(const struct shim *s, const struct dhcp_message *m, const struct plan_owner *by_addr)
{
	for (size_t i = 0; i < s->n_owners; i++)
		if (s->owners[i].ifindex != by_addr->ifindex && same_addr(&s->owners[i], m))
			return true;
	return false;
}

/* As guard does (bpf/lib/guard.h): the device that the message names by its MAC address is believed; else
 * the address decides, if it is one link's alone, and then such a MAC address. */
static const struct plan_owner *owner_of(const struct shim *s, const struct dhcp_message *m,
					 uint32_t out)
{
	const struct plan_owner *by_mac = find(s, m, out, same_mac), *by_addr;

	if (by_mac && by_mac->ifindex == out && !by_mac->shared_mac)
		return by_mac;
	by_addr = find(s, m, out, same_addr);
	if (by_addr && !is_shared(s, m, by_addr))
		return by_addr;
	return by_mac && (by_mac->ifindex == out || !by_mac->shared_mac) ? by_mac : NULL;
}

/* -------- telling */

static void tell(struct shim *s, const struct held *h, int result)
{
	char addr[INET_ADDRSTRLEN], text[320], owner[IFNAMSIZ] = "?", out[IFNAMSIZ] = "?", more[48] = "";
	uint64_t now = uv_now(s->poll.loop);
	struct event e = { .kind = EVENT_DHCP, .device = owner, .family = AF_INET,
			   .state = result ? "failed" : "moved", .text = text };

	if (s->told_ms[h->link] && now - s->told_ms[h->link] < TELL_EVERY_MS) {
		s->untold[h->link]++;
		return;
	}
	if (s->untold[h->link])
		snprintf(more, sizeof(more), " (and %u before)", s->untold[h->link]);
	s->told_ms[h->link] = now ?: 1;
	s->untold[h->link] = 0;
	if_indextoname(h->owner, owner);
	if_indextoname(h->out, out);
	inet_ntop(AF_INET, &h->addr, addr, sizeof(addr));
	if (result)
		snprintf(text, sizeof(text), "the DHCP client's renewal of %s went on by %s: %s%s",
			 addr, out, strerror(-result), more);
	else
		snprintf(text, sizeof(text), "the DHCP client's renewal of %s, was about to leave by %s%s",
			 addr, out, more);
	events_send(s->events, &e);
}

/* -------- packets */

static void release(struct held *h)
{
	*h->prev = h->next;
	if (h->next)
		h->next->prev = h->prev;
}

static void sent(void *data, int result)
{
	struct held *h = data;
	struct shim *s = h->shim;

	if (s) {
		release(h);
		queue_verdict(&s->queue, h->id, result);
		if (result)
			s->counts[h->link].failed++;
		else
			s->counts[h->link].moved++;
		tell(s, h, result);
	}
	free(h);
}

/* Whether the packet is taken over. */
static bool move(struct shim *s, const struct queue_packet *p, const struct dhcp_message *m,
		 const struct plan_owner *o)
{
	struct held *h = malloc(sizeof(*h));
	uint8_t packet[DHCP_MAX_PACKET];
	size_t len;

	if (!h || p->len > sizeof(packet)) {
		free(h);
		return false;
	}
	*h = (struct held){ .next = s->held, .prev = &s->held, .shim = s, .id = p->id,
			    .out = p->out, .owner = o->ifindex, .link = o->link,
			    .addr = m->ciaddr };
	if (h->next)
		h->next->prev = &h->next;
	s->held = h;
	memcpy(packet, p->data, p->len);
	len = dhcp_set_source(packet, p->len, m->ciaddr);
	courier_send(s->courier, o->ifindex, packet, len, sent, h);
	return true;
}

static void take(const struct queue_packet *p, void *data)
{
	struct shim *s = data;
	const struct plan_owner *o;
	struct dhcp_message m;

	if (dhcp_parse(p->data, p->len, &m) || !dhcp_is_renewal(&m) ||
	    !(o = owner_of(s, &m, p->out))) {
		queue_verdict(&s->queue, p->id, true);
		return;
	}
	if (o->ifindex == p->out && m.src.s_addr == m.ciaddr.s_addr)
		s->counts[o->link].right++;
	else if (move(s, p, &m, o))
		return;
	queue_verdict(&s->queue, p->id, true);
}

static void readable(uv_poll_t *poll, int status, int events)
{
	struct shim *s = poll->data;

	queue_read(&s->queue, READ_AT_ONCE, take, s);
	/* libuv takes an error of the socket for its end */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, readable);
}

/* -------- the shim */

static int open_queue(struct shim *s)
{
	int r = queue_open(&s->queue, SHIM_FIRST_QUEUE);

	return r ?: shim_table_open(&s->table, s->queue.number);
}

static void free_all(struct shim *s)
{
	nl_close(&s->table);
	queue_close(&s->queue);
	free(s->owners);
	free(s);
}

int shim_open(uv_loop_t *loop, struct events *events, struct courier *courier, struct shim **ret)
{
	struct shim *s = calloc(1, sizeof(*s));
	int r = s ? open_queue(s) : -ENOMEM;

	r = r ?: uv_poll_init(loop, &s->poll, queue_fd(&s->queue));
	if (r) {
		if (s)
			free_all(s);
		return r;
	}
	s->events = events;
	s->courier = courier;
	s->poll.data = s;
	uv_poll_start(&s->poll, UV_READABLE, readable);
	*ret = s;
	return 0;
}

static void let_go(const struct queue_packet *p, void *data)
{
	struct shim *s = data;

	queue_verdict(&s->queue, p->id, true);
}

static void closed(uv_handle_t *handle)
{
	free_all(handle->data);
}

void shim_close(struct shim *s)
{
	if (!s)
		return;
	shim_table_stop(&s->table);
	for (struct held *h = s->held; h; h = h->next) {
		queue_verdict(&s->queue, h->id, true);
		h->shim = NULL;
	}
	queue_read(&s->queue, QUEUE_HELD, let_go, s);
	/* now, not when the loop gets to it: another shim may open */
	nl_close(&s->table);
	uv_close((uv_handle_t *)&s->poll, closed);
}

int shim_owners(struct shim *s, const struct plan_owner *owners, size_t n)
{
	struct plan_owner *copy = calloc(n + 1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	if (n)
		memcpy(copy, owners, n * sizeof(*copy));
	free(s->owners);
	s->owners = copy;
	s->n_owners = n;
	return 0;
}

const struct shim_count *shim_counts(const struct shim *s, uint8_t link)
{
	return &s->counts[link];
}
