// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets whose bytes the kernel has summed up (CHECKSUM_COMPLETE): the sum must follow what the flow
 * cache writes, or the receiver finds a packet that is right to be wrong.  The kernel sums up what it
 * takes out of a VXLAN tunnel; a program at the egress of the next device tells the sum.
 */
#include "tests/bpf/port.h"

#define HOP 3
#define VXLAN 41
#define VXLAN_PORT 4789
#define VXLAN_LEN 8
#define OUTER_LEN (ETH_HLEN + 20 + 8 + VXLAN_LEN)

static struct {
	struct port under;   /* where the tunnel's packets come in */
	struct port outs[2]; /* with and without link-layer header */
	int told;	     /* map: what bpf_csum_update(skb, 0) returned */
	bool ready;
} tunnel;

static int probe_program(int map)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_csum_update },
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_VALUE, .imm = map },
		{ 0 },
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_UNSPEC },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "probe", "GPL", code, ARRAY_SIZE(code), NULL);
}

static int hook_on(uint32_t ifindex, bool egress, int program, int before)
{
	struct tc_hook hook = { .ifindex = ifindex, .egress = egress };
	bool made;

	if (!tc_attach(&hook, program, before, &made))
		return 0;
	hook.clsact = true;
	return tc_attach(&hook, program, before, &made);
}

static int tunnel_open(void **state)
{
	int r = cache_open(state), probe;

	if (r || !lab.o.fastpath || access("/dev/net/tun", F_OK))
		return r;
	if (system("sysctl -q -w net.ipv6.conf.default.disable_ipv6=1"))
		return -1;
	tunnel.under = port_open(TAP, true, 0, -1);
	tunnel.outs[0] = port_open(TAP2, true, 0, -1);
	tunnel.outs[1] = port_open(TUN2, false, 0, -1);
	if (system("ip addr add 10.99.0.1/24 dev port31 && ip link add tunnel index 41 "
		   "address 02:00:00:00:00:41 type vxlan id 7 dstport 4789 local 10.99.0.1 "
		   "remote 10.99.0.2 && ip link set tunnel up"))
		return 0; /* a kernel without VXLAN */
	tunnel.told = bpf_map_create(BPF_MAP_TYPE_ARRAY, "told", 4, 8, 1, NULL);
	probe = probe_program(tunnel.told);
	if (hook_on(TAP2, true, probe, -1) || hook_on(TUN2, true, probe, -1))
		return -1;
	tunnel.ready = true;
	return 0;
}

static void tunnel_need(void)
{
	wire_need();
	cache_need();
	if (!tunnel.ready)
		skip();
}

/* The frame as the tunnel carries it, with UDP's checksum: that makes the kernel sum it up. */
static struct parcel wrapped(const struct pkt *inner)
{
	struct pkt_spec spec = { .src = "10.99.0.2", .dst = "10.99.0.1", .proto = IPPROTO_UDP,
				 .dport = VXLAN_PORT, .payload = 8 + VXLAN_LEN + inner->len };
	struct parcel parcel = { .p = model_pkt(&spec, TAP) };
	uint8_t header[VXLAN_LEN] = { 8, 0, 0, 0, 0, 0, 7, 0 };

	memcpy(parcel.p.data + OUTER_LEN - VXLAN_LEN, header, VXLAN_LEN);
	memcpy(parcel.p.data + OUTER_LEN, inner->data, inner->len);
	model_seal(&parcel.p, false, true);
	return parcel;
}

static bool sum_is_told(const struct pkt *out, uint32_t skip)
{
	uint32_t zero = 0, sum, want = model_sum(out->data + skip, out->len - skip);
	uint64_t told = 0;

	assert_int_equal(bpf_map_lookup_elem(tunnel.told, &zero, &told), 0);
	if (told >> 32) {
		print_error("  not CHECKSUM_COMPLETE: %lld\n", (long long)told);
		return false;
	}
	sum = (uint32_t)(told % 0xffff);
	sum = htons((uint16_t)sum) % 0xffff;
	if (sum != want)
		print_error("  the sum is said to be 0x%04x, but is 0x%04x\n", sum, want);
	return sum == want;
}

struct trip {
	bool v6, udp, helped, to_tun, unchecked, translated;
};

static struct asym_hop put_for(const struct trip *t, const struct pkt *p, struct cached *ret)
{
	struct asym_hop hop = cache_hop(HOP, tunnel.outs[t->to_tun].ifindex);

	if (t->to_tun)
		hop.l2_len = 0;
	cache.hops[HOP] = hop;
	*ret = (struct cached){ .v6 = t->v6, .udp = t->udp, .hop = HOP, .size = 1500,
				.arrival = VXLAN, .in = tuple_of(p, t->v6) };
	ret->out = ret->in;
	if (t->translated) {
		ret->out.src = pkt_addr(t->v6 ? "2001:db8:ffff::5" : "203.0.113.5", NULL);
		ret->out.dport = 61000;
	}
	cache_clear();
	cache_put(ret);
	return hop;
}

static bool trip_fails(const struct trip *t)
{
	struct pkt_spec spec = { .v6 = t->v6, .proto = t->udp ? IPPROTO_UDP : IPPROTO_TCP,
				 .payload = 100 };
	struct pkt p = model_pkt(&spec, VXLAN), want;
	const struct port *out = &tunnel.outs[t->to_tun];
	struct layers l = layers_of(&p, t->v6, t->udp);
	struct parcel parcel, got = { 0 };
	struct asym_hop hop;
	struct cached c;

	if (t->unchecked)
		put16(p.data + l.check, 0);
	hop = put_for(t, &p, &c);
	want = p;
	model_forward(&want, t->v6, t->udp, &c.out, &hop);
	if (t->to_tun)
		memset(want.data, 0, ETH_HLEN);
	parcel = wrapped(&p);
	assert_int_equal(port_write(&tunnel.under, &parcel), 0);
	if (port_read(out, 1000, &got) && pkt_is(&got.p, &want) &&
	    sum_is_told(&got.p, t->to_tun ? ETH_HLEN : 0))
		return false;
	print_error("IPv%d %s%s to %s, %s, %s\n", t->v6 ? 6 : 4, t->udp ? "UDP" : "TCP",
		    t->unchecked ? " without checksum" : "", t->to_tun ? "TUN" : "TAP",
		    t->translated ? "translated" : "as it is", t->helped ? "helpers" : "as loaded");
	return true;
}

/* UDP may come without a checksum that makes up for new ports.  Helpers then leave the sum wrong, as
 * the kernel's NAT does (net/netfilter/nf_nat_proto.c, udp_manip_pkt): nobody looks at it. */
static bool has_meaning(const struct trip *t)
{
	return !t->unchecked || (t->udp && !(t->translated && t->helped));
}

static unsigned int trips_fail(bool helped)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < 32; i++) {
		struct trip t = { .v6 = i & 1, .udp = i & 2, .to_tun = i & 4, .translated = i & 8,
				  .unchecked = i & 16, .helped = helped };

		if (has_meaning(&t))
			bad += trip_fails(&t);
	}
	return bad;
}

static void test_loaded(void **state)
{
	tunnel_need();
	assert_int_equal(hook_on(VXLAN, false, cache_program(PROGRAM_LAN_ETH, false), -1), 0);
	assert_int_equal(trips_fail(!lab.o.summed), 0);
}

/* In place of those of the test before. */
static void test_helped(void **state)
{
	int before = cache_program(PROGRAM_LAN_ETH, false);

	tunnel_need();
	assert_int_equal(hook_on(VXLAN, false, cache_program(PROGRAM_LAN_ETH, true), before), 0);
	assert_int_equal(trips_fail(true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loaded),
		cmocka_unit_test(test_helped),
	};

	return cmocka_run_group_tests(tests, tunnel_open, cache_close);
}
