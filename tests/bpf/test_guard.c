// SPDX-License-Identifier: GPL-2.0-or-later
/* The guard programs at egress of links: which DHCP messages go where, and how they leave. */
#include "tests/bpf/renewals.h"

/* VLANs of one device */
static const struct owned vlans[] = {
	{ WAN1, 1, "192.0.2.1", .mac = WAN1, .shared_mac = true },
	{ WAN2, 2, "192.0.2.2", .mac = WAN1, .shared_mac = true },
};

static bool is_told(const struct row *row, const struct pkt *want)
{
	static const uint8_t whats[] = { [TOLD] = ASYM_BOOTP_RIGHT, [RIGHT] = ASYM_BOOTP_RIGHT,
					 [MENDED] = ASYM_BOOTP_MENDED, [MOVED] = ASYM_BOOTP_MOVED,
					 [FAILED] = ASYM_BOOTP_FAILED };
	const struct asym_bootp *e = &news.all[0];

	news_read();
	if (row->fate == UNSEEN)
		return !news.n;
	return news.n == 1 && e->what == whats[row->fate] && e->link == row->link &&
	       e->ifindex == row->out && e->owner == row->owner &&
	       e->len == ntohs(bootp_at((struct pkt *)want).ip->tot_len) &&
	       !memcmp(e->data, want->data + ETH_HLEN, e->len);
}

static bool is_counted(const struct row *row)
{
	uint64_t all = ROSE(0, right) + ROSE(0, mended) + ROSE(0, moved) + ROSE(0, failed);
	uint8_t n = row->link;

	switch (row->fate) {
	case RIGHT:
		return all == 1 && ROSE(n, right);
	case MENDED:
		return all == 1 && ROSE(n, mended);
	case MOVED:
		return all == 1 && ROSE(n, moved);
	case FAILED:
		return all == 1 && ROSE(n, failed);
	default:
		return !all;
	}
}

static bool row_holds(const struct row *row, const struct pkt *p)
{
	struct pkt want = expected(p, row->fate);
	struct result r;

	news_begin();
	r = bootp_run(PROGRAM_GUARD_ETH, p, row->out, 0);
	return r.verdict == (row->fate == MOVED ? TC_ACT_REDIRECT : TC_ACT_UNSPEC) &&
	       r.mark == (row->fate == MOVED ? MARK & ~0xff00 : MARK) && r.p.len == p->len &&
	       !memcmp(r.p.data, want.data, want.len) && is_told(row, &want) && is_counted(row);
}

static void rows_hold(const struct row *rows, size_t n)
{
	unsigned int bad = 0;

	for (size_t i = 0; i < n; i++) {
		struct pkt p = bootp_make(&rows[i].m);

		if (row_holds(&rows[i], &p))
			continue;
		print_error("%s: not as it should be\n", rows[i].name);
		bad++;
	}
	assert_int_equal(bad, 0);
}

static void test_renewals(void **state)
{
	lab_need();
	lab_own(DHCP_GUARD, owned, ARRAY_SIZE(owned));
	rows_hold(renewals, ARRAY_SIZE(renewals));
}

static void test_others(void **state)
{
	lab_need();
	lab_own(DHCP_GUARD, owned, ARRAY_SIZE(owned));
	rows_hold(others, ARRAY_SIZE(others));
}

static void test_forwarded(void **state)
{
	struct message m = { TWO };
	struct pkt p = bootp_make(&m);
	struct result r;

	lab_need();
	lab_own(DHCP_GUARD, owned, ARRAY_SIZE(owned));
	news_begin();
	r = bootp_run(PROGRAM_GUARD_ETH, &p, WAN1, LAN1);
	assert_int_equal(r.verdict, TC_ACT_UNSPEC);
	assert_memory_equal(r.p.data, p.data, p.len);
	assert_true(is_counted(&(struct row){ .fate = UNSEEN }));
	news_read();
	assert_int_equal(news.n, 0);
}

static void test_shared_mac(void **state)
{
	static const struct row rows[] = {
		{ "the address tells", { .ciaddr = "192.0.2.2" }, WAN1, MOVED, 2, WAN2 },
		{ "the address says right", { .ciaddr = "192.0.2.2", .src = "192.0.2.2" }, WAN2, RIGHT, 2, WAN2 },
		{ "nothing tells", { .ciaddr = "192.0.2.7" }, WAN2, RIGHT, 2, 0 },
	};

	lab_need();
	lab_own(DHCP_GUARD, vlans, ARRAY_SIZE(vlans));
	rows_hold(rows, ARRAY_SIZE(rows));
}

/* The shim repairs, guard looks on. */
static void test_watch(void **state)
{
	static const struct row rows[] = {
		{ "right", {}, WAN1, RIGHT, 1, WAN1 },
		{ "wrong link", { TWO }, WAN1, FAILED, 2, WAN2 },
		{ "wrong source", { .src = "192.0.2.2" }, WAN1, FAILED, 1, WAN1 },
	};

	lab_need();
	lab_own(DHCP_SHIM, owned, ARRAY_SIZE(owned));
	rows_hold(rows, ARRAY_SIZE(rows));
}

/* Whoever is an owner no more has no say; banks do not know of each other. */
static void test_owners_go(void **state)
{
	static const struct row mine = { "1", { TWO }, WAN1, MOVED, 2, WAN2 };
	static const struct row nobodys = { "2", { TWO }, WAN1, TOLD, 1, 0 };
	struct pkt p = bootp_make(&mine.m);
	struct loaded *l;
	uint32_t bank;
	size_t n = 0;
	char error[64];

	lab_need();
	lab_own(DHCP_GUARD, owned, ARRAY_SIZE(owned));
	bank = maps_idle_bank(&lab.o);
	lab_own(DHCP_GUARD, NULL, 0);
	assert_true(row_holds(&nobodys, &p));
	lab_switch(!bank);
	assert_true(row_holds(&mine, &p));
	l = loaded_new(LAB_WANS, NULL);
	plan_own(&l->p, owned, 1);
	assert_int_equal(maps_update(&lab.o, &l->p, NULL, !bank, &n, error, sizeof(error)), 0);
	assert_true(row_holds(&nobodys, &p));
	plan_own(&l->p, owned, 2);
	assert_int_equal(maps_update(&lab.o, &l->p, NULL, !bank, &n, error, sizeof(error)), 0);
	assert_int_equal(n, 2);
	assert_true(row_holds(&mine, &p));
	assert_int_equal(maps_update(&lab.o, &l->p, NULL, !bank, &n, error, sizeof(error)), 0);
	assert_int_equal(n, 0);
	maps_clear(&lab.o, !bank);
	assert_true(row_holds(&(struct row){ "3", { TWO }, WAN1, TOLD, 0, 0 }, &p));
	free(l->p.owners);
	l->p.owners = NULL;
	l->p.n_owners = 0;
	loaded_free(l);
}

/* More than there is room for: MACs come first, nothing fails. */
static void test_many_owners(void **state)
{
	static struct owned many[3000];
	static const struct row row = { "last", { .ciaddr = "192.0.2.7", .chaddr = WAN2 }, WAN1, MOVED, 2, WAN2 };
	struct pkt p = bootp_make(&row.m);

	lab_need();
	for (unsigned int i = 0; i < ARRAY_SIZE(many); i++) {
		char addr[32];

		snprintf(addr, sizeof(addr), "10.9.%u.%u", i >> 8, i & 255);
		many[i] = (struct owned){ i % 2 ? WAN2 : WAN1, 1 + i % 2, .addr = strdup(addr) };
	}
	lab_own(DHCP_GUARD, many, ARRAY_SIZE(many));
	assert_true(row_holds(&row, &p));
	for (unsigned int i = 0; i < ARRAY_SIZE(many); i++)
		free((char *)many[i].addr);
}

/* A second of the clock may begin meanwhile, so twice as many at most. */
static void test_pace(void **state)
{
	struct message m = {}, n = { TWO, .src = "192.0.2.2" };
	struct pkt p = bootp_make(&m), other = bootp_make(&n);

	lab_need();
	lab_own(DHCP_GUARD, owned, ARRAY_SIZE(owned));
	news_begin();
	for (int i = 0; i < 4 * ASYM_BOOTP_PER_S; i++)
		bootp_run(PROGRAM_GUARD_ETH, &p, WAN1, 0);
	assert_true(ROSE(1, right) == 4 * ASYM_BOOTP_PER_S);
	bootp_run(PROGRAM_GUARD_ETH, &other, WAN2, 0);
	news_read();
	assert_in_range(news.n, ASYM_BOOTP_PER_S + 1, 2 * ASYM_BOOTP_PER_S + 1);
	assert_int_equal(news.all[news.n - 1].link, 2);
}

/* Nobody reads: what does not fit is not told, and nothing else changes. */
static void test_full_ring(void **state)
{
	struct message m = { TWO };
	struct pkt p = bootp_make(&m), want = expected(&p, MOVED);

	lab_need();
	lab_own(DHCP_GUARD, owned, ARRAY_SIZE(owned));
	news_begin();
	for (int i = 0; i < 300; i++) {
		struct asym_dhcp d;
		uint32_t slot = 2;
		struct result r = bootp_run(PROGRAM_GUARD_ETH, &p, WAN1, 0);

		assert_int_equal(r.verdict, TC_ACT_REDIRECT);
		assert_memory_equal(r.p.data, want.data, want.len);
		maps_dhcp(&lab.o, slot, &d);
		d.told = 0;
		bpf_map_update_elem(lab.o.map[MAP_DHCP], &slot, &d, BPF_ANY);
	}
	news_read();
	assert_in_range(news.n, 160, ASYM_BOOTP_RING / sizeof(struct asym_bootp));
}

/* A message longer than the ring's entries is cut there. */
static void test_long(void **state)
{
	struct message m = { TWO };
	struct pkt p = bootp_make(&m);
	struct bootp_at at = bootp_at(&p);

	lab_need();
	lab_own(DHCP_GUARD, owned, ARRAY_SIZE(owned));
	p.len += 2000;
	at.ip->tot_len = htons((uint16_t)(p.len - ETH_HLEN));
	at.udp->len = htons((uint16_t)(p.len - ETH_HLEN - 20));
	bootp_sum(&p);
	news_begin();
	assert_int_equal(bootp_run(PROGRAM_GUARD_ETH, &p, WAN1, 0).verdict, TC_ACT_REDIRECT);
	news_read();
	assert_int_equal(news.n, 1);
	assert_int_equal(news.all[0].len, ASYM_BOOTP_DATA);
}

/* The kernel does not tell the next hop then, but knows it. */
static void test_no_forwarding(void **state)
{
	static const struct row rows[] = {
		{ "wrong link", { TWO }, WAN1, MOVED, 2, WAN2 },
		{ "right", {}, WAN1, RIGHT, 1, WAN1 },
	};

	lab_need();
	assert_int_equal(system("sysctl -qw net.ipv4.ip_forward=0"), 0);
	lab_own(DHCP_GUARD, owned, ARRAY_SIZE(owned));
	rows_hold(rows, ARRAY_SIZE(rows));
	assert_int_equal(system("sysctl -qw net.ipv4.ip_forward=1"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renewals),   cmocka_unit_test(test_others),
		cmocka_unit_test(test_forwarded),  cmocka_unit_test(test_shared_mac),
		cmocka_unit_test(test_watch),	   cmocka_unit_test(test_owners_go),
		cmocka_unit_test(test_many_owners), cmocka_unit_test(test_pace),
		cmocka_unit_test(test_full_ring),  cmocka_unit_test(test_long),
		cmocka_unit_test(test_no_forwarding),
	};

	return cmocka_run_group_tests(tests, bootp_lab, lab_close);
}
