/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel module from outside: its policies by genetlink, its expression in rules of a table of
 * the test's own.  Nothing of user/ that writes them is used, so that each part of a message can be
 * wrong. For machines of scripts/vm: ASYM_KMOD says that a module that is missing is a failure.
 */
#ifndef TESTS_KMOD_MODULE_H
#define TESTS_KMOD_MODULE_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/defs.h"
#include "core/buckets.h"
#include "kmod/uapi/nft_asym.h"
#include "nl/attr.h"
#include "nl/genl.h"
#include "nl/nft_message.h"
#include "tests/kmod/attrs.h"
#include <linux/genetlink.h>

/* One for each thread: sockets in the network namespace that it had when it opened them. */
struct module {
	struct nl genl, nft;
	uint16_t family;
};

static struct module module;
static bool module_ready;

/* 0, -ENOENT without the module, -errno. */
static inline int module_init(struct module *m)
{
	int r = nl_open(&m->genl, NETLINK_GENERIC);

	r = r ?: nl_open(&m->nft, NETLINK_NETFILTER);
	return r ?: genl_family(&m->genl, ASYM_GENL, &m->family);
}

static inline void module_done(struct module *m)
{
	nl_close(&m->genl);
	nl_close(&m->nft);
}

/* In the namespace that the process is in. */
static inline int module_find(void)
{
	int r = module_init(&module);

	module_ready = !r;
	if (r && getenv("ASYM_KMOD"))
		print_error("no module: %s\n", strerror(-r));
	return r && getenv("ASYM_KMOD") ? -1 : 0;
}

static inline int module_open(void **state)
{
	if (geteuid() || unshare(CLONE_NEWNET))
		return 0;
	/* loopback addresses are nobody's to choose for */
	return system("ip addr add 10.9.9.1/8 dev lo && ip link set lo up") ? -1 : module_find();
}

static inline int module_close(void **state)
{
	module_done(&module);
	return 0;
}

static inline void module_need(void)
{
	if (!module_ready)
		skip();
}

/* xorshift32 (Marsaglia, 2003). */
static uint32_t module_seed;
static inline uint32_t any(void)
{
	module_seed ^= module_seed << 13;
	module_seed ^= module_seed >> 17;
	module_seed ^= module_seed << 5;
	return module_seed;
}

static inline uint32_t below(uint32_t n)
{
	return any() % n;
}

/* SEED=n in the environment repeats a run. */
static inline void seed(uint32_t otherwise)
{
	module_seed = getenv("SEED") ? (uint32_t)strtoul(getenv("SEED"), NULL, 0) : otherwise;
	print_message("# SEED=%u\n", module_seed);
}

/* How many times: the default, or a part of it where ASYM_KMOD_PART says how many parts it has (a
 * machine that is slow), at least 1. */
static inline unsigned int times(unsigned int n)
{
	const char *part = getenv("ASYM_KMOD_PART");

	return MAX(n / (part ? (unsigned int)atoi(part) : 1), 1u);
}

/* --- policies ------------------------------------------------------------------------------------
 */
struct policy {
	uint32_t number, seed, mask, references;
	struct asym_policy p;
	struct asym_buckets b[ASYM_FAMILIES];
};

static inline uint32_t policy_mark(const struct policy *p, uint8_t id)
{
	return (uint32_t)id << __builtin_ctz(p->mask);
}

/* Every bucket of both families is link `id`'s, which lives; 0: none does. */
static inline struct policy policy_of(uint32_t number, uint8_t id)
{
	struct policy p = {.number = number, .seed = 7, .mask = 0xff00, .p.last_resort = 253};

	for (int f = 0; f < ASYM_FAMILIES; f++) {
		memset(p.b[f].link, id, ASYM_BUCKETS);
		if (id)
			p.p.live[f][id >> 5] = 1u << (id & 31);
	}
	return p;
}

static inline void policy_attrs(struct attrs *l, const struct policy *p)
{
	l->n = 0;
	attrs_u32(l, ASYM_A_POLICY, p->number);
	attrs_u8(l, ASYM_A_KEY, p->p.key);
	attrs_u32(l, ASYM_A_SEED, p->seed);
	attrs_u32(l, ASYM_A_MARK_MASK, p->mask);
	attrs_u8(l, ASYM_A_LAST_RESORT, p->p.last_resort);
	attrs_put(l, ASYM_A_BUCKETS4, p->b[ASYM_V4].link, ASYM_BUCKETS);
	attrs_put(l, ASYM_A_BUCKETS6, p->b[ASYM_V6].link, ASYM_BUCKETS);
	attrs_put(l, ASYM_A_LIVE4, p->p.live[ASYM_V4], sizeof(p->p.live[0]));
	attrs_put(l, ASYM_A_LIVE6, p->p.live[ASYM_V6], sizeof(p->p.live[0]));
}

static inline int module_ask(struct module *m, uint8_t cmd, const struct attrs *l,
                             int (*fn)(const struct nlmsghdr *h, void *data), void *data)
{
	const struct genlmsghdr header = {.cmd = cmd, .version = ASYM_KMOD_ABI};
	static __thread char buf[ATTRS_MAX * (ATTRS_DATA + 8) + 64];
	struct nl_msg msg = {.h = mnl_nlmsg_put_header(buf)};

	msg.h->nlmsg_type = m->family;
	msg.h->nlmsg_flags = NLM_F_REQUEST;
	memcpy(mnl_nlmsg_put_extra_header(msg.h, sizeof(header)), &header, sizeof(header));
	attrs_write(msg.h, l);
	return nl_ask(&m->genl, &msg, fn, data);
}

static inline int policy_set(struct module *m, const struct policy *p)
{
	static __thread struct attrs l;

	policy_attrs(&l, p);
	return module_ask(m, ASYM_CMD_SET_POLICY, &l, NULL, NULL);
}

static inline int policy_del(struct module *m, uint32_t number)
{
	static __thread struct attrs l;

	l.n = 0;
	attrs_u32(&l, ASYM_A_POLICY, number);
	return module_ask(m, ASYM_CMD_DEL_POLICY, &l, NULL, NULL);
}

static const struct attr_size module_sizes[ASYM_A_MAX] = {
	[ASYM_A_ABI] = ATTR_U32,
	[ASYM_A_VERSION] = ATTR_STR(256),
	[ASYM_A_FEATURES] = ATTR_U32,
	[ASYM_A_OFFLOADED] = ATTR_U32,
	[ASYM_A_STICKY_USED] = ATTR_U32,
	[ASYM_A_POLICY] = ATTR_U32,
	[ASYM_A_KEY] = ATTR_U8,
	[ASYM_A_SEED] = ATTR_U32,
	[ASYM_A_MARK_MASK] = ATTR_U32,
	[ASYM_A_LAST_RESORT] = ATTR_U8,
	[ASYM_A_BUCKETS4] = {ASYM_BUCKETS, ASYM_BUCKETS},
	[ASYM_A_BUCKETS6] = {ASYM_BUCKETS, ASYM_BUCKETS},
	[ASYM_A_LIVE4] = {32, 32},
	[ASYM_A_LIVE6] = {32, 32},
	[ASYM_A_REFERENCES] = ATTR_U32,
};

/* The message of a policy; all of its attributes have to be there. */
static inline int policy_take(const struct nlmsghdr *h, void *data)
{
	const struct nlattr *tb[ASYM_A_MAX];
	struct policy *p = data;
	int r = attr_parse(h, sizeof(struct genlmsghdr), module_sizes, ASYM_A_MAX, tb);

	for (int i = ASYM_A_POLICY; !r && i < ASYM_A_MAX; i++)
		r = tb[i] ? 0 : -ENODATA;
	if (r)
		return r;
	*p = (struct policy){
		.number = mnl_attr_get_u32(tb[ASYM_A_POLICY]),
		.seed = mnl_attr_get_u32(tb[ASYM_A_SEED]),
		.mask = mnl_attr_get_u32(tb[ASYM_A_MARK_MASK]),
		.references = mnl_attr_get_u32(tb[ASYM_A_REFERENCES]),
		.p.key = mnl_attr_get_u8(tb[ASYM_A_KEY]),
		.p.last_resort = mnl_attr_get_u8(tb[ASYM_A_LAST_RESORT]),
	};
	for (int f = 0; f < ASYM_FAMILIES; f++) {
		memcpy(p->b[f].link, mnl_attr_get_payload(tb[ASYM_A_BUCKETS4 + f]), ASYM_BUCKETS);
		memcpy(p->p.live[f], mnl_attr_get_payload(tb[ASYM_A_LIVE4 + f]), 32);
	}
	return 0;
}

static inline int policy_get(struct module *m, uint32_t number, struct policy *ret)
{
	static __thread struct attrs l;

	l.n = 0;
	attrs_u32(&l, ASYM_A_POLICY, number);
	return module_ask(m, ASYM_CMD_GET_POLICY, &l, policy_take, ret);
}

static inline bool policy_equal(const struct policy *a, const struct policy *b)
{
	return a->number == b->number && a->seed == b->seed && a->mask == b->mask &&
	       !memcmp(&a->p, &b->p, sizeof(a->p)) && !memcmp(a->b, b->b, sizeof(a->b));
}

#endif
