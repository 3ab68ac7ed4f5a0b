/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One nftables table (of family inet, unless said otherwise), written as one transaction over libnftnl.
 *
 * A batch is built by functions that return nothing: the first failure sticks in err, later calls
 * do nothing, and nft_batch_send reports it.  Every message is labelled with the chain and the nft
 * line it stands for, so that a refusal of the kernel names the rule.
 *
 *	nft_batch_init(&b, "mytable");
 *	nft_rule_begin(&b, "prerouting", "ct mark != 0 accept");
 *	nft_ct_load(&b, NFT_CT_MARK);
 *	nft_cmp_u32(&b, NFT_CMP_NEQ, 0);
 *	nft_verdict(&b, NF_ACCEPT, NULL);
 *	nft_rule_end(&b);
 *	r = nft_batch_send(&b, &nl, false, error, sizeof(error));
 *	nft_batch_done(&b);
 *
 * Expressions work on one 16-byte register: a load fills it, a test or a set reads it.  Integers
 * are in host byte order unless their name ends in _be.
 */
#ifndef NL_NFT_H
#define NL_NFT_H

#include <netinet/in.h> /* before linux/netfilter.h, which would define the same types */
#include <stdbool.h>
/* Verdicts and the constants of expressions, for callers. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "nl/batch.h"

#define NFT_NAME 128 /* bytes of a table, chain or counter name with its NUL */

struct nftnl_rule;
struct nftnl_set;

struct nft_label {
	char text[160];
};

struct nft_batch {
	struct nl_batch messages;
	const char *table;	  /* outlives the batch */
	uint8_t family;		  /* NFPROTO_*; may be set before anything is added */
	struct nft_label *labels; /* one per message */
	size_t n_labels;
	char *scratch; /* the message being built */
	uint32_t sets; /* anonymous sets so far */

	struct nftnl_rule *rule; /* under construction, or NULL */
	struct nft_label rule_label;
	char chain[NFT_NAME]; /* of the last rule */
	unsigned int rule_number;
	struct nftnl_set *set; /* under construction, or NULL */
	uint32_t set_elems;
	int err; /* 0 or -errno: -ENOMEM, -EMSGSIZE */
};

/* Where a base chain hangs; NF_INET_* and the number that nft calls priority. */
struct nft_base {
	const char *name;
	const char *type; /* "filter", "route", "nat" */
	uint32_t hook;
	int32_t priority;
};

void nft_batch_init(struct nft_batch *ret, const char *table);
void nft_batch_done(struct nft_batch *b);
#define _cleanup_nft_batch_ _cleanup_(nft_batch_done)

/*
 * Sends the transaction: all of it takes effect, or nothing.  A dry run is the same without the end
 * message: the kernel judges every message and forgets them.  0, or -errno of the first message
 * refused with "chain prerouting, rule 2: ct state new ...: Operation not supported" in error.
 * A batch is sent once.
 */
int nft_batch_send(struct nft_batch *b, struct nl *nl, bool dry_run, char *error, size_t size);

/* The table with nft's own comment (at most 127 bytes); it must not exist yet: -EEXIST. */
void nft_table_add(struct nft_batch *b, const char *comment);
/* The same; the table belongs to the socket that sends it, and goes with it (Linux 5.12).  Those of
 * others are -EPERM. */
void nft_table_add_owned(struct nft_batch *b, const char *comment);
/* One that is there is not dormant. */
void nft_table_wake(struct nft_batch *b);
void nft_table_del(struct nft_batch *b);
/* All rules of the table; their anonymous sets go with them. */
void nft_rules_flush(struct nft_batch *b);
/* Chains: one that exists already, in the same place, is left as it is.  Policy accept. */
void nft_chain_add(struct nft_batch *b, const char *name);
void nft_base_add(struct nft_batch *b, const struct nft_base *base);
/* A base chain that is there gets policy accept. */
void nft_base_accept(struct nft_batch *b, const char *name);
void nft_chain_del(struct nft_batch *b, const char *name);
void nft_counter_add(struct nft_batch *b, const char *name);
void nft_counter_del(struct nft_batch *b, const char *name);

/* A rule at the end of a chain; line is what nft would print, for messages. */
void nft_rule_begin(struct nft_batch *b, const char *chain, const char *line, ...) PRINTF(3, 4);
void nft_rule_end(struct nft_batch *b);

/*
 * An anonymous set or map, begun inside the rule that uses it.  nft_set_end hands out the id for
 * nft_lookup, nft_vmap and nft_map.  At most NFT_SET_ELEMS elements, which stay below the 64 KiB
 * of one netlink attribute.
 */
#define NFT_SET_ELEMS 400
enum nft_key { NFT_KEY_MARK, NFT_KEY_IFNAME, NFT_KEY_RANGE };
enum nft_data { NFT_SET_PLAIN, NFT_SET_VERDICTS, NFT_SET_U16_BE };
void nft_set_begin(struct nft_batch *b, enum nft_key key, enum nft_data data);
void nft_elem_ifname(struct nft_batch *b, const char *name);
void nft_elem_mark_goto(struct nft_batch *b, uint32_t mark, const char *chain);
void nft_elem_ifname_goto(struct nft_batch *b, const char *name, const char *chain);
void nft_elem_ifname_u16(struct nft_batch *b, const char *name, uint16_t value);
/* With NFT_KEY_RANGE: numbers from this one on, up to the next such element or the end.  In order. */
void nft_elem_from_goto(struct nft_batch *b, uint32_t from, const char *chain);
void nft_elem_end(struct nft_batch *b, uint32_t end);
uint32_t nft_set_end(struct nft_batch *b);

/* Loads: meta and ct take NFT_META_* and NFT_CT_*. */
void nft_meta_load(struct nft_batch *b, uint32_t key);
void nft_ct_load(struct nft_batch *b, uint32_t key);
void nft_payload_load(struct nft_batch *b, uint32_t base, uint32_t offset, uint32_t len);
void nft_mtu_load(struct nft_batch *b); /* "rt mtu" as the maximum segment size, be */
void nft_route_load(struct nft_batch *b); /* "fib daddr . mark oifname": "" when there is no route */
void nft_map(struct nft_batch *b, uint32_t set);
void nft_wildcard_load(struct nft_batch *b); /* "socket wildcard": 1 byte */
/* "jhash": bytes of the packet that are loaded for it, one after the other, each beginning at a word
 * (at: its number, from 0; len: bytes), and what becomes of them all, words * 4 bytes: 0..mod - 1, big
 * endian, as NFT_KEY_RANGE is. */
void nft_hash_input(struct nft_batch *b, uint32_t base, uint32_t offset, uint32_t len, uint32_t at);
void nft_hash_load(struct nft_batch *b, uint32_t words, uint32_t mod, uint32_t seed);

/* (register & mask) ^ flip, over the first len bytes. */
void nft_bitwise(struct nft_batch *b, const void *mask, const void *flip, uint32_t len);
void nft_bitwise_u32(struct nft_batch *b, uint32_t mask, uint32_t flip);

/* Tests: the rule ends for a packet that fails.  op: NFT_CMP_EQ, NFT_CMP_NEQ, NFT_CMP_LT (as bytes). */
void nft_cmp(struct nft_batch *b, uint32_t op, const void *data, uint32_t len);
void nft_cmp_u8(struct nft_batch *b, uint32_t op, uint8_t value);
void nft_cmp_u32(struct nft_batch *b, uint32_t op, uint32_t value);
void nft_cmp_ifname(struct nft_batch *b, uint32_t op, const char *name);
void nft_lookup(struct nft_batch *b, uint32_t set);
void nft_has_socket(struct nft_batch *b); /* "meta skuid >= 0" */

/* Statements. */
void nft_meta_set(struct nft_batch *b, uint32_t key);
void nft_ct_set(struct nft_batch *b, uint32_t key);
void nft_maxseg_set(struct nft_batch *b); /* "tcp option maxseg size set": only ever lowers it */
void nft_count(struct nft_batch *b, const char *counter);
void nft_verdict(struct nft_batch *b, int verdict, const char *chain); /* chain: of jump and goto */
void nft_vmap(struct nft_batch *b, uint32_t set);
void nft_notrack(struct nft_batch *b);
void nft_reset(struct nft_batch *b); /* "reject with tcp reset" */
void nft_masquerade(struct nft_batch *b);
void nft_snat(struct nft_batch *b, const struct in6_addr *to);
/* "queue flags bypass to NUM"; and the same by iptables' target NFQUEUE, for kernels that have only
 * that (not in tables of family inet). */
void nft_queue(struct nft_batch *b, uint16_t number);
void nft_queue_xt(struct nft_batch *b, uint16_t number);

/* The kernel module's expression (kmod/uapi/nft_asym.h), which libnftnl does not know: a whole rule,
 * "asym policy N meta mark set", at the end of a chain. */
struct nft_asym {
	uint32_t policy;
	uint32_t sticky_s; /* 0: not sticky */
	uint32_t sticky_id;
	uint8_t sticky_key; /* enum asym_key */
};
void nft_rule_asym(struct nft_batch *b, const char *chain, const struct nft_asym *choice);
/* How many rules of a table have this expression.  0 or -errno. */
int nft_rules_count(struct nl *nl, const char *table, const char *expr, size_t *ret);

/* What the kernel has. */
struct nft_item {
	char name[NFT_NAME];
	uint64_t packets, bytes; /* of counters */
};

struct nft_list {
	struct nft_item *items;
	size_t n;
};

void nft_list_done(struct nft_list *list);
#define _cleanup_nft_list_ _cleanup_(nft_list_done)
/* NULL when there is none of that name. */
const struct nft_item *nft_list_find(const struct nft_list *list, const char *name);

/* The table's comment, "" if it has none or a longer one.  0; -ENOENT: no such table; -errno. */
int nft_table_comment(struct nl *nl, const char *table, char *ret, size_t size);
/* A number that changes when the table, its chains or its rules do, but not with what they count; another
 * one also when the same is written anew.  0 or -errno. */
int nft_table_digest(struct nl *nl, const char *table, uint64_t *ret);
/* Appends to a zeroed list.  0 or -errno. */
int nft_chains_list(struct nl *nl, const char *table, struct nft_list *ret);
int nft_counters_list(struct nl *nl, const char *table, struct nft_list *ret);

#endif
