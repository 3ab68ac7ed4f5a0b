// SPDX-License-Identifier: GPL-2.0-or-later
/* What is broken is repaired, and nothing else is touched. */
#include "tests/unit/update_lab.h"
#include "apply/cgroup.h"

static void test_nothing(void **state)
{
	uint32_t before;
	double t;

	begin("host-traffic = no\n" CONF);
	before = epoch();
	updated(0);
	t = ms_now();
	updated(0);
	print_message("nothing to do: %.1f ms with the snapshot\n", ms_now() - t);
	assert_int_equal(epoch(), before);
	/* who does not know what was made finds the same */
	assert_int_equal(update_with(false), 0);
	assert_int_equal(lab->u.done, 0);
	assert_int_equal(epoch(), before);
	as_loaded();
}

static void test_rule_and_route(void **state)
{
	uint32_t before;

	begin("host-traffic = no\n" CONF);
	before = epoch();
	sh("ip rule del prio $(ip rule | awk -F: '/lookup 10001/ { print $1; exit }')\n"
	   "ip -6 rule del prio $(ip -6 rule | awk -F: '/lookup 10002/ { print $1; exit }')\n"
	   "ip route del default table 10001; ip -6 route flush table 10002");
	updated(UPDATE_ROUTING);
	assert_int_equal(epoch(), before + 1);
	updated(0);
	as_loaded();
	/* what nobody asked for goes */
	sh("ip rule add prio 20999 lookup 77 protocol 171; ip route add 1.2.3.4 dev wan0 table 10001"
	   " proto 171");
	updated(UPDATE_ROUTING);
	as_loaded();
}

static void chain_has(const char *text)
{
	_cleanup_(str_done) struct str got = {0};

	add_output(&got, "nft list chain inet asymbpf prerouting");
	if (!strstr(got.s ?: "", text))
		fail_msg("no \"%s\" in %s", text, got.s);
}

static void test_ruleset(void **state)
{
	uint32_t before;

	begin("host-traffic = no\n" CONF);
	before = epoch();
	sh("nft flush ruleset");
	updated(UPDATE_RULESET);
	assert_int_equal(epoch(), before + 1);
	updated(0);
	as_loaded();
	updated(0);
	sh("nft insert rule inet asymbpf prerouting accept");
	updated(UPDATE_RULESET);
	as_loaded();
	updated(0);
	sh("nft flush chain inet asymbpf known");
	updated(UPDATE_RULESET);
	as_loaded();
	updated(0);
	sh("nft chain inet asymbpf prerouting '{ policy drop; }'");
	updated(UPDATE_RULESET);
	chain_has("policy accept");
	sh("nft add table inet asymbpf '{ flags dormant; }'");
	updated(UPDATE_RULESET);
	sh("! nft list table inet asymbpf | grep dormant");
	as_loaded();
	updated(0);
	/* changes nothing that others count */
	sh("h=$(nft -a list chain inet asymbpf known | sed -n 's/.*meta mark set.* # handle //p')\n"
	   "nft replace rule inet asymbpf known handle $h accept");
	updated(UPDATE_RULESET);
	as_loaded();
	updated(0);
	/* a table nobody knows about is written, and that is not told */
	sh("nft insert rule inet asymbpf prerouting accept");
	lab->u.ruleset = 0;
	updated(0);
	sh("! nft list chain inet asymbpf prerouting | grep -qx '[[:space:]]*accept'");
	/* others' tables are none of our business, nor are counters */
	sh("nft add table inet other; nft add chain inet other c; nft add rule inet other c accept");
	updated(0);
}

/* Of every device but this one (NULL: none). */
static void take_programs_off(const char *but)
{
	for (size_t i = 0; i < lab->host.n_devices; i++)
		for (int side = 0; side < 4; side++) {
			struct tc_hook hook = {lab->host.devices[i].ifindex, side & 1, side & 2};
			uint32_t ids[TC_MAX_PROGRAMS];
			int n = tc_query(&hook, ids, TC_MAX_PROGRAMS);

			for (int k = 0; k < n; k++) {
				_cleanup_close_ int fd = bpf_prog_get_fd_by_id(ids[k]);

				if (!but || strcmp(lab->host.devices[i].name, but))
					assert_int_equal(tc_detach(&hook, fd), 0);
			}
		}
}

/* The last ones that hold the maps, but for the descriptors of who updates.  Without programs on the cgroup
 * tree: whoever loads elsewhere takes those off that seem to be orphans. */
static void test_programs(void **state)
{
	uint32_t seed, blocks;
	double t;

	begin("host-traffic = no\n" CONF);
	seed = lab->object.flow_seed;
	blocks = lab->object.flow_blocks[ASYM_V6];
	take_programs_off(NULL);
	t = ms_now();
	updated(UPDATE_PROGRAMS);
	print_message("all programs of devices anew: %.0f ms\n", ms_now() - t);
	updated(0);
	/* in the same tables, by the same hash */
	object_done(&lab->object);
	assert_int_equal(object_find(&lab->object, lab->cookie), 0);
	assert_int_equal(lab->object.flow_seed, seed);
	assert_int_equal(lab->object.flow_blocks[ASYM_V6], blocks);
	as_loaded();
	plan_anew();
	take_programs_off("wan1");
	updated(UPDATE_PROGRAMS);
	as_loaded();
}

/* The kernel frees a program a little after its last hook. */
static bool runs(enum object_program program)
{
	enum object_program which;
	uint32_t id = 0;

	while (!bpf_prog_get_next_id(id, &id))
		if (object_owns(id, lab->cookie, &which) && which == program)
			return true;
	return false;
}

/* Found again by what is left: the sets are held by the programs of links, which do not look at them. */
static void test_maps_held(void **state)
{
	begin("host-traffic = no\n" CONF);
	take_programs_off("wan0");
	object_done(&lab->object);
	for (int tries = 0; tries < 1000 && runs(PROGRAM_LAN_ETH); tries++)
		usleep(10000);
	assert_false(runs(PROGRAM_LAN_ETH));
	assert_int_equal(object_find(&lab->object, lab->cookie), 0);
	assert_true(object_is_whole(&lab->object));
	updated(UPDATE_PROGRAMS);
	as_loaded();
}

static void test_host_programs(void **state)
{
	int root, fd;

	begin(CONF);
	root = cgroup_open();
	assert_true(root >= 0);
	fd = cgroup_find(root, lab->cookie, PROGRAM_SENDMSG6);
	assert_true(fd >= 0);
	assert_int_equal(cgroup_detach(root, PROGRAM_SENDMSG6, fd), 0);
	close(fd);
	updated(UPDATE_PROGRAMS);
	updated(0);
	fd = cgroup_find(root, lab->cookie, PROGRAM_SENDMSG6);
	assert_true(fd >= 0);
	close(fd);
	close(root);
}

static void test_device(void **state)
{
	begin(CONF);
	sh("ip link del wan0");
	assert_int_equal(update_with(true), 0);
	assert_true(lab->u.done & UPDATE_MAPS);
	as_loaded();
	plan_anew();
	sh("ip link add wan0 type veth peer name peer0; ip link set peer0 up; ip link set wan0 up\n"
	   "ip addr add 10.0.0.2/24 dev wan0; ip addr add 2001:db8:0::2/64 dev wan0 nodad\n"
	   "ip route add default via 10.0.0.1 metric 1\n"
	   "ip -6 route add default via 2001:db8:0::1 metric 1");
	assert_int_equal(update_with(true), 0);
	assert_int_equal(lab->u.done & (UPDATE_PROGRAMS | UPDATE_ROUTING | UPDATE_MAPS),
			 UPDATE_PROGRAMS | UPDATE_ROUTING | UPDATE_MAPS);
	updated(0);
	as_loaded();
}

/* A rule names the LAN's device, which gets another number. */
static void test_lan_device(void **state)
{
	begin("host-traffic = no\n" CONF);
	sh("ip link del lan0; ip link add lan0 type veth peer name peerl; ip link set lan0 up\n"
	   "ip link set peerl up; ip addr add 192.168.7.1/24 dev lan0\n"
	   "ip addr add fd00:7::1/64 dev lan0 nodad; ip route add 172.16.0.0/16 via 192.168.7.9");
	assert_int_equal(update_with(true), 0);
	assert_int_equal(lab->u.done & (UPDATE_PROGRAMS | UPDATE_MAPS),
			 UPDATE_PROGRAMS | UPDATE_MAPS);
	updated(0);
	as_loaded();
}

/* Not a LAN any more: its programs go. */
static void test_lan_gone(void **state)
{
	begin("host-traffic = no\nlink a { device = \"wan0\" }\nlink b { device = \"wan1\" }\n");
	sh("ip addr flush dev lan0; ip addr add 192.168.8.1/24 dev peerl");
	assert_int_equal(update_with(true), 0);
	as_loaded();
}

static void test_link_down(void **state)
{
	uint32_t before;

	begin("host-traffic = no\n" CONF);
	before = epoch();
	sh("ip link set peer0 down");
	assert_int_equal(update_with(true), 0);
	assert_int_equal(lab->u.done, UPDATE_MAPS | UPDATE_ROUTING | UPDATE_CONNECTIONS);
	assert_true(epoch() > before);
	updated(0);
	as_loaded();
	plan_anew();
	before = epoch();
	sh("ip link set peer0 up");
	assert_int_equal(update_with(true), 0);
	assert_int_equal(lab->u.done, UPDATE_MAPS | UPDATE_ROUTING);
	assert_int_equal(epoch(), before);
	as_loaded();
}

static bool state_has(const char *path)
{
	struct state s;
	bool found = false;

	assert_int_equal(state_read(&s, lab->cookie), 0);
	for (size_t i = 0; i < s.sysctls.n; i++)
		found |= !strcmp(s.sysctls.items[i].path, path);
	state_done(&s);
	return found;
}

static void test_sysctls(void **state)
{
	begin("host-traffic = no\n" CONF);
	sh("ip link set wan1 down; ip link set wan1 name late; sysctl -qw net.ipv4.conf.late.arp_ignore=0");
	assert_int_equal(update_with(true), 0);
	assert_true(lab->u.done & UPDATE_STATE);
	assert_false(state_has("net/ipv4/conf/wan1/arp_ignore"));
	sh("ip link set late name wan1");
	assert_int_equal(update_with(true), 0);
	assert_true(lab->u.done & UPDATE_SYSCTLS);
	assert_true(state_has("net/ipv4/conf/wan1/arp_ignore"));
	sh("[ $(sysctl -n net.ipv4.conf.wan1.arp_ignore) = 1 ]");
	as_loaded();
}

/* A part that fails is named, and keeps nothing else from being done. */
static void test_failure(void **state)
{
	begin("host-traffic = no\n" CONF);
	sh("ip route del default table 10001; ip route add default dev wan0 table 10001 proto static\n"
	   "ip route del default table 10002; ip -6 rule flush; nft delete table inet asymbpf\n"
	   "ip route add 172.19.0.0/16 dev lan0");
	assert_int_equal(update_with(true), -EEXIST);
	assert_int_equal(lab->u.failed, UPDATE_ROUTING);
	assert_int_equal(lab->u.done, UPDATE_ROUTING | UPDATE_RULESET | UPDATE_MAPS);
	assert_non_null(strstr(lab->u.error, "default via 10.0.0.1 dev wan0"));
	assert_non_null(strstr(lab->u.error, "File exists"));
	sh("ip route show table 10002 | grep -q 'default via'; ip -6 rule | grep -q 'lookup 10002'\n"
	   "ip route del default dev wan0 table 10001 proto static");
	updated(UPDATE_ROUTING);
	as_loaded();
}

static void test_specific(void **state)
{
	begin(CONF);
	sh("ip route del 172.16.0.0/16; ip route add 172.17.0.0/16 via 192.168.7.9\n"
	   "ip route add 172.17.0.0/16 via 192.168.7.8 metric 9\n"
	   "ip -6 route add 2001:db8:55::/48 via fd00:7::9");
	updated(UPDATE_MAPS);
	as_loaded();
	plan_anew();
	sh("ip route del 172.17.0.0/16; ip route add 172.18.0.0/16 via 192.168.7.9");
	assert_int_equal(update_with(false), 0);
	assert_int_equal(lab->u.done, UPDATE_MAPS);
	as_loaded();
	plan_anew();
	/* the route of two that stays */
	sh("ip route del 172.17.0.0/16");
	updated(UPDATE_MAPS);
	as_loaded();
}

/* The table of raw sockets: is put back, and follows what the plan says; loading the same leaves it. */
static void test_router(void **state)
{
	struct router_stamp loaded;

	begin(CONF);
	updated(0);
	loaded = lab->state.router;
	assert_true(loaded.table && loaded.text);
	load();
	assert_memory_equal(&lab->state.router, &loaded, sizeof(loaded));
	plan_anew();
	sh("nft delete table inet asymbpf-module");
	updated(UPDATE_ROUTER | UPDATE_STATE);
	sh("nft insert rule inet asymbpf-module router accept");
	updated(UPDATE_ROUTER | UPDATE_STATE);
	sh("! nft list chain inet asymbpf-module router | grep -qx '[[:space:]]*accept'");
	updated(0);
	as_loaded();
	plan_anew();
	/* main's default moves: nobody has touched anything */
	sh("ip route del default via 10.0.0.1");
	assert_int_equal(update_with(true), 0);
	assert_false(lab->u.done & UPDATE_ROUTER);
	sh("nft list chain inet asymbpf-module choice | grep -q 'oifname \"wan1\" ip daddr'");
	as_loaded();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		update_test(test_nothing),
		update_test(test_rule_and_route),
		update_test(test_ruleset),
		update_test(test_programs),
		update_test(test_maps_held),
		update_test(test_host_programs),
		update_test(test_device),
		update_test(test_lan_device),
		update_test(test_lan_gone),
		update_test(test_link_down),
		update_test(test_sysctls),
		update_test(test_failure),
		update_test(test_specific),
		update_test(test_router),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
