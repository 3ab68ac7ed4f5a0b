// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nftables expression "asym": sets a register to the packet's mark with the link in it that a
 * policy chooses, by the same buckets and sticky rules as BPF (bpf/lib/choose.h).
 *
 * nf_tables copies expressions into what packets walk along, so nft_asym holds nothing that is
 * written after init.
 */
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables.h>

#include "asymbpf.h"

struct nft_asym {
	struct asym_net *an; /* a reference */
	struct asym_sticky_table *sticky; /* NULL: not sticky */
	u32 timeout_s;
	u32 sticky_id;
	u8 sticky_key; /* enum asym_key */
	u8 dreg;
	u8 policy;
	u8 key; /* enum asym_key, or ASYM_KEY_MAX for the policy's */
};

static u32 choose_bucket(const struct nft_asym *priv, const struct asym_chooser *c,
			 const struct asym_flow *f)
{
	u8 key = priv->key == ASYM_KEY_MAX ? c->policy.key : priv->key;

	return c->buckets[f->family][asym_bucket(asym_hash(f, key, c->seed))];
}

static u32 choose_sticky(const struct nft_asym *priv, const struct asym_chooser *c,
			 const struct asym_flow *f)
{
	struct asym_sticky_key key = {.src = f->src, .id = priv->sticky_id};
	u64 now = ktime_get_coarse_ns();
	u32 link;

	if (priv->sticky_key == ASYM_KEY_SRC_DST)
		key.dst = f->dst;
	link = asym_sticky_recall(priv->sticky, &key, &c->policy, f->family, now);
	if (link)
		return link;
	link = choose_bucket(priv, c, f);
	if (link)
		asym_sticky_remember(priv->sticky, &key, link, priv->timeout_s, now);
	return link;
}

static void nft_asym_eval(const struct nft_expr *expr, struct nft_regs *regs,
			  const struct nft_pktinfo *pkt)
{
	const struct nft_asym *priv = nft_expr_priv(expr);
	const struct asym_chooser *c = asym_policy_get(priv->an, priv->policy);
	struct asym_flow f;
	u32 link;

	/* Without policy: the rule has gone, but the packet is still at it. */
	if (!c || !asym_flow_of_packet(pkt, &f)) {
		regs->verdict.code = NFT_BREAK;
		return;
	}
	link = priv->sticky ? choose_sticky(priv, c, &f) : choose_bucket(priv, c, &f);
	if (!link)
		link = c->policy.last_resort;
	regs->data[priv->dreg] = (pkt->skb->mark & ~c->mark_mask) | link << c->mark_shift;
}

static const struct nla_policy nft_asym_policy[NFTA_ASYM_MAX] = {
	[NFTA_ASYM_DREG] = {.type = NLA_U32},
	[NFTA_ASYM_POLICY] = {.type = NLA_U32},
	[NFTA_ASYM_KEY] = {.type = NLA_U32},
	[NFTA_ASYM_STICKY] = {.type = NLA_U32},
	[NFTA_ASYM_STICKY_KEY] = {.type = NLA_U32},
	[NFTA_ASYM_STICKY_ID] = {.type = NLA_U32},
};

static u32 number(const struct nlattr *nla, u32 otherwise)
{
	return nla ? ntohl(nla_get_be32(nla)) : otherwise;
}

static int read_sticky(const struct nlattr *const tb[], struct nft_asym *priv)
{
	u32 key = number(tb[NFTA_ASYM_STICKY_KEY], ASYM_KEY_SRC);

	if (!tb[NFTA_ASYM_STICKY])
		return tb[NFTA_ASYM_STICKY_KEY] || tb[NFTA_ASYM_STICKY_ID] ? -EINVAL : 0;
	priv->timeout_s = number(tb[NFTA_ASYM_STICKY], 0);
	priv->sticky_id = number(tb[NFTA_ASYM_STICKY_ID], 0);
	if (!priv->timeout_s || priv->timeout_s > S32_MAX)
		return -ERANGE;
	if (key != ASYM_KEY_SRC && key != ASYM_KEY_SRC_DST)
		return -ERANGE;
	priv->sticky_key = key;
	return asym_sticky_get(priv->an, &priv->sticky);
}

static int read_choice(const struct nlattr *const tb[], struct nft_asym *priv)
{
	u32 policy = number(tb[NFTA_ASYM_POLICY], 0);
	u32 key = number(tb[NFTA_ASYM_KEY], ASYM_KEY_MAX);

	if (policy >= ASYM_MAX_POLICIES || (tb[NFTA_ASYM_KEY] && key >= ASYM_KEY_MAX))
		return -ERANGE;
	priv->policy = policy;
	priv->key = key;
	return read_sticky(tb, priv);
}

static int nft_asym_init(const struct nft_ctx *ctx, const struct nft_expr *expr,
			 const struct nlattr *const tb[])
{
	struct nft_asym *priv = nft_expr_priv(expr);
	int ret;

	if (ctx->family != NFPROTO_IPV4 && ctx->family != NFPROTO_IPV6 &&
	    ctx->family != NFPROTO_INET)
		return -EOPNOTSUPP;
	if (!tb[NFTA_ASYM_DREG] || !tb[NFTA_ASYM_POLICY])
		return -EINVAL;
	priv->an = asym_net_of(ctx->net);
	ret = read_choice(tb, priv);
	if (ret)
		return ret;
	ret = nft_parse_register_store(ctx, tb[NFTA_ASYM_DREG], &priv->dreg, NULL, NFT_DATA_VALUE,
				       sizeof(u32));
	if (ret)
		return ret;
	return asym_policy_hold(priv->an, priv->policy);
}

/*
 * Called when the end of a rule is asked for, which may be taken back, and again when it is sure:
 * it has gone, with the batch (COMMIT) or with its table (RELEASE), or it has never come (ABORT,
 * PREPARE_ERROR).  The first releases of 6.1 do not tell the last one from the first.
 */
static_assert(NFT_TRANS_PREPARE_ERROR != NFT_TRANS_PREPARE);
static void nft_asym_deactivate(const struct nft_ctx *ctx, const struct nft_expr *expr,
				enum nft_trans_phase phase)
{
	const struct nft_asym *priv = nft_expr_priv(expr);

	if (phase != NFT_TRANS_PREPARE)
		asym_policy_uncount(priv->an, priv->policy);
}

static void nft_asym_destroy(const struct nft_ctx *ctx, const struct nft_expr *expr)
{
	const struct nft_asym *priv = nft_expr_priv(expr);

	asym_net_put(priv->an);
}

static int dump_sticky(struct sk_buff *skb, const struct nft_asym *priv)
{
	return nla_put_be32(skb, NFTA_ASYM_STICKY, htonl(priv->timeout_s)) ||
	       nla_put_be32(skb, NFTA_ASYM_STICKY_KEY, htonl(priv->sticky_key)) ||
	       nla_put_be32(skb, NFTA_ASYM_STICKY_ID, htonl(priv->sticky_id));
}

static int nft_asym_dump(ASYM_NFT_DUMP_ARGS)
{
	const struct nft_asym *priv = nft_expr_priv(expr);

	if (nft_dump_register(skb, NFTA_ASYM_DREG, priv->dreg) ||
	    nla_put_be32(skb, NFTA_ASYM_POLICY, htonl(priv->policy)))
		return -1;
	if (priv->key != ASYM_KEY_MAX && nla_put_be32(skb, NFTA_ASYM_KEY, htonl(priv->key)))
		return -1;
	return priv->sticky && dump_sticky(skb, priv) ? -1 : 0;
}

static struct nft_expr_type nft_asym_type;
static const struct nft_expr_ops nft_asym_ops = {
	.type = &nft_asym_type,
	.size = NFT_EXPR_SIZE(sizeof(struct nft_asym)),
	.eval = nft_asym_eval,
	.init = nft_asym_init,
	.deactivate = nft_asym_deactivate,
	.destroy = nft_asym_destroy,
	.dump = nft_asym_dump,
};

static struct nft_expr_type nft_asym_type __read_mostly = {
	.name = ASYM_NFT_EXPR,
	.ops = &nft_asym_ops,
	.policy = nft_asym_policy,
	.maxattr = NFTA_ASYM_MAX - 1,
	.owner = THIS_MODULE,
};

int __init asym_nft_init(void)
{
	return nft_register_expr(&nft_asym_type);
}

void asym_nft_exit(void)
{
	nft_unregister_expr(&nft_asym_type);
}

MODULE_ALIAS_NFT_EXPR(ASYM_NFT_EXPR);
