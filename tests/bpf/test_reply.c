// SPDX-License-Identifier: GPL-2.0-or-later
/* The link programs: which DHCP replies are given to which link. */
#include "tests/bpf/bootp.h"

static const struct owned owned[] = {
	{ WAN1, 1, .addr = "192.0.2.1" },
	{ WAN2, 2, .addr = "192.0.2.2" },
	{ WAN3, 3, .mac = LAN1, .shared_mac = true },
	{ WAN4, 4, .mac = LAN1, .shared_mac = true },
};

enum fate { UNSEEN, TOLD, KEPT, RETURNED };

struct row {
	const char *name;
	struct message m;
	uint32_t in; /* by which it arrives; to the MAC of this device, unless m names another */
	enum fate fate;
	uint8_t link;	/* id that it is told and counted under */
	uint32_t owner; /* ifindex */
};

static bool is_told(const struct row *row, struct pkt *p)
{
	const struct asym_bootp *e = &news.all[0];

	news_read();
	if (row->fate == UNSEEN)
		return !news.n;
	return news.n == 1 && e->link == row->link && e->ifindex == row->in &&
	       e->what == (row->fate == RETURNED ? ASYM_BOOTP_RETURNED : ASYM_BOOTP_REPLY) &&
	       e->owner == row->owner && e->sender == ASYM_SENDER_UNKNOWN &&
	       e->len == ntohs(bootp_at(p).ip->tot_len) &&
	       !memcmp(e->data, p->data + ETH_HLEN, e->len);
}

static bool is_counted(const struct row *row)
{
	return ROSE(0, kept) == (row->fate == KEPT) && ROSE(row->link, kept) == (row->fate == KEPT) &&
	       ROSE(0, returned) == (row->fate == RETURNED) &&
	       ROSE(row->link, returned) == (row->fate == RETURNED) && !ROSE(0, right) &&
	       !ROSE(0, moved);
}

static bool row_holds(const struct row *row)
{
	struct message m = row->m;
	struct result r;
	struct pkt p;
	char mac[ETH_ALEN];

	mac_of(row->in, (uint8_t *)mac);
	m.reply = true;
	m.mac = m.mac ? m.mac : mac;
	p = bootp_make(&m);
	news_begin();
	r = bootp_run(PROGRAM_LINK_ETH, &p, row->in, 0);
	if (row->fate == RETURNED)
		mac_of(row->owner, p.data);
	return r.verdict == (row->fate == RETURNED ? TC_ACT_REDIRECT : TC_ACT_UNSPEC) &&
	       r.mark == (row->fate == RETURNED ? MARK & ~0xff00 : MARK) && r.p.len == p.len &&
	       !memcmp(r.p.data, p.data, p.len) && is_told(row, &p) && is_counted(row);
}

#define ALL "\xff\xff\xff\xff\xff\xff"
static const struct row rows[] = {
	{ "to this link", {}, WAN1, TOLD, 1, WAN1 },
	{ "from another port", { .sport = 6700 }, WAN1, TOLD, 1, WAN1 },
	{ "with options", { .options = 4 }, WAN1, TOLD, 1, WAN1 },
	{ "by a relay", { .giaddr = "203.0.113.1" }, WAN1, TOLD, 1, WAN1 },
	{ "for another link", { .dst = "192.0.2.2", .chaddr = WAN2 }, WAN1, RETURNED, 2, WAN2 },
	{ "likewise, with options", { .dst = "192.0.2.2", .chaddr = WAN2, .options = 1 }, WAN1, RETURNED, 2, WAN2 },
	{ "likewise, address to come", { .dst = "192.0.2.50", .chaddr = WAN2 }, WAN1, RETURNED, 2, WAN2 },
	{ "address to come", { .dst = "192.0.2.50" }, WAN1, KEPT, 1, WAN1 },
	{ "address to come, of several", { .dst = "192.0.2.50", .chaddr = LAN1 }, WAN3, KEPT, 3, 0 },
	{ "MAC of several", { .dst = "192.0.2.3", .chaddr = LAN1 }, WAN4, TOLD, 4, 0 },
	{ "to all", { .dst = "255.255.255.255", .mac = ALL }, WAN1, TOLD, 1, WAN1 },
	{ "to all, for another link", { .dst = "255.255.255.255", .mac = ALL, .chaddr = WAN2 }, WAN1, UNSEEN, 0, 0 },
	{ "to another machine", { .mac = "\2\0\0\0\0\x99" }, WAN1, UNSEEN, 0, 0 },
	{ "nobody's", { .chaddr = LAN2, .dst = "192.0.2.50" }, WAN1, UNSEEN, 0, 0 },
	{ "a request", { .op = 1, .chaddr = WAN2 }, WAN1, UNSEEN, 0, 0 },
	{ "htype", { .htype = 2, .chaddr = WAN2 }, WAN1, UNSEEN, 0, 0 },
	{ "hlen", { .hlen = 5, .chaddr = WAN2 }, WAN1, UNSEEN, 0, 0 },
	{ "to a server", { .dport = 67, .chaddr = WAN2 }, WAN1, UNSEEN, 0, 0 },
	{ "fragment", { .frag = 0x2000, .chaddr = WAN2 }, WAN1, UNSEEN, 0, 0 },
	{ "too short", { .udp_add = 235 - BOOTP_LEN, .chaddr = WAN2 }, WAN1, UNSEEN, 0, 0 },
};

static void test_replies(void **state)
{
	unsigned int bad = 0;

	lab_need();
	lab_own(DHCP_GUARD, owned, ARRAY_SIZE(owned));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!row_holds(&rows[i])) {
			print_error("%s: not as it should be\n", rows[i].name);
			bad++;
		}
	assert_int_equal(bad, 0);
}

static void test_off(void **state)
{
	struct row row = rows[4];

	lab_need();
	lab_own(DHCP_OFF, NULL, 0);
	row.fate = UNSEEN;
	assert_true(row_holds(&row));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies), cmocka_unit_test(test_off),
	};

	return cmocka_run_group_tests(tests, bootp_lab, lab_close);
}
