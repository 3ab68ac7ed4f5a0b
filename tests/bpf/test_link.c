// SPDX-License-Identifier: GPL-2.0-or-later
/* The link programs: which packets get the mark of the link that answers them. */
#include "tests/bpf/rows.h"

/* What comes in by wan3 is answered by wan4. */
#define CONF                                                                                       \
	"link wan1 {} link wan2 {} link wan3 { reply = wan4 } link wan4 {}\n"                      \
	"link tap {} link tun {}\n"

#define IN(n) ASYM_LINK_IN, (n) << 8
#define SCOPE ASYM_LINK_SCOPE, 0
#define MALFORMED ASYM_LINK_MALFORMED, 0
#define EXTENSION(n) { "extension header " #n, { .v6 = true, .ext = EXT(n), .in = WAN1 }, IN(1) }
#define DST(reason_and_mark, addr) { "to " addr, { .dst = addr, .in = WAN1 }, reason_and_mark }

/* What does not depend on the device: asked of wan1, of the TAP (id 5) and of the TUN (id 6). */
static const struct row rows[] = {
	{ "TCP", { .in = WAN1 }, IN(1) },
	{ "TCP v6", { .v6 = true, .in = WAN1 }, IN(1) },
	{ "ICMP error", { .proto = 1, .icmp_type = 3, .in = WAN1 }, IN(1) },
	{ "GRE", { .proto = 47, .payload = 1, .in = WAN1 }, IN(1) },
	{ "first fragment", { .frag = 0x2000, .in = WAN1 }, IN(1) },
	{ "last fragment, a byte", { .frag = 185, .payload = 1, .in = WAN1 }, IN(1) },
	{ "options", { .options = 10, .in = WAN1 }, IN(1) },
	EXTENSION(0), EXTENSION(43), EXTENSION(44), EXTENSION(50), EXTENSION(51), EXTENSION(60),
	EXTENSION(135), EXTENSION(139), EXTENSION(140),
	DST(SCOPE, "224.0.0.1"), DST(SCOPE, "255.255.255.255"), DST(SCOPE, "127.0.0.1"),
	DST(SCOPE, "169.254.1.1"), DST(SCOPE, "0.0.0.0"), DST(SCOPE, "ff02::1"),
	DST(SCOPE, "fe80::1"), DST(SCOPE, "::1"), DST(SCOPE, "::"),
	{ "to all", { .mac = "\xff\xff\xff\xff\xff\xff", .in = WAN1 }, ASYM_LINK_NOT_HOST, 0 },
	{ "to a group", { .mac = "\x33\x33\0\0\0\1", .in = WAN1 }, ASYM_LINK_NOT_HOST, 0 },
	{ "to another", { .mac = "\2\0\0\0\0\x99", .in = WAN1 }, ASYM_LINK_NOT_HOST, 0 },
	{ "ARP", { .ether = ETH_P_ARP, .in = WAN1 }, ASYM_LINK_NOT_IP, 0 },
	{ "PPPoE", { .ether = ETH_P_PPP_SES, .in = WAN1 }, ASYM_LINK_NOT_IP, 0 },
	{ "version 6 in IPv4", { .version = 6, .in = WAN1 }, MALFORMED },
	{ "version 4 in IPv6", { .v6 = true, .version = 4, .in = WAN1 }, MALFORMED },
	{ "header of 4 words", { .ihl = 4, .in = WAN1 }, MALFORMED },
	{ "length too long", { .len_add = 1, .in = WAN1 }, MALFORMED },
	{ "length below the header", { .len_add = -21, .in = WAN1 }, MALFORMED },
	{ "IPv6 length too long", { .v6 = true, .len_add = 1, .in = WAN1 }, MALFORMED },
	{ "3 bytes of UDP", { .proto = 17, .payload = 3, .in = WAN1 }, MALFORMED },
};

static const struct row test_run_rows[] = {
	{ "second link", { .in = WAN2 }, IN(2) },
	{ "second link v6", { .v6 = true, .in = WAN2 }, IN(2) },
	{ "answered by another", { .in = WAN3 }, IN(4) },
	{ "answered by another v6", { .v6 = true, .in = WAN3 }, IN(4) },
	{ "who answers for another", { .in = WAN4 }, IN(4) },
	{ "others' mark bits", { .mark = 0xa5ff0011, .in = WAN3 }, ASYM_LINK_IN, 0xa5ff0411 },
	{ "marked", { .mark = 0x0200, .in = WAN1 }, ASYM_LINK_MARKED, 0x0200 },
	{ "one bit of our mask set", { .mark = 0x8011, .in = WAN1 }, ASYM_LINK_MARKED, 0x8011 },
	{ "marked, unknown device", { .mark = 0x0100, .in = LAN1 }, ASYM_LINK_MARKED, 0x0100 },
	{ "no link's device", { .in = LAN1 }, ASYM_LINK_UNKNOWN, 0 },
	{ "no link's device, others' bits", { .mark = 0x11, .in = LAN2 }, ASYM_LINK_UNKNOWN, 0x11 },
	{ "loopback", { .in = LO }, ASYM_LINK_UNKNOWN, 0 },
};

static void test_rows(void **state)
{
	lab_need();
	lab_load(CONF);
	assert_int_equal(rows_run(PROGRAM_LINK_ETH, rows, ARRAY_SIZE(rows)), 0);
	assert_int_equal(rows_run(PROGRAM_LINK_ETH, test_run_rows, ARRAY_SIZE(test_run_rows)), 0);
}

static void over(bool ethernet, enum object_program which, const char *how, uint32_t mark)
{
	struct wire w = wire_open(ethernet, which);
	unsigned int bad;

	lab_load(CONF);
	bad = rows_over(&w, how, rows, ARRAY_SIZE(rows), mark);
	bad += cuts_over(&w, how, (struct pkt_spec){ .options = 3 }, ASYM_LINK_MALFORMED);
	bad += cuts_over(&w, how, (struct pkt_spec){ .v6 = true }, ASYM_LINK_MALFORMED);
	bad += ethernet && !vlans_hold(&w, ASYM_LINK_IN, ASYM_LINK_NOT_IP);
	wire_close(&w);
	assert_int_equal(bad, 0);
}

static void test_tap(void **state)
{
	wire_need();
	over(true, PROGRAM_LINK_ETH, "TAP", 0x500);
}

static void test_tun(void **state)
{
	wire_need();
	over(false, PROGRAM_LINK_IP, "TUN", 0x600);
}

static void test_nothing_loaded(void **state)
{
	struct pkt_spec s = { .in = WAN1 };

	lab_need();
	row_expect(PROGRAM_LINK_ETH, &s, ASYM_LINK_UNKNOWN, 0);
}

/* A reload takes a link away, and gives its device to another: each bank has its own devices. */
static void test_reload(void **state)
{
	struct pkt_spec one = { .in = WAN1 }, two = { .in = WAN2 };
	uint32_t first;

	lab_need();
	first = maps_idle_bank(&lab.o);
	lab_load("link wan1 {} link wan2 {}");
	row_expect(PROGRAM_LINK_ETH, &two, ASYM_LINK_IN, 0x200);
	lab_load("link b { device = wan1 } link a { device = wan3 } link wan1 { device = wan4 }");
	row_expect(PROGRAM_LINK_ETH, &one, ASYM_LINK_IN, 0x100);
	row_expect(PROGRAM_LINK_ETH, &two, ASYM_LINK_UNKNOWN, 0);
	row_expect(PROGRAM_LINK_ETH, &(struct pkt_spec){ .in = WAN4 }, ASYM_LINK_IN, 0x300);
	lab_switch(first);
	row_expect(PROGRAM_LINK_ETH, &two, ASYM_LINK_IN, 0x200);
	row_expect(PROGRAM_LINK_ETH, &(struct pkt_spec){ .in = WAN4 }, ASYM_LINK_UNKNOWN, 0);
}

/* Emptying a bank leaves the other one's devices. */
static void test_clear(void **state)
{
	struct pkt_spec s = { .in = WAN1 };
	uint32_t bank;

	lab_need();
	bank = maps_idle_bank(&lab.o);
	lab_load(CONF);
	maps_clear(&lab.o, !bank);
	row_expect(PROGRAM_LINK_ETH, &s, ASYM_LINK_IN, 0x100);
	maps_clear(&lab.o, bank);
	row_expect(PROGRAM_LINK_ETH, &s, ASYM_LINK_UNKNOWN, 0);
}

static void test_mask(void **state)
{
	static const struct row masked[] = {
		{ "others' bits", { .in = WAN2, .mark = 0xffc0ffff }, ASYM_LINK_IN, 0xffc2ffff },
		{ "ours", { .in = WAN2, .mark = 0x200000 }, ASYM_LINK_MARKED, 0x200000 },
	};

	lab_need();
	lab_load("mark-mask = 0x3f0000\n" CONF);
	assert_int_equal(rows_run(PROGRAM_LINK_ETH, masked, ARRAY_SIZE(masked)), 0);
}

static void test_reasons(void **state)
{
	lab_need();
	lab_all_seen(ASYM_LINK_IN, ASYM_LINK_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_loaded), cmocka_unit_test(test_rows),
		cmocka_unit_test(test_tap),	       cmocka_unit_test(test_tun),
		cmocka_unit_test(test_reload),	       cmocka_unit_test(test_clear),
		cmocka_unit_test(test_mask),	       cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
