/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What the kernel module and user space share: a generic netlink family that holds the policies of
 * a network namespace, and the attributes of the nftables expression "asym", which chooses by them.
 *
 * A policy is written whole, with one message, and packets see the old one or the new one.  Each
 * namespace has its own; only its CAP_NET_ADMIN may write, or read policies.  Limits and enums are
 * those of bpf/abi.h.
 *
 * What is wrong with a message is told by its extended ack; -EINVAL: an attribute is
 * missing, unknown or of another length, -ERANGE: its value.  A policy is a message of 9 KiB.
 */
#ifndef ASYM_UAPI_NFT_ASYM_H
#define ASYM_UAPI_NFT_ASYM_H

#define ASYM_KMOD_ABI 1 /* raised with every change of what is below */

/* --- generic netlink family, version ASYM_KMOD_ABI --------------------------------------- */

#define ASYM_GENL "asymbpf"

enum asym_cmd {
	ASYM_CMD_UNSPEC,
	ASYM_CMD_GET_INFO,   /* answers with ABI, VERSION, FEATURES, OFFLOADED, STICKY_USED */
	ASYM_CMD_SET_POLICY, /* makes or replaces one: all attributes of a policy */
	ASYM_CMD_DEL_POLICY, /* POLICY; -EBUSY while a rule refers to it, -ENOENT */
	ASYM_CMD_GET_POLICY, /* POLICY, or a dump of all: what was set, and REFERENCES */
	ASYM_CMD_MAX,
};

enum asym_attr {
	ASYM_A_UNSPEC,
	ASYM_A_PAD,
	ASYM_A_ABI,	    /* u32: ASYM_KMOD_ABI of the module */
	ASYM_A_VERSION,	    /* string: of the project */
	ASYM_A_FEATURES,    /* u32: enum asym_feature */
	ASYM_A_OFFLOADED,   /* u32: connections of this namespace that the flow cache has now */
	ASYM_A_STICKY_USED, /* u32: entries */
	/* of a policy */
	ASYM_A_POLICY,	    /* u32: number, 0..ASYM_MAX_POLICIES - 1 */
	ASYM_A_KEY,	    /* u8: enum asym_key: 0 flow, 1 src, 2 src+dst */
	ASYM_A_SEED,	    /* u32: of the hash */
	ASYM_A_MARK_MASK,   /* u32: bits of the mark that are ours, adjacent, at least two */
	ASYM_A_LAST_RESORT, /* u8: id when no link lives, in the mask when shifted into it */
	ASYM_A_BUCKETS4,    /* ASYM_BUCKETS bytes: ids of links, in the mask; 0: none lives */
	ASYM_A_BUCKETS6,    /* likewise, for IPv6 */
	ASYM_A_LIVE4,	    /* 32 bytes: bit n of word n / 32 (host byte order): link n lives */
	ASYM_A_LIVE6,
	ASYM_A_REFERENCES,  /* u32: rules that name it */
	ASYM_A_MAX,
};

enum asym_feature {
	ASYM_FEATURE_NFT = 1 << 0,     /* the expression is registered */
	ASYM_FEATURE_OFFLOAD = 1 << 1, /* the kfuncs of ct_offload.c are */
};

/* --- nftables expression, families ip, ip6, inet ----------------------------------------- */

/*
 * Sets a register to skb->mark with the policy's bits replaced by those of the link that the policy
 * chooses for the packet now.  Packets that BPF leaves alone, too, are NFT_BREAK: neither IPv4 nor
 * IPv6, to multicast or link-local addresses or to 255.255.255.255, malformed, with IPv6 extension
 * headers.  A subnet's own broadcasts are not told from its hosts.
 */
#define ASYM_NFT_EXPR "asym"

enum nft_asym_attr {
	NFTA_ASYM_UNSPEC,
	NFTA_ASYM_DREG,	      /* be32: destination register */
	NFTA_ASYM_POLICY,     /* be32: its number; -ENOENT when the namespace has none of that */
	NFTA_ASYM_KEY,	      /* be32: enum asym_key in place of the policy's; may be left out */
	NFTA_ASYM_STICKY,     /* be32: idle time-out in seconds, 1..2^31 - 1; default: none */
	NFTA_ASYM_STICKY_KEY, /* be32: ASYM_KEY_SRC or _SRC_DST, default SRC */
	NFTA_ASYM_STICKY_ID,  /* be32: rules with the same share entries, default 0 */
	NFTA_ASYM_MAX,
};

#endif
