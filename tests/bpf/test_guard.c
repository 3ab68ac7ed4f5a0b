// SPDX-License-Identifier: GPL-2.0-or-later
/* The guard programs at egress of links: which DHCP messages go where, and how they leave. */
#include "tests/bpf/bootp.h"

static const struct owned owned[] = {
	{ WAN1, 1, .addr = "192.0.2.1" },
	{ WAN2, 2, .addr = "192.0.2.2" },
	{ WAN2, 2, .addr = "192.0.2.22" },
	/* the same address from two providers */
	{ WAN3, 3, .addr = "192.0.2.99" }, { WAN4, 4, .addr = "192.0.2.99" },
};
/* VLANs of one device */
static const struct owned vlans[] = {
	{ WAN1, 1, "192.0.2.1", .mac = WAN1, .shared_mac = true },
	{ WAN2, 2, "192.0.2.2", .mac = WAN1, .shared_mac = true },
};

/* What is to become of a message, and what it is to look like afterwards. */
enum fate { UNSEEN, TOLD, RIGHT, MENDED, MOVED, FAILED };

struct row {
	const char *name;
	struct message m;
	uint32_t out;  /* by which it is about to leave */
	enum fate fate;
	uint8_t link;  /* id that it is told and counted under */
	uint32_t owner; /* ifindex */
};

static struct pkt expected(const struct pkt *p, enum fate fate)
{
	struct pkt want = *p;
	struct bootp_at at = bootp_at(&want);

	if (fate == MOVED) {
		memset(at.eth, 0, 2 * ETH_ALEN);
		at.eth->h_proto = htons(ETH_P_IP);
	}
	if (fate != MOVED && fate != MENDED)
		return want;
	memcpy(&at.ip->saddr, at.bootp + 12, 4);
	at.udp->source = htons(68);
	bootp_sum(&want);
	return want;
}

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

#define TWO .ciaddr = "192.0.2.2", .chaddr = WAN2
static const struct row renewals[] = {
	{ "right", {}, WAN1, RIGHT, 1, WAN1 },
	{ "right, no checksum", { .no_sum = true }, WAN1, RIGHT, 1, WAN1 },
	{ "right by the MAC", { .ciaddr = "192.0.2.7", .src = "192.0.2.7" }, WAN1, RIGHT, 1, WAN1 },
	{ "another's address", { .src = "192.0.2.2" }, WAN1, MENDED, 1, WAN1 },
	{ "another port", { .sport = 501 }, WAN1, MENDED, 1, WAN1 },
	{ "both", { .src = "192.0.2.2", .sport = 9 }, WAN1, MENDED, 1, WAN1 },
	{ "both, no checksum", { .src = "192.0.2.2", .sport = 9, .no_sum = true }, WAN1, MENDED, 1, WAN1 },
	{ "both, options", { .src = "192.0.2.2", .sport = 9, .options = 3 }, WAN1, MENDED, 1, WAN1 },
	{ "wrong link", { .src = "192.0.2.2", TWO }, WAN1, MOVED, 2, WAN2 },
	{ "wrong link and source", { TWO }, WAN1, MOVED, 2, WAN2 },
	{ "all wrong", { TWO, .sport = 9 }, WAN1, MOVED, 2, WAN2 },
	{ "all wrong, no checksum", { TWO, .sport = 9, .no_sum = true }, WAN1, MOVED, 2, WAN2 },
	{ "all wrong, options", { TWO, .sport = 9, .options = 10 }, WAN1, MOVED, 2, WAN2 },
	{ "by a device that has no owner", { TWO }, LAN1, MOVED, 2, WAN2 },
	{ "second address", { .ciaddr = "192.0.2.22", .chaddr = LAN1 }, WAN1, MOVED, 2, WAN2 },
	{ "by the MAC alone", { .ciaddr = "192.0.2.7", .chaddr = WAN2 }, WAN1, MOVED, 2, WAN2 },
	{ "to a group's MAC", { TWO, .mac = "\xff\xff\xff\xff\xff\xff" }, WAN1, MOVED, 2, WAN2 },
	{ "server behind a router", { TWO, .dst = "203.0.113.1" }, WAN1, MOVED, 2, WAN2 },
	{ "no route", { TWO, .dst = "198.51.100.1" }, WAN1, FAILED, 2, WAN2 },
	{ "this device's MAC, another's address", { .ciaddr = "192.0.2.2", .src = "192.0.2.2" },
	  WAN1, RIGHT, 1, WAN1 },
	{ "address of two, right", { .ciaddr = "192.0.2.99", .src = "192.0.2.99", .chaddr = WAN4 },
	  WAN4, RIGHT, 4, WAN4 },
	{ "address of two, wrong", { .ciaddr = "192.0.2.99", .chaddr = WAN4 }, WAN3, MOVED, 4, WAN4 },
	{ "address of two, nobody's MAC", { .ciaddr = "192.0.2.99", .chaddr = LAN2 }, WAN3, TOLD, 3, 0 },
};

#define OTHER .ciaddr = "192.0.2.2", .chaddr = WAN2, .sport = 9
static const struct row others[] = {
	{ "nobody's", { .ciaddr = "192.0.2.50", .chaddr = LAN1 }, WAN1, TOLD, 1, 0 },
	{ "DISCOVER", { .ciaddr = ADDR_ZERO, .src = ADDR_ZERO, .dst = "255.255.255.255" }, WAN1, TOLD, 1, WAN1 },
	{ "DISCOVER by another link", { .ciaddr = ADDR_ZERO, .src = ADDR_ZERO,
	  .dst = "255.255.255.255", .chaddr = WAN2 }, WAN1, TOLD, 2, WAN2 },
	{ "REQUEST to a server, no ciaddr", { .ciaddr = ADDR_ZERO, .chaddr = WAN2 }, WAN1, TOLD, 2, WAN2 },
	{ "T2", { OTHER, .dst = "255.255.255.255" }, WAN1, TOLD, 2, WAN2 },
	{ "to a group", { OTHER, .dst = "224.0.0.1" }, WAN1, TOLD, 2, WAN2 },
	{ "relayed", { OTHER, .giaddr = "10.0.0.1" }, WAN1, UNSEEN, 0, 0 },
	{ "op", { OTHER, .op = 2 }, WAN1, UNSEEN, 0, 0 },
	{ "op", { OTHER, .op = 3 }, WAN1, UNSEEN, 0, 0 },
	{ "htype", { OTHER, .htype = 6 }, WAN1, UNSEEN, 0, 0 },
	{ "hlen", { OTHER, .hlen = 16 }, WAN1, UNSEEN, 0, 0 },
	{ "to a client", { OTHER, .dport = 68 }, WAN1, UNSEEN, 0, 0 },
	{ "another port", { OTHER, .dport = 6700 }, WAN1, UNSEEN, 0, 0 },
	{ "another port, options", { OTHER, .dport = 6700, .options = 1 }, WAN1, UNSEEN, 0, 0 },
	{ "TCP", { OTHER, .proto = IPPROTO_TCP }, WAN1, UNSEEN, 0, 0 },
	{ "first fragment", { OTHER, .frag = 0x2000 }, WAN1, UNSEEN, 0, 0 },
	{ "last fragment", { OTHER, .frag = 5 }, WAN1, UNSEEN, 0, 0 },
	{ "version", { OTHER, .version = 5 }, WAN1, UNSEEN, 0, 0 },
	{ "UDP longer than IP", { OTHER, .udp_add = 1 }, WAN1, UNSEEN, 0, 0 },
	{ "UDP shorter than BOOTP", { OTHER, .udp_add = 235 - BOOTP_LEN }, WAN1, UNSEEN, 0, 0 },
	{ "IP longer than the frame", { OTHER, .ip_add = 1, .udp_add = 1 }, WAN1, UNSEEN, 0, 0 },
	{ "IP shorter than UDP", { OTHER, .ip_add = -1 }, WAN1, UNSEEN, 0, 0 },
};

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

/* --- frames that are nearly right ------------------------------------------------------------------- */

#define FRAMES 20000

/* Of our own, so that a run can be repeated. */
static uint32_t rnd(uint32_t below)
{
	static uint64_t x = 0x9e3779b97f4a7c15;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 33) % below;
}

static uint32_t owner_of(bool by_mac, const uint8_t *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++) {
		__be32 addr = v4(owned[i].addr);
		uint8_t mac[ETH_ALEN];

		mac_of(owned[i].ifindex, mac);
		if (by_mac ? !memcmp(mac, value, 6) :
			     !memcmp(&addr, value, 4) && addr != v4("192.0.2.99"))
			return owned[i].ifindex;
	}
	return 0;
}

static bool is_request(struct pkt *p)
{
	struct bootp_at at = bootp_at(p);
	uint32_t len = ntohs(at.ip->tot_len), udp_len;

	if (at.eth->h_proto != htons(ETH_P_IP) || at.ip->version != 4 || at.ip->ihl < 5 ||
	    at.ip->protocol != IPPROTO_UDP || ntohs(at.ip->frag_off) & 0x3fff ||
	    ETH_HLEN + len > p->len)
		return false;
	udp_len = ntohs(at.udp->len);
	if (at.ip->ihl * 4u + udp_len > len || udp_len < 244 || at.udp->dest != htons(67))
		return false;
	return at.bootp[0] == 1 && at.bootp[1] == 1 && at.bootp[2] == 6 &&
	       !memcmp(at.bootp + 24, "\0\0\0", 4);
}

static enum fate judge(struct pkt *p, uint32_t out)
{
	struct bootp_at at = bootp_at(p);
	uint32_t owner;

	if (!is_request(p))
		return UNSEEN;
	owner = owner_of(true, at.bootp + 28);
	if (owner != out)
		owner = owner_of(false, at.bootp + 12) ?: owner;
	if (!owner || !memcmp(at.bootp + 12, "\0\0\0", 4) || ntohl(at.ip->daddr) >> 28 >= 14)
		return TOLD;
	if (owner != out)
		return at.ip->daddr == v4("198.51.100.1") ? FAILED : MOVED;
	return !memcmp(&at.ip->saddr, at.bootp + 12, 4) && at.udp->source == htons(68) ? RIGHT : MENDED;
}

static void mutate(struct pkt *p)
{
	for (uint32_t n = rnd(4); n; n--) {
		uint32_t at = rnd(4) ? 12 + rnd(66) : rnd(p->len);

		if (at < 30 || at > 33) /* where to is from a list, for the sake of the routes */
			p->data[at] = rnd(2) ? (uint8_t)rnd(256) : p->data[at] ^ (uint8_t)(1 << rnd(8));
	}
	if (!rnd(8))
		p->len = 14 + 20 + rnd(p->len - 14 - 20 + 1);
}

static void test_nearly(void **state)
{
	static const uint32_t outs[] = { WAN1, WAN2, WAN3 };
	unsigned int met[FAILED + 1] = { 0 };

	lab_need();
	lab_own(DHCP_GUARD, owned, ARRAY_SIZE(owned));
	for (int i = 0; i < FRAMES; i++) {
		const struct message *m = rnd(3) ? &renewals[rnd(ARRAY_SIZE(renewals))].m :
						   &others[rnd(ARRAY_SIZE(others))].m;
		struct pkt p = bootp_make(m), want;
		uint32_t out = outs[rnd(ARRAY_SIZE(outs))];
		enum fate fate;
		struct result r;

		mutate(&p);
		if (p.data[14] >> 4 == 4 && (p.data[14] & 15) < 5 && p.len < 34)
			continue;
		fate = judge(&p, out);
		if (fate == MOVED || fate == MENDED)
			bootp_sum(&p);
		want = expected(&p, fate);
		r = bootp_run(PROGRAM_GUARD_ETH, &p, out, 0);
		assert_int_equal(r.verdict, fate == MOVED ? TC_ACT_REDIRECT : TC_ACT_UNSPEC);
		assert_int_equal(r.p.len, p.len);
		assert_memory_equal(r.p.data, want.data, p.len);
		met[fate]++;
	}
	for (int i = 0; i <= FAILED; i++)
		assert_in_range(met[i], FRAMES / 200, FRAMES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renewals),   cmocka_unit_test(test_others),
		cmocka_unit_test(test_forwarded),  cmocka_unit_test(test_shared_mac),
		cmocka_unit_test(test_watch),	   cmocka_unit_test(test_owners_go),
		cmocka_unit_test(test_many_owners), cmocka_unit_test(test_pace),
		cmocka_unit_test(test_full_ring),  cmocka_unit_test(test_long),
		cmocka_unit_test(test_no_forwarding), cmocka_unit_test(test_nearly),
	};

	return cmocka_run_group_tests(tests, bootp_lab, lab_close);
}
