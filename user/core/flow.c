// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/flow.h"

#include "base/defs.h"
#include <arpa/inet.h>
#include <string.h>

#define AHEAD_S 60

const char *const flow_sort_names[FLOW_SORT_MAX] = {
	[FLOW_SORT_BYTES] = "bytes",
	[FLOW_SORT_PACKETS] = "packets",
	[FLOW_SORT_AGE] = "age",
};

/* A tick of that clock is TICK_NSEC, a jiffy (kernel/time/timekeeping.c, hrtimer_get_res). */
struct flow_clock flow_clock_at(const struct asym_clock *c, uint64_t ns, uint64_t resolution)
{
	int64_t passed = ns - c->ns;

	return (struct flow_clock){
		.now = c->jiffies + passed / (int64_t)resolution,
		.hz = (1000000000 + resolution / 2) / resolution,
	};
}

uint32_t flow_seconds(const struct flow_clock *c, uint32_t then)
{
	uint32_t passed = c->now - then;

	return -passed <= AHEAD_S * c->hz ? 0 : passed / c->hz;
}

static struct flow_tuple tuple(const __be32 *t, int words)
{
	int family = words == ASYM_TUPLE_WORDS4 ? AF_INET : AF_INET6;
	struct flow_tuple f = {
		.src = addr_from_wire(family, t),
		.dst = addr_from_wire(family, t + (words - 1) / 2),
	};
	uint16_t ports[2];

	memcpy(ports, &t[words - 1], sizeof(ports));
	f.sport = ntohs(ports[0]);
	f.dport = ntohs(ports[1]);
	return f;
}

static struct flow_way way(const struct flow_entry *e, const struct flow_clock *c)
{
	bool known = e->state.head & ASYM_FLOW_SENT;

	return (struct flow_way){
		.present = true,
		.in = known ? e->state.arrival : 0,
		.out = known ? e->device : 0,
		.packets = e->state.packets,
		.bytes = e->state.bytes,
		.idle_s = flow_seconds(c, e->state.checked),
		.largest = e->state.size,
	};
}

struct flow_info flow_info(const struct flow_entry *original, const struct flow_entry *reply,
			   const struct flow_clock *c)
{
	uint32_t head = original->state.head;
	struct flow_info f = {
		.udp = head & ASYM_FLOW_UDP,
		.fast = head & ASYM_FLOW_SENT,
		.stateless = head & ASYM_FLOW_STATELESS,
		.link = head >> ASYM_FLOW_LINK_SHIFT,
		.age_s = flow_seconds(c, original->state.created),
		.sent = tuple(original->in, original->words),
		.translated = tuple(original->out, original->words),
		.way[FLOW_ORIGINAL] = way(original, c),
	};

	f.idle_s = f.way[FLOW_ORIGINAL].idle_s;
	if (reply) {
		f.way[FLOW_REPLY] = way(reply, c);
		f.idle_s = MIN(f.idle_s, f.way[FLOW_REPLY].idle_s);
	}
	return f;
}

/* ::/0 is no prefix of IPv4 addresses, whatever form they are kept in. */
static bool within(const struct prefix *p, const struct in6_addr *a)
{
	return addr_is_v4(&p->addr) == addr_is_v4(a) && prefix_contains(p, a);
}

static bool has_port(const struct flow_tuple *t, uint16_t port)
{
	return t->sport == port || t->dport == port;
}

bool flow_matches(const struct flow_info *f, const struct flow_filter *filter)
{
	const struct flow_tuple *a = &f->sent, *b = &f->translated;

	if (filter->link && filter->link != f->link)
		return false;
	if (filter->proto && filter->proto != (f->udp ? IPPROTO_UDP : IPPROTO_TCP))
		return false;
	if (filter->port && !has_port(a, filter->port) && !has_port(b, filter->port))
		return false;
	if (filter->has_src && !within(&filter->src, &a->src) && !within(&filter->src, &b->src))
		return false;
	return !filter->has_dst || within(&filter->dst, &a->dst) || within(&filter->dst, &b->dst);
}

uint64_t flow_weight(const struct flow_info *f, enum flow_sort by)
{
	if (by == FLOW_SORT_AGE)
		return f->age_s;
	if (by == FLOW_SORT_PACKETS)
		return f->way[FLOW_ORIGINAL].packets + f->way[FLOW_REPLY].packets;
	return f->way[FLOW_ORIGINAL].bytes + f->way[FLOW_REPLY].bytes;
}
