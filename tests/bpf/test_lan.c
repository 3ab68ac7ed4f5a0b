// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lan programs: which packets they look at, and what they read from them.  Every row goes
 * through asym_lan_eth by BPF_PROG_TEST_RUN and by a TAP device, and through asym_lan_ip by a TUN.
 */
#include "tests/bpf/rows.h"

/* By its mark a packet tells what was seen of it: 1 ports, 3 ICMP, 2 neither. */
#define CONF                                                                                       \
	LAB_WANS LAB_POLICIES                                                                      \
	"rule ports { proto = {tcp, udp, dccp, sctp, udplite}  dport = 443  policy = to1 }\n"      \
	"rule icmp { proto = {icmp, icmpv6}  policy = to3 }\n"                                     \
	"rule rest { policy = to2 }\n"

#define BUCKET(n) ASYM_LAN_BUCKET, (n) << 8
#define DST(reason_and_mark, addr) { "to " addr, { .dst = addr }, reason_and_mark }
#define PORTS(n, what)                                                                             \
	{ what, { .proto = n }, BUCKET(1) },                                                       \
	{ what " v6", { .proto = n, .v6 = true }, BUCKET(1) }
#define EXTENSION(n)                                                                               \
	{ "extension header " #n, { .v6 = true, .ext = EXT(n) }, ASYM_LAN_EXT_HEADER, 0 }
#define SCOPE ASYM_LAN_SCOPE, 0
#define MALFORMED ASYM_LAN_MALFORMED, 0

static const struct row rows[] = {
	PORTS(IPPROTO_TCP, "TCP"), PORTS(IPPROTO_UDP, "UDP"), PORTS(IPPROTO_DCCP, "DCCP"),
	PORTS(IPPROTO_SCTP, "SCTP"), PORTS(IPPROTO_UDPLITE, "UDP-Lite"),
	{ "other port", { .dport = 444 }, BUCKET(2) },
	{ "other port v6", { .dport = 444, .v6 = true }, BUCKET(2) },
	{ "ports swapped", { .sport = 443, .dport = 40000 }, BUCKET(2) },
	{ "GRE", { .proto = IPPROTO_GRE }, BUCKET(2) },
	{ "GRE, a byte of payload", { .proto = IPPROTO_GRE, .payload = 1 }, BUCKET(2) },
	{ "protocol 0", { .proto = PROTO_ZERO }, BUCKET(2) },
	{ "ESP in IPv4", { .proto = IPPROTO_ESP }, BUCKET(2) },
	{ "ICMP echo", { .proto = IPPROTO_ICMP, .icmp_type = 8 }, BUCKET(3) },
	{ "ICMP error", { .proto = IPPROTO_ICMP, .icmp_type = 3 }, BUCKET(3) },
	{ "ICMPv6 echo", { .v6 = true, .proto = IPPROTO_ICMPV6, .icmp_type = 128 }, BUCKET(3) },

	{ "first fragment", { .frag = 0x2000 }, BUCKET(2) },
	{ "middle fragment", { .frag = 0x2000 | 185 }, BUCKET(2) },
	{ "last fragment", { .frag = 185 }, BUCKET(2) },
	{ "fragment of the highest offset", { .frag = 0x1fff }, BUCKET(2) },
	{ "fragment of ICMP, a byte", { .proto = 1, .frag = 0x1000, .payload = 1 }, BUCKET(3) },
	{ "fragment of TCP, a byte", { .frag = 185, .payload = 1 }, BUCKET(2) },
	{ "don't fragment", { .frag = 0x4000 }, BUCKET(1) },
	{ "reserved flag", { .frag = 0x8000 }, BUCKET(1) },
	{ "a word of options", { .options = 1 }, BUCKET(1) },
	{ "ten words of options", { .options = 10 }, BUCKET(1) },
	{ "options before another port", { .options = 10, .dport = 444 }, BUCKET(2) },

	EXTENSION(0), EXTENSION(43), EXTENSION(60), EXTENSION(135), EXTENSION(139), EXTENSION(140),
	{ "ESP in IPv6", { .v6 = true, .proto = IPPROTO_ESP }, BUCKET(2) },
	{ "AH in IPv6", { .v6 = true, .proto = IPPROTO_AH }, BUCKET(2) },
	{ "fragment of TCP in IPv6", { .v6 = true, .ext = EXT(44) }, BUCKET(2) },
	{ "fragment of ICMPv6, a byte", { .v6 = true, .proto = 58, .ext = EXT(44), .payload = 1 },
	  BUCKET(3) },
	{ "fragment of options", { .v6 = true, .proto = 60, .ext = EXT(44) },
	  ASYM_LAN_EXT_HEADER, 0 },
	{ "7 bytes of a fragment header",
	  { .v6 = true, .ext = EXT(44), .no_len = true, .cut = ETH_HLEN + 40 + 7 }, MALFORMED },
	{ "no next header", { .v6 = true, .proto = IPPROTO_NONE }, BUCKET(2) },
	{ "RSVP in IPv6", { .v6 = true, .proto = 46 }, BUCKET(2) },
	{ "IPv6 in IPv6", { .v6 = true, .proto = 41 }, BUCKET(2) },
	{ "a number beside the extensions", { .v6 = true, .proto = 136 + 2 }, BUCKET(2) },

	DST(SCOPE, "224.0.0.0"), DST(SCOPE, "239.255.255.255"), DST(SCOPE, "240.0.0.1"),
	DST(SCOPE, "255.255.255.255"), DST(SCOPE, "127.0.0.0"), DST(SCOPE, "127.255.255.255"),
	DST(SCOPE, "169.254.0.0"), DST(SCOPE, "169.254.255.255"), DST(SCOPE, "0.0.0.0"),
	DST(SCOPE, "0.255.255.255"),
	DST(BUCKET(1), "223.255.255.255"), DST(BUCKET(1), "126.255.255.255"),
	DST(BUCKET(1), "128.0.0.0"), DST(BUCKET(1), "169.253.255.255"),
	DST(BUCKET(1), "169.255.0.0"), DST(BUCKET(1), "1.0.0.0"),
	DST(SCOPE, "ff00::"), DST(SCOPE, "ff02::1"), DST(SCOPE, "ffff::1"), DST(SCOPE, "fe80::"),
	DST(SCOPE, "febf:ffff::1"), DST(SCOPE, "::"), DST(SCOPE, "::1"),
	DST(BUCKET(1), "feff:ffff::1"), DST(BUCKET(1), "fe7f:ffff::1"), DST(BUCKET(1), "fec0::1"),
	DST(BUCKET(1), "::2"), DST(BUCKET(1), "0:0:1::1"), DST(BUCKET(1), "1::"),
	DST(BUCKET(1), "0:1::"),
	{ "fragment to a group", { .dst = "224.0.0.1", .frag = 185 }, SCOPE },
	{ "options to a group", { .dst = "ff02::16", .ext = EXT(0) }, SCOPE },
	{ "from nowhere", { .src = "0.0.0.0" }, BUCKET(1) },

	{ "to all", { .mac = "\xff\xff\xff\xff\xff\xff" }, ASYM_LAN_NOT_HOST, 0 },
	{ "to a group", { .mac = "\x01\0\x5e\0\0\1" }, ASYM_LAN_NOT_HOST, 0 },
	{ "to another", { .mac = "\2\0\0\0\0\x99" }, ASYM_LAN_NOT_HOST, 0 },
	{ "ARP", { .ether = ETH_P_ARP }, ASYM_LAN_NOT_IP, 0 },
	{ "Ethernet with a length", { .ether = 64 }, ASYM_LAN_NOT_IP, 0 },
	{ "PPPoE", { .ether = ETH_P_PPP_SES }, ASYM_LAN_NOT_IP, 0 },

	{ "IPv6 that says IPv4", { .version = 6 }, MALFORMED },
	{ "version 5", { .version = 5 }, MALFORMED },
	{ "IPv4 that says IPv6", { .v6 = true, .version = 4 }, MALFORMED },
	{ "version 7", { .v6 = true, .version = 7 }, MALFORMED },
	{ "header of 4 words", { .ihl = 4 }, MALFORMED },
	{ "header of 15 words, length of 40 bytes", { .ihl = 15 }, MALFORMED },
	{ "length one below the header", { .len_add = -21 }, MALFORMED },
	{ "length one below header and options", { .options = 2, .len_add = -21 }, MALFORMED },
	{ "length one too long", { .len_add = 1 }, MALFORMED },
	{ "length far too long", { .len_add = 60000 }, MALFORMED },
	{ "frame longer than the packet", { .len_add = -1 }, BUCKET(1) },
	{ "IPv6 length one too long", { .v6 = true, .len_add = 1 }, MALFORMED },
	{ "IPv6 frame longer than the packet", { .v6 = true, .len_add = -1 }, BUCKET(1) },
	{ "IPv6 length 0: jumbogram", { .v6 = true, .no_len = true }, BUCKET(1) },
	{ "3 bytes of TCP", { .payload = 3 }, MALFORMED },
	{ "4 bytes of TCP", { .payload = 4 }, BUCKET(1) },
	{ "3 bytes of UDP in IPv6", { .v6 = true, .proto = 17, .payload = 3 }, MALFORMED },
	{ "4 bytes of UDP in IPv6", { .v6 = true, .proto = 17, .payload = 4 }, BUCKET(1) },
	{ "7 bytes of ICMP", { .proto = 1, .payload = 7 }, MALFORMED },
	{ "8 bytes of ICMP", { .proto = 1, .payload = 8 }, BUCKET(3) },
	{ "7 bytes of ICMPv6", { .v6 = true, .proto = 58, .payload = 7 }, MALFORMED },
	{ "8 bytes of ICMPv6", { .v6 = true, .proto = 58, .payload = 8 }, BUCKET(3) },
	{ "options, 3 bytes of TCP", { .options = 5, .payload = 3 }, MALFORMED },

	{ "others' mark bits", { .mark = 0xa5ff0011 }, ASYM_LAN_BUCKET, 0xa5ff0111 },
	{ "others' mark bits, out of scope", { .dst = "224.0.0.1", .mark = 0xffff00ff },
	  ASYM_LAN_SCOPE, 0xffff00ff },
	{ "marked by the owner", { .mark = 0x0400 }, ASYM_LAN_MARKED, 0x0400 },
	{ "one bit of our mask set", { .mark = 0x8000 }, ASYM_LAN_MARKED, 0x8000 },
	{ "marked, no IP", { .ether = ETH_P_ARP, .mark = 0x101 }, ASYM_LAN_MARKED, 0x101 },
};

static void test_rows(void **state)
{
	lab_need();
	lab_load(CONF);
	assert_int_equal(rows_run(PROGRAM_LAN_ETH, rows, ARRAY_SIZE(rows)), 0);
}

static void over(bool ethernet, enum object_program which, const char *how)
{
	struct wire w = wire_open(ethernet, which);
	unsigned int bad;

	lab_load(CONF);
	bad = rows_over(&w, how, rows, ARRAY_SIZE(rows), 0);
	bad += cuts_over(&w, how, (struct pkt_spec){ 0 }, ASYM_LAN_MALFORMED);
	bad += cuts_over(&w, how, (struct pkt_spec){ .options = 10, .proto = 17 },
			 ASYM_LAN_MALFORMED);
	bad += cuts_over(&w, how, (struct pkt_spec){ .v6 = true }, ASYM_LAN_MALFORMED);
	bad += cuts_over(&w, how, (struct pkt_spec){ .v6 = true, .proto = 58, .icmp_type = 128 },
			 ASYM_LAN_MALFORMED);
	bad += ethernet && !vlans_hold(&w, ASYM_LAN_BUCKET, ASYM_LAN_NOT_IP);
	wire_close(&w);
	assert_int_equal(bad, 0);
}

static void test_tap(void **state)
{
	wire_need();
	over(true, PROGRAM_LAN_ETH, "TAP");
}

static void test_tun(void **state)
{
	wire_need();
	over(false, PROGRAM_LAN_IP, "TUN");
}

/* Headers beyond the first piece of a packet: receive offload and some drivers leave them there. */
static void test_pieces(void **state)
{
	static const struct row big[] = {
		{ "IPv4", { .payload = 6000 }, BUCKET(1) },
		{ "IPv4, options", { .options = 10, .payload = 6000 }, BUCKET(1) },
		{ "IPv4, other port", { .dport = 444, .payload = 6000 }, BUCKET(2) },
		{ "IPv4, too long", { .len_add = 1, .payload = 6000 }, MALFORMED },
		{ "IPv6", { .v6 = true, .payload = 6000 }, BUCKET(1) },
		{ "IPv6, other port", { .v6 = true, .dport = 444, .payload = 6000 }, BUCKET(2) },
	};
	unsigned int bad = 0;
	struct wire w;

	wire_need();
	lab_load(CONF);
	w = wire_open(true, PROGRAM_LAN_ETH);
	for (size_t i = 0; i < ARRAY_SIZE(big); i++)
		for (uint16_t linear = ETH_HLEN; linear < 100; linear++) {
			struct pkt p = pkt_to(&big[i].pkt, w.ifindex);
			struct outcome o = wire_send(&w, &p, linear);

			bad += !row_holds("in pieces", &big[i], &o);
		}
	wire_close(&w);
	assert_int_equal(bad, 0);
}

static uint32_t echo_link(bool v6, uint8_t type, uint16_t id)
{
	struct pkt_spec s = { .v6 = v6, .proto = v6 ? 58 : 1, .icmp_type = type, .echo_id = id };

	return lab_send(PROGRAM_LAN_ETH, &s).mark;
}

static unsigned int echo_links(bool v6, uint8_t type)
{
	unsigned int links = 0;

	for (uint16_t id = 0; id < 64; id++)
		links |= 1u << (echo_link(v6, type, id) >> 8);
	return links;
}

/* Pings spread by their identifier; in other messages those bytes mean other things. */
static void test_echo(void **state)
{
	lab_need();
	lab_load(LAB_WANS);
	assert_int_equal(echo_links(false, 8), 0x1e);
	assert_int_equal(echo_links(true, 128), 0x1e);
	assert_int_equal(__builtin_popcount(echo_links(false, 128)), 1);
	assert_int_equal(__builtin_popcount(echo_links(true, 8)), 1);
	assert_int_equal(__builtin_popcount(echo_links(false, 3)), 1);
	assert_int_equal(__builtin_popcount(echo_links(true, 1)), 1);
}

/* Another mask: its bits are ours, 0xff00 is not. */
static void test_mask(void **state)
{
	static const struct row masked[] = {
		{ "nothing set", {}, ASYM_LAN_BUCKET, 0x010000 },
		{ "others' bits set", { .mark = 0xffc0ffff }, ASYM_LAN_BUCKET, 0xffc1ffff },
		{ "highest of ours set", { .mark = 0x200000 }, ASYM_LAN_MARKED, 0x200000 },
		{ "lowest of ours set", { .mark = 0x01ff00 }, ASYM_LAN_MARKED, 0x01ff00 },
	};

	lab_need();
	lab_load("mark-mask = 0x3f0000\n" CONF);
	assert_int_equal(rows_run(PROGRAM_LAN_ETH, masked, ARRAY_SIZE(masked)), 0);
}

/* Before the first load, and with maps of another version. */
static void test_nothing_loaded(void **state)
{
	struct asym_control other = { .abi = ASYM_ABI + 1 };
	struct pkt_spec s = {};
	uint32_t zero = 0;

	lab_need();
	row_expect(PROGRAM_LAN_ETH, &s, ASYM_LAN_NO_RULE, 0);
	lab_load(CONF);
	assert_int_equal(bpf_map_update_elem(lab.o.map[MAP_CONTROL], &zero, &other, 0), 0);
	row_expect(PROGRAM_LAN_ETH, &s, ASYM_LAN_NO_RULE, 0);
}

/* The reasons that no row above gives; test_policy.c has more of each. */
static void test_reasons(void **state)
{
	struct pkt_spec s = {}, udp = { .proto = IPPROTO_UDP };

	lab_need();
	lab_load(LAB_WANS LAB_POLICIES "rule tcp { proto = tcp policy = to2  sticky = 1h }\n");
	row_expect(PROGRAM_LAN_ETH, &udp, ASYM_LAN_NO_RULE, 0);
	row_expect(PROGRAM_LAN_ETH, &s, ASYM_LAN_BUCKET, 0x200);
	row_expect(PROGRAM_LAN_ETH, &s, ASYM_LAN_STICKY, 0x200);
	lab_load_on(CONF, "device wan1 index 21\n");
	row_expect(PROGRAM_LAN_ETH, &s, ASYM_LAN_LAST_RESORT, 0xfe00);
	lab_all_seen(ASYM_LAN_BUCKET, ASYM_LAN_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_loaded), cmocka_unit_test(test_rows),
		cmocka_unit_test(test_tap),	       cmocka_unit_test(test_tun),
		cmocka_unit_test(test_pieces),	       cmocka_unit_test(test_echo),
		cmocka_unit_test(test_mask),	       cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
