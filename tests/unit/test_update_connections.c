// SPDX-License-Identifier: GPL-2.0-or-later
/* What an update does with connections and sticky entries. */
#include "tests/unit/update_lab.h"

/* Marks: 0x100 is link a, 0x200 link b; 0x10100 has somebody else's bit.  The source is translated. */
#define CONNECTIONS                                                                                \
	"add() { case $1 in *:*) as=2001:db8:78::1;; *) as=203.0.113.1;; esac\n"                   \
	"conntrack -I -p tcp -s $1 -d $2 --sport $3 --dport 80 --state ESTABLISHED -t 600"         \
	" -r $2 -q $as --reply-port-src 80 --reply-port-dst $3 -m $4 >/dev/null 2>&1; }\n"         \
	"add 192.168.7.2 198.51.100.1 1001 0x100; add 192.168.7.2 198.51.100.1 1002 0x10100\n"     \
	"add 192.168.7.2 198.51.100.1 1003 0x200; add 192.168.7.2 198.51.100.1 1004 0\n"           \
	"add 192.168.7.2 198.51.100.1 1005 0x10000; add 192.168.7.2 198.51.100.1 1006 0x300\n"     \
	"add fd00:7::2 2001:db8:77::1 2001 0x100; add fd00:7::2 2001:db8:77::1 2002 0x200\n"

static void connections_are(const char *ports)
{
	_cleanup_(str_done) struct str got = {0};

	add_output(&got, "for f in ipv4 ipv6; do conntrack -L -f $f 2>/dev/null; done |"
			 " grep -oE 'sport=[12]00[0-9] dport=80' | grep -oE '[12]00[0-9]' |"
			 " sort | tr '\n' ' '");
	assert_string_equal(got.s ?: "", ports);
}

#define ALL "1001 1002 1003 1004 1005 1006 2001 2002 "

static struct asym_sticky_key client(const char *addr, uint32_t n)
{
	struct asym_sticky_key key = {.id = n};
	struct in6_addr src;

	assert_int_equal(addr_parse(addr, &src), 0);
	memcpy(&key.src, &src, sizeof(src));
	return key;
}

/* Of each family 5000 entries of link 1 and as many of link 2, 3 with neither. */
static void fill_sticky(void)
{
	struct asym_sticky value = {.timeout_s = 600};

	for (uint32_t i = 0; i < 20003; i++) {
		struct asym_sticky_key key = client(i & 1 ? "192.168.7.2" : "fd00:7::2", i);

		value.link = i < 20000 ? 1 + (i >> 1 & 1) : 3;
		assert_int_equal(bpf_map_update_elem(lab->object.map[MAP_STICKY], &key, &value,
						     BPF_ANY), 0);
	}
}

static void sticky_is(size_t v4_1, size_t v4_2, size_t v6_1, size_t v6_2)
{
	struct asym_sticky_key key, *last = NULL;
	size_t n[2][4] = {};

	while (!bpf_map_get_next_key(lab->object.map[MAP_STICKY], last, &key)) {
		struct asym_sticky value;

		last = &key;
		assert_int_equal(bpf_map_lookup_elem(lab->object.map[MAP_STICKY], &key, &value), 0);
		n[!!key.src.w[0]][value.link & 3]++;
	}
	assert_int_equal(n[0][1], v4_1);
	assert_int_equal(n[0][2], v4_2);
	assert_int_equal(n[1][1], v6_1);
	assert_int_equal(n[1][2], v6_2);
	assert_int_equal(n[0][3] + n[1][3], 3);
}

static void test_connections(void **state)
{
	begin(CONF);
	sh(CONNECTIONS);
	connections_are(ALL);
	fill_sticky();
	sticky_is(5000, 5000, 5000, 5000);
	updated(0);
	connections_are(ALL);
	/* a has IPv4 alone from now on */
	sh("ip -6 route del default dev wan0");
	assert_int_equal(update_with(true), 0);
	assert_true(lab->u.done & UPDATE_CONNECTIONS);
	connections_are("1001 1002 1003 1004 1005 1006 2002 ");
	sticky_is(5000, 5000, 0, 5000);
	sh("ip link set wan0 down");
	assert_int_equal(update_with(true), 0);
	connections_are("1003 1004 1005 1006 2002 ");
	sticky_is(0, 5000, 0, 5000);
	/* nowhere to go */
	sh("ip link set wan1 down");
	assert_int_equal(update_with(true), 0);
	assert_false(lab->u.done & UPDATE_CONNECTIONS);
	connections_are("1003 1004 1005 1006 2002 ");
	sticky_is(0, 5000, 0, 5000);
}

/* One comes in the moment in which the other goes. */
static void test_connections_swapped(void **state)
{
	begin("host-traffic = no\n" CONF);
	sh("ip link set peer1 down");
	assert_int_equal(update_with(true), 0);
	sh(CONNECTIONS "ip link set peer0 down; ip link set peer1 up");
	assert_int_equal(update_with(true), 0);
	assert_true(lab->u.done & UPDATE_CONNECTIONS);
	connections_are("1003 1004 1005 1006 2002 ");
	as_loaded();
}

/* Who starts knows what was in use from the maps alone. */
static void test_connections_adopted(void **state)
{
	begin(CONF);
	sh(CONNECTIONS "ip link set wan0 down");
	assert_int_equal(update_with(false), 0);
	assert_true(lab->u.done & UPDATE_CONNECTIONS);
	connections_are("1003 1004 1005 1006 2002 ");
}

#define ALONE "lan { devices = {\"lan0\"} }\nlink a { device = \"wan0\" }\nlink b { device = \"wan1\" }\n"

static void test_connections_kept(void **state)
{
	/* b is another policy's */
	begin(ALONE "policy p { tier { links = {\"a\"} } }\npolicy q { tier { links = {\"b\"} } }\n"
		    "rule r { src = \"192.168.7.2\" policy = q }\nrule s { policy = p }\n");
	sh(CONNECTIONS "ip link set wan0 down");
	assert_int_equal(update_with(true), 0);
	assert_false(lab->u.done & UPDATE_CONNECTIONS);
	connections_are(ALL);
}

static void test_connections_main(void **state)
{
	begin(ALONE "policy p { tier { links = {\"a\"} } last-resort = main }\n"
		    "rule s { policy = p }\n");
	sh(CONNECTIONS "ip link set wan0 down");
	assert_int_equal(update_with(true), 0);
	connections_are("1003 1004 1005 1006 2002 ");
}

#define MOVE ALONE "policy p { tier { links = {\"a\"} } tier { links = {\"b\"} } failback = move }\n"

static void test_move(void **state)
{
	begin(MOVE "rule s { policy = p sticky = 600 }\n");
	fill_sticky();
	/* IPv6 of a is not back */
	sh("ip -6 route del default dev wan0");
	assert_int_equal(update_with(true), 0);
	sh(CONNECTIONS);
	assert_int_equal(update_move(&lab->object, &lab->plan, 0), 0);
	connections_are("1001 1002 1004 1005 1006 2001 2002 ");
	sticky_is(5000, 0, 0, 5000);
}

static void test_move_not(void **state)
{
	begin(MOVE "policy keep { tier { links = {\"a\"} } tier { links = {\"b\"} } failback = keep }\n"
		   "rule r { src = \"192.168.7.2\" policy = keep }\nrule s { policy = p }\n");
	sh(CONNECTIONS);
	assert_int_equal(update_move(&lab->object, &lab->plan, 0), 0);
	connections_are(ALL);
}

static void test_move_in_use(void **state)
{
	begin(MOVE "policy q { tier { links = {\"b\"} } failback = move }\n"
		   "rule r { src = \"192.168.7.2\" policy = q }\nrule s { policy = p }\n");
	sh(CONNECTIONS);
	assert_int_equal(update_move(&lab->object, &lab->plan, 0), 0);
	connections_are(ALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		update_test(test_connections),
		update_test(test_connections_swapped),
		update_test(test_connections_adopted),
		update_test(test_connections_kept),
		update_test(test_connections_main),
		update_test(test_move),
		update_test(test_move_not),
		update_test(test_move_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
