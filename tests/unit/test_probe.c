// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Probes on the wire: wan0 leads to peer0, where this program answers truly, wrongly or not at all.
 * Main's default route is by wan1; by wan0 there is only what has the mark of probes.
 */
#include "tests/unit/netns.h"

#include "run/probe.h"
#include "tests/unit/wire.h"
#include <dirent.h>
#include <linux/if_arp.h>
#include <time.h>

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

static struct arp *arp_of(struct frame *f)
{
	return (struct arp *)f->l4;
}

/* Ours, not what the kernel says to a lie. */
static bool is_request(struct frame *f)
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

static void on_here(uv_poll_t *poll, int status, int events)
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

static void on_elsewhere(uv_poll_t *poll, int status, int events)
{
	struct frame f;

	while (wire_read(other, &f))
		n_elsewhere += is_request(&f);
}

static void send_back(struct frame *f)
{
	frame_seal(f);
	wire_write(wire, f);
}

/* -------- set-up */

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void watch_wire(void)
{
	wire = wire_open("peer0");
	assert_true(wire >= 0);
	assert_int_equal(uv_poll_init(&loop, &here, wire), 0);
	uv_poll_start(&here, UV_READABLE, on_here);
	uv_unref((uv_handle_t *)&here);
}

static int probe_setup(void **state)
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
static int probe_teardown(void **state)
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

static struct in6_addr addr(const char *s)
{
	struct in6_addr a;

	assert_int_equal(addr_parse(s, &a), 0);
	return a;
}

static struct probe_path path_of(const char *device)
{
	struct probe_path p = { .ifindex = if_nametoindex(device), .mark = MARK, .ethernet = true };

	snprintf(p.device, sizeof(p.device), "%s", device);
	p.source[ASYM_V4] = addr("10.0.0.2");
	p.source[ASYM_V6] = addr("2001:db8:0::2");
	p.gateway[ASYM_V4] = addr("10.0.0.1");
	p.gateway[ASYM_V6] = addr("2001:db8:0::1");
	return p;
}

static const char *const target_addr[ASYM_FAMILIES] = { "198.51.100.7", "2001:db8:ffff::7" };

static struct model_target target_of(enum model_probe_kind kind, enum asym_family f)
{
	struct model_target t = { .kind = kind, .family = f, .port = PORT };

	if (kind != PROBE_GATEWAY)
		t.addr = addr(target_addr[f]);
	return t;
}

static struct model_probe conf_of(uint32_t timeout_ms)
{
	struct model_probe c = { .timeout_ms = timeout_ms, .dns_name = "www.Example.net" };

	return c;
}

/* -------- one probe */

static void on_end(void *data, uint32_t rtt_us, const char *why)
{
	struct result *r = data;

	assert_int_equal(r->order, 0);
	r->rtt_us = rtt_us;
	snprintf(r->why, sizeof(r->why), "%s", why ?: "");
	r->order = ++ends;
	pending--;
}

static int start(const struct probe_path *path, const struct model_target *t,
		 const struct model_probe *c, struct result *r, struct probe **ret)
{
	int error = probe_start(prober, path, t, c, on_end, r, ret);

	if (!error)
		pending++;
	return error;
}

static void finish(void)
{
	while (pending)
		uv_run(&loop, UV_RUN_ONCE);
}

/* A probe with such an answer ends so; want NULL: it is answered. */
static void expect(const char *name, enum model_probe_kind kind, enum asym_family f, answer_fn *fn,
		   const char *want)
{
	struct model_target t = target_of(kind, f);
	struct model_probe c = conf_of(want && !strcmp(want, "timeout") ? SOON : PATIENT);
	struct probe_path path = path_of("wan0");
	struct result r = { 0 };
	struct probe *p;

	answer = fn;
	assert_int_equal(start(&path, &t, &c, &r, &p), 0);
	assert_int_equal(r.order, 0);
	finish();
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

static void expect_all(enum model_probe_kind kind, const struct lie *lies, size_t n)
{
	netns_need();
	for (int f = 0; f < ASYM_FAMILIES; f++)
		for (size_t i = 0; i < n; i++)
			expect(lies[i].name, kind, f, lies[i].answer, lies[i].want);
}

/* -------- echo */

static void echo(struct frame *f)
{
	frame_turn(f);
	f->l4[0] = f->ip ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
}

static void echo_right(struct frame *f)
{
	echo(f);
	send_back(f);
}

static void echo_id(struct frame *f)
{
	echo(f);
	f->l4[5] ^= 1;
	send_back(f);
}

static void echo_seq(struct frame *f)
{
	echo(f);
	f->l4[7] ^= 1;
	send_back(f);
}

static void echo_cookie(struct frame *f)
{
	echo(f);
	f->l4[f->l4_len - 1] ^= 1;
	send_back(f);
}

static void echo_short(struct frame *f)
{
	echo(f);
	f->l4_len -= 1;
	send_back(f);
}

static void echo_source(struct frame *f)
{
	echo(f);
	if (f->ip)
		f->ip->saddr ^= htonl(1);
	else
		f->ip6->ip6_src.s6_addr[15] ^= 1;
	send_back(f);
}

static void echo_request(struct frame *f)
{
	frame_turn(f);
	send_back(f);
}

static void echo_all_lies(struct frame *f)
{
	static answer_fn *const lies[] = { echo_id, echo_seq, echo_cookie, echo_short, echo_source,
					   echo_request, echo_right };

	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct frame copy = *f;

		frame_parse(&copy);
		lies[i](&copy);
	}
}

static void from_router(struct frame *f)
{
	if (f->ip)
		f->ip->saddr = htonl(0x0a000001);
	else
		f->ip6->ip6_src = addr("2001:db8:0::1");
	send_back(f);
}

static void unreachable(struct frame *f)
{
	frame_to_error(f, f->ip ? ICMP_DEST_UNREACH : ICMP6_DST_UNREACH,
		       f->ip ? ICMP_HOST_UNREACH : ICMP6_DST_UNREACH_ADDR);
	from_router(f);
}

static void exceeded(struct frame *f)
{
	frame_to_error(f, f->ip ? ICMP_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED, 0);
	from_router(f);
}

/* As much as RFC 792 asks for. */
static void unreachable_short(struct frame *f)
{
	if (f->ip)
		f->l4_len = 8;
	unreachable(f);
}

static void unreachable_seq(struct frame *f)
{
	f->l4[7] ^= 1;
	unreachable(f);
}

static void unreachable_id(struct frame *f)
{
	f->l4[5] ^= 1;
	unreachable(f);
}

static void unreachable_target(struct frame *f)
{
	if (f->ip)
		f->ip->daddr ^= htonl(1);
	else
		f->ip6->ip6_dst.s6_addr[15] ^= 1;
	unreachable(f);
}

static void unreachable_cut(struct frame *f)
{
	f->l4_len = 6;
	unreachable(f);
}

static void test_ping(void **state)
{
	static const struct lie lies[] = {
		{ "reply", echo_right, NULL },
		{ "no reply", NULL, "timeout" },
		{ "another id", echo_id, "timeout" },
		{ "another sequence number", echo_seq, "timeout" },
		{ "other data", echo_cookie, "timeout" },
		{ "less data", echo_short, "timeout" },
		{ "another source", echo_source, "timeout" },
		{ "the request itself", echo_request, "timeout" },
		{ "lies, then the truth", echo_all_lies, NULL },
		{ "unreachable", unreachable, "unreachable" },
		{ "unreachable, short", unreachable_short, "unreachable" },
		{ "time exceeded", exceeded, "unreachable" },
		{ "unreachable: another sequence number", unreachable_seq, "timeout" },
		{ "unreachable: another id", unreachable_id, "timeout" },
		{ "unreachable: another target", unreachable_target, "timeout" },
		{ "unreachable: cut off", unreachable_cut, "timeout" },
	};

	expect_all(PROBE_PING, lies, ARRAY_SIZE(lies));
}

/* -------- TCP */

static void tcp_to(struct frame *f, uint8_t flags, uint32_t ack)
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

static bool is_syn(const struct frame *f)
{
	return f->proto == IPPROTO_TCP && ((struct tcphdr *)f->l4)->th_flags == TH_SYN;
}

static void tcp_accept(struct frame *f)
{
	if (is_syn(f))
		tcp_to(f, TH_SYN | TH_ACK, 1);
}

static void tcp_refuse(struct frame *f)
{
	if (is_syn(f))
		tcp_to(f, TH_RST | TH_ACK, 1);
}

static void tcp_other_ack(struct frame *f)
{
	if (is_syn(f))
		tcp_to(f, TH_RST | TH_ACK, 2);
}

static void port_unreachable(struct frame *f)
{
	frame_to_error(f, f->ip ? ICMP_DEST_UNREACH : ICMP6_DST_UNREACH,
		       f->ip ? ICMP_PORT_UNREACH : ICMP6_DST_UNREACH_NOPORT);
}

static void port_by_target(struct frame *f)
{
	port_unreachable(f);
	send_back(f);
}

static void port_by_router(struct frame *f)
{
	port_unreachable(f);
	from_router(f);
}

static void test_tcp(void **state)
{
	static const struct lie lies[] = {
		{ "accepted", tcp_accept, NULL },
		{ "refused", tcp_refuse, NULL },
		{ "refused by ICMP", port_by_target, NULL },
		{ "refused by a router", port_by_router, "unreachable" },
		{ "unreachable", unreachable, "unreachable" },
		{ "RST of another connection", tcp_other_ack, "timeout" },
		{ "silence", NULL, "timeout" },
	};

	expect_all(PROBE_TCP, lies, ARRAY_SIZE(lies));
}

static int count_sockets(void)
{
	FILE *f = popen("ss -Htan | wc -l", "r");
	int n;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &n), 1);
	pclose(f);
	return n;
}

/* A connection that was made is reset, and forgotten on both sides. */
static void test_tcp_ends(void **state)
{
	netns_need();
	expect("accepted", PROBE_TCP, ASYM_V4, tcp_accept, NULL);
	for (int i = 0; i < 100 && !(((struct tcphdr *)seen.l4)->th_flags & TH_RST); i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		usleep(10000);
	}
	assert_true(((struct tcphdr *)seen.l4)->th_flags & TH_RST);
	assert_int_equal(count_sockets(), 0);
}

/* -------- DNS */

#define DNS_AT sizeof(struct udphdr)

static void dns_to(struct frame *f)
{
	frame_turn(f);
	f->l4[DNS_AT + 2] |= 0x80;
	send_back(f);
}

static void dns_right(struct frame *f)
{
	dns_to(f);
}

static void dns_code(struct frame *f)
{
	f->l4[DNS_AT + 3] = 5; /* REFUSED */
	dns_to(f);
}

static void dns_letters(struct frame *f)
{
	f->l4[DNS_AT + 13] = 'W';
	dns_to(f);
}

static void dns_bare_error(struct frame *f)
{
	f->l4[DNS_AT + 3] = 1; /* FORMERR */
	f->l4[DNS_AT + 5] = 0;
	f->l4_len = DNS_AT + 12;
	dns_to(f);
}

static void dns_bare(struct frame *f)
{
	f->l4[DNS_AT + 5] = 0;
	f->l4_len = DNS_AT + 12;
	dns_to(f);
}

static void dns_id(struct frame *f)
{
	f->l4[DNS_AT] ^= 1;
	dns_to(f);
}

static void dns_query(struct frame *f)
{
	frame_turn(f);
	send_back(f);
}

static void dns_other_name(struct frame *f)
{
	f->l4[DNS_AT + 13] = 'x';
	dns_to(f);
}

static void dns_other_type(struct frame *f)
{
	f->l4[f->l4_len - 3] = 28;
	dns_to(f);
}

static void dns_cut(struct frame *f)
{
	f->l4_len -= 1;
	dns_to(f);
}

static void dns_header_cut(struct frame *f)
{
	f->l4_len = DNS_AT + 11;
	dns_to(f);
}

static void dns_opcode(struct frame *f)
{
	f->l4[DNS_AT + 2] |= 0x10;
	dns_to(f);
}

static void dns_source(struct frame *f)
{
	if (f->ip)
		f->ip->daddr ^= htonl(1);
	else
		f->ip6->ip6_dst.s6_addr[15] ^= 1;
	dns_to(f);
}

static void dns_empty(struct frame *f)
{
	f->l4_len = DNS_AT;
	frame_turn(f);
	send_back(f);
}

static void dns_all_lies(struct frame *f)
{
	static answer_fn *const lies[] = { dns_bare, dns_id, dns_query, dns_other_name, dns_cut,
					   dns_header_cut, dns_opcode, dns_source, dns_empty,
					   dns_right };

	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct frame copy = *f;

		frame_parse(&copy);
		lies[i](&copy);
	}
}

static void test_dns(void **state)
{
	static const struct lie lies[] = {
		{ "answer", dns_right, NULL },
		{ "error", dns_code, NULL },
		{ "other letters", dns_letters, NULL },
		{ "error without question", dns_bare_error, NULL },
		{ "no error and no question", dns_bare, "timeout" },
		{ "another id", dns_id, "timeout" },
		{ "a query", dns_query, "timeout" },
		{ "another name", dns_other_name, "timeout" },
		{ "another type", dns_other_type, "timeout" },
		{ "question cut off", dns_cut, "timeout" },
		{ "header cut off", dns_header_cut, "timeout" },
		{ "another operation", dns_opcode, "timeout" },
		{ "another source", dns_source, "timeout" },
		{ "nothing in it", dns_empty, "timeout" },
		{ "lies, then the truth", dns_all_lies, NULL },
		{ "no server", port_by_target, "refused" },
		{ "silence", NULL, "timeout" },
	};

	expect_all(PROBE_DNS, lies, ARRAY_SIZE(lies));
}

static void dns_asks(const char *name, const void *wire_name, size_t len, uint8_t type)
{
	struct model_target t = target_of(PROBE_DNS, ASYM_V4);
	struct model_probe c = conf_of(PATIENT);
	struct probe_path path = path_of("wan0");
	struct result r = { 0 };
	struct probe *p;

	answer = dns_right;
	snprintf(c.dns_name, sizeof(c.dns_name), "%s", name);
	assert_int_equal(start(&path, &t, &c, &r, &p), 0);
	finish();
	assert_int_equal(seen.l4_len, DNS_AT + 12 + len + 4);
	assert_memory_equal(seen.l4 + DNS_AT + 12, wire_name, len);
	assert_int_equal(seen.l4[DNS_AT + 12 + len + 1], type);
}

static void dns_does_not_ask(const char *name)
{
	struct model_target t = target_of(PROBE_DNS, ASYM_V4);
	struct model_probe c = conf_of(PATIENT);
	struct probe_path path = path_of("wan0");
	struct result r = { 0 };
	struct probe *p;

	snprintf(c.dns_name, sizeof(c.dns_name), "%s", name);
	assert_int_equal(start(&path, &t, &c, &r, &p), -EINVAL);
}

/* Labels of as many 'a', as on the wire.  Returns the length. */
static size_t write_labels(const uint8_t *labels, size_t n, uint8_t *ret)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		ret[at++] = labels[i];
		memset(ret + at, 'a', labels[i]);
		at += labels[i];
	}
	ret[at++] = 0;
	return at;
}

static void test_dns_names(void **state)
{
	char text[256], part[65];
	uint8_t on_wire[256];

	netns_need();
	memset(part, 'a', 64);
	part[64] = '\0';
	dns_asks(".", "", 1, 2);
	dns_asks("a.bc", "\1a\2bc", 6, 1);
	dns_asks("a.bc.", "\1a\2bc", 6, 1);
	snprintf(text, sizeof(text), "%.63s.%.63s.%.63s.%.61s", part, part, part, part);
	dns_asks(text, on_wire, write_labels((const uint8_t[]){ 63, 63, 63, 61 }, 4, on_wire), 1);
	snprintf(text, sizeof(text), "%.63s.%.63s.%.63s.%.62s", part, part, part, part);
	dns_does_not_ask(text);
	dns_does_not_ask(part);
	dns_does_not_ask("");
	dns_does_not_ask("a..b");
	dns_does_not_ask(".a");
	dns_does_not_ask("a..");
}

/* -------- the gateway */

static void arp_turn(struct frame *f)
{
	struct arp *a = arp_of(f);

	frame_turn(f);
	a->head.ar_op = htons(ARPOP_REPLY);
	swap_bytes(a->sender, a->target, sizeof(a->sender));
	memcpy(a->target_mac, a->sender_mac, ETH_ALEN);
	memcpy(a->sender_mac, "\2\0\0\0\0\1", ETH_ALEN);
}

static void arp_right(struct frame *f)
{
	if (f->eth->h_proto != htons(ETH_P_ARP))
		return;
	arp_turn(f);
	wire_write(wire, f);
}

static void arp_op(struct frame *f)
{
	arp_turn(f);
	arp_of(f)->head.ar_op = htons(ARPOP_REQUEST);
	wire_write(wire, f);
}

static void arp_sender(struct frame *f)
{
	arp_turn(f);
	arp_of(f)->sender[3] ^= 8;
	wire_write(wire, f);
}

static void arp_target(struct frame *f)
{
	arp_turn(f);
	arp_of(f)->target[3] ^= 8;
	wire_write(wire, f);
}

static void arp_cut(struct frame *f)
{
	arp_turn(f);
	f->len = ETH_HLEN + 27;
	wire_write(wire, f);
}

static void nd_turn(struct frame *f, uint8_t flags)
{
	frame_turn(f);
	/* asked was a group: the answer comes from the gateway itself */
	memcpy(&f->ip6->ip6_src, f->l4 + 8, 16);
	f->l4[0] = ND_NEIGHBOR_ADVERT;
	f->l4[4] = flags;
	f->l4_len = sizeof(struct nd_neighbor_advert);
}

static void nd_right(struct frame *f)
{
	nd_turn(f, 0x40);
	send_back(f);
}

static void nd_unsolicited(struct frame *f)
{
	nd_turn(f, 0x20);
	send_back(f);
}

static void nd_far(struct frame *f)
{
	nd_turn(f, 0x40);
	f->ip6->ip6_hlim = 254;
	send_back(f);
}

static void nd_target(struct frame *f)
{
	nd_turn(f, 0x40);
	f->l4[23] ^= 1;
	send_back(f);
}

static void test_gateway(void **state)
{
	netns_need();
	expect("silence", PROBE_GATEWAY, ASYM_V4, NULL, "timeout");
	expect("a request", PROBE_GATEWAY, ASYM_V4, arp_op, "timeout");
	expect("of another", PROBE_GATEWAY, ASYM_V4, arp_sender, "timeout");
	expect("to another", PROBE_GATEWAY, ASYM_V4, arp_target, "timeout");
	expect("cut off", PROBE_GATEWAY, ASYM_V4, arp_cut, "timeout");
	expect("reply", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	expect("silence", PROBE_GATEWAY, ASYM_V6, NULL, "timeout");
	expect("not solicited", PROBE_GATEWAY, ASYM_V6, nd_unsolicited, "timeout");
	expect("from afar", PROBE_GATEWAY, ASYM_V6, nd_far, "timeout");
	expect("of another", PROBE_GATEWAY, ASYM_V6, nd_target, "timeout");
	expect("advertisement", PROBE_GATEWAY, ASYM_V6, nd_right, NULL);
	assert_int_equal(seen.ip6->ip6_hlim, 255);
	assert_memory_equal(seen.l4 + 24, "\1\1", 2);
	assert_memory_equal(seen.l4 + 26, seen.eth->h_source, ETH_ALEN);
}

/* Everyone is asked until the gateway has answered, and again when it does not. */
static void test_gateway_broadcast(void **state)
{
	static const uint8_t everyone[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	netns_need();
	expect("first", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	assert_memory_equal(seen.eth->h_dest, everyone, ETH_ALEN);
	assert_memory_equal(arp_of(&seen)->sender, "\12\0\0\2", 4);
	expect("second", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	assert_memory_equal(seen.eth->h_dest, "\2\0\0\0\0\1", ETH_ALEN);
	expect("silence", PROBE_GATEWAY, ASYM_V4, NULL, "timeout");
	assert_memory_equal(seen.eth->h_dest, "\2\0\0\0\0\1", ETH_ALEN);
	expect("after it", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	assert_memory_equal(seen.eth->h_dest, everyone, ETH_ALEN);
}

static int try(const struct probe_path *path, enum model_probe_kind kind, enum asym_family f)
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

static void test_gateway_nobody(void **state)
{
	struct probe_path path;

	netns_need();
	for (int f = 0; f < ASYM_FAMILIES; f++) {
		path = path_of("wan0");
		assert_int_equal(try(&path, PROBE_GATEWAY, f), 0);
		path.ethernet = false;
		assert_int_equal(try(&path, PROBE_GATEWAY, f), -EOPNOTSUPP);
		path = path_of("wan0");
		memset(path.gateway, 0, sizeof(path.gateway));
		assert_int_equal(try(&path, PROBE_GATEWAY, f), -EOPNOTSUPP);
		sh("ip link set wan0 arp off");
		path = path_of("wan0");
		assert_int_equal(try(&path, PROBE_GATEWAY, f), -EOPNOTSUPP);
		sh("ip link set wan0 arp on");
	}
}

/* -------- paths */

static void expect_source(enum model_probe_kind kind, enum asym_family f, const char *source,
			  answer_fn *fn)
{
	struct probe_path path = path_of("wan0");
	struct model_target t = target_of(kind, f);
	struct model_probe c = conf_of(PATIENT);
	struct result r = { 0 };
	struct in6_addr got;
	struct probe *p;

	memset(path.source, 0, sizeof(path.source));
	if (source)
		path.source[f] = addr(source);
	answer = fn;
	assert_int_equal(start(&path, &t, &c, &r, &p), 0);
	finish();
	assert_string_equal(r.why, "");
	got = f == ASYM_V4 ? addr_from_wire(AF_INET, &seen.ip->saddr) : seen.ip6->ip6_src;
	/* otherwise it is the kernel's own choice */
	assert_true(!source || addr_equal(&got, &path.source[f]));
}

static void test_source(void **state)
{
	static const struct lie kinds[] = { { .answer = echo_right }, { .answer = tcp_accept },
					    { .answer = dns_right } };

	netns_need();
	for (int k = 0; k < 3; k++) {
		expect_source(PROBE_PING + k, ASYM_V4, "10.0.0.3", kinds[k].answer);
		expect_source(PROBE_PING + k, ASYM_V6, "2001:db8::3", kinds[k].answer);
		expect_source(PROBE_PING + k, ASYM_V4, "10.0.0.2", kinds[k].answer);
		expect_source(PROBE_PING + k, ASYM_V6, "2001:db8::2", kinds[k].answer);
		expect_source(PROBE_PING + k, ASYM_V4, NULL, kinds[k].answer);
		expect_source(PROBE_PING + k, ASYM_V6, NULL, kinds[k].answer);
	}
}

/* Without an address of ours nothing is sent. */
static void test_source_gone(void **state)
{
	struct probe_path path;

	netns_need();
	for (int k = PROBE_PING; k <= PROBE_DNS; k++) {
		path = path_of("wan0");
		path.source[ASYM_V4] = addr("10.0.0.9");
		path.source[ASYM_V6] = addr("2001:db8::9");
		assert_int_not_equal(try(&path, k, ASYM_V4), 0);
		assert_int_not_equal(try(&path, k, ASYM_V6), 0);
	}
	assert_int_equal(n_seen, 0);
}

/* With another mark there is no way out by wan0: the mark is on every kind. */
static void test_mark(void **state)
{
	struct probe_path path;

	netns_need();
	for (int k = PROBE_PING; k <= PROBE_DNS; k++) {
		path = path_of("wan0");
		path.mark = 0x100;
		assert_int_not_equal(try(&path, k, ASYM_V6), 0);
		path = path_of("wan0");
		assert_int_equal(try(&path, k, ASYM_V6), 0);
	}
}

/* wan0 was deleted; with this index, or the next one (0). */
static void device_again(unsigned int index)
{
	char link[128];

	snprintf(link, sizeof(link), "ip link add wan0 %s%.0u type veth peer name peer0",
		 index ? "index " : "", index);
	sh(link);
	sh("ip link set peer0 up; ip link set wan0 up\n"
	   "echo 1 >/proc/sys/net/ipv6/conf/peer0/disable_ipv6\n"
	   "echo 2 >/proc/sys/net/ipv4/conf/wan0/rp_filter\n"
	   "ip addr add 10.0.0.2/24 dev wan0; ip addr add 2001:db8:0::2/64 dev wan0 nodad\n"
	   "ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev wan0\n"
	   "ip neigh add 2001:db8::1 lladdr 02:00:00:00:00:01 dev wan0\n"
	   "ip route add default via 10.0.0.1 table 100\n"
	   "ip -6 route add default via 2001:db8:0::1 table 100");
	uv_close((uv_handle_t *)&here, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	close(wire);
	watch_wire();
}

/* The device goes while probes wait, and another one of its name comes. */
static void test_device_gone(void **state)
{
	static const struct lie kinds[] = { { .answer = echo_right }, { .answer = tcp_accept },
					    { .answer = dns_right } };
	struct probe_path path;
	struct model_probe c = conf_of(SOON);
	struct model_target t[PROBE_MAX][ASYM_FAMILIES];
	struct probe *p;
	int n = 0, fds;

	netns_need();
	path = path_of("wan0");
	fds = count_fds();
	for (int k = 0; k < PROBE_MAX; k++)
		for (int f = 0; f < ASYM_FAMILIES && k != PROBE_HTTP; f++) {
			t[k][f] = target_of(k, f);
			assert_int_equal(start(&path, &t[k][f], &c, &results[n++], &p), 0);
		}
	sh("ip link del wan0");
	finish();
	for (int i = 0; i < n; i++)
		assert_int_equal(results[i].rtt_us, 0);
	for (int k = 0; k < PROBE_MAX; k++)
		for (int f = 0; f < ASYM_FAMILIES && k != PROBE_HTTP; f++)
			assert_int_not_equal(try(&path, k, f), 0);
	assert_int_equal(pending, 0);
	device_again(0);
	for (int k = 0; k < 3; k++) {
		expect("back", PROBE_PING + k, ASYM_V4, kinds[k].answer, NULL);
		expect("back", PROBE_PING + k, ASYM_V6, kinds[k].answer, NULL);
	}
	expect("back", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	expect("back", PROBE_GATEWAY, ASYM_V6, nd_right, NULL);
	/* the shared sockets of the new device, for echo and gateway, and no others */
	assert_int_equal(count_fds(), fds + 4);
}

/* The same index again: a socket that was the old device's is of no use. */
static void test_device_same_index(void **state)
{
	unsigned int index;

	netns_need();
	index = if_nametoindex("wan0");
	expect("before", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	expect("before", PROBE_PING, ASYM_V4, echo_right, NULL);
	sh("ip link del wan0");
	device_again(index);
	assert_int_equal(if_nametoindex("wan0"), index);
	expect("after", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	expect("after", PROBE_GATEWAY, ASYM_V6, nd_right, NULL);
	expect("after", PROBE_PING, ASYM_V4, echo_right, NULL);
	expect("after", PROBE_PING, ASYM_V6, echo_right, NULL);
}

static void test_device_down(void **state)
{
	struct probe_path path;
	struct model_target t = target_of(PROBE_GATEWAY, ASYM_V4);
	struct model_probe c = conf_of(PATIENT);
	struct probe *p;

	netns_need();
	path = path_of("wan0");
	assert_int_equal(start(&path, &t, &c, &results[0], &p), 0);
	assert_int_equal(start(&path, &t, &c, &results[1], &p), 0);
	sh("ip link set wan0 down");
	finish();
	assert_string_equal(results[0].why, "device down");
	assert_string_equal(results[1].why, "device down");
	assert_int_equal(try(&path, PROBE_GATEWAY, ASYM_V4), -ENETDOWN);
}

/* -------- many at once */

/* Pings of one device share a socket; each reply finds its probe. */
static void test_shared(void **state)
{
	struct model_target t = target_of(PROBE_PING, ASYM_V4);
	struct model_probe c = conf_of(SOON);
	struct probe_path path;
	struct frame requests[16];
	struct probe *p;
	int before;

	netns_need();
	path = path_of("wan0");
	for (int i = 0; i < 16; i++) {
		assert_int_equal(start(&path, &t, &c, &results[i], &p), 0);
		assert_true(wire_read_soon(wire, &requests[i]));
		if (!i)
			before = count_fds();
	}
	assert_int_equal(count_fds(), before);
	for (int i = 15; i >= 0; i--) {
		frame_parse(&requests[i]);
		if (i % 3 == 0)
			echo_right(&requests[i]);
	}
	finish();
	for (int i = 0; i < 16; i++)
		assert_string_equal(results[i].why, i % 3 ? "timeout" : "");
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Each ends at its own time, however many share the timer; the loop sleeps meanwhile. */
static void test_timeouts(void **state)
{
	static const uint32_t times[] = { 90, 30, 120, 60, 30, 150, 10 };
	static const int order[] = { 5, 2, 6, 4, 3, 7, 1 };
	struct model_target t = target_of(PROBE_PING, ASYM_V4);
	struct model_probe c[ARRAY_SIZE(times)];
	struct probe_path path;
	struct probe *p;
	uint64_t began, used;

	netns_need();
	path = path_of("wan0");
	began = uv_hrtime();
	used = cpu_ns();
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		c[i] = conf_of(times[i]);
		assert_int_equal(start(&path, &t, &c[i], &results[i], &p), 0);
	}
	while (pending) {
		uv_run(&loop, UV_RUN_ONCE);
		for (size_t i = 0; i < ARRAY_SIZE(times); i++)
			if (results[i].order)
				assert_true(uv_hrtime() - began >= times[i] * NS_PER_MS);
	}
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		assert_int_equal(results[i].order, order[i]);
	assert_true(uv_hrtime() - began < 2000 * NS_PER_MS);
	assert_true(cpu_ns() - used < 50 * NS_PER_MS);
}

/* What was answered in time counts, though the daemon did something else meanwhile. */
static void test_held_up(void **state)
{
	struct model_target t[] = { target_of(PROBE_PING, ASYM_V4), target_of(PROBE_PING, ASYM_V4),
				    target_of(PROBE_PING, ASYM_V4), target_of(PROBE_PING, ASYM_V6),
				    target_of(PROBE_DNS, ASYM_V4),
				    target_of(PROBE_GATEWAY, ASYM_V4),
				    target_of(PROBE_GATEWAY, ASYM_V6),
				    target_of(PROBE_PING, ASYM_V4), target_of(PROBE_TCP, ASYM_V4) };
	answer_fn *const answers[] = { echo_right, echo_right, echo_right, echo_right, dns_right,
				       arp_right, nd_right, NULL, tcp_accept };
	struct model_probe c = conf_of(50);
	struct probe_path path;
	struct frame f;
	struct probe *p;

	netns_need();
	path = path_of("wan0");
	/* sockets that probes share are there already */
	expect("before", PROBE_PING, ASYM_V4, echo_right, NULL);
	ends = 0;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(start(&path, &t[i], &c, &results[i], &p), 0);
		do
			assert_true(wire_read_soon(wire, &f));
		while (!is_request(&f));
		if (answers[i])
			answers[i](&f);
	}
	usleep(200000);
	finish();
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_string_equal(results[i].why, answers[i] ? "" : "timeout");
}

/* -------- from within `end` */

static struct probe *group[4];
static struct probe_path chain_path;
static struct model_target chain_target;
static struct model_probe chain_conf;
static int chain;

/* data: the place in the group of the one that has ended. */
static void cancel_others(void *data, uint32_t rtt_us, const char *why)
{
	*(struct probe **)data = NULL;
	pending--;
	chain++;
	for (size_t i = 0; i < ARRAY_SIZE(group); i++) {
		if (!group[i])
			continue;
		probe_cancel(group[i]);
		group[i] = NULL;
		pending--;
	}
}

static void cancels(enum model_probe_kind kind, answer_fn *fn, uint32_t timeout_ms)
{
	chain_path = path_of("wan0");
	chain_target = target_of(kind, ASYM_V4);
	chain_conf = conf_of(timeout_ms);
	answer = fn;
	chain = 0;
	for (size_t i = 0; i < ARRAY_SIZE(group); i++, pending++)
		assert_int_equal(probe_start(prober, &chain_path, &chain_target, &chain_conf,
					     cancel_others, &group[i], &group[i]), 0);
	finish();
	assert_int_equal(chain, 1);
}

static void test_cancel_in_end(void **state)
{
	netns_need();
	cancels(PROBE_PING, NULL, SOON);
	cancels(PROBE_TCP, NULL, SOON);
	cancels(PROBE_PING, echo_right, PATIENT);
	cancels(PROBE_TCP, tcp_accept, PATIENT);
	cancels(PROBE_DNS, dns_right, PATIENT);
	cancels(PROBE_GATEWAY, arp_right, PATIENT);
	/* the device's socket is given up for all at once */
	answer = NULL;
	chain_target = target_of(PROBE_GATEWAY, ASYM_V4);
	chain = 0;
	for (size_t i = 0; i < ARRAY_SIZE(group); i++, pending++)
		assert_int_equal(probe_start(prober, &chain_path, &chain_target, &chain_conf,
					     cancel_others, &group[i], &group[i]), 0);
	sh("ip link set wan0 down");
	finish();
	assert_int_equal(chain, 1);
}

#define CHAIN 20

static void start_next(void *data, uint32_t rtt_us, const char *why)
{
	struct probe *p;

	pending--;
	if (++chain < CHAIN && !probe_start(prober, &chain_path, &chain_target, &chain_conf,
					    start_next, NULL, &p))
		pending++;
}

static void chains(enum model_probe_kind kind, answer_fn *fn, uint32_t timeout_ms)
{
	struct probe *p;

	chain_path = path_of("wan0");
	chain_target = target_of(kind, ASYM_V4);
	chain_conf = conf_of(timeout_ms);
	answer = fn;
	chain = 0;
	assert_int_equal(probe_start(prober, &chain_path, &chain_target, &chain_conf, start_next,
				     NULL, &p), 0);
	pending++;
	finish();
	assert_int_equal(chain, CHAIN);
}

static void test_start_in_end(void **state)
{
	netns_need();
	chains(PROBE_PING, NULL, 1);
	chains(PROBE_PING, echo_right, PATIENT);
	chains(PROBE_TCP, tcp_accept, PATIENT);
	chains(PROBE_DNS, dns_right, PATIENT);
	chains(PROBE_GATEWAY, arp_right, PATIENT);
}

/* The prober closes them; `end` is not called. */
static void test_close(void **state)
{
	struct model_target t[PROBE_MAX][ASYM_FAMILIES];
	struct model_probe c = conf_of(PATIENT);
	struct probe_path path;
	struct probe *p;
	int n = 0;

	netns_need();
	path = path_of("wan0");
	for (int k = 0; k < PROBE_MAX; k++)
		for (int f = 0; f < ASYM_FAMILIES && k != PROBE_HTTP; f++) {
			t[k][f] = target_of(k, f);
			assert_int_equal(start(&path, &t[k][f], &c, &results[n++], &p), 0);
		}
	prober_close(prober);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(ends, 0);
	assert_int_equal(prober_open(&loop, &prober), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		probe_test(test_ping),
		probe_test(test_tcp),
		probe_test(test_tcp_ends),
		probe_test(test_dns),
		probe_test(test_dns_names),
		probe_test(test_gateway),
		probe_test(test_gateway_broadcast),
		probe_test(test_gateway_nobody),
		probe_test(test_source),
		probe_test(test_source_gone),
		probe_test(test_mark),
		probe_test(test_device_gone),
		probe_test(test_device_same_index),
		probe_test(test_device_down),
		probe_test(test_shared),
		probe_test(test_timeouts),
		probe_test(test_held_up),
		probe_test(test_cancel_in_end),
		probe_test(test_start_in_end),
		probe_test(test_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
