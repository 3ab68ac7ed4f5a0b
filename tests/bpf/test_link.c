// SPDX-License-Identifier: GPL-2.0-or-later
/* The link programs: which packets get the mark of the link that answers them. */
#include "tests/bpf/wire.h"

/* What comes in by wan3 is answered by wan4. */
#define CONF "link wan1 {} link wan2 {} link wan3 { reply = wan4 } link wan4 {} link tap {} link tun {}\n"

struct row {
	const char *name;
	struct pkt_spec pkt;
	enum asym_reason reason;
	uint32_t mark;
};

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

static bool as_wanted(const char *how, const struct row *row, const struct outcome *o)
{
	bool good = o->reason == row->reason && o->mark == row->mark;

	if (!good)
		print_error("%s, %s: %s, mark 0x%x; expected %s, mark 0x%x\n", row->name, how,
			    reason_name(o->reason), o->mark, reason_name(row->reason), row->mark);
	return good;
}

static unsigned int run_rows(const struct row *r, size_t n)
{
	unsigned int bad = 0;

	for (size_t i = 0; i < n; i++) {
		struct outcome o = lab_send(PROGRAM_LINK_ETH, &r[i].pkt);

		bad += !as_wanted("test run", &r[i], &o);
	}
	return bad;
}

static void test_rows(void **state)
{
	lab_need();
	lab_load(CONF);
	assert_int_equal(run_rows(rows, ARRAY_SIZE(rows)), 0);
	assert_int_equal(run_rows(test_run_rows, ARRAY_SIZE(test_run_rows)), 0);
}

static unsigned int rows_over(const struct wire *w, const char *how, uint32_t mark)
{
	unsigned int bad = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pkt p = pkt_to(&rows[i].pkt, w->ifindex);
		struct row row = rows[i];
		struct outcome o;

		if (!w->ethernet && row.pkt.mac)
			continue;
		row.mark = row.mark ? mark : 0;
		o = wire_send(w, &p, 0);
		bad += !as_wanted(how, &row, &o);
	}
	return bad;
}

/* Every length of the packet below its own. */
static unsigned int cuts_over(const struct wire *w, const char *how, struct pkt_spec spec)
{
	struct row row = { "cut", {}, MALFORMED };
	uint32_t whole = pkt_make(&spec).len;
	unsigned int bad = 0;

	for (spec.cut = ETH_HLEN + !w->ethernet; spec.cut < whole; spec.cut++) {
		struct pkt p = pkt_to(&spec, w->ifindex);
		struct outcome o = wire_send(w, &p, 0);

		bad += !as_wanted(how, &row, &o);
	}
	return bad;
}

/* Linux takes VLAN tags off before tc ingress; the frame is not the device's own all the same.
 * VLAN 0 is none. */
static bool vlans_hold(const struct wire *w)
{
	struct pkt own = pkt_to(&(struct pkt_spec){ .vlan = VLAN(0) }, w->ifindex);
	struct pkt other = pkt_to(&(struct pkt_spec){ .vlan = VLAN(10) }, w->ifindex);

	return wire_send(w, &own, 0).reason == ASYM_LINK_IN &&
	       wire_send(w, &other, 0).reason == ASYM_LINK_NOT_IP;
}

static void over(bool ethernet, enum object_program which, const char *how, uint32_t mark)
{
	struct wire w = wire_open(ethernet, which);
	unsigned int bad;

	lab_load(CONF);
	bad = rows_over(&w, how, mark);
	bad += ethernet && !vlans_hold(&w);
	bad += cuts_over(&w, how, (struct pkt_spec){ .options = 3 });
	bad += cuts_over(&w, how, (struct pkt_spec){ .v6 = true });
	wire_close(&w);
	assert_int_equal(bad, 0);
}

static void test_tap(void **state)
{
	lab_need();
	over(true, PROGRAM_LINK_ETH, "TAP", 0x500);
}

static void test_tun(void **state)
{
	lab_need();
	over(false, PROGRAM_LINK_IP, "TUN", 0x600);
}

static void expect(const struct pkt_spec *s, enum asym_reason reason, uint32_t mark)
{
	struct row row = { "packet", *s, reason, mark };
	struct outcome o = lab_send(PROGRAM_LINK_ETH, s);

	assert_true(as_wanted("test run", &row, &o));
}

static void test_nothing_loaded(void **state)
{
	struct pkt_spec s = { .in = WAN1 };

	lab_need();
	expect(&s, ASYM_LINK_UNKNOWN, 0);
}

/* A reload takes a link away, and gives its device to another: each bank has its own devices. */
static void test_reload(void **state)
{
	struct pkt_spec one = { .in = WAN1 }, two = { .in = WAN2 };
	uint32_t first;

	lab_need();
	first = maps_idle_bank(&lab.o);
	lab_load("link wan1 {} link wan2 {}");
	expect(&two, ASYM_LINK_IN, 0x200);
	lab_load("link b { device = wan1 } link a { device = wan3 } link wan1 { device = wan4 }");
	expect(&one, ASYM_LINK_IN, 0x100);
	expect(&two, ASYM_LINK_UNKNOWN, 0);
	expect(&(struct pkt_spec){ .in = WAN4 }, ASYM_LINK_IN, 0x300);
	lab_switch(first);
	expect(&two, ASYM_LINK_IN, 0x200);
	expect(&(struct pkt_spec){ .in = WAN4 }, ASYM_LINK_UNKNOWN, 0);
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
	expect(&s, ASYM_LINK_IN, 0x100);
	maps_clear(&lab.o, bank);
	expect(&s, ASYM_LINK_UNKNOWN, 0);
}

static void test_mask(void **state)
{
	lab_need();
	lab_load("mark-mask = 0x3f0000\n" CONF);
	expect(&(struct pkt_spec){ .in = WAN2, .mark = 0xffc0ffff }, ASYM_LINK_IN, 0xffc2ffff);
	expect(&(struct pkt_spec){ .in = WAN2, .mark = 0x200000 }, ASYM_LINK_MARKED, 0x200000);
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
