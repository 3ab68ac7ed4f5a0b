// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets that are nearly right, by the hundred thousand, through both of the overlay's programs:
 * where they go and what of them changes is as a model of its own says, all else stays as it came.
 */
#include "tests/bpf/overlay_lab.h"
#include <time.h>

#define FRAMES 100000 /* for each program */
#define LEAST 2000
#define SECONDS 5

static uint64_t random_state = 0x9e3779b97f4a7c15;

/* Of our own, so that a run can be repeated. */
static uint32_t rnd(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % below;
}

/* --- packets
 * --------------------------------------------------------------------------------------- */

static const char *random_addr(void)
{
	static const char *const addrs[] = {
		"10.77.0.1",       "10.77.0.2", "10.77.0.3",     "10.77.0.4",
		"10.77.0.5",       "10.5.0.9",  "10.6.1.1",      "10.6.7.1",
		"10.7.0.1",        "224.0.0.1", "169.254.1.1",   "127.0.0.1",
		"255.255.255.255", "fd77::1",   "fd77::2",       "fd77::3",
		"fd77::4",         "fd77::5",   "2001:db8:6::1", "2001:db8:7::1",
		"ff02::1",         "fe80::2",   "::1",
	};

	return addrs[rnd(ARRAY_SIZE(addrs))];
}

static void flip(struct pkt *p)
{
	for (uint32_t n = 1 + rnd(3), of = (MIN(p->len, 90u) - ETH_HLEN) * 8; n; n--) {
		uint32_t bit = rnd(of);

		p->data[ETH_HLEN + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static struct pkt random_packet(void)
{
	static const int protos[] = {6, 17, 1, 58, 47, 44, 0, 255};
	struct pkt_spec s = {.dst = random_addr(),
			     .proto = protos[rnd(ARRAY_SIZE(protos))],
			     .sport = 1 + (int)rnd(65535),
			     .payload = 20 + rnd(rnd(4) ? 100 : 1500),
			     .options = rnd(8) ? 0 : (uint8_t)rnd(11),
			     .frag = rnd(8) ? 0 : (uint16_t)rnd(65536),
			     .ext = rnd(8) ? 0 : EXT((int)rnd(256))};
	struct pkt p = pkt_make(&s);
	uint8_t *ip = p.data + ETH_HLEN;

	ip[pkt_is_v6(&s) ? 7 : 8] = (uint8_t)(rnd(4) ? 64 : rnd(4));
	ip[10] ^= pkt_is_v6(&s) ? 0 : (uint8_t)rnd(256);
	ip[11] ^= pkt_is_v6(&s) ? 0 : (uint8_t)rnd(256);
	if (!rnd(3))
		flip(&p);
	if (!rnd(10))
		p.len = ETH_HLEN + rnd(p.len - ETH_HLEN);
	if (!rnd(20))
		p.data[12] = (uint8_t)rnd(256);
	return p;
}

/* --- the model
 * ------------------------------------------------------------------------------------- */

struct expected {
	int verdict;
	uint32_t ifindex, mark;
	enum ov_reason reason;
	struct pkt p;
};

struct look {
	bool v6, whole; /* an IP header of that version */
	struct in6_addr dst;
	int node; /* -1: nobody's */
};

static bool prefix_has(const struct lab_prefix *p, const struct in6_addr *a)
{
	struct in6_addr net = pkt_addr(p->addr, NULL);

	for (int bit = 0; bit < p->len; bit++)
		if ((net.s6_addr[bit / 8] ^ a->s6_addr[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

static int node_of(const struct in6_addr *a)
{
	int best = -1, node = -1;

	for (size_t i = 0; i < ARRAY_SIZE(lab_prefixes); i++)
		if (lab_prefixes[i].len > best && prefix_has(&lab_prefixes[i], a)) {
			best = lab_prefixes[i].len;
			node = lab_prefixes[i].node;
		}
	return node;
}

static struct look look_at(const struct pkt *p)
{
	const uint8_t *ip = p->data + ETH_HLEN;
	uint32_t ether = (uint32_t)(p->data[12] << 8 | p->data[13]);
	struct look l = {.v6 = ether == ETH_P_IPV6, .node = -1};

	if (ether == ETH_P_IP && p->len >= ETH_HLEN + 20 && ip[0] >> 4 == 4 && (ip[0] & 15) >= 5) {
		l.whole = true;
		l.dst.s6_addr[10] = l.dst.s6_addr[11] = 0xff;
		memcpy(l.dst.s6_addr + 12, ip + 16, 4);
	} else if (l.v6 && p->len >= ETH_HLEN + 40 && ip[0] >> 4 == 6) {
		l.whole = true;
		memcpy(&l.dst, ip + 24, 16);
	}
	if (l.whole)
		l.node = node_of(&l.dst);
	return l;
}

static bool is_scope(const struct look *l)
{
	const uint8_t *a = l->dst.s6_addr;

	if (!l->v6)
		return a[12] >= 0xe0 || a[12] == 127 || a[12] == 0 ||
		       (a[12] == 169 && a[13] == 254);
	return a[0] == 0xff || (a[0] == 0xfe && a[1] >> 6 == 2);
}

static void expect_out(const struct pkt *p, uint32_t mark, struct expected *e)
{
	struct look l = look_at(p);
	uint32_t forced = mark >> 16 & 0xff;

	*e = (struct expected){TC_ACT_UNSPEC, 0, mark, OV_OUT_UNKNOWN, *p};
	if (forced == 0xff) {
		e->verdict = TC_ACT_SHOT;
		e->reason = OV_OUT_LOOP;
	} else if ((l.node == 1 || l.node == 2) && !is_scope(&l)) {
		e->verdict = TC_ACT_REDIRECT;
		e->reason = forced ? OV_OUT_FORCED : OV_OUT;
		e->ifindex = forced ? (forced == 1 ? T1 : T2) : l.node == 1 ? T1 : T2;
		e->mark = mark & 0xff00ffff;
		if (forced > 2)
			*e = (struct expected){TC_ACT_SHOT, 0, mark, OV_OUT_UNKNOWN, *p};
	}
}

/* RFC 1624, equation 3. */
static void expect_hop(struct expected *e, bool v6)
{
	uint8_t *ip = e->p.data + ETH_HLEN;
	uint32_t was = (uint32_t)(ip[8] << 8 | ip[9]), sum = (uint32_t)(ip[10] << 8 | ip[11]);

	if (v6) {
		ip[7]--;
		return;
	}
	ip[8]--;
	sum = (~sum & 0xffff) + (~was & 0xffff) + (uint32_t)(ip[8] << 8 | ip[9]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

static void expect_in(const struct pkt *p, uint32_t mark, struct expected *e)
{
	struct look l = look_at(p);
	uint32_t len = p->len - ETH_HLEN;

	*e = (struct expected){TC_ACT_UNSPEC, 0, mark, OV_IN_UNKNOWN, *p};
	if (l.node < 0 || is_scope(&l))
		return;
	if (l.node == 3) {
		e->mark = mark | MARK_MASK;
		return;
	}
	e->verdict = TC_ACT_REDIRECT;
	e->ifindex = OVERLAY;
	if (l.node == 0)
		e->reason = OV_IN_LOCAL;
	else if (p->data[ETH_HLEN + (l.v6 ? 7 : 8)] <= 1)
		e->reason = OV_IN_TTL;
	else if (len > (l.node == 1 ? 1420 : 1300))
		e->reason = OV_IN_BIG;
	else {
		e->reason = OV_IN_TRANSIT;
		e->ifindex = l.node == 1 ? T3 : T4;
		expect_hop(e, l.v6);
	}
}

/* Both zeros of a checksum are the same. */
static bool is_zero_sum(const uint8_t *ip)
{
	return (ip[10] == 0 && ip[11] == 0) || (ip[10] == 0xff && ip[11] == 0xff);
}

static bool same_bytes(const struct pkt *got, struct pkt *want)
{
	uint8_t *ip = want->data + ETH_HLEN;

	if (ip[0] >> 4 == 4 && is_zero_sum(ip) && is_zero_sum(got->data + ETH_HLEN))
		memcpy(ip + 10, got->data + ETH_HLEN + 10, 2);
	return got->len == want->len && !memcmp(got->data, want->data, want->len);
}

/* --- all of it
 * ------------------------------------------------------------------------------------- */

static bool holds(const struct outcome *o, struct expected *e)
{
	return o->verdict == e->verdict && o->ifindex == e->ifindex && o->mark == e->mark &&
	       o->flags == (e->ifindex == OVERLAY ? BPF_F_INGRESS : 0) && same_bytes(&o->p, &e->p);
}

static uint32_t random_mark(void)
{
	static const uint32_t values[] = {1, 2, 3, 9, 0x80, 0xfe, 0xff};

	return (rnd(3) ? 0 : values[rnd(ARRAY_SIZE(values))] << 16) | rnd(65536);
}

/* Every reason, so that an idle test is seen. */
static void run(bool in, enum ov_reason first, enum ov_reason last, uint32_t rare)
{
	uint64_t wanted[OV_REASON_MAX] = {}, now[OV_REASON_MAX];
	time_t end = time(NULL) + SECONDS;
	struct expected e;
	struct outcome o;
	int n = 0;

	lab_sum(lab.before);
	for (; n < FRAMES && (n < LEAST || time(NULL) < end); n++) {
		struct pkt p = random_packet();
		uint32_t mark = random_mark();

		if (lab_try(&(struct run){.in = in, .mark = mark}, &p, &o))
			continue;
		(in ? expect_in : expect_out)(&p, mark, &e);
		wanted[e.reason]++;
		if (!holds(&o, &e))
			fail_msg("frame %d, %u bytes: verdict %d by %u mark %x, not %d by %u mark "
				 "%x",
				 n, p.len, o.verdict, o.ifindex, o.mark, e.verdict, e.ifindex,
				 e.mark);
	}
	lab_sum(now);
	for (enum ov_reason i = first; i <= last; i++) {
		if (rare >> i & 1)
			continue;
		assert_int_equal(now[i] - lab.before[i], wanted[i]);
		assert_true(wanted[i] > 0);
	}
}

/* The ways are as good as alone: what flows do is tested elsewhere. */
static void test_out(void **state)
{
	struct ov_node n = lab_node(T3);

	lab_need();
	memset(n.thick, 0, sizeof(n.thick));
	lab_put_node(1, &n);
	memset(n.thin, 1, sizeof(n.thin));
	memset(n.thick, 1, sizeof(n.thick));
	lab_put_node(2, &n);
	run(false, OV_OUT, OV_OUT_LOOP, 1u << OV_OUT_MOVED | 1u << OV_OUT_SPILLED);
}

static void test_in(void **state)
{
	lab_need();
	run(true, OV_IN_LOCAL, OV_IN_UNKNOWN, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		lab_test(test_out),
		lab_test(test_in),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
