// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames that are nearly right, by the hundred thousand, through every tc program: what passes and
 * what becomes of it is as the model says, all else stays as it came.
 */
#include "tests/bpf/port.h"
#include "tests/bpf/tagged.h"
#include <time.h>

#define FRAMES 50000 /* for each program */
#define LEAST 2000
#define SECONDS 4
#define ENTRIES 48
#define HOPS 6

static struct {
	struct cached entry[ENTRIES];
	bool placed[ENTRIES];
	void *image[2]; /* of both tables, as they are to be for every frame */
	uint64_t random;
} fuzz = { .random = 0x9e3779b97f4a7c15 };

/* Of our own, so that a run can be repeated. */
static uint32_t rnd(uint32_t below)
{
	fuzz.random ^= fuzz.random << 13;
	fuzz.random ^= fuzz.random >> 7;
	fuzz.random ^= fuzz.random << 17;
	return (uint32_t)(fuzz.random >> 33) % below;
}

static size_t table_size(int family)
{
	return lab.o.flow_blocks[family] *
	       (family == ASYM_V4 ? sizeof(struct asym_block4) : sizeof(struct asym_block6));
}

static void *table(int family)
{
	return family == ASYM_V4 ? (void *)cache.v4 : (void *)cache.v6;
}

static void restore(void)
{
	for (int i = 0; i < ASYM_FAMILIES; i++)
		memcpy(table(i), fuzz.image[i], table_size(i));
}

/* --- the tables ------------------------------------------------------------------------------------ */

static struct tuple random_tuple(bool v6)
{
	char src[48], dst[48];

	snprintf(src, sizeof(src), v6 ? "2001:db8:1::%x" : "10.0.0.%u", 2 + rnd(3));
	snprintf(dst, sizeof(dst), v6 ? "2001:db8:f::%x" : "198.51.100.%u", 7 + rnd(3));
	return (struct tuple){ pkt_addr(src, NULL), pkt_addr(dst, NULL),
			       (uint16_t)(40000 + rnd(4)), (uint16_t)(443 + rnd(2)) };
}

static struct tuple random_out(const struct tuple *in, bool v6)
{
	struct tuple out = *in;

	for (int i = v6 ? 0 : 12; i < 16; i++) {
		out.src.s6_addr[i] = rnd(2) ? out.src.s6_addr[i] : rnd(256);
		out.dst.s6_addr[i] = rnd(4) ? out.dst.s6_addr[i] : rnd(256);
	}
	out.sport = rnd(2) ? out.sport : (uint16_t)rnd(65536);
	out.dport = rnd(4) ? out.dport : (uint16_t)rnd(65536);
	return out;
}

/* Most are as they should be, some have one thing wrong. */
static struct cached random_entry(uint32_t arrival)
{
	static const uint32_t sizes[] = { 0, 60, 300, 1000, 65535 };
	struct cached c = { .v6 = rnd(2), .udp = rnd(2), .arrival = arrival, .size = 65535,
			    .hop = 1 + rnd(HOPS) };

	c.in = random_tuple(c.v6);
	c.out = random_out(&c.in, c.v6);
	switch (rnd(12)) {
	case 0: c.without = ASYM_FLOW_SENT; break;
	case 1: c.without = ASYM_FLOW_LIVE; break;
	case 2: c.with = ASYM_FLOW_BUSY; break;
	case 3: c.epochs = 1 + rnd(3); break;
	case 4: c.arrival = 1000; break;
	case 5: c.hop = ASYM_HOPS + rnd(1000); break;
	default: c.size = sizes[rnd(ARRAY_SIZE(sizes))];
	}
	return c;
}

static bool same_flow(const struct cached *a, const struct cached *b)
{
	return a->v6 == b->v6 && a->udp == b->udp && !memcmp(&a->in, &b->in, sizeof(a->in));
}

static bool place(struct cached *c)
{
	uint32_t ways = c->v6 ? ASYM_WAYS6 : ASYM_WAYS4;

	for (int i = 0; i < ENTRIES; i++)
		if (fuzz.placed[i] && same_flow(&fuzz.entry[i], c))
			return false;
	while (c->nth < ways && cache_entry(c)->head)
		c->nth++;
	if (c->nth == ways)
		return false;
	cache_put(c);
	return true;
}

static void fill_tables(uint32_t arrival, const uint32_t *ifindex)
{
	cache_clear();
	memset(fuzz.placed, 0, sizeof(fuzz.placed));
	for (uint32_t n = 1; n <= HOPS; n++) {
		struct asym_hop hop = cache_hop(n, ifindex[n % 2]);

		hop.l2_len = ifindex[n % 2] == TUN2 ? 0 : ETH_HLEN;
		hop.left = n == HOPS;
		cache.hops[n] = hop;
	}
	for (int i = 0; i < ENTRIES; i++) {
		fuzz.entry[i] = random_entry(arrival);
		fuzz.placed[i] = place(&fuzz.entry[i]);
	}
	for (int i = 0; i < ASYM_FAMILIES; i++) {
		fuzz.image[i] = realloc(fuzz.image[i], table_size(i));
		assert_non_null(fuzz.image[i]);
		memcpy(fuzz.image[i], table(i), table_size(i));
	}
}

/* --- frames ---------------------------------------------------------------------------------------- */

static void change_bits(struct pkt *p)
{
	for (uint32_t n = 1 + rnd(3), of = MIN(p->len, 80u) * 8; n; n--) {
		uint32_t bit = rnd(of);

		p->data[bit / 8] ^= 1 << bit % 8;
	}
}

static void change_length(struct pkt *p, bool v6)
{
	uint8_t *field = p->data + ETH_HLEN + (v6 ? 4 : 2);
	int to = get16(field) + (int)rnd(9) - 4;

	put16(field, (uint16_t)(rnd(4) ? to : (int)rnd(65536)));
}

static void change(struct pkt *p, bool v6)
{
	uint32_t n = rnd(60);

	switch (rnd(8)) {
	case 0: change_bits(p); break;
	case 1: p->len -= MIN(n, p->len - 54); break;
	case 2: memset(p->data + p->len, 0x5a, n), p->len += n; break;
	case 3: change_length(p, v6); break;
	case 4: p->data[rnd(80)] = (uint8_t)rnd(256); break;
	default: break; /* as it is */
	}
}

static struct pkt random_frame(uint32_t ifindex)
{
	const struct cached *c = &fuzz.entry[rnd(ENTRIES)];
	struct pkt_spec spec = { .v6 = c->v6, .proto = c->udp ? IPPROTO_UDP : IPPROTO_TCP,
				 .payload = 20 + rnd(rnd(2) ? 8 : 400) };
	struct pkt p = model_pkt(&spec, ifindex);
	struct layers l = layers_of(&p, c->v6, c->udp);

	model_translate(&p, &l, &c->in);
	model_seal(&p, c->v6, c->udp);
	if (c->udp && !rnd(4))
		put16(p.data + l.check, 0);
	change(&p, c->v6);
	return p;
}

/* --- the model's verdict ----------------------------------------------------------------------------- */

struct judged {
	bool v6, udp;
	uint32_t len, headers;
};

/* What is to be read from a frame's headers, as the standards say. */
static bool is_plain(const struct pkt *p, bool ethernet, struct judged *j)
{
	const uint8_t *ip = p->data + ETH_HLEN, *l4;
	uint16_t ether = get16(p->data + 12);
	uint32_t have = p->len - ETH_HLEN, ip_len;
	uint8_t proto;

	j->v6 = ether == ETH_P_IPV6;
	ip_len = j->v6 ? 40 : 20;
	if ((ether != ETH_P_IP && !j->v6) || have < ip_len)
		return false;
	if (j->v6 ? ip[0] >> 4 != 6 || !get16(ip + 4) : ip[0] != 0x45 || get16(ip + 6) & 0x3fff)
		return false;
	if (ip[j->v6 ? 7 : 8] < 2)
		return false;
	proto = ip[j->v6 ? 6 : 9];
	l4 = ip + ip_len;
	j->udp = proto == IPPROTO_UDP;
	j->len = j->v6 ? 40u + get16(ip + 4) : get16(ip + 2);
	if ((!j->udp && proto != IPPROTO_TCP) || have < ip_len + (j->udp ? 8 : 20) || have < j->len)
		return false;
	if (have > j->len && (ethernet ? p->len : have) > 60)
		return false;
	j->headers = ip_len + (j->udp ? 8 : (l4[12] >> 4) * 4u);
	if (!j->udp && (l4[12] >> 4 < 5 || (l4[13] & 0x17) != TCP_ACK))
		return false;
	return j->len >= j->headers;
}

static const struct cached *entry_of(const struct pkt *p, const struct judged *j)
{
	struct cached want = { .v6 = j->v6, .udp = j->udp, .in = tuple_of(p, j->v6) };

	for (int i = 0; i < ENTRIES; i++)
		if (fuzz.placed[i] && same_flow(&fuzz.entry[i], &want))
			return &fuzz.entry[i];
	return NULL;
}

static bool entry_lets(const struct cached *c, const struct judged *j, const struct __sk_buff *in)
{
	uint32_t size = in->gso_size ? MIN(j->headers + in->gso_size, j->len) : j->len;

	return c && !c->without && !c->with && !c->epochs && c->arrival == in->ifindex &&
	       c->hop < HOPS && size <= c->size;
}

/* The entry by which the frame goes on, or NULL. */
static const struct cached *judge(const struct pkt *p, const struct __sk_buff *in, bool ethernet,
				  struct judged *j)
{
	uint8_t mac[ETH_ALEN] = { 2, 0, 0, 0, 0, (uint8_t)(in->ifindex / 10 << 4 | in->ifindex % 10) };
	const struct cached *c;

	if (in->mark || (ethernet && memcmp(p->data, mac, sizeof(mac))) || !is_plain(p, ethernet, j))
		return NULL;
	c = entry_of(p, j);
	return entry_lets(c, j, in) ? c : NULL;
}

/* Where the sum was wrong anyway, 0 and 0xffff are one. */
static void same_zero(struct pkt *p, const struct judged *j)
{
	struct layers l = layers_of(p, j->v6, j->udp);
	uint32_t at[] = { l.check, ETH_HLEN + 10 };

	for (int i = 0; i < (j->v6 ? 1 : 2); i++)
		if (get16(p->data + at[i]) == 0xffff)
			put16(p->data + at[i], 0);
}

static bool has_become(const struct pkt *have, const struct pkt *from, const struct cached *c,
		       const struct judged *j)
{
	struct pkt want = *from, got = *have;

	model_forward(&want, j->v6, j->udp, &c->out, &cache.hops[c->hop]);
	put16(want.data + 12, j->v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (!cache.hops[c->hop].l2_len)
		memset(want.data, 0, ETH_HLEN);
	same_zero(&want, j);
	same_zero(&got, j);
	return pkt_is(&got, &want);
}

/* --- runs -------------------------------------------------------------------------------------------- */

struct tally {
	unsigned int n, passed, bad;
};

static bool in_time(const struct tally *t, time_t begin)
{
	time_t seconds = getenv("ASYM_TEST_SLOW") ? 1 : SECONDS;

	return t->n < FRAMES && t->bad < 5 && (t->n < LEAST || time(NULL) - begin <= seconds);
}

static void run_one(enum object_program which, bool helped, struct tally *t)
{
	static const uint32_t devices[] = { LAN1, LAN1, LAN1, LAN1, LAN1, LAN2, WAN1, LAN1 };
	struct shot s = { .which = which, .helped = helped,
			  .in = { .ifindex = devices[rnd(8)], .mark = rnd(16) ? 0 : 0x77,
				  .gso_size = rnd(4) ? 0 : 200 } };
	struct pkt p = random_frame(s.in.ifindex);
	const struct cached *c;
	struct judged j;

	restore();
	c = judge(&p, &s.in, true, &j);
	shoot(&s, &p);
	t->n++;
	t->passed += !!c;
	if (s.verdict == (c ? TC_ACT_REDIRECT : TC_ACT_UNSPEC) &&
	    (c ? has_become(&s.p, &p, c, &j) : pkt_is(&s.p, &p)))
		return;
	t->bad++;
	pkt_show("  sent", &p);
	print_error("%s%s: verdict %d, expected to %s, gso_size %u\n", object_program_names[which],
		    helped ? ", helpers" : "", s.verdict, c ? "pass" : "stay", s.in.gso_size);
}

static void run_ethernet(enum object_program which)
{
	static const uint32_t ifindex[] = { WAN1, WAN2 };
	time_t begin = time(NULL);
	struct tally t = { 0 };

	cache_need();
	while (in_time(&t, begin)) {
		if (t.n % 5000 == 0)
			fill_tables(LAN1, ifindex);
		run_one(which, t.n & 1, &t);
	}
	print_message("# %u frames, %u passed\n", t.n, t.passed);
	assert_int_equal(t.bad, 0);
	assert_true(t.passed > t.n / 20);
}

static void test_lan(void **state)
{
	run_ethernet(PROGRAM_LAN_ETH);
}

static void test_link(void **state)
{
	run_ethernet(PROGRAM_LINK_ETH);
}

/* --- devices without link-layer header ---------------------------------------------------------------- */

static void write_one(const struct port *in, const struct port outs[2], struct tally *t)
{
	struct __sk_buff ctx = { .ifindex = in->ifindex };
	struct parcel parcel = { .p = random_frame(in->ifindex) }, got = { 0 };
	const struct cached *c;
	struct judged j;

	/* the kernel looks at the first byte instead of an Ethernet header */
	put16(parcel.p.data + 12, parcel.p.data[ETH_HLEN] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
	restore();
	c = judge(&parcel.p, &ctx, false, &j);
	if (port_write(in, &parcel)) /* neither 4 nor 6 */
		return;
	t->n++;
	t->passed += !!c;
	if (c ? port_read(&outs[c->hop % 2], 1000, &got) && has_become(&got.p, &parcel.p, c, &j) :
		!port_read(&outs[0], 0, &got) && !port_read(&outs[1], 0, &got))
		return;
	t->bad++;
	pkt_show("  sent", &parcel.p);
	print_error("%s, expected to %s\n", got.p.len ? "came out" : "stayed", c ? "pass" : "stay");
}

static void run_tun(enum object_program which)
{
	static const uint32_t ifindex[] = { TAP2, TUN2 };
	time_t begin = time(NULL);
	struct tally t = { 0 };
	struct port in, outs[2];

	wire_need();
	cache_need();
	assert_int_equal(system("sysctl -q -w net.ipv6.conf.default.disable_ipv6=1"), 0);
	in = port_open(TUN, false, 0, cache_program(which, false));
	outs[0] = port_open(TAP2, true, 0, -1);
	outs[1] = port_open(TUN2, false, 0, -1);
	while (in_time(&t, begin)) {
		if (t.n % 5000 == 0)
			fill_tables(TUN, ifindex);
		write_one(&in, outs, &t);
	}
	close(in.fd);
	close(outs[0].fd);
	close(outs[1].fd);
	print_message("# %u packets, %u passed\n", t.n, t.passed);
	assert_int_equal(t.bad, 0);
	assert_true(t.passed > t.n / 20);
}

static void test_lan_ip(void **state)
{
	run_tun(PROGRAM_LAN_IP);
}

static void test_link_ip(void **state)
{
	run_tun(PROGRAM_LINK_IP);
}

/* --- learn -------------------------------------------------------------------------------------------- */

/* What `learn` is shown leaves as it came, whatever it writes into the tables. */
static void run_learn(enum object_program which)
{
	static const uint32_t ifindex[] = { WAN1, WAN2 };
	time_t begin = time(NULL);
	struct tally t = { 0 };
	int tagging;

	cache_need();
	tagging = tagged_program(cache_program(which, false), TAG);
	fill_tables(LAN1, ifindex);
	while (in_time(&t, begin)) {
		struct pkt p = random_frame(WAN1), out = p;
		struct __sk_buff in = { .ifindex = WAN1, .ingress_ifindex = LAN1,
					.mark = rnd(2) ? rnd(1000) : 0 };
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p.data, .data_size_in = p.len,
			    .data_out = out.data, .data_size_out = sizeof(out.data), .ctx_in = &in,
			    .ctx_size_in = sizeof(in));

		assert_int_equal(bpf_prog_test_run_opts(tagging, &opts), 0);
		out.len = opts.data_size_out;
		t.bad += (int)opts.retval != TC_ACT_UNSPEC || !pkt_is(&out, &p);
		t.n++;
	}
	print_message("# %u frames\n", t.n);
	assert_int_equal(t.bad, 0);
}

static void test_learn_eth(void **state)
{
	run_learn(PROGRAM_LEARN_ETH);
}

static void test_learn_ip(void **state)
{
	run_learn(PROGRAM_LEARN_IP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lan),	  cmocka_unit_test(test_link),
		cmocka_unit_test(test_lan_ip),	  cmocka_unit_test(test_link_ip),
		cmocka_unit_test(test_learn_eth), cmocka_unit_test(test_learn_ip),
	};

	return cmocka_run_group_tests(tests, cache_open, cache_close);
}
