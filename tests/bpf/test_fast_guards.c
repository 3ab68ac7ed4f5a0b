// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What does not pass the flow cache: such packets go to the stack, not a byte of them changed and
 * none of the entries.  Beside each, what just about passes.
 */
#include "tests/bpf/model.h"
#include <sched.h>

#define HOP 9
#define HOP_LEFT 10
#define WHOLE 1000 /* the default of `size` */

/* Where a row holds. */
enum where { V4_TCP = 1 << 0, V6_TCP = 1 << 1, V4_UDP = 1 << 2, V6_UDP = 1 << 3,
	     TCP = V4_TCP | V6_TCP, UDP = V4_UDP | V6_UDP, V4 = V4_TCP | V4_UDP, V6 = V6_TCP | V6_UDP,
	     ALL = TCP | UDP };

#define TTL(n) ((n) + 1)
#define PASS .reason = ASYM_LAN_FLOW
#define REASON(r) .reason = ASYM_LAN_##r
#define ALSO(r) .also = ASYM_CACHE_##r

struct guard {
	const char *name;
	unsigned int where;
	enum asym_reason reason, also; /* default: LAN_BUCKET; none */
	struct pkt_spec pkt;
	/* changes to the packet */
	int ttl;	 /* TTL(n) */
	uint8_t flags;	 /* of TCP, beside ACK */
	uint8_t words;	 /* of TCP's header */
	uint32_t pad;	 /* bytes behind it */
	uint32_t gso_size;
	/* changes to the entry */
	uint32_t without, with, epochs, hop;
	int age, age_s;	 /* age_s less than `age` periods */
	int size;	 /* bytes; negative: less than the packet has */
	bool no_size;
	uint32_t arrival;
};

static const struct guard guards[] = {
	{ "as it should be", ALL, PASS },
	{ "larger than the packet", ALL, PASS, .size = 2000 },

	{ "free", ALL, .without = ASYM_FLOW_LIVE },
	{ "being written", ALL, .with = ASYM_FLOW_BUSY },
	{ "not used", ALL, .without = ASYM_FLOW_USED },
	{ "nothing sent on yet", ALL, .without = ASYM_FLOW_SENT },
	{ "stateless", ALL, PASS, .with = ASYM_FLOW_STATELESS },
	{ "a link's, and the answers' direction", ALL, PASS, .with = 7 << ASYM_FLOW_LINK_SHIFT },
	{ "the epoch before", ALL, .epochs = 1 },
	{ "the epoch after", ALL, .epochs = 0xffff },
	{ "checked nearly a period ago", ALL, PASS, .age = 1, .age_s = 20 },
	{ "checked a period ago", ALL, ALSO(STALE), .age = 1 },
	{ "checked long ago", ALL, ALSO(STALE), .age = 40 },
	{ "nothing sent on for long", ALL, .without = ASYM_FLOW_SENT, .age = 3 },
	{ "of another device", ALL, ALSO(ARRIVAL), .arrival = LAN2 },
	{ "of no device", ALL, ALSO(ARRIVAL), .arrival = ~0u },
	{ "no hop", ALL, .hop = 0xffff },
	{ "the first hop that is none", ALL, .hop = ASYM_HOPS },
	{ "the last hop", ALL, PASS, .hop = ASYM_HOPS - 1 },
	{ "a hop that another flow has left", ALL, ALSO(STALE), .hop = HOP_LEFT },

	{ "a byte larger than any before", ALL, ALSO(OVERSIZE), .size = -1 },
	{ "no size is known", ALL, .no_size = true },
	{ "GSO, segments as large as before", V4_TCP, PASS, .pkt = { .payload = 3020 },
	  .gso_size = 960, .size = 1000 },
	{ "GSO, segments a byte larger", V4_TCP, ALSO(OVERSIZE), .pkt = { .payload = 3020 },
	  .gso_size = 961, .size = 1000 },
	{ "GSO, TCP options count", V4_TCP, ALSO(OVERSIZE), .pkt = { .payload = 3020 }, .words = 8,
	  .gso_size = 949, .size = 1000 },
	{ "GSO, with TCP options", V4_TCP, PASS, .pkt = { .payload = 3020 }, .words = 8,
	  .gso_size = 948, .size = 1000 },
	{ "GSO of IPv6", V6_TCP, PASS, .pkt = { .payload = 3020 }, .gso_size = 940, .size = 1000 },
	{ "GSO of IPv6, a byte larger", V6_TCP, ALSO(OVERSIZE), .pkt = { .payload = 3020 },
	  .gso_size = 941, .size = 1000 },
	{ "GSO of UDP", V4_UDP, PASS, .pkt = { .payload = 3008 }, .gso_size = 972, .size = 1000 },
	{ "GSO of UDP, a byte larger", V4_UDP, ALSO(OVERSIZE), .pkt = { .payload = 3008 },
	  .gso_size = 973, .size = 1000 },
	{ "GSO of UDP in IPv6, a byte larger", V6_UDP, ALSO(OVERSIZE), .pkt = { .payload = 3008 },
	  .gso_size = 953, .size = 1000 },

	{ "TTL 0", ALL, .ttl = TTL(0) },
	{ "TTL 1", ALL, .ttl = TTL(1) },
	{ "TTL 2", ALL, PASS, .ttl = TTL(2) },
	{ "TTL 255", ALL, PASS, .ttl = TTL(255) },
	{ "a word of options", V4, .pkt = { .options = 1 } },
	{ "ten words of options", V4, .pkt = { .options = 10 } },
	{ "don't fragment", V4, PASS, .pkt = { .frag = 0x4000 } },
	{ "first fragment", V4, .pkt = { .frag = 0x2000 } },
	{ "middle fragment", V4, .pkt = { .frag = 0x2000 | 185 } },
	{ "last fragment", V4, .pkt = { .frag = 185 } },
	{ "last fragment of the highest offset", V4, .pkt = { .frag = 0x1fff } },
	{ "DSCP and ECN", ALL, PASS, .pkt = { .dscp = 46, .ecn = 3 } },
	{ "flow label", V6, PASS, .pkt = { .flow_label = 0xfffff } },
	{ "hop-by-hop options", V6, REASON(EXT_HEADER), .pkt = { .ext = EXT(0) } },
	{ "destination options", V6, REASON(EXT_HEADER), .pkt = { .ext = EXT(60) } },
	{ "fragment", V6, .pkt = { .ext = EXT(44) } },
	{ "version 5", V4, REASON(MALFORMED), .pkt = { .version = 5 } },
	{ "header of 4 words", V4, REASON(MALFORMED), .pkt = { .ihl = 4 } },
	{ "IPv4 that says IPv6", V6, REASON(MALFORMED), .pkt = { .version = 4 } },
	{ "version 7", V6, REASON(MALFORMED), .pkt = { .version = 7 } },
	{ "jumbogram", V6, .pkt = { .no_len = true } },

	{ "19 bytes of TCP", TCP, .pkt = { .payload = 19 } },
	{ "20 bytes of TCP", TCP, PASS, .pkt = { .payload = 20 } },
	{ "7 bytes of UDP", UDP, .pkt = { .payload = 7 } },
	{ "8 bytes of UDP", UDP, PASS, .pkt = { .payload = 8 } },
	{ "length a byte too long", ALL, REASON(MALFORMED), .pkt = { .len_add = 1 } },
	{ "length far too long", ALL, REASON(MALFORMED), .pkt = { .len_add = 60000 } },
	{ "length says 19 bytes of TCP", TCP, .pkt = { .len_add = -1 } },
	{ "length says 7 bytes of UDP", UDP, .pkt = { .len_add = -13 } },
	{ "TCP's header longer than the packet", TCP, .words = 6 },
	{ "TCP's header of all 15 words", TCP, PASS, .words = 15, .pkt = { .payload = 60 } },
	{ "TCP's header a word too long", TCP, .words = 15, .pkt = { .payload = 56 } },
	{ "padded to a short frame's 60 bytes", V4, PASS, .pkt = { .payload = 20 }, .pad = 6 },
	{ "padded by much", ALL, PASS, .pad = 1400 },
	{ "another protocol", ALL, .pkt = { .proto = IPPROTO_SCTP } },

	{ "PSH, URG, ECE and CWR", TCP, PASS, .flags = 0xe8 },
	{ "marked by others", ALL, .pkt = { .mark = 0x11 } },
	{ "marked by us", ALL, REASON(MARKED), .pkt = { .mark = 0x300 } },
	{ "to another", ALL, REASON(NOT_HOST), .pkt = { .mac = "\2\0\0\0\0\x99" } },
	{ "to all", ALL, REASON(NOT_HOST), .pkt = { .mac = "\xff\xff\xff\xff\xff\xff" } },
	{ "to a group", ALL, REASON(NOT_HOST), .pkt = { .mac = "\x01\0\x5e\0\0\1" } },
	{ "with a VLAN's tag", ALL, REASON(NOT_IP), .pkt = { .vlan = VLAN(7) } },
	{ "PPPoE", ALL, REASON(NOT_IP), .pkt = { .ether = ETH_P_PPP_SES } },
};

/* The same packet as a link's. */
static enum asym_reason link_reason(enum asym_reason lan)
{
	static const enum asym_reason reasons[] = {
		[ASYM_LAN_FLOW] = ASYM_LINK_FLOW,	    [ASYM_LAN_BUCKET] = ASYM_LINK_IN,
		[ASYM_LAN_MARKED] = ASYM_LINK_MARKED,	    [ASYM_LAN_NOT_IP] = ASYM_LINK_NOT_IP,
		[ASYM_LAN_NOT_HOST] = ASYM_LINK_NOT_HOST,   [ASYM_LAN_EXT_HEADER] = ASYM_LINK_IN,
		[ASYM_LAN_MALFORMED] = ASYM_LINK_MALFORMED,
	};

	return reasons[lan];
}

/* One row, of one kind, by one program. */
struct trial {
	const struct guard *g;
	struct shot s;
	struct cached c;
	struct pkt p;
};

static void make_packet(struct trial *t)
{
	const struct guard *g = t->g;
	struct pkt_spec spec = g->pkt;
	uint8_t *ip = t->p.data + ETH_HLEN, *tcp = ip + (t->c.v6 ? 40 : 20);

	spec.v6 = t->c.v6;
	spec.proto = spec.proto ? spec.proto : t->c.udp ? IPPROTO_UDP : IPPROTO_TCP;
	t->p = model_pkt(&spec, t->s.in.ifindex);
	if (g->ttl)
		ip[t->c.v6 ? 7 : 8] = (uint8_t)(g->ttl - 1);
	if (g->flags)
		tcp[13] |= g->flags;
	if (g->words)
		tcp[12] = (uint8_t)(g->words << 4);
	if (!spec.options && !spec.ext && !spec.len_add && !spec.vlan && !spec.no_len)
		model_seal(&t->p, t->c.v6, t->c.udp);
	memset(t->p.data + t->p.len, 0xaa, g->pad);
	t->p.len += g->pad;
}

/* For the ports that a reader would find who looks for no options: only the guard may stop it. */
static void make_entry(struct trial *t)
{
	const struct guard *g = t->g;
	int len = (int)(t->p.len - g->pad - ETH_HLEN);

	t->c.in = t->c.out = tuple_of(&t->p, t->c.v6);
	t->c.out.sport = 1025;
	t->c.without = g->without;
	t->c.with = g->with;
	t->c.epochs = g->epochs;
	t->c.hop = g->hop ? g->hop : HOP;
	t->c.age = (uint32_t)(g->age * (int)cache.period - g->age_s * (int)object_hz());
	t->c.arrival = g->arrival ? g->arrival : t->s.in.ifindex;
	t->c.size = (uint32_t)(g->no_size ? 0 : g->size > 0 ? g->size : len + g->size);
	cache_clear();
	cache_put(&t->c);
}

/* A stale entry is shut: size 0.  All else of it stays. */
static bool entry_kept(const struct trial *t, const struct asym_flow_state *before)
{
	const struct asym_flow_state *now = cache_entry(&t->c);
	struct asym_flow_state want = *before;

	if (t->g->also == ASYM_CACHE_STALE)
		want.size = now->size;
	return !memcmp(now, &want, sizeof(want));
}

static bool stays(struct trial *t)
{
	struct asym_flow_state before = *cache_entry(&t->c);

	shoot(&t->s, &t->p);
	return t->s.verdict == TC_ACT_UNSPEC && pkt_is(&t->s.p, &t->p) && entry_kept(t, &before);
}

static bool passes(struct trial *t)
{
	struct pkt want = t->p;

	model_forward(&want, t->c.v6, t->c.udp, &t->c.out, &cache.hops[t->c.hop]);
	shoot(&t->s, &t->p);
	return t->s.verdict == TC_ACT_REDIRECT && pkt_is(&t->s.p, &want);
}

static unsigned int row_fails(const struct guard *g, bool v6, bool udp, bool link)
{
	struct trial t = { .g = g, .c = { .v6 = v6, .udp = udp },
			   .s = { .which = link ? PROGRAM_LINK_ETH : PROGRAM_LAN_ETH,
				  .in = { .ifindex = link ? WAN1 : LAN1, .mark = g->pkt.mark,
					  .gso_size = g->gso_size } } };
	bool pass = g->reason == ASYM_LAN_FLOW, good;

	make_packet(&t);
	make_entry(&t);
	counters_begin();
	good = pass ? passes(&t) : stays(&t);
	if (counters_are(link ? link_reason(g->reason) : g->reason, g->also) && good)
		return 0;
	print_error("%s, IPv%d %s, %s: verdict %d\n", g->name, v6 ? 6 : 4, udp ? "UDP" : "TCP",
		    link ? "link" : "lan", t.s.verdict);
	return 1;
}

static void test_rows(void **state)
{
	unsigned int bad = 0, n = 0;

	cache_need();
	cache_hop(HOP, WAN2);
	cache_hop(ASYM_HOPS - 1, WAN2);
	cache_hop(HOP_LEFT, WAN2);
	cache.hops[HOP_LEFT].left = 1;
	for (size_t i = 0; i < ARRAY_SIZE(guards); i++)
		for (unsigned int kind = 0; kind < 4; kind++) {
			if (!(guards[i].where & 1u << kind))
				continue;
			bad += row_fails(&guards[i], kind & 1, kind & 2, false);
			bad += row_fails(&guards[i], kind & 1, kind & 2, true);
			n += 2;
		}
	print_message("# %u packets\n", n);
	assert_int_equal(bad, 0);
}

/* --- checks ---------------------------------------------------------------------------------------- */

static struct cached plain(bool v6, bool udp, uint32_t with)
{
	struct pkt p = model_pkt(&(struct pkt_spec){ .v6 = v6 }, LAN1);
	struct cached c = { .v6 = v6, .udp = udp, .hop = HOP, .arrival = LAN1, .size = WHOLE,
			    .with = with, .in = tuple_of(&p, v6) };

	c.out = c.in;
	c.out.src = pkt_addr(v6 ? "2001:db8:2::1" : "192.0.2.1", NULL);
	c.out.sport = 2048;
	return c;
}

static bool is_there(const struct cached *c)
{
	return cache_entry(c)->head & ASYM_FLOW_LIVE;
}

static struct shot send_flags(const struct cached *c, uint8_t flags, enum asym_reason also)
{
	struct shot s = { .which = PROGRAM_LAN_ETH, .in = { .ifindex = LAN1 } };
	struct pkt_spec spec = { .v6 = c->v6, .proto = c->udp ? IPPROTO_UDP : IPPROTO_TCP };
	struct pkt p = model_pkt(&spec, LAN1);
	struct layers l = layers_of(&p, c->v6, c->udp);
	uint8_t *l4 = p.data + l.l4;

	put16(l4, c->in.sport);
	put16(l4 + 2, c->in.dport);
	model_translate(&p, &l, &c->in);
	if (!c->udp)
		l4[13] = flags;
	model_seal(&p, c->v6, c->udp);
	counters_begin();
	shoot(&s, &p);
	assert_true(counters_are(s.verdict == TC_ACT_REDIRECT ? ASYM_LAN_FLOW : ASYM_LAN_BUCKET,
				 also));
	if (s.verdict == TC_ACT_UNSPEC)
		assert_true(pkt_is(&s.p, &p));
	return s;
}

/* A stale entry is shut until the stack has sent on a packet, which `learn` tells by the size. */
static void test_shut(void **state)
{
	cache_need();
	cache_hop(HOP, WAN2);
	for (int i = 0; i < 4; i++) {
		struct cached c = plain(i & 1, i & 2, 0);

		c.age = cache.period;
		cache_clear();
		cache_put(&c);
		assert_int_equal(send_flags(&c, TCP_ACK, ASYM_CACHE_STALE).verdict, TC_ACT_UNSPEC);
		assert_int_equal(send_flags(&c, TCP_ACK, 0).verdict, TC_ACT_UNSPEC);
		cache_entry(&c)->checked = cache_now();
		assert_int_equal(send_flags(&c, TCP_ACK, 0).verdict, TC_ACT_UNSPEC);
		cache_entry(&c)->size = WHOLE;
		assert_int_equal(send_flags(&c, TCP_ACK, 0).verdict, TC_ACT_REDIRECT);
	}
}

/* How many of n packets the stack is shown, each of them stale. */
static uint32_t shown_of(const struct cached *c, uint32_t n)
{
	struct pkt p = model_pkt(&(struct pkt_spec){ .v6 = c->v6 }, LAN1);
	struct asym_flow_state *e = cache_entry(c);
	uint32_t shown = 0;

	while (n--) {
		struct shot s = { .which = PROGRAM_LAN_ETH, .in = { .ifindex = LAN1 } };

		e->size = WHOLE;
		shoot(&s, &p);
		shown += s.verdict == TC_ACT_UNSPEC;
	}
	return shown;
}

/* A CPU makes so many checks in a jiffy and puts off the others, but not for ever. */
static void test_pace(void **state)
{
	struct cached c = plain(false, false, 0);
	uint32_t checks, begin, most, shown, n;
	cpu_set_t one, all;

	cache_need();
	cache_hop(HOP, WAN2);
	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	checks = lab.o.skel->rodata->asym_flow_checks;
	n = 20 * checks;
	c.age = 15 * cache.period;
	cache_clear();
	cache_put(&c);
	for (begin = cache_now(); cache_now() == begin;)
		;
	begin = cache_now();
	shown = shown_of(&c, n);
	most = checks * (cache_now() - begin + 1);
	print_message("# %u of %u checked, at most %u\n", shown, n, most);
	assert_true(shown <= most && shown >= checks);
	c.age = 17 * cache.period;
	cache_put(&c);
	assert_int_equal(shown_of(&c, n), n);
	sched_setaffinity(0, sizeof(all), &all);
}

/* --- the end of a connection --------------------------------------------------------------------- */

/* Both directions go, whichever ends it; the UDP flow of the same ports stays. */
static void end_by(bool v6, uint8_t flags, bool by_answer)
{
	struct cached pair[2] = { plain(v6, false, ASYM_FLOW_ORIGINAL) }, udp = plain(v6, true, 0);

	pair[1] = cache_answer(&pair[0]);
	pair[1].with = 0;
	cache_clear();
	for (int i = 0; i < 2; i++)
		cache_put(&pair[i]);
	udp.nth = cache_way(&udp, 0)->head & ASYM_FLOW_LIVE ? 2 : 0;
	cache_put(&udp);
	assert_int_equal(send_flags(&pair[by_answer], flags, ASYM_CACHE_CLOSED).verdict,
			 TC_ACT_UNSPEC);
	assert_false(is_there(&pair[0]) || is_there(&pair[1]));
	assert_true(is_there(&udp));
	/* again: there is nothing left to be closed */
	assert_int_equal(send_flags(&pair[by_answer], flags, 0).verdict, TC_ACT_UNSPEC);
	assert_int_equal(send_flags(&pair[0], TCP_ACK, 0).verdict, TC_ACT_UNSPEC);
	assert_int_equal(send_flags(&udp, 0, 0).verdict, TC_ACT_REDIRECT);
}

static void test_end(void **state)
{
	static const uint8_t ends[] = { 0x01, 0x02, 0x04, 0x11, 0x12, 0x14, 0x19 };

	cache_need();
	cache_hop(HOP, WAN2);
	for (size_t i = 0; i < 4 * ARRAY_SIZE(ends); i++)
		end_by(i & 1, ends[i / 4], i & 2);
}

/* A stateless entry has no other direction: what looks like it is another flow's. */
static void test_end_stateless(void **state)
{
	struct cached one = plain(false, false, ASYM_FLOW_STATELESS), other;

	cache_need();
	cache_hop(HOP, WAN2);
	one.out = one.in;
	other = cache_answer(&one);
	cache_clear();
	cache_put(&one);
	other.nth = cache_way(&other, 0)->head & ASYM_FLOW_LIVE ? 1 : 0;
	cache_put(&other);
	send_flags(&one, 0x14, ASYM_CACHE_CLOSED);
	assert_false(is_there(&one));
	assert_true(is_there(&other));
}

/* --- what conntrack is asked --------------------------------------------------------------------- */

/* As if the flow had been seen before, longer ago than the pause between two questions. */
static void seen_before(const struct cached *c)
{
	uint32_t hash = cache_hash(c), place = hash % ASYM_TRIED;
	uint32_t tried = (hash & 0xffff0000) | (uint16_t)(cache_now() - 2 * cache.period);

	assert_int_equal(bpf_map_update_elem(lab.o.map[MAP_TRIED], &place, &tried, 0), 0);
}

/* Of another epoch, or long without an answer: conntrack is asked, and holds no such connection. */
static void asked(bool v6, bool udp, uint32_t epochs, uint32_t age)
{
	struct cached c = plain(v6, udp, 0), answer;

	c.epochs = epochs;
	c.age = age * cache.period;
	c.without = age ? ASYM_FLOW_SENT : 0;
	answer = cache_answer(&c);
	cache_clear();
	cache_put(&c);
	answer.nth = cache_way(&answer, 0)->head & ASYM_FLOW_LIVE ? 1 : 0;
	cache_put(&answer);
	assert_int_equal(send_flags(&c, TCP_ACK, 0).verdict, TC_ACT_UNSPEC);
	assert_true(is_there(&c) && is_there(&answer));
	seen_before(&c);
	assert_int_equal(send_flags(&c, TCP_ACK, ASYM_CACHE_UNFIT).verdict, TC_ACT_UNSPEC);
	assert_false(is_there(&c) || is_there(&answer));
	/* not again within the pause */
	assert_int_equal(send_flags(&c, TCP_ACK, 0).verdict, TC_ACT_UNSPEC);
}

static void test_unfit(void **state)
{
	cache_need();
	cache_hop(HOP, WAN2);
	for (int i = 0; i < 4; i++) {
		asked(i & 1, i & 2, 1, 0);
		asked(i & 1, i & 2, 0, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_shut),
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_end_stateless),
		cmocka_unit_test(test_unfit),
	};

	return cmocka_run_group_tests(tests, cache_open, cache_close);
}
