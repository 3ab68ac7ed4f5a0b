/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply/update.h in a network namespace: something is broken, updated once, and then compared, object by
 * object, with what loading the same configuration anew makes.  Needs root.
 */
#ifndef TESTS_UNIT_UPDATE_LAB_H
#define TESTS_UNIT_UPDATE_LAB_H

#include "tests/unit/netns.h"

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

static inline void machine_read(void)
{
	host_done(&lab->host);
	lab->host = (struct host){0};
	assert_int_equal(snapshot_take(&lab->host), 0);
}

static inline void conf_read(const char *conf)
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

static inline void plan_anew(void)
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
static inline void load(void)
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

static inline void lab_open(const char *conf)
{
	lab = calloc(1, sizeof(*lab));
	assert_non_null(lab);
	object_init(&lab->object);
	assert_int_equal(netns_cookie(&lab->cookie), 0);
	conf_read(conf);
	load();
	lab->u.cookie = lab->cookie;
}

static inline int lab_close(void **state)
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

static inline double ms_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static inline int apply_plan(bool knows_old)
{
	int r;

	lab->u.object = &lab->object;
	lab->u.host = &lab->host;
	lab->u.plan = &lab->plan;
	lab->u.old = knows_old ? &lab->old : NULL;
	lab->u.state = &lab->state;
	r = update_apply(&lab->u);
	if (r)
		print_message("update: %s\n", lab->u.error);
	return r;
}

static inline int update_with(bool knows_old)
{
	plan_anew();
	return apply_plan(knows_old);
}

/* Exactly these parts were done. */
static inline void updated(unsigned int parts)
{
	assert_int_equal(update_with(true), 0);
	assert_int_equal(lab->u.failed, 0);
	assert_int_equal(lab->u.done, parts);
}

/* -------- what the kernel holds, as text */

static inline void add_output(struct str *out, const char *command)
{
	char line[4096];
	FILE *pipe = popen(command, "r");

	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe))
		str_add(out, "%s", line);
	assert_int_equal(pclose(pipe), 0);
}

static inline void add_bytes(struct str *out, const char *what, uint32_t index, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	str_add(out, "%s %u %016llx\n", what, index, (unsigned long long)h);
}

static inline void add_array(struct str *out, enum object_map map, uint32_t bank, uint32_t n, size_t size)
{
	char value[8192];

	for (uint32_t i = 0; i < n; i++) {
		uint32_t key = bank * n + i;

		assert_int_equal(bpf_map_lookup_elem(lab->object.map[map], &key, value), 0);
		add_bytes(out, object_map_names[map], i, value, size);
	}
}

static inline int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Keys of the bank, sorted: a hash has no order. */
static inline void add_keys(struct str *out, enum object_map map, uint32_t bank)
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

static inline void add_maps(struct str *out)
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

static inline void add_programs(struct str *out)
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

static inline char *everything(void)
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
static inline void as_loaded(void)
{
	_cleanup_free_ char *got = everything(), *want = NULL;

	load();
	want = everything();
	assert_string_equal(got, want);
}

static inline uint32_t epoch(void)
{
	struct asym_control control;

	assert_int_equal(maps_control(&lab->object, &control), 0);
	return control.epoch;
}

/* On this machine, with this configuration loaded. */
static inline void begin(const char *conf)
{
	netns_need();
	sh(MACHINE);
	lab_open(conf);
	plan_anew();
}

#endif
