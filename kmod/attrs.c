// SPDX-License-Identifier: GPL-2.0-only
/* A policy as netlink attributes: checked, read and written. */
#include <linux/bitops.h>
#include <net/genetlink.h>

#include "asymbpf.h"

#define LIVE_SIZE sizeof_field(struct asym_policy, live[0])

static int check_buckets(const struct nlattr *nla, struct netlink_ext_ack *extack)
{
	if (nla_len(nla) == ASYM_BUCKETS)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, nla, "buckets: expected 4093 bytes");
	return -EINVAL;
}

static int check_live(const struct nlattr *nla, struct netlink_ext_ack *extack)
{
	if (nla_len(nla) == LIVE_SIZE)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, nla, "links that live: expected 32 bytes");
	return -EINVAL;
}

/*
 * Numbers are checked where they are read: what is out of a range here is refused without a word of
 * what was expected, and a function here is taken for a range by extended acks of 6.1 and 6.12.
 */
const struct nla_policy asym_policy_attrs[ASYM_A_LIVE6 + 1] = {
	[ASYM_A_POLICY] = {.type = NLA_U32},
	[ASYM_A_KEY] = {.type = NLA_U8},
	[ASYM_A_SEED] = {.type = NLA_U32},
	[ASYM_A_MARK_MASK] = {.type = NLA_U32},
	[ASYM_A_LAST_RESORT] = {.type = NLA_U8},
	[ASYM_A_BUCKETS4] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, check_buckets),
	[ASYM_A_BUCKETS6] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, check_buckets),
	[ASYM_A_LIVE4] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, check_live),
	[ASYM_A_LIVE6] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, check_live),
};

static int read_buckets(struct asym_chooser *c, int family, u32 id_max, const struct nlattr *nla,
			struct netlink_ext_ack *extack)
{
	memcpy(c->buckets[family], nla_data(nla), ASYM_BUCKETS);
	for (int i = 0; i < ASYM_BUCKETS; i++) {
		if (c->buckets[family][i] > id_max) {
			NL_SET_ERR_MSG_ATTR(extack, nla, "buckets: an id not in the mask");
			return -ERANGE;
		}
	}
	return 0;
}

static int read_live(struct asym_chooser *c, int family, u32 id_max, const struct nlattr *nla,
		     struct netlink_ext_ack *extack)
{
	memcpy(c->policy.live[family], nla_data(nla), LIVE_SIZE);
	if (asym_policy_lives(&c->policy, family, 0)) {
		NL_SET_ERR_MSG_ATTR(extack, nla, "links that live: 0 is no link");
		return -ERANGE;
	}
	for (u32 id = 1; id < ASYM_LINK_IDS; id++) {
		if (id > id_max && asym_policy_lives(&c->policy, family, id)) {
			NL_SET_ERR_MSG_ATTR(extack, nla, "links that live: an id not in the mask");
			return -ERANGE;
		}
	}
	return 0;
}

static int read_links(struct asym_chooser *c, struct genl_info *info)
{
	u32 id_max = c->mark_mask >> c->mark_shift;
	int ret;

	if (c->policy.last_resort > id_max) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[ASYM_A_LAST_RESORT],
				    "last resort: the id is not in the mask");
		return -ERANGE;
	}
	for (int family = 0; family < ASYM_FAMILIES; family++) {
		ret = read_buckets(c, family, id_max, info->attrs[ASYM_A_BUCKETS4 + family],
				   info->extack);
		if (ret)
			return ret;
		ret = read_live(c, family, id_max, info->attrs[ASYM_A_LIVE4 + family],
				info->extack);
		if (ret)
			return ret;
	}
	return 0;
}

static int read_key(struct asym_chooser *c, const struct nlattr *nla,
		    struct netlink_ext_ack *extack)
{
	c->policy.key = nla_get_u8(nla);
	if (c->policy.key < ASYM_KEY_MAX)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, nla, "key: expected 0 (flow), 1 (src) or 2 (src+dst)");
	return -ERANGE;
}

static int read_mask(struct asym_chooser *c, const struct nlattr *nla,
		     struct netlink_ext_ack *extack)
{
	u32 mask = nla_get_u32(nla), run = mask ? mask >> __ffs(mask) : 0;

	if (run < 2 || run & (run + 1)) {
		NL_SET_ERR_MSG_ATTR(extack, nla,
				    "mask of the mark: expected two or more adjacent bits");
		return -ERANGE;
	}
	c->mark_mask = mask;
	c->mark_shift = __ffs(mask);
	return 0;
}

int asym_policy_read(struct asym_chooser *c, struct genl_info *info)
{
	for (int a = ASYM_A_POLICY; a <= ASYM_A_LIVE6; a++) {
		if (GENL_REQ_ATTR_CHECK(info, a)) {
			GENL_SET_ERR_MSG(info, "expected all attributes of a policy");
			return -EINVAL;
		}
	}
	c->policy.last_resort = nla_get_u8(info->attrs[ASYM_A_LAST_RESORT]);
	c->seed = nla_get_u32(info->attrs[ASYM_A_SEED]);
	return read_key(c, info->attrs[ASYM_A_KEY], info->extack) ?:
	       read_mask(c, info->attrs[ASYM_A_MARK_MASK], info->extack) ?:
	       read_links(c, info);
}

static int put_links(struct sk_buff *skb, const struct asym_chooser *c)
{
	for (int family = 0; family < ASYM_FAMILIES; family++) {
		if (nla_put(skb, ASYM_A_BUCKETS4 + family, ASYM_BUCKETS, c->buckets[family]) ||
		    nla_put(skb, ASYM_A_LIVE4 + family, LIVE_SIZE, c->policy.live[family]))
			return -EMSGSIZE;
	}
	return 0;
}

int asym_policy_put(struct sk_buff *skb, const struct asym_net *an, u32 number)
{
	const struct asym_chooser *c;
	int ret = -ENOENT;

	rcu_read_lock();
	c = asym_policy_get(an, number);
	if (c)
		ret = nla_put_u32(skb, ASYM_A_POLICY, number) ?:
		      nla_put_u8(skb, ASYM_A_KEY, c->policy.key) ?:
		      nla_put_u32(skb, ASYM_A_SEED, c->seed) ?:
		      nla_put_u32(skb, ASYM_A_MARK_MASK, c->mark_mask) ?:
		      nla_put_u8(skb, ASYM_A_LAST_RESORT, c->policy.last_resort) ?:
		      put_links(skb, c);
	rcu_read_unlock();
	return ret ?: nla_put_u32(skb, ASYM_A_REFERENCES, READ_ONCE(an->slots[number].rules));
}
