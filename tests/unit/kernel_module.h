/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel by hand: generic netlink, with the module as kmod/uapi/nft_asym.h describes it. */
#ifndef TESTS_UNIT_KERNEL_MODULE_H
#define TESTS_UNIT_KERNEL_MODULE_H

#include "tests/unit/kernel_answer.h"

#include <linux/genetlink.h>

#define KERNEL_FAMILY 0x2a /* number of ours */

/* -------- the controller */

static inline void kernel_family(struct mnl_socket *s, const struct nlmsghdr *request,
				 const char *name, uint16_t id)
{
	const struct genlmsghdr genl = {.cmd = CTRL_CMD_NEWFAMILY, .version = 2};
	char buf[KERNEL_ROOM];
	struct nlmsghdr *h = kernel_answer(buf, request, s, GENL_ID_CTRL);

	memcpy(mnl_nlmsg_put_extra_header(h, sizeof(genl)), &genl, sizeof(genl));
	h->nlmsg_flags = NLM_F_MULTI;
	if (kernel.leaving && id > KERNEL_FAMILY) /* the last of a list */
		h->nlmsg_flags |= NLM_F_DUMP_INTR;
	mnl_attr_put_strz(h, CTRL_ATTR_FAMILY_NAME, name);
	if (!kernel.nameless)
		mnl_attr_put_u16(h, CTRL_ATTR_FAMILY_ID, id);
	kernel_post(s, h, h->nlmsg_len, 0);
}

static inline void kernel_controller(struct mnl_socket *s, const struct nlmsghdr *h)
{
	const struct nlattr *name = mnl_nlmsg_get_payload_offset(h, sizeof(struct genlmsghdr));

	if (kernel_is_dump(h)) {
		str_add(&kernel.log, "look ");
		kernel_family(s, h, "nlctrl", GENL_ID_CTRL);
		if (kernel.there)
			kernel_family(s, h, ASYM_GENL, KERNEL_FAMILY);
		kernel_family(s, h, "asymbpf2", KERNEL_FAMILY + 1);
		if (kernel.leaving && !--kernel.leaving)
			kernel.there = false;
		kernel_dump_end(s, h, 0);
		return;
	}
	str_add(&kernel.log, "load ");
	assert_int_equal(mnl_attr_get_type(name), CTRL_ATTR_FAMILY_NAME);
	assert_string_equal(mnl_attr_get_str(name), ASYM_GENL);
	kernel.there |= kernel.on_disk;
	if (kernel.there)
		kernel_family(s, h, ASYM_GENL, KERNEL_FAMILY);
	kernel_verdict(s, h, kernel.there ? 0 : -ENOENT, NULL);
}

/* -------- the module */

static inline void kernel_put(struct nlmsghdr *h, uint16_t type, const void *data, size_t len)
{
	static const char zeros[KERNEL_ROOM / 2];

	if (type == kernel.omit)
		return;
	if (type == kernel.resize && kernel.resize_to > len)
		mnl_attr_put(h, type, kernel.resize_to, zeros);
	else
		mnl_attr_put(h, type, type == kernel.resize ? kernel.resize_to : len, data);
}

static inline void kernel_put_u32(struct nlmsghdr *h, uint16_t type, uint32_t v)
{
	kernel_put(h, type, &v, sizeof(v));
}

/* From a process, which may know the request's number: the same with all attributes zeroed. */
static inline void kernel_forge(struct mnl_socket *s, const struct nlmsghdr *h)
{
	struct kernel_datagram *d = kernel_post(s, h, h->nlmsg_len, 0);
	const size_t fixed = MNL_NLMSG_HDRLEN + sizeof(struct genlmsghdr);
	struct nlattr *a = (struct nlattr *)(d->data + fixed);

	d->from = 1234;
	while (mnl_attr_ok(a, (int)(d->data + d->len - (char *)a))) {
		memset(mnl_attr_get_payload(a), 0, mnl_attr_get_payload_len(a));
		a = mnl_attr_next(a);
	}
}

/* Sends it, with the faults that are wanted. */
static inline void kernel_send(struct mnl_socket *s, struct nlmsghdr *h)
{
	static const char zeros[128 << 10];

	if (kernel.silent)
		return;
	if (kernel.huge)
		kernel_post(s, zeros, sizeof(zeros), 0);
	if (kernel.forged)
		kernel_forge(s, h);
	if (kernel.cut >= 0)
		h->nlmsg_len = MNL_NLMSG_HDRLEN + (uint32_t)kernel.cut;
	if (kernel.stray) {
		h->nlmsg_seq -= 7;
		kernel_post(s, h, h->nlmsg_len, 0);
		h->nlmsg_seq += 7;
		h->nlmsg_pid++;
		kernel_post(s, h, h->nlmsg_len, 0);
		h->nlmsg_pid--;
	}
	kernel_post(s, h, h->nlmsg_len - (kernel.broken ? 8 : 0), 0);
}

static inline struct nlmsghdr *kernel_genl(char *buf, const struct nlmsghdr *request,
					   const struct mnl_socket *s, uint8_t cmd)
{
	const struct genlmsghdr genl = {.cmd = cmd, .version = ASYM_KMOD_ABI};
	struct nlmsghdr *h = kernel_answer(buf, request, s, KERNEL_FAMILY);

	memcpy(mnl_nlmsg_put_extra_header(h, sizeof(genl)), &genl, sizeof(genl));
	return h;
}

static inline void kernel_info(struct mnl_socket *s, const struct nlmsghdr *request)
{
	static char buf[KERNEL_ROOM];
	struct nlmsghdr *h = kernel_genl(buf, request, s, ASYM_CMD_GET_INFO);

	kernel_put_u32(h, ASYM_A_ABI, kernel.abi);
	kernel_put(h, ASYM_A_VERSION, kernel.version, strlen(kernel.version) + 1);
	kernel_put_u32(h, ASYM_A_FEATURES, kernel.features);
	kernel_put_u32(h, ASYM_A_OFFLOADED, 41);
	kernel_put_u32(h, ASYM_A_STICKY_USED, 42);
	mnl_attr_put_u32(h, ASYM_A_MAX + 100, 1); /* of a later module */
	kernel_send(s, h);
}

static inline void kernel_policy(struct mnl_socket *s, const struct nlmsghdr *request,
				 const struct kmod_policy *p, uint16_t flags)
{
	static char buf[KERNEL_ROOM];
	struct nlmsghdr *h = kernel_genl(buf, request, s, ASYM_CMD_GET_POLICY);

	h->nlmsg_flags = flags;
	kernel_put_u32(h, ASYM_A_POLICY, p->number);
	kernel_put(h, ASYM_A_KEY, &p->key, 1);
	kernel_put_u32(h, ASYM_A_SEED, p->seed);
	kernel_put_u32(h, ASYM_A_MARK_MASK, p->mark_mask);
	kernel_put(h, ASYM_A_LAST_RESORT, &p->last_resort, 1);
	kernel_put(h, ASYM_A_BUCKETS4, p->buckets[ASYM_V4], ASYM_BUCKETS);
	kernel_put(h, ASYM_A_BUCKETS6, p->buckets[ASYM_V6], ASYM_BUCKETS);
	kernel_put(h, ASYM_A_LIVE4, p->live[ASYM_V4], 32);
	kernel_put(h, ASYM_A_LIVE6, p->live[ASYM_V6], 32);
	kernel_put_u32(h, ASYM_A_REFERENCES, p->references);
	kernel_send(s, h);
}

/* Those above the middle come in a second half, which a disturbed dump is disturbed before. */
static inline void kernel_list(struct mnl_socket *s, const struct nlmsghdr *request)
{
	const uint32_t half = ASYM_MAX_POLICIES / 2;
	bool torn = kernel.torn > 0, lost = kernel.lost > 0;

	str_add(&kernel.log, "list ");
	if (kernel.refuse_command == ASYM_CMD_GET_POLICY) {
		kernel_verdict(s, request, kernel.refuse, "no lists today");
		return;
	}
	kernel.torn -= torn;
	kernel.lost -= lost;
	for (uint32_t i = 0; i < ASYM_MAX_POLICIES; i++) {
		uint16_t flags = torn && i >= half ? NLM_F_MULTI | NLM_F_DUMP_INTR : NLM_F_MULTI;

		if (lost && i == half)
			kernel_post(s, NULL, 0, ENOBUFS);
		if (kernel.held[i])
			kernel_policy(s, request, &kernel.policies[i], flags);
	}
	kernel_dump_end(s, request, kernel.dump_err);
}

static inline const struct nlattr *kernel_attr(const struct nlmsghdr *h, uint16_t type, size_t len)
{
	const struct nlattr *a, *ret = NULL;

	mnl_attr_for_each(a, h, sizeof(struct genlmsghdr)) {
		assert_true(mnl_attr_get_type(a) < ASYM_A_MAX);
		if (mnl_attr_get_type(a) != type)
			continue;
		assert_null(ret);
		assert_int_equal(mnl_attr_get_payload_len(a), len);
		ret = a;
	}
	assert_non_null(ret);
	return ret;
}

static inline uint32_t kernel_u32(const struct nlmsghdr *h, uint16_t type)
{
	return mnl_attr_get_u32(kernel_attr(h, type, 4));
}

static inline void kernel_bytes(const struct nlmsghdr *h, uint16_t type, void *ret, size_t len)
{
	memcpy(ret, mnl_attr_get_payload(kernel_attr(h, type, len)), len);
}

static inline void kernel_set(const struct nlmsghdr *h, uint32_t number)
{
	struct kmod_policy *p = &kernel.policies[number];

	p->number = number;
	p->key = mnl_attr_get_u8(kernel_attr(h, ASYM_A_KEY, 1));
	p->seed = kernel_u32(h, ASYM_A_SEED);
	p->mark_mask = kernel_u32(h, ASYM_A_MARK_MASK);
	p->last_resort = mnl_attr_get_u8(kernel_attr(h, ASYM_A_LAST_RESORT, 1));
	kernel_bytes(h, ASYM_A_BUCKETS4, p->buckets[ASYM_V4], ASYM_BUCKETS);
	kernel_bytes(h, ASYM_A_BUCKETS6, p->buckets[ASYM_V6], ASYM_BUCKETS);
	kernel_bytes(h, ASYM_A_LIVE4, p->live[ASYM_V4], 32);
	kernel_bytes(h, ASYM_A_LIVE6, p->live[ASYM_V6], 32);
	kernel.held[number] = true;
}

static inline int kernel_change(const struct nlmsghdr *h, uint8_t cmd, uint32_t number)
{
	str_add(&kernel.log, "%s %u ", cmd == ASYM_CMD_SET_POLICY ? "set" : "del", number);
	assert_true(number < ASYM_MAX_POLICIES);
	if (kernel.refuse_command == cmd && number >= kernel.refuse_number &&
	    number <= kernel.refuse_number + kernel.refuse_more)
		return kernel.refuse;
	if (cmd == ASYM_CMD_SET_POLICY)
		kernel_set(h, number);
	else if (!kernel.held[number])
		return -ENOENT;
	else
		kernel.held[number] = false;
	return 0;
}

static inline const char *kernel_words(void)
{
	return kernel.refused++ ? "more words" : "the module's words";
}

static inline void kernel_module(struct mnl_socket *s, const struct nlmsghdr *h)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(h);
	int r;

	assert_true(kernel.there);
	assert_int_equal(genl->version, ASYM_KMOD_ABI);
	if (genl->cmd == ASYM_CMD_GET_POLICY) {
		assert_true(kernel_is_dump(h));
		kernel_list(s, h);
		return;
	}
	assert_int_equal(h->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	if (genl->cmd == ASYM_CMD_GET_INFO) {
		str_add(&kernel.log, "info ");
		r = kernel.refuse_command == genl->cmd ? kernel.refuse : 0;
		if (!r)
			kernel_info(s, h);
	} else {
		assert_true(genl->cmd == ASYM_CMD_SET_POLICY || genl->cmd == ASYM_CMD_DEL_POLICY);
		r = kernel_change(h, genl->cmd, kernel_u32(h, ASYM_A_POLICY));
	}
	if (kernel.lost) {
		kernel.lost--;
		kernel_post(s, NULL, 0, ENOBUFS);
	}
	if (!kernel.mute)
		kernel_verdict(s, h, r, r ? kernel_words() : NULL);
}

#endif
