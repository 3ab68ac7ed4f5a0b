/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module from inside.  main.c: coming and going; policy.c: what a namespace has; genl.c: the
 * netlink family that writes it, attrs.c: in which form; flow.c: a packet's addresses and ports;
 * sticky.c: who was sent where; nft_asym.c: the expression of nftables; lease.c: connections that
 * the flow cache has, conntrack.c: what conntrack knows of them; ct_offload.c: the kfuncs.
 *
 * A namespace's state lives until its last expression has gone: nf_tables is loaded before us, and
 * so leaves a dying namespace after us.
 */
#ifndef ASYM_KMOD_H
#define ASYM_KMOD_H

#include <linux/refcount.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <net/netlink.h>

#include "compat.h"
#include "bpf/abi.h"

/* Rules are the ruleset's here, so nobody asks for sets. */
ASYM_INLINE bool asym_set_has(__u32 set, const struct asym_addr *a, void *ctx)
{
	return false;
}

#include "bpf/lib/select.h"
#include "kmod/uapi/nft_asym.h"

struct genl_info;
struct net;
struct nft_pktinfo;
struct asym_sticky_table;

/* --- policy.c ---------------------------------------------------------------------------- */

/* What packets choose by.  Never changes once packets may see it. */
struct asym_chooser {
	struct rcu_head rcu;
	struct asym_policy policy;
	u32 seed;
	u32 mark_mask;
	u32 mark_shift; /* lowest bit of the mask */
	u8 buckets[ASYM_FAMILIES][ASYM_BUCKETS];
};

struct asym_slot {
	struct asym_chooser __rcu *chooser; /* NULL: there is no policy of that number */
	u32 rules; /* that name it */
};

struct asym_net {
	refcount_t refs; /* the namespace's, and one of each expression */
	spinlock_t lock; /* of those who write what follows; process context */
	u32 generation; /* raised with every change of a policy, never 0 */
	struct asym_sticky_table *sticky; /* made for the first rule that wants one, then stays */
	struct asym_slot slots[ASYM_MAX_POLICIES];
};

struct asym_net *asym_net_new(void);
void asym_net_put(struct asym_net *an); /* may sleep */
struct asym_net *asym_net_of(const struct net *net); /* main.c; not a reference */

/* Publishes c, whose owner it becomes. */
void asym_policy_set(struct asym_net *an, u32 number, struct asym_chooser *c);
/* -ENOENT, -EBUSY when a rule names it. */
int asym_policy_del(struct asym_net *an, u32 number);
/* For a new rule: counts it and takes a reference of the namespace.  -ENOENT. */
int asym_policy_hold(struct asym_net *an, u32 number);
/* The rule has gone; the reference is not touched. */
void asym_policy_uncount(struct asym_net *an, u32 number);
/* NULL when there is none; valid until the end of the caller's RCU section. */
struct asym_chooser *asym_policy_get(const struct asym_net *an, u32 number);

/* --- attrs.c ----------------------------------------------------------------------------- */

/* Attributes of a policy, with the room that headers and padding take. */
#define ASYM_POLICY_SIZE (ASYM_FAMILIES * sizeof_field(struct asym_chooser, buckets[0]) + 512)

extern const struct nla_policy asym_policy_attrs[ASYM_A_LIVE6 + 1];
/* *c: zeroed. */
int asym_policy_read(struct asym_chooser *c, struct genl_info *info);
/* -EMSGSIZE, -ENOENT: there is none of that number. */
int asym_policy_put(struct sk_buff *skb, const struct asym_net *an, u32 number);

/* --- sticky.c ---------------------------------------------------------------------------- */

/* The namespace's table, made if need be.  -ENOMEM.  Process context. */
int asym_sticky_get(struct asym_net *an, struct asym_sticky_table **ret);
void asym_sticky_free(struct asym_sticky_table *t); /* NULL is fine; may sleep */
u32 asym_sticky_used(struct asym_net *an);
/*
 * The remembered link, while it lives in the policy and has not timed out; else 0.  In an RCU
 * section.  now_ns: ktime_get_coarse_ns().
 */
u32 asym_sticky_recall(struct asym_sticky_table *t, const struct asym_sticky_key *key,
		       const struct asym_policy *policy, u8 family, u64 now_ns);
/* Best effort: a table that is full forgets the oldest of those at hand. */
void asym_sticky_remember(struct asym_sticky_table *t, const struct asym_sticky_key *key,
			  u32 link, u32 timeout_s, u64 now_ns);

/* --- flow.c ------------------------------------------------------------------------------ */

/* False for packets that no policy is for.  What a hash reads, and family; the rest is 0. */
bool asym_flow_of_packet(const struct nft_pktinfo *pkt, struct asym_flow *ret);

/* --- the parts' beginnings and ends ------------------------------------------------------ */

u32 asym_features(void); /* enum asym_feature */

int asym_genl_init(void);
void asym_genl_exit(void);
int asym_nft_init(void);
void asym_nft_exit(void);
/* Fails where the kernel cannot have kfuncs of modules; all else works without. */
int asym_offload_init(void);
void asym_offload_exit(void);
u32 asym_offload_count(struct net *net);

/* --- ct_offload.c, for BPF programs ------------------------------------------------------ */

struct __sk_buff;
struct nf_conn;

int asym_ct_offload(struct nf_conn *ct, u32 lease_s);
int asym_ct_renew(struct __sk_buff *ctx, u32 lease_s);
int asym_ct_onload(struct nf_conn *ct);

#endif
