// SPDX-License-Identifier: GPL-2.0-only
/* The netlink family by which user space writes and reads the policies of its namespace. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "asymbpf.h"

static const struct nla_policy nothing[ASYM_A_PAD + 1] = {};

static int number_of(struct genl_info *info, u32 *ret)
{
	if (GENL_REQ_ATTR_CHECK(info, ASYM_A_POLICY)) {
		GENL_SET_ERR_MSG(info, "expected the number of a policy");
		return -EINVAL;
	}
	if (nla_get_u32(info->attrs[ASYM_A_POLICY]) >= ASYM_MAX_POLICIES) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[ASYM_A_POLICY],
				    "number of a policy: expected 0..63");
		return -ERANGE;
	}
	*ret = nla_get_u32(info->attrs[ASYM_A_POLICY]);
	return 0;
}

static int set_policy(struct sk_buff *skb, struct genl_info *info)
{
	struct asym_chooser *c;
	u32 number = 0;
	int ret = number_of(info, &number);

	if (ret)
		return ret;
	c = kvzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c)
		return -ENOMEM;
	ret = asym_policy_read(c, info);
	if (ret) {
		kvfree(c);
		return ret;
	}
	asym_policy_set(asym_net_of(genl_info_net(info)), number, c);
	return 0;
}

static int del_policy(struct sk_buff *skb, struct genl_info *info)
{
	u32 number = 0;
	int ret = number_of(info, &number);

	if (ret)
		return ret;
	ret = asym_policy_del(asym_net_of(genl_info_net(info)), number);
	if (ret == -EBUSY)
		GENL_SET_ERR_MSG(info, "a rule refers to this policy");
	if (ret == -ENOENT)
		GENL_SET_ERR_MSG(info, "no policy of this number");
	return ret;
}

static struct genl_family family;

static int answer(struct sk_buff *skb, void *header, struct genl_info *info, int ret)
{
	if (ret) {
		nlmsg_free(skb);
		return ret;
	}
	genlmsg_end(skb, header);
	return genlmsg_reply(skb, info);
}

static int get_policy(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *skb;
	void *header;
	u32 number = 0;
	int ret = number_of(info, &number);

	if (ret)
		return ret;
	skb = genlmsg_new(ASYM_POLICY_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	header = genlmsg_put_reply(skb, info, &family, 0, ASYM_CMD_GET_POLICY);
	ret = header ? asym_policy_put(skb, asym_net_of(genl_info_net(info)), number) : -EMSGSIZE;
	if (ret == -ENOENT)
		GENL_SET_ERR_MSG(info, "no policy of this number");
	return answer(skb, header, info, ret);
}

/* A message would not fit into the usual 8 KiB. */
static int dump_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = NLMSG_ALIGN(NLMSG_HDRLEN + GENL_HDRLEN + ASYM_POLICY_SIZE);
	return 0;
}

static int dump_one(struct sk_buff *skb, struct netlink_callback *cb, const struct asym_net *an,
		    u32 number)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &family,
				   NLM_F_MULTI, ASYM_CMD_GET_POLICY);
	int ret = header ? asym_policy_put(skb, an, number) : -EMSGSIZE;

	if (!header)
		return ret;
	if (ret) {
		genlmsg_cancel(skb, header);
		return ret;
	}
	genl_dump_check_consistent(cb, header);
	genlmsg_end(skb, header);
	return 0;
}

static int dump_policies(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct asym_net *an = asym_net_of(sock_net(skb->sk));

	cb->seq = READ_ONCE(an->generation);
	for (; cb->args[0] < ASYM_MAX_POLICIES; cb->args[0]++)
		if (dump_one(skb, cb, an, cb->args[0]) == -EMSGSIZE)
			break;
	return skb->len;
}

static int put_info(struct sk_buff *skb, struct net *net)
{
	return nla_put_u32(skb, ASYM_A_ABI, ASYM_KMOD_ABI) ?:
	       nla_put_string(skb, ASYM_A_VERSION, ASYM_VERSION) ?:
	       nla_put_u32(skb, ASYM_A_FEATURES, asym_features()) ?:
	       nla_put_u32(skb, ASYM_A_OFFLOADED, asym_offload_count(net)) ?:
	       nla_put_u32(skb, ASYM_A_STICKY_USED, asym_sticky_used(asym_net_of(net)));
}

static int get_info(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *header;
	int ret;

	if (!skb)
		return -ENOMEM;
	header = genlmsg_put_reply(skb, info, &family, 0, ASYM_CMD_GET_INFO);
	ret = header ? put_info(skb, genl_info_net(info)) : -EMSGSIZE;
	return answer(skb, header, info, ret);
}

static const struct genl_ops ops[] = {
	{
		.cmd = ASYM_CMD_GET_INFO,
		.policy = nothing,
		.maxattr = ASYM_A_PAD,
		.doit = get_info,
	},
	{
		.cmd = ASYM_CMD_SET_POLICY,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = asym_policy_attrs,
		.maxattr = ASYM_A_LIVE6,
		.doit = set_policy,
	},
	{
		.cmd = ASYM_CMD_DEL_POLICY,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = asym_policy_attrs,
		.maxattr = ASYM_A_POLICY,
		.doit = del_policy,
	},
	{
		.cmd = ASYM_CMD_GET_POLICY,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = asym_policy_attrs,
		.maxattr = ASYM_A_POLICY,
		.doit = get_policy,
		.start = dump_start,
		.dumpit = dump_policies,
	},
};

static struct genl_family family __ro_after_init = {
	.name = ASYM_GENL,
	.version = ASYM_KMOD_ABI,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.netnsok = true,
	.parallel_ops = true,
};

int __init asym_genl_init(void)
{
	return genl_register_family(&family);
}

void asym_genl_exit(void)
{
	genl_unregister_family(&family);
}

MODULE_ALIAS_GENL_FAMILY(ASYM_GENL);
