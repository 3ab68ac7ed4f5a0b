// SPDX-License-Identifier: GPL-2.0-or-later
/* The overlay's programs: which node, which device, what of the packet changes. */
#include "tests/bpf/overlay_lab.h"

struct row {
	const char *name;
	struct pkt_spec s;
	uint32_t ifindex; /* where it has to go; 0: to the stack, or nowhere */
	enum ov_reason reason;
	uint32_t mark;	 /* that it has in the end */
	uint32_t in;	 /* ifindex */
	uint8_t ttl;
	bool drop;
};

#define TO(addr) { .src = "10.5.0.9", .dst = addr }
#define TO6(addr) { .src = "fd77::9", .dst = addr }
#define LONG(addr, bytes) { .dst = addr, .payload = bytes }
#define MARKED(m) { .dst = "10.77.0.2", .mark = m }
#define ALL_ONES MARK_MASK

static const struct row out_rows[] = {
	{ "address of a node", TO("10.77.0.2"), T1, .reason = OV_OUT },
	{ "likewise v6", TO6("fd77::2"), T1, .reason = OV_OUT },
	{ "LAN of a node", TO("10.6.8.1"), T1, .reason = OV_OUT },
	{ "a narrower LAN of another", TO("10.6.7.1"), T1, .reason = OV_OUT },
	{ "LAN v6", TO6("2001:db8:6:1::1"), T1, .reason = OV_OUT },
	{ "UDP", { .dst = "10.77.0.2", .proto = 17 }, T1, .reason = OV_OUT },
	{ "GRE", { .dst = "10.77.0.2", .proto = 47 }, T1, .reason = OV_OUT },
	{ "fragment", { .dst = "10.77.0.2", .frag = 185 }, T1, .reason = OV_OUT },
	{ "a byte of TCP", { .dst = "10.77.0.2", .cut = 14 + 20 + 1 }, T1, .reason = OV_OUT },
	{ "options", { .dst = "10.77.0.2", .options = 10 }, T1, .reason = OV_OUT },
	{ "extension header", { .dst = "fd77::2", .ext = EXT(60) }, T1, .reason = OV_OUT },
	{ "others' mark", MARKED(0xff00ffff), T1, .reason = OV_OUT, 0xff00ffff },
	{ "first way forced", MARKED(0x10000), T1, .reason = OV_OUT_FORCED },
	{ "second way forced", MARKED(0xff02ffff), T2, .reason = OV_OUT_FORCED, 0xff00ffff },
	{ "forced v6", { .dst = "fd77::3", .mark = 0x20000 }, T2, .reason = OV_OUT_FORCED },
	{ "no third way", MARKED(0x30000), 0, .reason = OV_OUT_UNKNOWN, 0x30000, .drop = true },
	{ "nor a ninth", MARKED(0x90000), 0, .reason = OV_OUT_UNKNOWN, 0x90000, .drop = true },
	{ "of a tunnel", MARKED(ALL_ONES), 0, .reason = OV_OUT_LOOP, ALL_ONES, .drop = true },
	{ "of a tunnel, to nobody", { .mark = ALL_ONES }, 0, .reason = OV_OUT_LOOP, ALL_ONES, .drop = true },
	{ "for nobody", TO("10.99.0.1"), 0, .reason = OV_OUT_UNKNOWN },
	{ "for nobody v6", TO6("fd78::1"), 0, .reason = OV_OUT_UNKNOWN },
	{ "for us", TO("10.77.0.1"), 0, .reason = OV_OUT_UNKNOWN },
	{ "for our LAN", TO("10.5.0.7"), 0, .reason = OV_OUT_UNKNOWN },
	{ "for a node without way", TO("10.77.0.4"), 0, .reason = OV_OUT_UNKNOWN },
	{ "forced to it", { .dst = "fd77::4", .mark = 0x10000 }, 0, .reason = OV_OUT_UNKNOWN,
	  0x10000 },
	{ "multicast", TO("224.0.0.1"), 0, .reason = OV_OUT_UNKNOWN },
	{ "link-local", TO("169.254.1.1"), 0, .reason = OV_OUT_UNKNOWN },
	{ "link-local v6", TO6("fe80::1"), 0, .reason = OV_OUT_UNKNOWN },
	{ "ARP", { .dst = "10.77.0.2", .ether = ETH_P_ARP }, 0, .reason = OV_OUT_UNKNOWN },
	{ "version 6 in IPv4", { .dst = "10.77.0.2", .version = 6 }, 0, .reason = OV_OUT_UNKNOWN },
	{ "version 4 in IPv6", { .dst = "fd77::2", .version = 4 }, 0, .reason = OV_OUT_UNKNOWN },
	{ "header of 4 words", { .dst = "10.77.0.2", .ihl = 4 }, 0, .reason = OV_OUT_UNKNOWN },
};

static const struct row in_rows[] = {
	{ "for us", TO("10.77.0.1"), OVERLAY, .reason = OV_IN_LOCAL },
	{ "for us v6", TO6("fd77::1"), OVERLAY, .reason = OV_IN_LOCAL },
	{ "for our LAN", TO("10.5.0.7"), OVERLAY, .reason = OV_IN_LOCAL },
	{ "for us, at its end", TO("10.77.0.1"), OVERLAY, .reason = OV_IN_LOCAL, .ttl = 1 },
	{ "for us, long", LONG("10.77.0.1", 1480), OVERLAY, .reason = OV_IN_LOCAL },
	{ "for us, marked", { .dst = "fd77::1", .mark = 3 }, OVERLAY, .reason = OV_IN_LOCAL, 3 },
	{ "transit", TO("10.77.0.2"), T3, .reason = OV_IN_TRANSIT },
	{ "transit to the other", TO("10.77.0.3"), T4, .reason = OV_IN_TRANSIT },
	{ "transit v6", TO6("fd77::2"), T3, .reason = OV_IN_TRANSIT },
	{ "to a LAN", TO("10.6.8.1"), T3, .reason = OV_IN_TRANSIT },
	{ "to a narrower LAN", TO("10.6.7.1"), T4, .reason = OV_IN_TRANSIT },
	{ "fragment", { .dst = "10.77.0.2", .frag = 185, .payload = 1 }, T3, .reason = OV_IN_TRANSIT },
	{ "options", { .dst = "10.77.0.2", .options = 10 }, T3, .reason = OV_IN_TRANSIT },
	{ "two hops left", TO("10.77.0.2"), T3, .reason = OV_IN_TRANSIT, .ttl = 2 },
	{ "one hop left", TO("10.77.0.2"), OVERLAY, .reason = OV_IN_TTL, .ttl = 1 },
	{ "one hop left v6", TO6("fd77::2"), OVERLAY, .reason = OV_IN_TTL, .ttl = 1 },
	{ "most hops", TO("10.77.0.2"), T3, .reason = OV_IN_TRANSIT, .ttl = 255 },
	{ "from whence it goes", TO("10.77.0.2"), 0, .reason = OV_IN_UNKNOWN, ALL_ONES, .in = T3 },
	{ "likewise v6", TO6("fd77::3"), 0, .reason = OV_IN_UNKNOWN, ALL_ONES, .in = T4 },
	{ "to a node without tunnel", TO("10.77.0.4"), 0, .reason = OV_IN_UNKNOWN, ALL_ONES },
	{ "as much as fits", LONG("10.77.0.2", 1400), T3, .reason = OV_IN_TRANSIT },
	{ "too long", LONG("10.77.0.2", 1401), OVERLAY, .reason = OV_IN_BIG },
	{ "as much as fits the other", LONG("10.77.0.3", 1280), T4, .reason = OV_IN_TRANSIT },
	{ "too long for it", LONG("10.77.0.3", 1281), OVERLAY, .reason = OV_IN_BIG },
	{ "too long v6", LONG("fd77::3", 1261), OVERLAY, .reason = OV_IN_BIG },
	{ "for nobody", TO("10.99.0.1"), 0, .reason = OV_IN_UNKNOWN },
	{ "for nobody, marked", { .dst = "10.99.0.1", .mark = 3 }, 0, .reason = OV_IN_UNKNOWN, 3 },
	{ "multicast", TO("224.0.0.1"), 0, .reason = OV_IN_UNKNOWN },
	{ "link-local", TO("169.254.1.1"), 0, .reason = OV_IN_UNKNOWN },
	{ "link-local v6", TO6("fe80::1"), 0, .reason = OV_IN_UNKNOWN },
	{ "multicast v6", TO6("ff02::1"), 0, .reason = OV_IN_UNKNOWN },
	{ "ARP", { .dst = "10.77.0.1", .ether = ETH_P_ARP }, 0, .reason = OV_IN_UNKNOWN },
	{ "version 6 in IPv4", { .dst = "10.77.0.1", .version = 6 }, 0, .reason = OV_IN_UNKNOWN },
	{ "version 4 in IPv6", { .dst = "fd77::1", .version = 4 }, 0, .reason = OV_IN_UNKNOWN },
	{ "header of 4 words", { .dst = "10.77.0.1", .ihl = 4 }, 0, .reason = OV_IN_UNKNOWN },
};

/* Linux's own, RFC 1071. */
static uint16_t header_sum(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (int i = 0; i < (ip[0] & 15) * 2; i++)
		sum += (uint32_t)(ip[2 * i] << 8 | ip[2 * i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~((sum & 0xffff) + (sum >> 16));
}

static void set_check(uint8_t *ip)
{
	uint16_t sum;

	ip[10] = ip[11] = 0;
	sum = header_sum(ip);
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

static struct pkt row_packet(const struct row *row)
{
	struct pkt p = pkt_make(&row->s);
	uint8_t *ip = p.data + ETH_HLEN;

	ip[pkt_is_v6(&row->s) ? 7 : 8] = row->ttl ?: 64;
	if (!pkt_is_v6(&row->s))
		set_check(ip);
	return p;
}

/* One hop less, and a checksum that is worked out anew. */
static struct pkt row_wanted(const struct row *row, const struct pkt *p)
{
	struct pkt want = *p;
	uint8_t *ip = want.data + ETH_HLEN;

	if (row->reason != OV_IN_TRANSIT)
		return want;
	ip[pkt_is_v6(&row->s) ? 7 : 8]--;
	if (!pkt_is_v6(&row->s))
		set_check(ip);
	return want;
}

static int row_verdict(const struct row *row)
{
	if (row->drop)
		return TC_ACT_SHOT;
	return row->ifindex ? TC_ACT_REDIRECT : TC_ACT_UNSPEC;
}

static bool row_holds(const struct row *row, bool in)
{
	struct run r = { .in = in, .ifindex = row->in, .mark = row->s.mark };
	struct pkt p = row_packet(row), want = row_wanted(row, &p);
	struct outcome o;

	lab_sum(lab.before);
	o = lab_run(&r, &p);
	return o.verdict == row_verdict(row) && o.ifindex == row->ifindex &&
	       o.flags == (row->ifindex == OVERLAY ? BPF_F_INGRESS : 0) && o.mark == row->mark &&
	       o.p.len == p.len && !memcmp(o.p.data, want.data, p.len) &&
	       lab_rose(row->reason) == 1;
}

static void rows_hold(const struct row *rows, size_t n, bool in)
{
	unsigned int bad = 0;

	for (size_t i = 0; i < n; i++) {
		lab_forget_flows();
		if (row_holds(&rows[i], in))
			continue;
		print_error("%s: not as it should be\n", rows[i].name);
		bad++;
	}
	assert_int_equal(bad, 0);
}

static void test_out(void **state)
{
	lab_need();
	rows_hold(out_rows, ARRAY_SIZE(out_rows), false);
}

static void test_in(void **state)
{
	lab_need();
	rows_hold(in_rows, ARRAY_SIZE(in_rows), true);
}

/* Nothing is said yet, or no longer: nothing is touched. */
static void test_empty(void **state)
{
	struct pkt_spec s = TO("10.77.0.1");
	struct pkt p = pkt_make(&s);
	struct outcome o;

	lab_need();
	lab_write_config(0);
	o = lab_run(&(struct run){ .in = true }, &p);
	assert_int_equal(o.verdict, TC_ACT_UNSPEC);
	assert_int_equal(lab_rose(OV_IN_LOCAL) + lab_rose(OV_IN_UNKNOWN), 0);
}

/* Packets and bytes as they will be sent, each segment with all headers. */
static void test_traffic(void **state)
{
	struct pkt_spec s = { .dst = "10.77.0.2", .proto = 17, .payload = 8 + 2500 };
	struct pkt p = pkt_make(&s);
	struct ov_traffic before, after;

	lab_need();
	before = lab_traffic(1, 0);
	lab_run(&(struct run){}, &p);
	after = lab_traffic(1, 0);
	assert_int_equal(after.packets - before.packets, 1);
	assert_int_equal(after.bytes - before.bytes, 2528);
	lab_run(&(struct run){ .gso_size = 1000, .gso_segs = 3 }, &p);
	before = lab_traffic(1, 0);
	assert_int_equal(before.packets - after.packets, 3);
	assert_int_equal(before.bytes - after.bytes, 2528 + 2 * 28);
}

/* What runs for real, without Ethernet header. */
static void test_production_loads(void **state)
{
	struct overlay_bpf *skel;

	lab_need();
	skel = overlay_bpf__open_and_load();
	assert_non_null(skel);
	overlay_bpf__destroy(skel);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		lab_test(test_out),
		lab_test(test_in),
		lab_test(test_empty),
		lab_test(test_traffic),
		lab_test(test_production_loads),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
