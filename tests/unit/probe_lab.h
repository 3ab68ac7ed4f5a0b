/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes on the wire: wan0 leads to peer0, where the test answers truly, wrongly or not at all.
 * Main's default route is by wan1; by wan0 there is only what has the mark of probes.
 */
#ifndef TESTS_UNIT_PROBE_LAB_H
#define TESTS_UNIT_PROBE_LAB_H

#include "tests/unit/netns.h"

#include "run/probe.h"
#include "tests/unit/addr.h"
#include "tests/unit/fds.h"
#include "tests/unit/wire.h"
#include <linux/if_arp.h>

#define MARK 0xff00
#define SOON 100      /* ms: no answer is wanted */
#define PATIENT 5000 /* ms: one is */
#define NS_PER_MS 1000000ULL
#define RESULTS 64
#define PORT 53

typedef void answer_fn(struct frame *f);

struct result {
	uint32_t rtt_us;
	char why[64];
	int order; /* 0: has not ended */
};

static uv_loop_t loop;
static struct prober *prober;
static uv_poll_t here, elsewhere;
static int wire, other;
static answer_fn *answer;
static struct frame seen; /* the last request */
static unsigned int n_seen, n_elsewhere, pending;
static int ends;
static struct result results[RESULTS];

/* -------- the far end */

struct arp {
	struct arphdr head;
	uint8_t sender_mac[ETH_ALEN], sender[4], target_mac[ETH_ALEN], target[4];
} __attribute__((packed));

static inline struct arp *arp_of(struct frame *f)
{
	return (struct arp *)f->l4;
}

/* Ours, not what the kernel says to a lie. */
static inline bool is_request(struct frame *f)
{
	switch (f->proto) {
	case IPPROTO_ICMP:
		return f->l4[0] == ICMP_ECHO;
	case IPPROTO_ICMPV6:
		return f->l4[0] == ICMP6_ECHO_REQUEST ||
		       (f->l4[0] == ND_NEIGHBOR_SOLICIT &&
			!memcmp(f->l4 + 8, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16));
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return f->l4[2] == 0 && f->l4[3] == PORT;
	}
	return f->eth->h_proto == htons(ETH_P_ARP) &&
	       arp_of(f)->head.ar_op == htons(ARPOP_REQUEST);
}

static inline void on_here(uv_poll_t *poll, int status, int events)
{
	struct frame f;

	while (wire_read(wire, &f)) {
		if (!is_request(&f))
			continue;
		n_seen++;
		seen = f;
		frame_parse(&seen);
		if (answer)
			answer(&f);
	}
}

static inline void on_elsewhere(uv_poll_t *poll, int status, int events)
{
	struct frame f;

	while (wire_read(other, &f))
		n_elsewhere += is_request(&f);
}

static inline void send_back(struct frame *f)
{
	frame_seal(f);
	wire_write(wire, f);
}

/* -------- true answers */

static inline void echo(struct frame *f)
{
	frame_turn(f);
	f->l4[0] = f->ip ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
}

static inline void echo_right(struct frame *f)
{
	echo(f);
	send_back(f);
}

static inline void tcp_to(struct frame *f, uint8_t flags, uint32_t ack)
{
	struct tcphdr *t = (struct tcphdr *)f->l4;

	frame_turn(f);
	t->th_ack = htonl(ntohl(t->th_seq) + ack);
	t->th_seq = htonl(1000);
	t->th_flags = flags;
	t->doff = 5;
	f->l4_len = sizeof(*t);
	send_back(f);
}

static inline bool is_syn(const struct frame *f)
{
	return f->proto == IPPROTO_TCP && ((struct tcphdr *)f->l4)->th_flags == TH_SYN;
}

static inline void tcp_accept(struct frame *f)
{
	if (is_syn(f))
		tcp_to(f, TH_SYN | TH_ACK, 1);
}

#define DNS_AT sizeof(struct udphdr)

static inline void dns_right(struct frame *f)
{
	frame_turn(f);
	f->l4[DNS_AT + 2] |= 0x80;
	send_back(f);
}

static inline void arp_turn(struct frame *f)
{
	struct arp *a = arp_of(f);

	frame_turn(f);
	a->head.ar_op = htons(ARPOP_REPLY);
	swap_bytes(a->sender, a->target, sizeof(a->sender));
	memcpy(a->target_mac, a->sender_mac, ETH_ALEN);
	memcpy(a->sender_mac, "\2\0\0\0\0\1", ETH_ALEN);
}

static inline void arp_right(struct frame *f)
{
	if (f->eth->h_proto != htons(ETH_P_ARP))
		return;
	arp_turn(f);
	wire_write(wire, f);
}

static inline void nd_turn(struct frame *f, uint8_t flags)
{
	frame_turn(f);
	/* asked was a group: the answer comes from the gateway itself */
	memcpy(&f->ip6->ip6_src, f->l4 + 8, 16);
	f->l4[0] = ND_NEIGHBOR_ADVERT;
	f->l4[4] = flags;
	f->l4_len = sizeof(struct nd_neighbor_advert);
}

static inline void nd_right(struct frame *f)
{
	nd_turn(f, 0x40);
	send_back(f);
}

/* -------- others */

/* One after the other to the same request. */
static inline void answer_each(const struct frame *f, answer_fn *const *answers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct frame copy = *f;

		frame_parse(&copy);
		answers[i](&copy);
	}
}

/* To one address further, which is not the one that was meant. */
static inline void turn_aside(struct frame *f)
{
	if (f->ip)
		f->ip->daddr ^= htonl(1);
	else
		f->ip6->ip6_dst.s6_addr[15] ^= 1;
}

static inline void from_router(struct frame *f)
{
	if (f->ip)
		f->ip->saddr = htonl(0x0a000001);
	else
		f->ip6->ip6_src = addr("2001:db8:0::1");
	send_back(f);
}

static inline void unreachable(struct frame *f)
{
	frame_to_error(f, f->ip ? ICMP_DEST_UNREACH : ICMP6_DST_UNREACH,
		       f->ip ? ICMP_HOST_UNREACH : ICMP6_DST_UNREACH_ADDR);
	from_router(f);
}

static inline void port_unreachable(struct frame *f)
{
	frame_to_error(f, f->ip ? ICMP_DEST_UNREACH : ICMP6_DST_UNREACH,
		       f->ip ? ICMP_PORT_UNREACH : ICMP6_DST_UNREACH_NOPORT);
}

static inline void port_by_target(struct frame *f)
{
	port_unreachable(f);
	send_back(f);
}

/* -------- set-up */

static inline void watch_wire(void)
{
	wire = wire_open("peer0");
	assert_true(wire >= 0);
	assert_int_equal(uv_poll_init(&loop, &here, wire), 0);
	uv_poll_start(&here, UV_READABLE, on_here);
	uv_unref((uv_handle_t *)&here);
}

static inline int probe_setup(void **state)
{
	if (netns_setup(state))
		return -1;
	if (!netns_ours)
		return 0;
	sh("for n in 0 1; do\n"
	   "  echo 1 >/proc/sys/net/ipv6/conf/peer$n/disable_ipv6\n"
	   "  echo 2 >/proc/sys/net/ipv4/conf/wan$n/rp_filter\n"
	   "  ip neigh add 10.$n.0.1 lladdr 02:00:00:00:00:01 dev wan$n\n"
	   "  ip neigh add 2001:db8:$n::1 lladdr 02:00:00:00:00:01 dev wan$n\n"
	   "done\n"
	   "echo 2 >/proc/sys/net/ipv4/conf/all/rp_filter\n"
	   "ip addr add 10.0.0.3/24 dev wan0; ip addr add 2001:db8:0::3/64 dev wan0 nodad\n"
	   "ip route add default via 10.1.0.1; ip route add default via 2001:db8:1::1\n"
	   "ip route add default via 10.0.0.1 table 100\n"
	   "ip -6 route add default via 2001:db8:0::1 table 100\n"
	   "ip rule add fwmark 0xff00/0xff00 oif wan0 lookup 100\n"
	   "ip -6 rule add fwmark 0xff00/0xff00 oif wan0 lookup 100");
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(prober_open(&loop, &prober), 0);
	watch_wire();
	other = wire_open("peer1");
	assert_true(other >= 0);
	uv_poll_init(&loop, &elsewhere, other);
	uv_poll_start(&elsewhere, UV_READABLE, on_elsewhere);
	uv_unref((uv_handle_t *)&elsewhere);
	answer = NULL;
	n_seen = n_elsewhere = pending = 0;
	ends = 0;
	memset(results, 0, sizeof(results));
	return 0;
}

/* Nothing is left of probes, whatever the test did. */
static inline int probe_teardown(void **state)
{
	if (!netns_ours)
		return 0;
	prober_close(prober);
	uv_close((uv_handle_t *)&here, NULL);
	uv_close((uv_handle_t *)&elsewhere, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	close(wire);
	close(other);
	assert_int_equal(n_elsewhere, 0);
	return 0;
}

#define probe_test(fn) cmocka_unit_test_setup_teardown(fn, probe_setup, probe_teardown)

/* -------- one probe */

static inline struct probe_path path_of(const char *device)
{
	struct probe_path p = { .ifindex = if_nametoindex(device), .mark = MARK, .ethernet = true };

	snprintf(p.device, sizeof(p.device), "%s", device);
	p.source[ASYM_V4] = addr("10.0.0.2");
	p.source[ASYM_V6] = addr("2001:db8:0::2");
	p.gateway[ASYM_V4] = addr("10.0.0.1");
	p.gateway[ASYM_V6] = addr("2001:db8:0::1");
	return p;
}

static inline struct model_target target_of(enum model_probe_kind kind, enum asym_family f)
{
	static const char *const addrs[ASYM_FAMILIES] = { "198.51.100.7", "2001:db8:ffff::7" };
	struct model_target t = { .kind = kind, .family = f, .port = PORT };

	if (kind != PROBE_GATEWAY)
		t.addr = addr(addrs[f]);
	return t;
}

static inline struct model_probe conf_of(uint32_t timeout_ms)
{
	struct model_probe c = { .timeout_ms = timeout_ms, .dns_name = "www.Example.net" };

	return c;
}

static inline void on_end(void *data, uint32_t rtt_us, const char *why)
{
	struct result *r = data;

	assert_int_equal(r->order, 0);
	r->rtt_us = rtt_us;
	snprintf(r->why, sizeof(r->why), "%s", why ?: "");
	r->order = ++ends;
	pending--;
}

static inline int start(const struct probe_path *path, const struct model_target *t,
		 const struct model_probe *c, struct result *r, struct probe **ret)
{
	int error = probe_start(prober, path, t, c, on_end, r, ret);

	if (!error)
		pending++;
	return error;
}

static inline void finish(void)
{
	while (pending)
		uv_run(&loop, UV_RUN_ONCE);
}

/* One that is answered so (NULL: not at all), to its end. */
static inline struct result probe_once(const struct probe_path *path, const struct model_target *t,
				const struct model_probe *c, answer_fn *fn)
{
	struct result r = { 0 };
	struct probe *p;

	answer = fn;
	assert_int_equal(start(path, t, c, &r, &p), 0);
	assert_int_equal(r.order, 0);
	finish();
	return r;
}

/* A probe with such an answer ends so; want NULL: it is answered. */
static inline void expect(const char *name, enum model_probe_kind kind, enum asym_family f, answer_fn *fn,
		   const char *want)
{
	struct model_target t = target_of(kind, f);
	struct model_probe c = conf_of(want && !strcmp(want, "timeout") ? SOON : PATIENT);
	struct probe_path path = path_of("wan0");
	struct result r = probe_once(&path, &t, &c, fn);

	if (strcmp(r.why, want ?: ""))
		fail_msg("%s, IPv%c: \"%s\", expected \"%s\"", name, f == ASYM_V4 ? '4' : '6', r.why,
			 want ?: "");
	if (want)
		assert_int_equal(r.rtt_us, 0);
	else
		assert_in_range(r.rtt_us, 1, PATIENT * 1000);
}

struct lie {
	const char *name;
	answer_fn *answer;
	const char *want;
};

static inline void expect_all(enum model_probe_kind kind, const struct lie *lies, size_t n)
{
	netns_need();
	for (int f = 0; f < ASYM_FAMILIES; f++)
		for (size_t i = 0; i < n; i++)
			expect(lies[i].name, kind, f, lies[i].answer, lies[i].want);
}

/* Whether it can be started: 0 or -errno. */
static inline int try(const struct probe_path *path, enum model_probe_kind kind, enum asym_family f)
{
	struct model_target t = target_of(kind, f);
	struct model_probe c = conf_of(SOON);
	struct probe *p;
	int r;

	memset(&results[0], 0, sizeof(results[0]));
	r = start(path, &t, &c, &results[0], &p);
	if (!r) {
		probe_cancel(p);
		pending--;
	}
	return r;
}

/* One of each kind and family, but HTTP: into results.  Returns how many. */
static inline int start_all(const struct probe_path *path, const struct model_probe *c)
{
	static struct model_target t[PROBE_MAX][ASYM_FAMILIES];
	struct probe *p;
	int n = 0;

	for (int k = 0; k < PROBE_MAX; k++)
		for (int f = 0; f < ASYM_FAMILIES && k != PROBE_HTTP; f++) {
			t[k][f] = target_of(k, f);
			assert_int_equal(start(path, &t[k][f], c, &results[n++], &p), 0);
		}
	return n;
}

#endif
