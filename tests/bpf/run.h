/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs in a network namespace of the test's own, with maps filled from a configuration.
 * Packets reach them in two ways: BPF_PROG_TEST_RUN (Ethernet programs; any mark, any device, but
 * no frame shorter than its IP header since Linux 6.18), and for real through a TAP or TUN device
 * (programs on tc ingress; every length, devices without Ethernet header, headers outside of the
 * linear part of a packet).
 */
#ifndef TESTS_BPF_RUN_H
#define TESTS_BPF_RUN_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apply/maps.h"
#include "apply/netns.h"
#include "apply/object.h"
#include "base/str.h"
#include "tests/bpf/pkt.h"
#include "tests/unit/machine.h"
#include <bpf/bpf.h>
#include <linux/pkt_cls.h>

/* ifindexes of the lab's devices */
enum {
	LO = 1, LAN1 = 11, LAN2 = 12, WAN1 = 21, WAN2 = 22, WAN3 = 23, WAN4 = 24, TAP = 31, TUN = 32
};

static struct {
	bool ready; /* false without root */
	struct object o;
	uint64_t cookie;
	uint64_t before[ASYM_REASON_MAX];
	bool seen[ASYM_REASON_MAX]; /* provoked by some packet so far */
} lab;

#define LAB_WANS "link wan1 {} link wan2 {} link wan3 {} link wan4 {}\n"
#define LAB_POLICIES                                                                               \
	"policy to1 { links = wan1 } policy to2 { links = wan2 }\n"                                \
	"policy to3 { links = wan3 } policy to4 { links = wan4 }\n"
#define LAB_HOST                                                                                   \
	"device lo index 1 up carrier loopback\n"                                                  \
	"for 1 2 device lan$ index 1$ up carrier ethernet\n"                                       \
	"for 1 2 addr lan$ 10.0.$.1/24\n"                                                          \
	"for 1 4 device wan$ index 2$ up carrier ethernet\n"                                       \
	"for 1 4 addr wan$ 192.0.2.$/24\n"                                                         \
	"for 1 4 addr wan$ 2001:db8:2::$/64\n"                                                     \
	"for 1 4 route default via 192.0.2.254 dev wan$ metric $\n"                                \
	"for 1 4 route default6 via fe80::1 dev wan$ metric $\n"                                   \
	"device tap index 31 up carrier ethernet\n"                                                \
	"device tun index 32 up carrier p2p\n"

/* MAC addresses are 02:00:00:00:00:INDEX. */
static int lab_devices(void)
{
	return system("set -e; ip link set lo up\n"
		      "pair() { ip link add $1 index $2 address 02:00:00:00:00:$2 type veth "
		      "peer name $3 index $4 address 02:00:00:00:00:$4; }\n"
		      "pair lan1 11 lan2 12; pair wan1 21 wan2 22; pair wan3 23 wan4 24");
}

static inline int lab_open_with(const struct object_options *options)
{
	char error[256];

	if (geteuid() || unshare(CLONE_NEWNET))
		return 0;
	if (lab_devices() || netns_cookie(&lab.cookie))
		return -1;
	if (object_load(&lab.o, NULL, options, error, sizeof(error))) {
		print_error("cannot load: %s\n", error);
		return -1;
	}
	lab.ready = true;
	return 0;
}

static inline int lab_open(void **state)
{
	return lab_open_with(&(struct object_options){.sticky_entries = 1024});
}

static inline int lab_close(void **state)
{
	if (lab.ready)
		object_done(&lab.o);
	return 0;
}

static inline void lab_need(void)
{
	if (!lab.ready)
		skip();
}

/* A configuration and a machine, planned. */
struct loaded {
	struct model m;
	struct machine machine;
	struct plan p;
};

static inline void loaded_free(struct loaded *l)
{
	plan_done(&l->p);
	machine_done(&l->machine);
	model_done(&l->m);
	free(l);
}

static inline struct loaded *loaded_new(const char *conf, const char *host)
{
	struct loaded *l = calloc(1, sizeof(*l));
	struct findings f = {};

	model_init(&l->m);
	if (config_parse(&l->m, "conf", conf, strlen(conf), &f))
		fail_msg("line %d: %s\n%s", f.items[0].line, f.items[0].text, conf);
	findings_done(&f);
	assert_int_equal(model_add_defaults(&l->m), 0);
	machine_parse(&l->machine, host ? host : LAB_HOST);
	assert_int_equal(plan_build(&l->p, &l->m, &l->machine.h, NULL, 0), 0);
	return l;
}

static inline void lab_write(const struct plan *p, uint32_t bank)
{
	char error[64];

	if (maps_write(&lab.o, p, bank, error, sizeof(error)))
		fail_msg("%s", error);
}

static inline void lab_switch(uint32_t bank)
{
	assert_int_equal(maps_switch(&lab.o, lab.cookie, bank), 0);
}

static inline void lab_use(const struct plan *p)
{
	uint32_t bank = maps_idle_bank(&lab.o);

	lab_write(p, bank);
	lab_switch(bank);
}

static inline void lab_load_on(const char *conf, const char *host)
{
	struct loaded *l = loaded_new(conf, host);

	lab_use(&l->p);
	loaded_free(l);
}

static inline void lab_load(const char *conf)
{
	lab_load_on(conf, NULL);
}

static inline void lab_forget_sticky(void)
{
	struct asym_sticky_key key;

	while (!bpf_map_get_next_key(lab.o.map[MAP_STICKY], NULL, &key))
		bpf_map_delete_elem(lab.o.map[MAP_STICKY], &key);
}

/* What became of one packet. */
struct outcome {
	uint32_t mark;
	enum asym_reason reason; /* ASYM_REASON_MAX: not exactly one counter rose by one */
};

static inline const char *reason_name(enum asym_reason reason)
{
	static const char *const names[ASYM_REASON_MAX + 1] = {
#define X(name, label, help) label,
		ASYM_REASONS(X)
#undef X
		"none or several",
	};

	return names[reason];
}

static inline void counters_begin(void)
{
	assert_int_equal(maps_counters(&lab.o, lab.before), 0);
}

static inline uint64_t counters_since(enum asym_reason which)
{
	uint64_t now[ASYM_REASON_MAX];

	assert_int_equal(maps_counters(&lab.o, now), 0);
	return now[which] - lab.before[which];
}

/* Why the packet went as it went.  That conntrack was asked besides is no answer. */
static inline enum asym_reason counters_end(void)
{
	enum asym_reason which = ASYM_REASON_MAX;
	uint64_t now[ASYM_REASON_MAX], rose = 0;

	assert_int_equal(maps_counters(&lab.o, now), 0);
	for (unsigned int i = 0; i < ASYM_REASON_MAX; i++)
		if (i != ASYM_CACHE_UNFIT && now[i] != lab.before[i]) {
			rose += now[i] - lab.before[i];
			which = i;
		}
	if (rose != 1)
		return ASYM_REASON_MAX;
	lab.seen[which] = true;
	return which;
}

/* Runs a program on the packet: its bytes, and what else of it can be read, must stay. */
static inline uint32_t lab_test_run(enum object_program which, const struct pkt *p,
				    uint32_t ifindex, uint32_t mark)
{
	uint8_t out[sizeof(p->data)];
	struct __sk_buff in = { .mark = mark, .ifindex = ifindex, .priority = 7,
				.cb = { 1, 2, 3 } };
	struct __sk_buff after = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->len,
		    .data_out = out, .data_size_out = sizeof(out), .ctx_in = &in,
		    .ctx_size_in = sizeof(in), .ctx_out = &after, .ctx_size_out = sizeof(after));

	if (bpf_prog_test_run_opts(lab.o.program[which], &opts))
		fail_msg("test run of %u bytes: %s", p->len, strerror(errno));
	assert_int_equal((int)opts.retval, TC_ACT_UNSPEC);
	assert_int_equal(opts.data_size_out, p->len);
	assert_memory_equal(out, p->data, p->len);
	assert_int_equal(after.priority, 7);
	assert_memory_equal(after.cb, in.cb, sizeof(in.cb));
	return after.mark;
}

static inline struct outcome lab_run(enum object_program which, const struct pkt *p,
				     uint32_t ifindex, uint32_t mark)
{
	struct outcome o;

	counters_begin();
	o.mark = lab_test_run(which, p, ifindex, mark);
	o.reason = counters_end();
	return o;
}

/* To a device of the lab, unless the packet has a MAC address already. */
static inline struct pkt pkt_to(const struct pkt_spec *s, uint32_t ifindex)
{
	char mac[ETH_ALEN] = { 2, 0, 0, 0, 0, (char)(ifindex / 10 << 4 | ifindex % 10) };
	struct pkt_spec to = *s;

	if (!to.mac && ifindex > LO)
		to.mac = mac;
	return pkt_make(&to);
}

static inline struct outcome lab_send(enum object_program which, const struct pkt_spec *s)
{
	uint32_t ifindex = s->in ? s->in : LAN1;
	struct pkt p = pkt_to(s, ifindex);

	return lab_run(which, &p, ifindex, s->mark);
}

/* The last test of a file: each of these reasons has been provoked. */
static inline void lab_all_seen(enum asym_reason first, enum asym_reason last)
{
	for (enum asym_reason i = first; i <= last; i++)
		if (!lab.seen[i])
			fail_msg("no packet raised %s", reason_name(i));
}

#endif
