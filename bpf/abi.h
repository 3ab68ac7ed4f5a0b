/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the BPF programs and user space share: map keys, map values, limits and counters.
 *
 * Addresses are always 16 bytes in network byte order; IPv4 is written as ::ffff:a.b.c.d
 * (RFC 4291 section 2.5.5.2), so one code path serves both families.  Ports are in host byte
 * order.  Every struct is padded by hand: keys are compared and hashed as bytes.
 *
 * The configuration lives in two banks.  A program reads asym_control.bank once per packet and
 * uses that bank to the end, so a packet sees the old configuration or the new one, never both.
 */
#ifndef ASYM_ABI_H
#define ASYM_ABI_H

#include <linux/types.h>

#define ASYM_ABI 4 /* raised with every change of a struct below, or of what the programs are told */

#define ASYM_MAX_LINKS 250
#define ASYM_MAX_POLICIES 64
#define ASYM_MAX_RULES 256
#define ASYM_MAX_SETS 64
#define ASYM_MAX_PREFIXES 65536 /* in one set */
#define ASYM_MAX_PORTS 16       /* ranges in one rule, each direction */
#define ASYM_MAX_DEVICES 8      /* in-devices of one rule */
#define ASYM_MAX_STICKY 1048576
#define ASYM_BUCKETS 4093 /* prime: any step visits every bucket */
#define ASYM_BUCKETS_SPACE 4096
#define ASYM_BANKS 2
#define ASYM_LINK_IDS 256 /* 0..255; 0 is "no link" */

enum asym_family { ASYM_V4, ASYM_V6, ASYM_FAMILIES };

struct asym_addr {
	__be32 w[4];
};

/* Map "asym_control": one entry. */
struct asym_control {
	__u32 abi;
	__u32 bank; /* the bank in use, 0 or 1 */
	__u64 netns_cookie; /* the network namespace served (SO_NETNS_COOKIE) */
	__u32 epoch; /* of the flow cache: entries of another one (its low 16 bits) are stale */
	__u8 _pad[4];
};

/* Map "asym_config", one entry per bank. */
struct asym_config {
	__u32 mark_mask;  /* our bits of skb->mark */
	__u32 mark_shift; /* lowest of them */
	__u32 seed;       /* of the selection hash */
	__u32 rules;      /* rules in use, 0..ASYM_MAX_RULES */
};

/* What a policy hashes, and what a sticky entry is keyed by. */
enum asym_key { ASYM_KEY_FLOW, ASYM_KEY_SRC, ASYM_KEY_SRC_DST, ASYM_KEY_MAX };

/* Fields a rule tests; the same bits in "negate" turn a test round. */
enum asym_match {
	ASYM_MATCH_FAMILY = 1 << 0,
	ASYM_MATCH_SRC = 1 << 1,
	ASYM_MATCH_DST = 1 << 2,
	ASYM_MATCH_PROTO = 1 << 3,
	ASYM_MATCH_SPORT = 1 << 4,
	ASYM_MATCH_DPORT = 1 << 5,
	ASYM_MATCH_DSCP = 1 << 6,
	ASYM_MATCH_DEVICE = 1 << 7,
	ASYM_MATCH_SRC_SET = 1 << 8,
	ASYM_MATCH_DST_SET = 1 << 9,
};

struct asym_ports {
	__u16 lo, hi; /* inclusive */
};

/* Whether packets may pass the flow cache. */
enum asym_fastpath {
	ASYM_FASTPATH_ON,
	ASYM_FASTPATH_OFF,
	ASYM_FASTPATH_STATELESS, /* each direction by itself, whatever conntrack knows; no NAT */
	ASYM_FASTPATH_MAX,
};

/* Map "asym_rules", index bank * ASYM_MAX_RULES + n. */
struct asym_rule {
	struct asym_addr src, src_mask;
	struct asym_addr dst, dst_mask;
	struct asym_ports sport[ASYM_MAX_PORTS];
	struct asym_ports dport[ASYM_MAX_PORTS];
	__u32 device[ASYM_MAX_DEVICES]; /* ifindex */
	__u32 proto[8];                 /* bit n: IP protocol n */
	__u64 dscp;                     /* bit n: DSCP n */
	__u32 match;                    /* enum asym_match */
	__u32 negate;                   /* enum asym_match */
	__u32 sticky_s;                 /* idle time-out in seconds, 0: not sticky */
	__u32 sticky_id;                /* names the rule in sticky keys; survives a reload */
	__u8 family;                    /* enum asym_family */
	__u8 sticky_key;                /* enum asym_key: SRC or SRC_DST */
	__u8 policy;                    /* index into "asym_policies" */
	__u8 sports, dports, devices;   /* how many of the arrays above are in use */
	__u8 src_set, dst_set;          /* number of a set */
	__u8 fastpath;                  /* enum asym_fastpath */
	__u8 _pad[7];
};

/* What rules look at.  Ports are in host byte order and 0 where the packet shows none. */
struct asym_flow {
	struct asym_addr src, dst;
	__u32 ifindex; /* in-device, 0: the router itself */
	__u16 sport, dport;
	__u8 family; /* enum asym_family */
	__u8 proto;
	__u8 dscp;
	__u8 has_ports; /* false in fragments: a rule that tests ports does not match */
};

/* Map "asym_policies", index bank * ASYM_MAX_POLICIES + n. */
struct asym_policy {
	__u32 live[ASYM_FAMILIES][8]; /* bit n: link n is alive and in the lowest live tier */
	__u8 key;                     /* enum asym_key */
	__u8 last_resort;             /* reserved id used when no link lives */
	__u8 _pad[2];
};

/* Map "asym_buckets", index (bank * ASYM_MAX_POLICIES + policy) * ASYM_FAMILIES + family. */
struct asym_buckets {
	__u8 link[ASYM_BUCKETS_SPACE]; /* link id, 0 where the policy has no live link */
};

/* Map "asym_devices": which link a device carries. */
struct asym_device_key {
	__u32 bank;
	__u32 ifindex;
};

struct asym_device {
	__u8 link;  /* id */
	__u8 reply; /* id of the link that answers what arrives here */
	__u8 fastpath; /* enum asym_fastpath: OFF for what arrives where others have filters */
	__u8 _pad[1];
};

/* Map "asym_links", index bank * ASYM_LINK_IDS + id. */
struct asym_link {
	struct asym_addr addr[ASYM_FAMILIES]; /* the link's own address, zero: none */
	__u32 fastpath;                       /* enum asym_fastpath */
};

/*
 * Map "asym_owners": whose link a DHCP client's address (ciaddr) or hardware address (chaddr) is.
 * Addresses and MACs of Ethernet links; an address that several links have is not in it.  Empty with
 * dhcp = off.
 */
enum asym_owner_kind { ASYM_OWNER_ADDR, ASYM_OWNER_MAC };

struct asym_owner_key {
	__u32 bank;
	__u32 kind;    /* enum asym_owner_kind */
	__u8 value[8]; /* 4 bytes of address or 6 of MAC, as on the wire, then zeros */
};

struct asym_owner {
	__u32 ifindex; /* 0: a MAC that several links have (VLANs), which says nothing */
	__u8 mac[6];   /* of the device */
	__u8 link;     /* id */
	__u8 watch;    /* 1: requests are told and left as they are, the shim repairs them */
};
#define ASYM_OWNERS 2048 /* both banks */

/* Map "asym_dhcp", index link id: what became of the link's renewals (requests of a client that has
 * its address, to its server alone) and of the answers.  Survives reloads. */
struct asym_dhcp {
	__u64 right;	/* requests that left by the link they belong to, as they were */
	__u64 mended;	/* likewise, but source address or port had to be set right */
	__u64 moved;	/* requests that were about to leave by another link */
	__u64 returned; /* replies that had arrived on another link */
	__u64 kept;	/* replies to an address that is not ours yet, not forwarded */
	__u64 failed;	/* requests that left as they were, by the wrong link or from another source */
	__u32 window;	/* second of CLOCK_BOOTTIME; these two: see ASYM_BOOTP_PER_S */
	__u32 told;
};

/* Map "asym_bootp": a ring buffer of what guard (requests, broadcasts too) and link (replies) saw,
 * for the daemon.  Of one link at most so many in a second; none when it is full. */
#define ASYM_BOOTP_PER_S 64
#define ASYM_BOOTP_DATA 1500
#define ASYM_BOOTP_RING 262144 /* bytes */

enum asym_bootp_what {
	ASYM_BOOTP_RIGHT,
	ASYM_BOOTP_MENDED,
	ASYM_BOOTP_MOVED,
	ASYM_BOOTP_FAILED,
	ASYM_BOOTP_REPLY,
	ASYM_BOOTP_RETURNED
};

/* What sort of socket a request came from. */
enum asym_sender {
	ASYM_SENDER_UNKNOWN,
	ASYM_SENDER_PACKET,	/* AF_PACKET: names its device */
	ASYM_SENDER_RAW,	/* raw IP socket, follows the routes */
	ASYM_SENDER_UDP,	/* follows the routes */
	ASYM_SENDER_UDP_ADDR,	/* bound to an address */
	ASYM_SENDER_UDP_DEVICE, /* bound to a device, raw IP sockets too */
	ASYM_SENDER_MAX,
};

struct asym_bootp {
	__u64 ns;      /* CLOCK_BOOTTIME */
	__u32 ifindex; /* where it was seen */
	__u32 owner;   /* ifindex of the link it belongs to; 0: nobody knows */
	__u16 len;     /* of data, at most ASYM_BOOTP_DATA: longer messages are cut */
	__u8 what;     /* enum asym_bootp_what */
	__u8 sender;   /* enum asym_sender, of requests */
	__u8 link;     /* id of the owner, else of the link where it was seen */
	__u8 _pad[3];
	__u8 data[ASYM_BOOTP_DATA]; /* from the IP header on, as it leaves or arrives */
	__u8 _end[4];
};

/* Map "asym_sets": an LPM trie of all sets. */
struct asym_set_key {
	__u32 prefixlen; /* 32 for the set, plus 0..128; IPv4 prefixes count from 96 */
	__be32 set;      /* ASYM_SET_NUMBER(), in network order as tries compare bytes */
	struct asym_addr addr;
};
#define ASYM_SET_BITS 32
/* Sets of the configuration, and one of our own: where main has a route that is not a default. */
#define ASYM_SET_SPECIFIC ASYM_MAX_SETS
#define ASYM_SETS (ASYM_MAX_SETS + 1)
#define ASYM_SET_NUMBER(bank, n) ((bank) * ASYM_SETS + (n))

/* Map "asym_sticky". */
struct asym_sticky_key {
	struct asym_addr src;
	struct asym_addr dst; /* zero when the rule keys by source alone */
	__u32 id;             /* asym_rule.sticky_id */
};

struct asym_sticky {
	__u64 seen_ns; /* CLOCK_MONOTONIC_COARSE of the last packet, to a second */
	__u32 timeout_s;
	__u32 link;
};

/*
 * The flow cache: maps "asym_flows4" and "asym_flows6".  An entry says what the stack did to the
 * last
 * packet of one direction that it was shown: where it arrived, what became of its addresses and
 * ports, by which hop it left.  Two entries that are each other's reverse make a pair.
 *
 * A map is an array of blocks of eight ways, one block for a hash value; blocks are a power of
 * two.  The
 * ways of a block are tried in order from the one that the hash names, round to it again.
 */
#define ASYM_WAYS4 8
#define ASYM_WAYS6 8
#define ASYM_TUPLE_WORDS4 3
#define ASYM_TUPLE_WORDS6 9

/* struct asym_flow_state.head: flags, the link's id in bits 8 to 15, a write counter in 16 to 31.  A way that
 * was freed loses LIVE alone, and keeps the rest until it is written again. */
enum asym_flow_flag {
	ASYM_FLOW_USED = 1 << 0,      /* the way was used once: later ways may hold something */
	ASYM_FLOW_BUSY = 1 << 1,      /* being written */
	ASYM_FLOW_LIVE = 1 << 2,      /* else free */
	ASYM_FLOW_SENT = 1 << 3,      /* the stack has sent on a packet: more of them may pass */
	ASYM_FLOW_UDP = 1 << 5,       /* else TCP */
	ASYM_FLOW_ORIGINAL = 1 << 6,  /* the direction that opened the connection */
	ASYM_FLOW_STATELESS = 1 << 7, /* without conntrack, without reverse */
};
#define ASYM_FLOW_LINK_SHIFT 8
#define ASYM_FLOW_WRITES 0x10000u /* one write more */

struct asym_flow_state {
	__u32 head;
	__u32 created; /* jiffies, see asym_clock */
	__u32 checked; /* jiffies: when the stack last sent on a packet */
	__u32 arrival; /* ifindex: by another device packets are shown to the stack first */
	__u16 epoch;
	__u16 hop;     /* index into "asym_hops" */
	__u16 size;    /* bytes from the IP header on that the stack let through in one packet; 0: until
			* the stack has sent on another, none may pass */
	__u16 diff;    /* checksum difference of the addresses, out minus in */
	__u64 packets; /* that passed the cache */
	__u64 bytes;   /* from the IP header on */
};

/* Tuples are source address, destination address, source and destination port, as in the packet. */
struct asym_entry4 {
	struct asym_flow_state state;
	__be32 in[ASYM_TUPLE_WORDS4];  /* the packet as it arrives */
	__be32 out[ASYM_TUPLE_WORDS4]; /* as it leaves */
};

struct asym_entry6 {
	struct asym_flow_state state;
	__be32 in[ASYM_TUPLE_WORDS6];
	__be32 out[ASYM_TUPLE_WORDS6];
	__u8 _pad[16];
};

struct asym_block4 {
	struct asym_entry4 way[ASYM_WAYS4];
};

struct asym_block6 {
	struct asym_entry6 way[ASYM_WAYS6];
};

/* Map "asym_written": bits, by the hash; both families. */
#define ASYM_WRITTEN 262144

/* Map "asym_hops": how packets leave.  Found by content; entry 0 is never used. */
#define ASYM_HOPS 16384
#define ASYM_HOP_BUSY 0xffffffffu

struct asym_hop {
	__u32 used; /* jiffies of the last time that the stack sent this way; 0: free; or HOP_BUSY */
	__u32 ifindex;
	__u32 mark;     /* of the packet when it left */
	__u32 priority; /* likewise, skb->priority */
	__u32 mac[3];   /* destination and source, zero without link-layer header */
	__u16 l2_len;   /* 14, or 0 on devices without link-layer header */
	__u16 left;     /* a flow has left this hop for another MAC: the others are shown to the stack */
};

/* Map "asym_clock": one moment in both clocks, for readers of jiffies. */
struct asym_clock {
	__u64 ns;      /* CLOCK_MONOTONIC_COARSE */
	__u32 jiffies; /* the low 32 bits */
	__u8 _pad[4];
};

/*
 * Why a packet went the way it went.  One counter each in map "asym_counters"; every packet that a
 * tc program at ingress sees, and every connect() and unconnected datagram of the namespace, raises
 * exactly one, but for CACHE_*, which tell what the flow cache did besides.  X(NAME, "name",
 * "help")
 */
#define ASYM_REASONS(X)                                                                            \
	X(LAN_BUCKET, "lan_bucket", "from a LAN, link chosen by the policy's buckets")             \
	X(LAN_STICKY, "lan_sticky", "from a LAN, link kept by a sticky entry")                     \
	X(LAN_LAST_RESORT, "lan_last_resort", "from a LAN, the policy has no live link")           \
	X(LAN_NO_RULE, "lan_no_rule", "from a LAN, no rule matched")                               \
	X(LAN_MARKED, "lan_marked", "from a LAN, already carried a link mark")                     \
	X(LAN_NOT_IP, "lan_not_ip", "from a LAN, neither IPv4 nor IPv6")                           \
	X(LAN_NOT_HOST, "lan_not_host", "from a LAN, not addressed to this host")                  \
	X(LAN_SCOPE, "lan_scope", "from a LAN, multicast, broadcast, link-local or loopback")      \
	X(LAN_EXT_HEADER, "lan_ext_header", "from a LAN, IPv6 extension header: left to main")     \
	X(LAN_MALFORMED, "lan_malformed", "from a LAN, truncated or malformed header")             \
	X(LINK_IN, "link_in", "from a link, arrival marked")                                       \
	X(LINK_MARKED, "link_marked", "from a link, already carried a link mark")                  \
	X(LINK_NOT_IP, "link_not_ip", "from a link, neither IPv4 nor IPv6")                        \
	X(LINK_NOT_HOST, "link_not_host", "from a link, not addressed to this host")               \
	X(LINK_SCOPE, "link_scope", "from a link, multicast, broadcast, link-local or loopback")   \
	X(LINK_MALFORMED, "link_malformed", "from a link, truncated or malformed header")          \
	X(LINK_UNKNOWN, "link_unknown", "from a device that carries no link any more")             \
	X(HOST_BUCKET, "host_bucket", "router's own socket, link chosen by the policy's buckets")  \
	X(HOST_STICKY, "host_sticky", "router's own socket, link kept by a sticky entry")          \
	X(HOST_LAST_RESORT, "host_last_resort", "router's own socket, the policy has no live link") \
	X(HOST_NO_RULE, "host_no_rule", "router's own socket, no rule matched")                    \
	X(HOST_BOUND, "host_bound", "router's own socket, bound, or a server that was asked first") \
	X(HOST_MARKED, "host_marked", "router's own socket, marked by its owner")                  \
	X(HOST_SPECIFIC, "host_specific", "router's own datagram, main has a route to there")        \
	X(HOST_SCOPE, "host_scope", "router's own socket, multicast, link-local, loopback or DHCP") \
	X(HOST_FAILED, "host_failed", "router's own socket, the kernel refused the mark or memory") \
	X(LAN_FLOW, "lan_flow", "from a LAN, passed by the flow cache")                            \
	X(LINK_FLOW, "link_flow", "from a link, passed by the flow cache")                         \
	X(CACHE_NEW, "cache_new", "pairs put into the flow cache")                                   \
	X(CACHE_SENT, "cache_sent", "packets shown to the stack that it sent on: entries refreshed") \
	X(CACHE_STALE, "cache_stale", "packets shown to the stack as the entry was not lately checked") \
	X(CACHE_ARRIVAL, "cache_arrival", "packets shown to the stack as they came by another device") \
	X(CACHE_OVERSIZE, "cache_oversize", "packets shown to the stack as larger than any before")  \
	X(CACHE_CLOSED, "cache_closed", "pairs taken out of the flow cache by FIN or RST")           \
	X(CACHE_UNFIT, "cache_unfit", "packets whose flow conntrack did not hold fit for the flow cache") \
	X(CACHE_FULL, "cache_full", "flows and hops that found no room in the flow cache")           \
	X(CACHE_EVICTED, "cache_evicted", "idle pairs that made room in the flow cache")

enum asym_reason {
#define X(name, label, help) ASYM_##name,
	ASYM_REASONS(X)
#undef X
	ASYM_REASON_MAX,
};

/* Map "asym_hits" (per CPU), index bank * ASYM_MAX_RULES + n. */
struct asym_hits {
	__u64 packets;
	__u64 bytes;
};

#define ASYM_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
ASYM_ASSERT_SIZE(struct asym_control, 24);
ASYM_ASSERT_SIZE(struct asym_config, 16);
ASYM_ASSERT_SIZE(struct asym_rule, 296);
ASYM_ASSERT_SIZE(struct asym_policy, 68);
ASYM_ASSERT_SIZE(struct asym_device, 4);
ASYM_ASSERT_SIZE(struct asym_link, 36);
ASYM_ASSERT_SIZE(struct asym_owner_key, 16);
ASYM_ASSERT_SIZE(struct asym_owner, 12);
ASYM_ASSERT_SIZE(struct asym_dhcp, 56);
ASYM_ASSERT_SIZE(struct asym_bootp, 1528);
ASYM_ASSERT_SIZE(struct asym_set_key, 24);
ASYM_ASSERT_SIZE(struct asym_sticky_key, 36);
ASYM_ASSERT_SIZE(struct asym_sticky, 16);
ASYM_ASSERT_SIZE(struct asym_entry4, 64); /* a cache line */
ASYM_ASSERT_SIZE(struct asym_entry6, 128);
ASYM_ASSERT_SIZE(struct asym_block4, 512);
ASYM_ASSERT_SIZE(struct asym_block6, 1024);
ASYM_ASSERT_SIZE(struct asym_hop, 32);
ASYM_ASSERT_SIZE(struct asym_clock, 16);

#endif
