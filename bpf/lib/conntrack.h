/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What conntrack holds of a packet's connection: whether the flow cache may take it, and how the
 * connection is translated.  bpf_skb_ct_lookup: net/netfilter/nf_conntrack_bpf.c, Linux 5.18; in the
 * module nf_conntrack, which must be there before the program is loaded.
 */
#ifndef ASYM_CONNTRACK_H
#define ASYM_CONNTRACK_H

#include <linux/netfilter/nf_conntrack_common.h>

#include "lib/maps.h"
#include "lib/tuple.h"

/* The kernel's structs as far as we read them; offsets are those of the running kernel (CO-RE). */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
union nf_inet_addr {
	__u32 all[4];
};
struct nf_conntrack_man {
	union nf_inet_addr u3;
	union {
		__be16 all;
	} u;
};
struct nf_conntrack_tuple {
	struct nf_conntrack_man src;
	struct {
		union nf_inet_addr u3;
		union {
			__be16 all;
		} u;
	} dst;
};
struct nf_conntrack_tuple_hash {
	struct nf_conntrack_tuple tuple;
};
struct ip_ct_tcp {
	__u8 state;
};
union nf_conntrack_proto {
	struct ip_ct_tcp tcp;
};
struct nf_ct_ext {
	__u8 offset[1]; /* of NF_CT_EXT_HELPER, the first of enum nf_ct_ext_id */
};
struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[2];
	unsigned long status;
	__u32 mark;
	struct nf_ct_ext *ext;
	union nf_conntrack_proto proto;
};
#pragma clang attribute pop

/* include/net/netfilter/nf_conntrack_bpf.h; 12 bytes are understood by every kernel. */
struct bpf_ct_opts {
	__s32 netns_id;
	__s32 error;
	__u8 l4proto;
	__u8 dir;
	__u8 reserved[2];
};

extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
					 __u32 tuple__sz, struct bpf_ct_opts *opts,
					 __u32 opts__sz) __ksym __weak;
extern void bpf_ct_release(struct nf_conn *ct) __ksym __weak;

/* kmod/ct_offload.c; not to be reached without asym_flow_lease. */
extern int asym_ct_offload(struct nf_conn *ct, __u32 lease_s) __ksym __weak;
extern int asym_ct_onload(struct nf_conn *ct) __ksym __weak;

/* One connection, as a packet of it sees it. */
struct connection {
	__be32 out[ASYM_TUPLE_MAX];    /* the packet's tuple as it leaves */
	__be32 answer[ASYM_TUPLE_MAX]; /* an answer's tuple as it arrives */
	__u32 mark;
	bool reply; /* the packet is of the reply direction */
};

/* enum tcp_conntrack, uapi/linux/netfilter/nf_conntrack_tcp.h */
#define CT_TCP_ESTABLISHED 3

#define CT_NEEDED (IPS_CONFIRMED | IPS_SEEN_REPLY)
/* UNTRACKED is the bit that the kernel calls IPS_NAT_CLASH inside: the entry dies soon. */
#define CT_REFUSED (IPS_DYING | IPS_SEQ_ADJUST | IPS_HELPER | IPS_HW_OFFLOAD | IPS_UNTRACKED)

/* Another fast path has the connection. */
ASYM_INLINE bool connection_is_taken(struct nf_conn *ct)
{
	if (!(ct->status & IPS_OFFLOAD))
		return false;
	return !asym_flow_lease || asym_ct_offload(ct, asym_flow_lease);
}

/* As nf_flow_table wants it (net/netfilter/nft_flow_offload.c, nft_flow_offload_eval, 6.12), and UDP
 * that is a stream: one question and one answer are not worth an entry. */
ASYM_INLINE bool connection_fits(struct nf_conn *ct, bool udp)
{
	unsigned long status = ct->status;
	struct nf_ct_ext *ext = ct->ext;

	if ((status & (CT_NEEDED | CT_REFUSED)) != CT_NEEDED)
		return false;
	if (ext && ext->offset[0])
		return false;
	if (!(udp ? status & IPS_ASSURED : ct->proto.tcp.state == CT_TCP_ESTABLISHED))
		return false;
	return !connection_is_taken(ct);
}

ASYM_INLINE void copy_addr(const union nf_inet_addr *a, int words, __be32 *ret)
{
	for (int i = 0; i < words; i++)
		ret[i] = a->all[i];
}

/* A tuple of conntrack's is that of the packets of its direction before translation. */
ASYM_INLINE void copy_tuple(const struct nf_conntrack_tuple *t, int words, __be32 *ret)
{
	int half = (words - 1) / 2;

	copy_addr(&t->src.u3, half, ret);
	copy_addr(&t->dst.u3, half, ret + half);
	ret[words - 1] = t->src.u.all | (__u32)t->dst.u.all << 16;
}

ASYM_INLINE struct nf_conn *connection_find(struct __sk_buff *skb, const __be32 *in, int words,
					    bool udp, struct bpf_ct_opts *opts)
{
	*opts = (struct bpf_ct_opts){.netns_id = -1, .l4proto = udp ? IPPROTO_UDP : IPPROTO_TCP};
	return bpf_skb_ct_lookup(skb, (void *)in, words * 4, opts, sizeof(*opts));
}

/* Lets conntrack follow the connection of these packets again, if it was ours. */
ASYM_INLINE void connection_return(struct __sk_buff *skb, const __be32 *in, int words, bool udp)
{
	struct bpf_ct_opts opts;
	struct nf_conn *ct = connection_find(skb, in, words, udp, &opts);

	if (!ct)
		return;
	asym_ct_onload(ct);
	bpf_ct_release(ct);
}

/* False when there is none, or none fit for the cache. */
ASYM_INLINE bool connection_look_up(struct __sk_buff *skb, const __be32 *in, int words, bool udp,
				    struct connection *ret)
{
	struct bpf_ct_opts opts;
	struct nf_conn *ct = connection_find(skb, in, words, udp, &opts);
	bool fits;

	if (!ct)
		return false;
	fits = connection_fits(ct, udp);
	if (fits) {
		ret->reply = opts.dir;
		ret->mark = ct->mark;
		if (opts.dir)
			copy_tuple(&ct->tuplehash[0].tuple, words, ret->answer);
		else
			copy_tuple(&ct->tuplehash[1].tuple, words, ret->answer);
		asym_tuple_reverse(ret->answer, words, ret->out);
	}
	bpf_ct_release(ct);
	return fits;
}

#endif
