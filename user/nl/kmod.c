// SPDX-License-Identifier: GPL-2.0-or-later
#include "nl/kmod.h"

#include "kmod/uapi/nft_asym.h"
#include "nl/attr.h"
#include "nl/batch.h"
#include "nl/genl.h"
#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

/* A policy's message: two tables of buckets and less than 1 KiB besides. */
#define POLICY_ROOM (2 * ASYM_BUCKETS_SPACE + 1024)

static const struct attr_size sizes[] = {
	[ASYM_A_ABI] = ATTR_U32,
	[ASYM_A_VERSION] = ATTR_STR(sizeof(((struct kmod_info *)0)->version)),
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
#define ATTRS ARRAY_SIZE(sizes)

int kmod_open(struct kmod *ret, bool load)
{
	int r;

	*ret = (struct kmod){};
	r = nl_open(&ret->nl, NETLINK_GENERIC);
	if (r)
		return r;
	r = load ? genl_family(&ret->nl, ASYM_GENL, &ret->family)
		 : genl_family_present(&ret->nl, ASYM_GENL, &ret->family);
	if (r)
		kmod_close(ret);
	return r;
}

void kmod_close(struct kmod *k)
{
	nl_close(&k->nl);
}

static void begin(const struct kmod *k, struct nl_msg *m, uint8_t command)
{
	const struct genlmsghdr header = {.cmd = command, .version = ASYM_KMOD_ABI};

	nl_begin(m, k->family, 0, &header, sizeof(header));
}

/* Of a module with another ABI the rest may be anything. */
static int take_info(const struct nlmsghdr *h, void *data)
{
	static const struct attr_size abi_alone[] = {[ASYM_A_ABI] = ATTR_U32};
	const struct nlattr *tb[ATTRS];
	struct kmod_info *info = data;
	int r = attr_parse(h, sizeof(struct genlmsghdr), abi_alone, ARRAY_SIZE(abi_alone), tb);

	if (r)
		return r;
	info->abi = attr_u32(tb[ASYM_A_ABI], 0);
	r = attr_parse(h, sizeof(struct genlmsghdr), sizes, ATTRS, tb);
	r = r ?: attr_str(tb[ASYM_A_VERSION], info->version, sizeof(info->version));
	if (r)
		return info->abi == ASYM_KMOD_ABI ? r : 0;
	info->features = attr_u32(tb[ASYM_A_FEATURES], 0);
	info->offloaded = attr_u32(tb[ASYM_A_OFFLOADED], 0);
	info->sticky_used = attr_u32(tb[ASYM_A_STICKY_USED], 0);
	return 0;
}

int kmod_info(struct kmod *k, struct kmod_info *ret)
{
	struct kmod_info info = {};
	struct nl_msg m;
	int r;

	begin(k, &m, ASYM_CMD_GET_INFO);
	r = nl_ask(&k->nl, &m, take_info, &info);
	if (!r && !info.abi)
		r = -EBADMSG;
	if (!r)
		*ret = info;
	return r;
}

static void put_policy(struct nlmsghdr *h, const struct kmod_policy *p)
{
	mnl_attr_put_u32(h, ASYM_A_POLICY, p->number);
	mnl_attr_put_u8(h, ASYM_A_KEY, p->key);
	mnl_attr_put_u32(h, ASYM_A_SEED, p->seed);
	mnl_attr_put_u32(h, ASYM_A_MARK_MASK, p->mark_mask);
	mnl_attr_put_u8(h, ASYM_A_LAST_RESORT, p->last_resort);
	mnl_attr_put(h, ASYM_A_BUCKETS4, ASYM_BUCKETS, p->buckets[ASYM_V4]);
	mnl_attr_put(h, ASYM_A_BUCKETS6, ASYM_BUCKETS, p->buckets[ASYM_V6]);
	mnl_attr_put(h, ASYM_A_LIVE4, sizeof(p->live[ASYM_V4]), p->live[ASYM_V4]);
	mnl_attr_put(h, ASYM_A_LIVE6, sizeof(p->live[ASYM_V6]), p->live[ASYM_V6]);
}

static void add_policy(const struct kmod *k, struct nl_batch *b, char *buf, const struct kmod_policy *p)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(memset(buf, 0, POLICY_ROOM));
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(h, sizeof(*genl));

	h->nlmsg_type = k->family;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	*genl = (struct genlmsghdr){.cmd = ASYM_CMD_SET_POLICY, .version = ASYM_KMOD_ABI};
	put_policy(h, p);
	nl_batch_add_raw(b, h);
}

int kmod_set(struct kmod *k, const struct kmod_policy *policies, size_t n)
{
	_cleanup_free_ char *buf = malloc(POLICY_ROOM);
	_cleanup_batch_ struct nl_batch b = {};
	size_t first;

	if (!buf)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		add_policy(k, &b, buf, &policies[i]);
	return nl_batch_talk(&k->nl, &b, &first);
}

int kmod_delete(struct kmod *k, uint32_t number)
{
	struct nl_msg m;

	begin(k, &m, ASYM_CMD_DEL_POLICY);
	nl_put_u32(&m, ASYM_A_POLICY, number);
	return nl_ask(&k->nl, &m, NULL, NULL);
}

static void copy(void *to, const struct nlattr *from)
{
	if (from)
		memcpy(to, mnl_attr_get_payload(from), mnl_attr_get_payload_len(from));
}

static int take_policy(const struct nlmsghdr *h, void *data)
{
	const struct nlattr *tb[ATTRS];
	struct kmod_list *list = data;
	struct kmod_policy *p;
	int r = attr_parse(h, sizeof(struct genlmsghdr), sizes, ATTRS, tb);

	if (r)
		return r;
	if (!tb[ASYM_A_POLICY])
		return -EBADMSG;
	p = ARRAY_ADD(list->items, list->n);
	if (!p)
		return -ENOMEM;
	p->number = attr_u32(tb[ASYM_A_POLICY], 0);
	p->key = attr_u8(tb[ASYM_A_KEY], 0);
	p->seed = attr_u32(tb[ASYM_A_SEED], 0);
	p->mark_mask = attr_u32(tb[ASYM_A_MARK_MASK], 0);
	p->last_resort = attr_u8(tb[ASYM_A_LAST_RESORT], 0);
	p->references = attr_u32(tb[ASYM_A_REFERENCES], 0);
	copy(p->buckets[ASYM_V4], tb[ASYM_A_BUCKETS4]);
	copy(p->buckets[ASYM_V6], tb[ASYM_A_BUCKETS6]);
	copy(p->live[ASYM_V4], tb[ASYM_A_LIVE4]);
	copy(p->live[ASYM_V6], tb[ASYM_A_LIVE6]);
	return 0;
}

static void forget(void *data)
{
	kmod_list_done(data);
}

void kmod_list_done(struct kmod_list *list)
{
	free(list->items);
	*list = (struct kmod_list){};
}

int kmod_list(struct kmod *k, struct kmod_list *ret)
{
	struct kmod_list list = {};
	struct nl_msg m;
	int r;

	begin(k, &m, ASYM_CMD_GET_POLICY);
	r = nl_dump(&k->nl, &m, take_policy, forget, &list);
	if (r)
		kmod_list_done(&list);
	else
		*ret = list;
	return r;
}
