// SPDX-License-Identifier: GPL-2.0-or-later
/* The gateway, by ARP and neighbour discovery. */
#include "tests/unit/probe_lab.h"

static void arp_op(struct frame *f)
{
	arp_turn(f);
	arp_of(f)->head.ar_op = htons(ARPOP_REQUEST);
	wire_write(wire, f);
}

static void arp_sender(struct frame *f)
{
	arp_turn(f);
	arp_of(f)->sender[3] ^= 8;
	wire_write(wire, f);
}

static void arp_target(struct frame *f)
{
	arp_turn(f);
	arp_of(f)->target[3] ^= 8;
	wire_write(wire, f);
}

static void arp_cut(struct frame *f)
{
	arp_turn(f);
	f->len = ETH_HLEN + 27;
	wire_write(wire, f);
}

static void nd_unsolicited(struct frame *f)
{
	nd_turn(f, 0x20);
	send_back(f);
}

static void nd_far(struct frame *f)
{
	nd_turn(f, 0x40);
	f->ip6->ip6_hlim = 254;
	send_back(f);
}

static void nd_target(struct frame *f)
{
	nd_turn(f, 0x40);
	f->l4[23] ^= 1;
	send_back(f);
}

static void test_gateway(void **state)
{
	netns_need();
	expect("silence", PROBE_GATEWAY, ASYM_V4, NULL, "timeout");
	expect("a request", PROBE_GATEWAY, ASYM_V4, arp_op, "timeout");
	expect("of another", PROBE_GATEWAY, ASYM_V4, arp_sender, "timeout");
	expect("to another", PROBE_GATEWAY, ASYM_V4, arp_target, "timeout");
	expect("cut off", PROBE_GATEWAY, ASYM_V4, arp_cut, "timeout");
	expect("reply", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	expect("silence", PROBE_GATEWAY, ASYM_V6, NULL, "timeout");
	expect("not solicited", PROBE_GATEWAY, ASYM_V6, nd_unsolicited, "timeout");
	expect("from afar", PROBE_GATEWAY, ASYM_V6, nd_far, "timeout");
	expect("of another", PROBE_GATEWAY, ASYM_V6, nd_target, "timeout");
	expect("advertisement", PROBE_GATEWAY, ASYM_V6, nd_right, NULL);
	assert_int_equal(seen.ip6->ip6_hlim, 255);
	assert_memory_equal(seen.l4 + 24, "\1\1", 2);
	assert_memory_equal(seen.l4 + 26, seen.eth->h_source, ETH_ALEN);
}

/* Everyone is asked until the gateway has answered, and again when it does not. */
static void test_gateway_broadcast(void **state)
{
	static const uint8_t everyone[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	netns_need();
	expect("first", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	assert_memory_equal(seen.eth->h_dest, everyone, ETH_ALEN);
	assert_memory_equal(arp_of(&seen)->sender, "\12\0\0\2", 4);
	expect("second", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	assert_memory_equal(seen.eth->h_dest, "\2\0\0\0\0\1", ETH_ALEN);
	expect("silence", PROBE_GATEWAY, ASYM_V4, NULL, "timeout");
	assert_memory_equal(seen.eth->h_dest, "\2\0\0\0\0\1", ETH_ALEN);
	expect("after it", PROBE_GATEWAY, ASYM_V4, arp_right, NULL);
	assert_memory_equal(seen.eth->h_dest, everyone, ETH_ALEN);
}

static void test_gateway_nobody(void **state)
{
	struct probe_path path;

	netns_need();
	for (int f = 0; f < ASYM_FAMILIES; f++) {
		path = path_of("wan0");
		assert_int_equal(try(&path, PROBE_GATEWAY, f), 0);
		path.ethernet = false;
		assert_int_equal(try(&path, PROBE_GATEWAY, f), -EOPNOTSUPP);
		path = path_of("wan0");
		memset(path.gateway, 0, sizeof(path.gateway));
		assert_int_equal(try(&path, PROBE_GATEWAY, f), -EOPNOTSUPP);
		sh("ip link set wan0 arp off");
		path = path_of("wan0");
		assert_int_equal(try(&path, PROBE_GATEWAY, f), -EOPNOTSUPP);
		sh("ip link set wan0 arp on");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		probe_test(test_gateway),
		probe_test(test_gateway_broadcast),
		probe_test(test_gateway_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
