// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * apply/update.h in a network namespace: something is broken, updated once, and then compared, object by
 * object, with what loading the same configuration anew makes.  Needs root.
 */
#include "tests/unit/netns.h"

#include "apply/cgroup.h"
#include "apply/change.h"
#include "apply/maps.h"
#include "apply/netns.h"
#include "apply/remove.h"
#include "apply/snapshot.h"
#include "apply/tc.h"
#include "apply/update.h"
#include "base/str.h"
#include "core/config.h"
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

struct lab {
	uint64_t cookie;
	struct model m;
	struct host host;
	struct plan plan, old;
	bool has_old;
	struct object object;
	struct state state;
	struct update u;
};

static struct lab *lab;

#define MACHINE                                                                                    \
	"sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv6.conf.all.disable_ipv6=0\n"              \
	"ip link add lan0 type veth peer name peerl; ip link set lan0 up; ip link set peerl up\n"  \
	"ip addr add 192.168.7.1/24 dev lan0; ip addr add fd00:7::1/64 dev lan0 nodad\n"           \
	"ip route add 172.16.0.0/16 via 192.168.7.9; ip route add default via 10.0.0.1 metric 1\n" \
	"ip route add default via 10.1.0.1 metric 2\n"                                             \
	"ip -6 route add default via 2001:db8:0::1 metric 1\n"                                     \
	"ip -6 route add default via 2001:db8:1::1 metric 2\n"

#define CONF                                                                                       \
	"lan { devices = {\"lan0\"} }\n"                                                           \
	"link a { device = \"wan0\" }\n"                                                           \
	"link b { device = \"wan1\" }\n"                                                           \
	"set s { prefixes = {\"192.0.2.0/24\", \"2001:db8:99::/48\"} }\n"                          \
	"policy p { tier { links = {\"a\", \"b\"} } }\n"                                           \
	"policy alone { tier { links = {\"a\"} } }\n"                                              \
	"policy tiers { tier { links = {\"a\"} } tier { links = {\"b\"} } }\n"     \
	"rule r1 { src = \"192.168.7.77\" policy = alone }\n"                                     \
	"rule r2 { in = \"lan0\" dst-set = \"s\" policy = tiers sticky = 600 }\n"            \
	"rule r3 { policy = p sticky = 600 }\n"

static void machine_read(void)
{
	host_done(&lab->host);
	lab->host = (struct host){0};
	assert_int_equal(snapshot_take(&lab->host), 0);
}

static void conf_read(const char *conf)
{
	struct findings f = {};

	model_init(&lab->m);
	if (config_parse(&lab->m, "conf", conf, strlen(conf), &f))
		for (size_t i = 0; i < f.n; i++)
			print_error("conf:%d: %s\n", f.items[i].line, f.items[i].text);
	assert_int_equal(findings_errors(&f), 0);
	findings_done(&f);
	assert_int_equal(model_add_defaults(&lab->m), 0);
}

static void plan_anew(void)
{
	if (lab->has_old)
		plan_done(&lab->old);
	lab->old = lab->plan;
	lab->has_old = true;
	machine_read();
	assert_int_equal(plan_build(&lab->plan, &lab->m, &lab->host, lab->state.ids,
				    lab->state.n_ids),
			 0);
}

/* As asymbpf load and reload do it, from what runs. */
static void load(void)
{
	struct state state = {};
	struct object running;
	struct change c = {.cookie = lab->cookie, .host = &lab->host, .plan = &lab->plan,
			   .state = &state};
	int r = object_find(&running, lab->cookie);

	machine_read();
	plan_done(&lab->plan);
	assert_int_equal(plan_build(&lab->plan, &lab->m, &lab->host, lab->state.ids,
				    lab->state.n_ids),
			 0);
	state.config = strdup("");
	if (!r) {
		c.running = &running;
		c.old_plan = &lab->plan;
		c.old_state = &lab->state;
	}
	r = change_apply(&c);
	if (r)
		print_error("%s\n", c.error);
	assert_int_equal(r, 0);
	change_done(&c);
	state_done(&lab->state);
	lab->state = state;
	object_done(&running);
	object_done(&lab->object);
	assert_int_equal(object_find(&lab->object, lab->cookie), 0);
	lab->u.ruleset = 0;
}

static void lab_open(const char *conf)
{
	lab = calloc(1, sizeof(*lab));
	assert_non_null(lab);
	object_init(&lab->object);
	assert_int_equal(netns_cookie(&lab->cookie), 0);
	conf_read(conf);
	load();
	lab->u.cookie = lab->cookie;
}

static int lab_close(void **state)
{
	char error[256];
	int r = 0;

	if (!lab)
		return 0;
	object_done(&lab->object);
	machine_read();
	r = remove_all(lab->cookie, &lab->host, &lab->state, NULL, error, sizeof(error));
	if (r)
		print_error("%s\n", error);
	plan_done(&lab->plan);
	if (lab->has_old)
		plan_done(&lab->old);
	host_done(&lab->host);
	state_done(&lab->state);
	model_done(&lab->m);
	free(lab);
	lab = NULL;
	return r;
}

#define update_test(fn) cmocka_unit_test_setup_teardown(fn, netns_setup, lab_close)

static double ms_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int apply_plan(bool knows_old)
{
	int r;

	lab->u.object = &lab->object;
	lab->u.host = &lab->host;
	lab->u.plan = &lab->plan;
	lab->u.old = knows_old ? &lab->old : NULL;
	lab->u.state = &lab->state;
	r = update_apply(&lab->u);
	if (r)
		print_error("update: %s\n", lab->u.error);
	return r;
}

static int update_with(bool knows_old)
{
	plan_anew();
	return apply_plan(knows_old);
}

/* Exactly these parts were done. */
static void updated(unsigned int parts)
{
	assert_int_equal(update_with(true), 0);
	assert_int_equal(lab->u.failed, 0);
	assert_int_equal(lab->u.done, parts);
}

/* -------- what the kernel holds, as text */

static void add_output(struct str *out, const char *command)
{
	char line[4096];
	FILE *pipe = popen(command, "r");

	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe))
		str_add(out, "%s", line);
	assert_int_equal(pclose(pipe), 0);
}

static void add_bytes(struct str *out, const char *what, uint32_t index, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	str_add(out, "%s %u %016llx\n", what, index, (unsigned long long)h);
}

static void add_array(struct str *out, enum object_map map, uint32_t bank, uint32_t n, size_t size)
{
	char value[8192];

	for (uint32_t i = 0; i < n; i++) {
		uint32_t key = bank * n + i;

		assert_int_equal(bpf_map_lookup_elem(lab->object.map[map], &key, value), 0);
		add_bytes(out, object_map_names[map], i, value, size);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Keys of the bank, sorted: a hash has no order. */
static void add_keys(struct str *out, enum object_map map, uint32_t bank)
{
	union {
		struct asym_device_key device;
		struct asym_set_key set;
	} key, *last = NULL;
	static char *lines[4096];
	size_t n = 0;

	while (!bpf_map_get_next_key(lab->object.map[map], last, &key)) {
		struct asym_device d = {0};
		uint32_t in = map == MAP_SETS ? ntohl(key.set.set) / ASYM_SETS : key.device.bank;

		last = &key;
		if (in != bank)
			continue;
		if (map == MAP_DEVICES) {
			assert_int_equal(bpf_map_lookup_elem(lab->object.map[map], &key, &d), 0);
			assert_true(asprintf(&lines[n++], "device %u link %u reply %u fast %u\n",
					     key.device.ifindex, d.link, d.reply, d.fastpath) > 0);
		} else {
			assert_true(asprintf(&lines[n++], "set %u %08x%08x%08x%08x/%u\n",
					     ntohl(key.set.set) % ASYM_SETS,
					     ntohl(key.set.addr.w[0]), ntohl(key.set.addr.w[1]),
					     ntohl(key.set.addr.w[2]), ntohl(key.set.addr.w[3]),
					     key.set.prefixlen) > 0);
		}
		assert_true(n < ARRAY_SIZE(lines));
	}
	qsort(lines, n, sizeof(*lines), by_text);
	for (size_t i = 0; i < n; i++) {
		str_add(out, "%s", lines[i]);
		free(lines[i]);
	}
}

static void add_maps(struct str *out)
{
	struct asym_control control;

	assert_int_equal(maps_control(&lab->object, &control), 0);
	add_array(out, MAP_CONFIG, control.bank, 1, sizeof(struct asym_config));
	add_array(out, MAP_RULES, control.bank, ASYM_MAX_RULES, sizeof(struct asym_rule));
	add_array(out, MAP_POLICIES, control.bank, ASYM_MAX_POLICIES, sizeof(struct asym_policy));
	add_array(out, MAP_BUCKETS, control.bank, 2 * ASYM_MAX_POLICIES,
		  sizeof(struct asym_buckets));
	add_array(out, MAP_LINKS, control.bank, ASYM_LINK_IDS, sizeof(struct asym_link));
	add_keys(out, MAP_DEVICES, control.bank);
	add_keys(out, MAP_SETS, control.bank);
}

static void add_programs(struct str *out)
{
	for (size_t i = 0; i < lab->host.n_devices; i++)
		for (int side = 0; side < 4; side++) {
			struct tc_hook hook = {lab->host.devices[i].ifindex, side & 1, side & 2};
			uint32_t ids[TC_MAX_PROGRAMS];
			int n = tc_query(&hook, ids, TC_MAX_PROGRAMS);
			enum object_program which;

			for (int k = 0; k < n; k++)
				if (object_owns(ids[k], lab->cookie, &which))
					str_add(out, "%s side %d: %s\n", lab->host.devices[i].name,
						side, object_program_names[which]);
		}
}

static char *everything(void)
{
	struct str out = {0};

	machine_read();
	add_output(&out, "ip -d rule; ip -d -6 rule; ip -d route show table all proto 171;"
			 "ip -d -6 route show table all proto 171; nft -s list table inet asymbpf;"
			 "sysctl -a 2>/dev/null | grep -E 'conf.wan.*(arp_|rp_filter|valid_mark)'");
	add_maps(&out);
	add_programs(&out);
	assert_int_equal(out.err, 0);
	return out.s;
}

/* After an update all is as after loading anew.  The bank that is not in use still holds what it was. */
static void as_loaded(void)
{
	_cleanup_free_ char *got = everything(), *want = NULL;

	load();
	want = everything();
	assert_string_equal(got, want);
}

static uint32_t epoch(void)
{
	struct asym_control control;

	assert_int_equal(maps_control(&lab->object, &control), 0);
	return control.epoch;
}

/* -------- tests */

static void begin(const char *conf)
{
	netns_need();
	sh(MACHINE);
	lab_open(conf);
	plan_anew();
}

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

/* -------- connections and sticky entries */

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

/* -------- how long it takes */

static void make_links(unsigned int n)
{
	_cleanup_(str_done) struct str conf = {0};
	char number[16];

	snprintf(number, sizeof(number), "%u", n);
	setenv("N", number, 1);
	sh("ip link add lan0 type veth peer name peerl; ip addr add 192.168.7.1/24 dev lan0\n"
	   "ip link set lan0 up; ip link set peerl up\n"
	   "for i in $(seq $N); do\n"
	   "  echo link add w$i type veth peer p$i; echo link set p$i up\n"
	   "  echo addr add 10.9.$i.2/24 dev w$i; echo link set w$i up\n"
	   "  echo route add default via 10.9.$i.1 dev w$i metric $i\n"
	   "done | ip -batch -");
	str_add(&conf, "host-traffic = no\nlan { devices = {\"lan0\"} }\n");
	for (unsigned int i = 1; i <= n; i++)
		str_add(&conf, "link l%u { device = \"w%u\" }\n", i, i);
	lab_open(conf.s);
	plan_anew();
	updated(0);
}

/* Those from..to lose their carrier. */
static void time_loss(unsigned int from, unsigned int to)
{
	struct asym_control control;
	char number[32], why[64];
	size_t written;
	double t[4];

	snprintf(number, sizeof(number), "%u %u", from, to);
	setenv("N", number, 1);
	sh("for i in $(seq $N); do echo link set p$i down; done | ip -batch -");
	t[0] = ms_now();
	plan_anew();
	t[1] = ms_now();
	/* into the other bank, where all of it differs: the switch is this */
	assert_int_equal(maps_control(&lab->object, &control), 0);
	assert_int_equal(maps_update_policies(&lab->object, &lab->plan, !control.bank, &written, why,
					      sizeof(why)),
			 0);
	t[2] = ms_now();
	assert_int_equal(apply_plan(true), 0);
	t[3] = ms_now();
	assert_true(lab->u.done & UPDATE_MAPS && lab->u.done & UPDATE_CONNECTIONS);
	print_message("%u of %zu links lost: snapshot and plan %.1f ms, policies %.1f ms, all of the "
		      "update %.1f ms\n",
		      to - from + 1, lab->plan.n_links, t[1] - t[0], t[2] - t[1], t[3] - t[2]);
}

static void test_time_2(void **state)
{
	netns_need();
	make_links(2);
	time_loss(1, 1);
}

/* Programs on 502 hooks and off again: half a minute. */
static void test_time_250(void **state)
{
	netns_need();
	if (!getenv("ASYM_TEST_TIMES"))
		skip();
	make_links(250);
	time_loss(1, 1);
	time_loss(2, 126);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		update_test(test_nothing),     update_test(test_rule_and_route),
		update_test(test_ruleset),     update_test(test_programs),
		update_test(test_maps_held), update_test(test_host_programs),
		update_test(test_device),      update_test(test_lan_device), update_test(test_lan_gone), update_test(test_link_down),
		update_test(test_sysctls), update_test(test_failure), update_test(test_specific),
		update_test(test_connections), update_test(test_connections_adopted),
		update_test(test_connections_swapped), update_test(test_connections_kept), update_test(test_connections_main),
		update_test(test_move), update_test(test_move_not), update_test(test_move_in_use),
		update_test(test_time_2),      update_test(test_time_250),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
