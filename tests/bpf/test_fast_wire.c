// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The flow cache between real devices, with and without link-layer header: packets in one piece and
 * in several, with checksums complete or left to others, and GSO packets.
 */
#include "tests/bpf/port.h"

#define HOP 3
#define SEGMENT 1000

static struct asym_hop hop_to(const struct port *out)
{
	struct asym_hop hop = cache_hop(HOP, out->ifindex);

	if (!out->ethernet) {
		hop.l2_len = 0;
		memset(hop.mac, 0, sizeof(hop.mac));
		cache.hops[HOP] = hop;
	}
	return hop;
}

/* Where packets leave: closing a device takes long, so these stay. */
static struct port outs[2];

/* Where a test is. */
struct stage {
	struct port in, out;
	bool v6, udp, left, helped; /* left: the checksum is left to others */
};

static struct stage stage_open(bool from_tap, bool helped, int flags)
{
	enum object_program which = from_tap ? PROGRAM_LAN_ETH : PROGRAM_LAN_IP;

	return (struct stage){
		.in = port_open(from_tap ? TAP : TUN, from_tap, flags, cache_program(which, helped)),
		.out = outs[0],
		.helped = helped,
	};
}

/* Runs a test for both devices to leave by, both families and both protocols. */
static unsigned int stage_run(struct stage *st, unsigned int (*fails)(struct stage *st))
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < 8; i++) {
		st->out = outs[i & 1];
		st->v6 = i & 2;
		st->udp = i & 4;
		bad += fails(st);
	}
	close(st->in.fd);
	return bad;
}

static unsigned int run(bool from_tap, int flags, unsigned int (*fails)(struct stage *st))
{
	struct stage loaded = stage_open(from_tap, false, flags), helped;
	unsigned int bad = stage_run(&loaded, fails);

	helped = stage_open(from_tap, true, flags);
	return bad + stage_run(&helped, fails);
}

static unsigned int stage_fails(const struct stage *st, const char *what)
{
	print_error("%s: %s to %s, IPv%d %s, checksum %s, %s\n", what,
		    st->in.ethernet ? "TAP" : "TUN", st->out.ethernet ? "TAP" : "TUN",
		    st->v6 ? 6 : 4, st->udp ? "UDP" : "TCP", st->left ? "left to others" : "complete",
		    st->helped ? "helpers" : "as loaded");
	return 1;
}

static struct parcel parcel_make(const struct stage *st, uint32_t payload)
{
	struct pkt_spec spec = { .v6 = st->v6, .proto = st->udp ? IPPROTO_UDP : IPPROTO_TCP,
				 .payload = payload };

	return (struct parcel){ .p = model_pkt(&spec, st->in.ifindex) };
}

static struct cached put_for(const struct stage *st, const struct pkt *p, uint32_t size)
{
	struct cached c = { .v6 = st->v6, .udp = st->udp, .hop = HOP, .size = size,
			    .arrival = st->in.ifindex, .in = tuple_of(p, st->v6) };

	c.out = c.in;
	c.out.src = pkt_addr(st->v6 ? "2001:db8:ffff::5" : "203.0.113.5", NULL);
	c.out.sport = 61000;
	cache_clear();
	cache_put(&c);
	return c;
}

/* What comes out for a packet, its checksum complete. */
static struct pkt expected(const struct stage *st, const struct pkt *p, const struct cached *c)
{
	struct asym_hop hop = hop_to(&st->out);
	struct pkt want = *p;

	model_forward(&want, st->v6, st->udp, &c->out, &hop);
	put16(want.data + 2 * ETH_ALEN, st->v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (!st->out.ethernet)
		memset(want.data, 0, ETH_HLEN);
	return want;
}

static bool comes_out(const struct stage *st, const struct pkt *want)
{
	static struct parcel got;

	if (!port_read(&st->out, 1000, &got))
		return false;
	parcel_complete(&got);
	return pkt_is(&got.p, want);
}

static bool nothing_comes_out(const struct stage *st)
{
	struct parcel got;

	return read(st->out.fd, &got, sizeof(got)) < 0;
}

static unsigned int one_fails(struct stage *st, uint32_t payload, uint32_t pad)
{
	struct parcel parcel = parcel_make(st, payload);
	struct cached c = put_for(st, &parcel.p, 1000);
	struct layers l = layers_of(&parcel.p, st->v6, st->udp);
	struct pkt want;

	parcel.p.len += pad;
	memset(parcel.p.data + parcel.p.len - pad, 0, pad);
	want = expected(st, &parcel.p, &c);
	if (st->left)
		parcel_leave_sum(&parcel, &l);
	port_drain(&st->out);
	counters_begin();
	if (port_write(&st->in, &parcel) || !comes_out(st, &want) || !nothing_comes_out(st) ||
	    !counters_are(ASYM_LAN_FLOW, 0))
		return stage_fails(st, pad ? "padded" : "a packet");
	return 0;
}

static unsigned int sums_fail(struct stage *st)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < 4; i++) {
		st->left = i & 1;
		assert_true(port_offload(&st->out, i & 2 ? TUN_F_CSUM : 0));
		bad += one_fails(st, 333, 0);
		/* only IPv4's packets are shorter than an Ethernet frame */
		if (!st->v6)
			bad += one_fails(st, 20, 6);
	}
	return bad;
}

/* From and to devices with and without link-layer header. */
static void test_devices(void **state)
{
	wire_need();
	cache_need();
	assert_int_equal(run(true, 0, sums_fail) + run(false, 0, sums_fail), 0);
}

/* A device with NAPI has the kernel verify checksums (CHECKSUM_UNNECESSARY). */
static void test_verified(void **state)
{
	wire_need();
	cache_need();
	assert_int_equal(run(true, IFF_NAPI, sums_fail), 0);
}

/* --- GSO ------------------------------------------------------------------------------------------- */

/* Segment n of a packet that is too large, as the kernel makes them. */
static bool segment(const struct stage *st, const struct pkt *whole, uint32_t n, struct pkt *ret)
{
	struct layers l = layers_of(whole, st->v6, st->udp);
	uint32_t headers = l.l4 + (st->udp ? 8 : 20), from = headers + n * SEGMENT;
	uint32_t size = from < whole->len ? MIN(whole->len - from, SEGMENT + 0u) : 0;
	uint8_t *ip = ret->data + ETH_HLEN, *l4 = ret->data + l.l4;
	uint32_t seq;

	*ret = *whole;
	memcpy(ret->data + headers, whole->data + from, size);
	ret->len = headers + size;
	put16(ip + (st->v6 ? 4 : 2), (uint16_t)(ret->len - ETH_HLEN - (st->v6 ? 40 : 0)));
	if (!st->v6)
		put16(ip + 4, (uint16_t)(get16(ip + 4) + n));
	if (st->udp) {
		put16(l4 + 4, (uint16_t)(ret->len - l.l4));
	} else {
		memcpy(&seq, l4 + 4, sizeof(seq));
		seq = htonl(ntohl(seq) + n * SEGMENT);
		memcpy(l4 + 4, &seq, sizeof(seq));
	}
	model_seal(ret, st->v6, st->udp);
	return size;
}

static bool segments_come_out(const struct stage *st, const struct pkt *whole)
{
	struct pkt want;

	for (uint32_t n = 0; segment(st, whole, n, &want); n++)
		if (!comes_out(st, &want))
			return false;
	return true;
}

static bool whole_comes_out(const struct stage *st, const struct pkt *whole)
{
	static struct parcel got;

	if (!port_read(&st->out, 1000, &got) || got.vnet.gso_size != SEGMENT)
		return false;
	parcel_complete(&got);
	return pkt_is(&got.p, whole);
}

static uint8_t gso_type(const struct stage *st)
{
	if (st->udp)
		return VIRTIO_NET_HDR_GSO_UDP_L4;
	return st->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
}

static unsigned int gso_fails(const struct stage *st, bool whole)
{
	struct parcel parcel = parcel_make(st, 5555);
	struct layers l = layers_of(&parcel.p, st->v6, st->udp);
	uint32_t headers = l.l4 + (st->udp ? 8 : 20);
	struct cached c = put_for(st, &parcel.p, headers - ETH_HLEN + SEGMENT);
	struct pkt want = expected(st, &parcel.p, &c);
	int r;

	parcel_leave_sum(&parcel, &l);
	parcel.vnet.gso_type = gso_type(st);
	parcel.vnet.gso_size = SEGMENT;
	parcel.vnet.hdr_len = (uint16_t)headers;
	port_drain(&st->out);
	counters_begin();
	r = port_write(&st->in, &parcel);
	if (r == -EINVAL && st->udp) /* before Linux 6.2 */
		return 0;
	if (r || !counters_are(ASYM_LAN_FLOW, 0) ||
	    !(whole ? whole_comes_out(st, &want) : segments_come_out(st, &want)) ||
	    !nothing_comes_out(st))
		return stage_fails(st, whole ? "GSO" : "GSO, cut up by the kernel");
	return 0;
}

static unsigned int both_gso_fail(struct stage *st)
{
	unsigned int bad;

	st->left = true;
	port_offload(&st->out, 0);
	bad = gso_fails(st, false);
	if (!st->udp && port_offload(&st->out, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6))
		bad += gso_fails(st, true);
	port_offload(&st->out, 0);
	return bad;
}

/* A GSO packet stays one where the device takes it, else the kernel makes segments that are right. */
static void test_gso(void **state)
{
	wire_need();
	cache_need();
	assert_int_equal(run(true, 0, both_gso_fail) + run(false, 0, both_gso_fail), 0);
}

/* --- what others hold of a packet ------------------------------------------------------------------- */

static unsigned int sniffed_fails(struct stage *st)
{
	uint32_t skip = st->in.ethernet ? 0 : ETH_HLEN, mark;
	struct parcel parcel = parcel_make(st, 333);
	int sniffer = wire_sniffer(st->in.ifindex, ETH_P_ALL);
	unsigned int bad = one_fails(st, 333, 0);
	struct pkt seen;

	seen.len = skip + (uint32_t)wire_sniff(sniffer, seen.data + skip, sizeof(seen.data) - skip,
					       &mark);
	memcpy(seen.data, parcel.p.data, skip);
	close(sniffer);
	return bad + (pkt_is(&seen, &parcel.p) ? 0 : stage_fails(st, "sniffed"));
}

/* A sniffer has the packet as it came, though its bytes are shared with the one that goes on. */
static void test_sniffed(void **state)
{
	wire_need();
	cache_need();
	assert_int_equal(run(true, 0, sniffed_fails) + run(false, 0, sniffed_fails), 0);
}

/* Headers outside of the first piece are the stack's; with the headers alone in it, it passes. */
static unsigned int piece_fails(const struct stage *st, uint16_t linear)
{
	struct parcel parcel = parcel_make(st, 6000);
	struct cached c = put_for(st, &parcel.p, parcel.p.len);
	struct layers l = layers_of(&parcel.p, st->v6, st->udp);
	bool pass = linear >= l.l4 + (st->udp ? 8u : 20u), good;
	struct pkt want = expected(st, &parcel.p, &c);

	parcel.vnet.hdr_len = linear;
	port_drain(&st->out);
	counters_begin();
	if (port_write(&st->in, &parcel))
		return stage_fails(st, "pieces are refused");
	good = pass ? comes_out(st, &want) : nothing_comes_out(st);
	if (good && counters_are(pass ? ASYM_LAN_FLOW : ASYM_LAN_BUCKET, 0))
		return 0;
	print_error("%u bytes in the first piece: ", linear);
	return stage_fails(st, "in pieces");
}

static unsigned int pieces_fail(struct stage *st)
{
	unsigned int bad = 0;

	for (uint16_t linear = ETH_HLEN; linear < 100; linear++)
		bad += piece_fails(st, linear);
	return bad;
}

static void test_pieces(void **state)
{
	wire_need();
	cache_need();
	assert_int_equal(system("ip link set port33 mtu 9000; ip link set port34 mtu 9000"), 0);
	assert_int_equal(run(true, 0, pieces_fail), 0);
	assert_int_equal(system("ip link set port33 mtu 1500; ip link set port34 mtu 1500"), 0);
}

/* --- VLANs ------------------------------------------------------------------------------------------ */

static void tag(struct pkt *p, uint16_t tci)
{
	memmove(p->data + 16, p->data + 12, p->len - 12);
	put16(p->data + 12, ETH_P_8021Q);
	put16(p->data + 14, tci);
	p->len += 4;
}

static unsigned int vlan_fails(struct stage *st)
{
	struct parcel parcel = parcel_make(st, 100);

	hop_to(&st->out);
	put_for(st, &parcel.p, 1000);
	tag(&parcel.p, 10);
	counters_begin();
	if (port_write(&st->in, &parcel) || !counters_are(ASYM_LAN_NOT_IP, 0) ||
	    !nothing_comes_out(st))
		return stage_fails(st, "VLAN 10");
	return 0;
}

/* A VLAN's frame is not the device's own. */
static void test_vlan(void **state)
{
	wire_need();
	cache_need();
	assert_int_equal(run(true, 0, vlan_fails), 0);
}

/* A tag of VLAN 0 is a priority for the way to here: it does not go on, no more than by the stack. */
static unsigned int priority_tag_fails(struct stage *st)
{
	struct parcel parcel = parcel_make(st, 100), got;
	struct cached c = put_for(st, &parcel.p, 1000);
	struct pkt want = expected(st, &parcel.p, &c);

	tag(&parcel.p, 0xe000);
	if (port_write(&st->in, &parcel))
		return stage_fails(st, "priority tag is refused");
	if (!port_read(&st->out, 0, &got))
		return 0;
	parcel_complete(&got);
	return pkt_is(&got.p, &want) ? 0 : stage_fails(st, "priority tag");
}

static void test_priority_tag(void **state)
{
	wire_need();
	cache_need();
	assert_int_equal(run(true, 0, priority_tag_fails), 0);
}

static int wire_setup(void **state)
{
	int r = cache_open(state);

	if (r || !lab.ready || access("/dev/net/tun", F_OK))
		return r;
	/* the kernel's own packets would come out, too */
	if (system("sysctl -q -w net.ipv6.conf.default.disable_ipv6=1"))
		return -1;
	outs[0] = port_open(TAP2, true, 0, -1);
	outs[1] = port_open(TUN2, false, 0, -1);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices), cmocka_unit_test(test_verified),
		cmocka_unit_test(test_gso),	cmocka_unit_test(test_sniffed),
		cmocka_unit_test(test_pieces),	cmocka_unit_test(test_vlan),
		cmocka_unit_test(test_priority_tag),
	};

	return cmocka_run_group_tests(tests, wire_setup, cache_close);
}
