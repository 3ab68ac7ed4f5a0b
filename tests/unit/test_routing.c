// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/routing.h"
#include "apply/snapshot.h"
#include "apply/sysctl.h"
#include "tests/unit/netns.h"
#include "tests/unit/addr.h"
#include "tests/unit/config.h"
#include <errno.h>
#include <string.h>
#include <time.h>

static struct plan *plan_new(void)
{
	return calloc(1, sizeof(struct plan));
}

static void plan_free(struct plan **plan)
{
	free((*plan)->rules);
	free((*plan)->routes);
	free(*plan);
}

static void want_rule(struct plan *plan, struct rule rule)
{
	struct rule *slot = ARRAY_ADD(plan->rules, plan->n_rules);

	rule.protocol = PLAN_RTPROT;
	if (!rule.suppress_len)
		rule.suppress_len = -1;
	*slot = rule;
}

static void want_lookup(struct plan *plan, int family, uint32_t priority, uint32_t mark,
			uint32_t table)
{
	want_rule(plan, (struct rule){
		.family = family, .priority = priority, .action = RULE_TABLE, .table = table,
		.mark = mark, .mask = mark ? 0xff00 : 0,
	});
}

static void want_route(struct plan *plan, struct route route)
{
	struct route *slot = ARRAY_ADD(plan->routes, plan->n_routes);

	route.protocol = PLAN_RTPROT;
	*slot = route;
}

static void want_onlink(struct plan *plan, int family, uint32_t table, const char *device,
			const char *prefix)
{
	struct route route = {
		.family = family, .table = table, .ifindex = if_nametoindex(device),
	};

	assert_int_equal(prefix_parse(prefix, &route.dst), 0);
	want_route(plan, route);
}

static void want_default(struct plan *plan, int family, uint32_t table, const char *device,
			 const char *gateway)
{
	want_route(plan, (struct route){
		.family = family, .table = table, .ifindex = if_nametoindex(device),
		.gateway = addr(gateway),
	});
	want_route(plan, (struct route){
		.family = family, .table = table, .type = ROUTE_UNREACHABLE, .metric = UINT32_MAX,
	});
}

/* Two links, both families, as a real plan has them. */
static struct plan *two_links(void)
{
	struct plan *plan = plan_new();
	int n;

	for (n = 0; n < 2; n++) {
		int family = n ? AF_INET6 : AF_INET;

		want_onlink(plan, family, 10001, "wan0", n ? "2001:db8::/64" : "10.0.0.0/24");
		want_onlink(plan, family, 10002, "wan1", n ? "2001:db8:1::/64" : "10.1.0.0/24");
		want_default(plan, family, 10001, "wan0", n ? "2001:db8:0::1" : "10.0.0.1");
		want_default(plan, family, 10002, "wan1", n ? "2001:db8:1::1" : "10.1.0.1");
		want_lookup(plan, family, 20701, 0x100, 10001);
		want_lookup(plan, family, 20702, 0x200, 10002);
		want_rule(plan, (struct rule){ .family = family, .priority = 21600,
					       .action = RULE_UNREACHABLE, .mark = 0xfe00,
					       .mask = 0xff00 });
	}
	return plan;
}

static struct host snapshot(void)
{
	struct host host;

	assert_int_equal(snapshot_take(&host), 0);
	return host;
}

static size_t count_ours(void)
{
	_cleanup_(host_done) struct host host = snapshot();
	size_t i, n = 0;

	for (i = 0; i < host.n_rules; i++)
		n += host.rules[i].protocol == PLAN_RTPROT;
	for (i = 0; i < host.n_routes; i++)
		n += host.routes[i].protocol == PLAN_RTPROT;
	return n;
}

static void assert_in_force(const struct plan *plan)
{
	_cleanup_(host_done) struct host host = snapshot();
	_cleanup_(diff_done) struct diff d = { 0 };

	assert_int_equal(diff_build(&d, plan, &host), 0);
	assert_int_equal(d.n_add_routes + d.n_replace_routes + d.n_delete_routes, 0);
	assert_int_equal(d.n_add_rules + d.n_delete_rules, 0);
}

static void apply(const struct plan *plan)
{
	_cleanup_(host_done) struct host host = snapshot();
	_cleanup_(routing_done) struct routing r = { 0 };

	if (routing_prepare(&r, plan, &host) || routing_finish(&r))
		fail_msg("%s", r.error);
}

static void remove_all(void)
{
	_cleanup_(routing_done) struct routing r = { 0 };

	if (routing_remove_all(&r))
		fail_msg("%s", r.error);
	assert_int_equal(count_ours(), 0);
}

/* A mark leads to its link; nothing is left to do afterwards, whatever the kernel normalised. */
static void test_apply(void **state)
{
	_cleanup_(plan_free) struct plan *plan = plan_new();

	netns_need();
	plan_free(&plan);
	plan = two_links();
	/* The link's own table alone knows where the gateway is. */
	sh("ip route del 10.0.0.0/24 dev wan0");
	apply(plan);
	assert_in_force(plan);
	sh("ip route get 192.0.2.1 mark 0x234 | grep -q 'dev wan1 table 10002'\n"
	   "ip -6 route get 2001:db8:99::1 mark 0x100 | grep -q 'dev wan0 table 10001'\n"
	   "ip link set wan1 down\n"
	   "if ip route get 192.0.2.1 mark 0x200 >/dev/null 2>&1; then exit 1; fi\n"
	   "ip link set wan1 up; ip addr add 2001:db8:1::2/64 dev wan1 nodad");
	apply(plan);
	assert_in_force(plan);
	remove_all();
}

static void test_foreign_survives(void **state)
{
	_cleanup_(plan_free) struct plan *plan = two_links();

	netns_need();
	sh("for f in -4 -6; do\n"
	   "  ip $f rule add pref 20701 fwmark 0x100/0xff00 lookup 10001 protocol static\n"
	   "  ip $f route add unreachable default metric 77 table 10001 proto static\n"
	   "done");
	apply(plan);
	assert_in_force(plan);
	remove_all();
	sh("for f in -4 -6; do\n"
	   "  ip $f rule del pref 20701 fwmark 0x100/0xff00 lookup 10001 protocol static\n"
	   "  ip $f route del unreachable default metric 77 table 10001 proto static\n"
	   "done");
	remove_all();
}

/* The first and the last object in turn stand in the way: nothing of ours may stay. */
static void test_taken_back(void **state)
{
	_cleanup_(plan_free) struct plan *plan = two_links();
	_cleanup_(host_done) struct host host = { 0 };
	_cleanup_(routing_done) struct routing route = { 0 }, rule = { 0 };

	netns_need();
	host = snapshot();
	sh("ip -6 route add unreachable default metric 4294967295 table 10002 proto static");
	assert_int_equal(routing_prepare(&route, plan, &host), -EEXIST);
	assert_string_equal(route.error, "IPv6 route unreachable default table 10002 "
					 "metric 4294967295: File exists");
	assert_int_equal(count_ours(), 0);
	sh("ip -6 route del unreachable default metric 4294967295 table 10002 proto static");
	plan->rules[0].action = RULE_GOTO; /* backwards */
	plan->rules[0].target = 5;
	assert_int_equal(routing_prepare(&rule, plan, &host), -EINVAL);
	assert_string_equal(rule.error, "rule 20701 fwmark 0x100/0xff00 goto 5: Invalid argument "
					"(Backward goto not supported)");
	assert_int_equal(count_ours(), 0);
}

/* What is there already is named when the snapshot is out of date. */
static void test_twice(void **state)
{
	_cleanup_(plan_free) struct plan *plan = plan_new();
	_cleanup_(host_done) struct host host = { 0 };
	_cleanup_(routing_done) struct routing r = { 0 }, again = { 0 };

	netns_need();
	want_rule(plan, (struct rule){ .family = AF_INET, .priority = 20600, .action = RULE_TABLE,
				       .table = 254 });
	host = snapshot();
	assert_int_equal(routing_prepare(&r, plan, &host), 0);
	assert_int_equal(routing_prepare(&again, plan, &host), -EEXIST);
	assert_string_equal(again.error, "rule 20600 lookup main: File exists");
	assert_int_equal(count_ours(), 1);
	remove_all();
}

/* A changed plan is prepared, and taken back or finished. */
static void test_reload(void **state)
{
	_cleanup_(plan_free) struct plan *plan = two_links(), *next = two_links();
	_cleanup_(host_done) struct host host = { 0 };
	_cleanup_(routing_done) struct routing undone = { 0 }, done = { 0 };

	netns_need();
	apply(plan);
	next->routes[2].gateway = addr("10.0.0.9");
	next->rules[0].mark = 0x300;
	want_lookup(next, AF_INET, 20600, 0, 254);
	next->rules[next->n_rules - 1].suppress_len = 0;
	want_default(next, AF_INET, 10003, "wan1", "10.1.0.7");
	host = snapshot();
	assert_int_equal(routing_prepare(&undone, next, &host), 0);
	sh("ip route show table 10001 | grep -q 10.0.0.9; ip rule | grep -q 'fwmark 0x100/0xff00'\n"
	   "ip rule | grep -q 'fwmark 0x300/0xff00'\n"
	   "ip rule | grep -q 'lookup main suppress_prefixlength 0'");
	assert_int_equal(routing_undo(&undone), 0);
	assert_in_force(plan);
	assert_int_equal(routing_prepare(&done, next, &host), 0);
	/* A route that the kernel deleted by itself is no error. */
	sh("ip rule del pref 20701 fwmark 0x100/0xff00 lookup 10001 protocol 171");
	assert_int_equal(routing_finish(&done), 0);
	assert_in_force(next);
	remove_all();
}

static struct plan *plan_of_machine(const struct model *m)
{
	_cleanup_(host_done) struct host host = snapshot();
	struct plan *plan = plan_new();

	assert_int_equal(plan_build(plan, m, &host, NULL, 0), 0);
	return plan;
}

/* The kernel follows in a link's table what main's default route says of source and MTU. */
static void test_like_main(void **state)
{
	_cleanup_(parsed_done) struct parsed p = parse("link a { device = wan0 }");
	struct plan *plan;

	netns_need();
	sh("ip addr add 10.0.0.77/24 dev wan0; ip addr add 2001:db8:0::77/64 dev wan0 nodad\n"
	   "ip addr add 2001:db8:0::99/64 dev wan0 nodad\n"
	   "ip route add default via 10.0.0.1 dev wan0 src 10.0.0.77 mtu lock 1400\n"
	   "ip -6 route add default via 2001:db8:0::1 dev wan0 src 2001:db8:0::77 mtu 1380");
	plan = plan_of_machine(&p.m);
	apply(plan);
	assert_in_force(plan);
	sh("ip route show table 10001 | grep -q '^default via.* src 10.0.0.77 mtu lock 1400'\n"
	   "ip route get 192.0.2.1 mark 0x100 | grep -q 'table 10001 src 10.0.0.77'\n"
	   "ip route get 192.0.2.1 mark 0x100 | grep -q 'mtu lock 1400'\n"
	   "ip -6 route show table 10001 | grep -q '^default via.* src 2001:db8::77.* mtu 1380'\n"
	   "ip -6 route get 2001:db8:f::1 mark 0x100 | grep -q 'table 10001.* src 2001:db8::77'\n"
	   "ip -6 route get 2001:db8:f::1 mark 0x100 | grep -q 'mtu 1380'");
	plan_done(plan);
	free(plan);
	sh("ip route replace default via 10.0.0.1 dev wan0 mtu 1300\n"
	   "ip -6 route replace default via 2001:db8:0::1 dev wan0");
	plan = plan_of_machine(&p.m);
	apply(plan);
	assert_in_force(plan);
	sh("ip route show table 10001 | grep -q '^default via.* src 10.0.0.2 mtu 1300'\n"
	   "if ip -6 route show table 10001 | grep -E '^default via.*(src|mtu)'; then exit 1; fi");
	plan_done(plan);
	free(plan);
	remove_all();
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

#define LINKS 250
#define LEAVES 16

/* Marks as a tree: a jump for each high digit, a bar behind each group. */
static struct plan *many_links(void)
{
	struct plan *plan = plan_new();
	uint32_t id;
	int n;

	for (n = 0; n < 2; n++) {
		int family = n ? AF_INET6 : AF_INET;
		struct prefix own = { addr(n ? "2001:db8::2" : "10.0.0.2"), 128 };

		for (id = 1; id <= LINKS; id++) {
			want_default(plan, family, 10000 + id, id % 2 ? "wan0" : "wan1",
				     n ? id % 2 ? "2001:db8:0::1" : "2001:db8:1::1"
				       : id % 2 ? "10.0.0.1" : "10.1.0.1");
			want_lookup(plan, family, 20700 + id, id << 8, 10000 + id);
			want_rule(plan, (struct rule){ .family = family, .priority = 21000 + id,
						       .action = RULE_TABLE, .table = 10000 + id,
						       .has_src = true, .src = own });
		}
		for (id = 0; id <= LINKS / LEAVES; id++)
			want_rule(plan, (struct rule){ .family = family, .priority = 20610 + id,
						       .action = RULE_GOTO, .mask = 0xf000,
						       .mark = id << 12,
						       .target = 20700 + MAX(id * LEAVES, 1u) });
	}
	return plan;
}

static void test_many(void **state)
{
	_cleanup_(plan_free) struct plan *plan = many_links();
	double start, applied;
	size_t n;

	netns_need();
	start = now_ms();
	apply(plan);
	applied = now_ms();
	n = count_ours();
	assert_int_equal(n, plan->n_rules + plan->n_routes);
	assert_in_force(plan);
	sh("ip route get 192.0.2.1 mark 0xf900 | grep -q 'dev wan0 table 10249'\n"
	   "ip route get 192.0.2.1 mark 0x1000 | grep -q 'dev wan1 table 10016'\n"
	   "test $(ip rule | grep -c unresolved) = 0");
	start += now_ms() - applied;
	applied = now_ms();
	remove_all();
	print_message("%zu rules and routes: %.0f ms to add, %.0f ms to remove, snapshots included\n",
		      n, applied - start, now_ms() - applied);
	assert_true(applied - start < 1000);
}

static void assert_sysctl(const char *path, const char *want)
{
	char full[128], value[32] = "";
	FILE *f;

	snprintf(full, sizeof(full), "/proc/sys/%s", path);
	f = fopen(full, "re");
	assert_non_null(f);
	assert_non_null(fgets(value, sizeof(value), f));
	fclose(f);
	value[strcspn(value, "\n")] = '\0';
	assert_string_equal(value, want);
}

#define RP "net/ipv4/conf/wan0.2/rp_filter"
#define ARP "net/ipv4/conf/wan0.2/arp_ignore"
#define ANNOUNCE "net/ipv4/conf/wan0.2/arp_announce"

static int sysctl_plan_and_write(const struct plan_sysctl *settings, size_t n,
				 struct sysctl_list *saved, char *path)
{
	int r = sysctl_plan(settings, n, saved, path);

	return r ? r : sysctl_write(saved, path);
}

static void test_sysctls(void **state)
{
	static const struct plan_sysctl settings[] = {
		{ RP, "1", PLAN_SYSCTL_SMALLER },
		{ ARP, "1", PLAN_SYSCTL_DIFFERS },
		{ ANNOUNCE, "2", PLAN_SYSCTL_SMALLER },
		{ "net/ipv4/conf/absent/rp_filter", "1", PLAN_SYSCTL_DIFFERS },
	};
	static const struct plan_sysctl more = { ARP, "2", PLAN_SYSCTL_DIFFERS };
	static const struct plan_sysctl bad = { RP, "x", PLAN_SYSCTL_DIFFERS };
	struct sysctl_list saved = { 0 };
	char path[96] = "";

	netns_need();
	sh("ip link add wan0.2 type bridge; cd /proc/sys/net/ipv4/conf/wan0.2\n"
	   "echo 2 >rp_filter; echo 0 >arp_ignore; echo 1 >arp_announce");
	assert_int_equal(sysctl_plan_and_write(settings, ARRAY_SIZE(settings), &saved, path), 0);
	assert_sysctl(RP, "2");
	assert_sysctl(ARP, "1");
	assert_sysctl(ANNOUNCE, "2");
	assert_int_equal(saved.n, 2);
	assert_string_equal(saved.items[0].path, ARP);
	assert_string_equal(saved.items[0].before, "0");
	assert_string_equal(saved.items[0].written, "1");
	/* A second load must not take our own values for the machine's. */
	assert_int_equal(sysctl_plan_and_write(settings, ARRAY_SIZE(settings), &saved, path), 0);
	assert_int_equal(sysctl_plan_and_write(&more, 1, &saved, path), 0);
	assert_int_equal(saved.n, 2);
	assert_string_equal(saved.items[0].before, "0");
	assert_string_equal(saved.items[0].written, "2");
	assert_int_equal(sysctl_plan_and_write(&bad, 1, &saved, path), -EINVAL);
	assert_string_equal(path, RP);
	/* Somebody else's later word stays. */
	sh("echo 0 >/proc/sys/net/ipv4/conf/wan0.2/arp_announce");
	assert_int_equal(sysctl_restore(&saved, path), 0);
	assert_sysctl(RP, "2");
	assert_sysctl(ARP, "0");
	assert_sysctl(ANNOUNCE, "0");
	sh("ip link del wan0.2");
	assert_int_equal(sysctl_restore(&saved, path), 0);
	free(saved.items);
}

/* Only strict checks become loose ones: the larger of all/ and the device's value counts. */
static void test_reverse_path(void **state)
{
	static const struct {
		int all, before, after;
	} cases[] = {
		{ 0, 0, 0 }, { 0, 1, 2 }, { 0, 2, 2 }, { 1, 0, 2 }, { 1, 1, 2 },
		{ 1, 2, 2 }, { 2, 0, 0 }, { 2, 1, 1 }, { 2, 2, 2 },
	};
	static const struct plan_sysctl loose = { RP, "2", PLAN_SYSCTL_STRICT };
	char path[96] = "", want[16], set[128];

	netns_need();
	sh("ip link add wan0.2 type bridge");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sysctl_list saved = { 0 };

		snprintf(set, sizeof(set),
			 "cd /proc/sys/net/ipv4/conf; echo %d >all/rp_filter; echo %d >wan0.2/rp_filter",
			 cases[i].all, cases[i].before);
		sh(set);
		assert_int_equal(sysctl_plan_and_write(&loose, 1, &saved, path), 0);
		snprintf(want, sizeof(want), "%d", cases[i].after);
		assert_sysctl(RP, want);
		assert_int_equal(saved.n, cases[i].before != cases[i].after);
		assert_int_equal(sysctl_restore(&saved, path), 0);
		snprintf(want, sizeof(want), "%d", cases[i].before);
		assert_sysctl(RP, want);
		free(saved.items);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(test_apply),  netns_test(test_foreign_survives),
		netns_test(test_taken_back), netns_test(test_twice),
		netns_test(test_reload), netns_test(test_like_main), netns_test(test_many),
		netns_test(test_sysctls), netns_test(test_reverse_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
