// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What does not pass the flow cache: such packets go to the stack, not a byte of them changed, and
 * the entry stays but where conntrack is asked and knows no such flow.  Beside each, what just about passes.
 */
#include "tests/bpf/model.h"

#define HOP 9
#define HOP_LEFT 10

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
	bool no_ack;
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
	{ "not used", ALL, ALSO(UNFIT), .without = ASYM_FLOW_USED },
	{ "nothing sent on yet", ALL, .without = ASYM_FLOW_SENT },
	{ "stateless", ALL, PASS, .with = ASYM_FLOW_STATELESS },
	{ "a link's, and the answers' direction", ALL, PASS, .with = 7 << ASYM_FLOW_LINK_SHIFT },
	{ "the epoch before", ALL, ALSO(UNFIT), .epochs = 1 },
	{ "the epoch after", ALL, ALSO(UNFIT), .epochs = 0xffff },
	{ "checked nearly a period ago", ALL, PASS, .age = 1, .age_s = 5 },
	{ "checked a moment ahead of us", ALL, PASS, .age_s = 1 },
	{ "checked a period ago", ALL, ALSO(STALE), .age = 1 },
	{ "checked long ago", ALL, ALSO(STALE), .age = 40 },
	{ "nothing sent on for long", ALL, ALSO(UNFIT), .without = ASYM_FLOW_SENT, .age = 3 },
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
	{ "TCP's header of 4 words", TCP, .words = 4 },
	{ "TCP's header longer than the packet", TCP, .words = 6 },
	{ "TCP's header of all 15 words", TCP, PASS, .words = 15, .pkt = { .payload = 60 } },
	{ "TCP's header a word too long", TCP, .words = 15, .pkt = { .payload = 56 } },
	{ "padded to a short frame's 60 bytes", V4, PASS, .pkt = { .payload = 20 }, .pad = 6 },
	{ "padded to a byte more", V4, .pkt = { .payload = 20 }, .pad = 7 },
	{ "a byte behind the packet", ALL, .pkt = { .payload = 60 }, .pad = 1 },
	{ "much behind the packet", ALL, .pad = 1400 },
	{ "another protocol", ALL, .pkt = { .proto = IPPROTO_SCTP } },

	{ "PSH, URG, ECE and CWR", TCP, PASS, .flags = 0xe8 },
	{ "without ACK", TCP, .no_ack = true },
	{ "PSH without ACK", TCP, .flags = 0x08, .no_ack = true },
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
	if (g->flags || g->no_ack)
		tcp[13] = g->flags | (g->no_ack ? 0 : TCP_ACK);
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

/* Packets from links ask conntrack nothing. */
static enum asym_reason also(const struct guard *g, bool link)
{
	return link && g->also == ASYM_CACHE_UNFIT ? 0 : g->also;
}

/* A stale entry is shut: size 0.  All else of it stays.  One that conntrack does not know goes. */
static bool entry_kept(const struct trial *t, const struct asym_flow_state *before)
{
	const struct asym_flow_state *now = cache_entry(&t->c);
	struct asym_flow_state want = *before;

	if (also(t->g, t->s.which == PROGRAM_LINK_ETH) == ASYM_CACHE_UNFIT)
		return !(now->head & ASYM_FLOW_LIVE);
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
	if (counters_are(link ? link_reason(g->reason) : g->reason, also(g, link)) && good)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, cache_open, cache_close);
}
