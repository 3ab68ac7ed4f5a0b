// SPDX-License-Identifier: GPL-2.0-or-later
/* What a rule is made of.  All expressions use register 1, which is 16 bytes wide. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h> /* libnftnl/expr.h forgets it */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <string.h>

#include "nl/nft_message.h"

/* A new expression at the end of the rule, which owns it; NULL after an error. */
static struct nftnl_expr *expr_add(struct nft_batch *b, const char *name)
{
	struct nftnl_expr *e;

	if (b->err)
		return NULL;
	e = nftnl_expr_alloc(name);
	if (!e) {
		nft_fail(b, -ENOMEM);
		return NULL;
	}
	nftnl_rule_add_expr(b->rule, e);
	return e;
}

static void put_u32(struct nftnl_expr *e, uint16_t type, uint32_t v)
{
	if (e)
		nftnl_expr_set_u32(e, type, v);
}

static void put_data(struct nft_batch *b, struct nftnl_expr *e, uint16_t type, const void *data,
		     uint32_t len)
{
	if (e && nftnl_expr_set(e, type, data, len))
		nft_fail(b, -ENOMEM);
}

static void put_str(struct nft_batch *b, struct nftnl_expr *e, uint16_t type, const char *s)
{
	if (e && nftnl_expr_set_str(e, type, s))
		nft_fail(b, -ENOMEM);
}

void nft_meta_load(struct nft_batch *b, uint32_t key)
{
	struct nftnl_expr *e = expr_add(b, "meta");

	put_u32(e, NFTNL_EXPR_META_KEY, key);
	put_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

void nft_meta_set(struct nft_batch *b, uint32_t key)
{
	struct nftnl_expr *e = expr_add(b, "meta");

	put_u32(e, NFTNL_EXPR_META_KEY, key);
	put_u32(e, NFTNL_EXPR_META_SREG, NFT_REG_1);
}

void nft_ct_load(struct nft_batch *b, uint32_t key)
{
	struct nftnl_expr *e = expr_add(b, "ct");

	put_u32(e, NFTNL_EXPR_CT_KEY, key);
	put_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
}

void nft_ct_set(struct nft_batch *b, uint32_t key)
{
	struct nftnl_expr *e = expr_add(b, "ct");

	put_u32(e, NFTNL_EXPR_CT_KEY, key);
	put_u32(e, NFTNL_EXPR_CT_SREG, NFT_REG_1);
}

void nft_payload_load(struct nft_batch *b, uint32_t base, uint32_t offset, uint32_t len)
{
	struct nftnl_expr *e = expr_add(b, "payload");

	put_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	put_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	put_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	put_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
}

void nft_mtu_load(struct nft_batch *b)
{
	struct nftnl_expr *rt = expr_add(b, "rt"), *order = expr_add(b, "byteorder");

	put_u32(rt, NFTNL_EXPR_RT_KEY, NFT_RT_TCPMSS);
	put_u32(rt, NFTNL_EXPR_RT_DREG, NFT_REG_1);
	put_u32(order, NFTNL_EXPR_BYTEORDER_SREG, NFT_REG_1);
	put_u32(order, NFTNL_EXPR_BYTEORDER_DREG, NFT_REG_1);
	put_u32(order, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	put_u32(order, NFTNL_EXPR_BYTEORDER_LEN, sizeof(uint16_t));
	put_u32(order, NFTNL_EXPR_BYTEORDER_SIZE, sizeof(uint16_t));
}

void nft_maxseg_set(struct nft_batch *b)
{
	struct nftnl_expr *e = expr_add(b, "exthdr");

	put_u32(e, NFTNL_EXPR_EXTHDR_SREG, NFT_REG_1);
	if (e)
		nftnl_expr_set_u8(e, NFTNL_EXPR_EXTHDR_TYPE, TCPOPT_MAXSEG);
	put_u32(e, NFTNL_EXPR_EXTHDR_OFFSET, 2); /* behind kind and length: RFC 9293 section 3.2 */
	put_u32(e, NFTNL_EXPR_EXTHDR_LEN, sizeof(uint16_t));
	put_u32(e, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
}

void nft_route_load(struct nft_batch *b)
{
	struct nftnl_expr *e = expr_add(b, "fib");

	put_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_OIFNAME);
	put_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR | NFTA_FIB_F_MARK);
	put_u32(e, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
}

void nft_bitwise(struct nft_batch *b, const void *mask, const void *flip, uint32_t len)
{
	struct nftnl_expr *e = expr_add(b, "bitwise");

	put_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	put_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	put_data(b, e, NFTNL_EXPR_BITWISE_MASK, mask, len);
	put_data(b, e, NFTNL_EXPR_BITWISE_XOR, flip, len);
}

void nft_bitwise_u32(struct nft_batch *b, uint32_t mask, uint32_t flip)
{
	nft_bitwise(b, &mask, &flip, sizeof(mask));
}

void nft_cmp(struct nft_batch *b, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr_add(b, "cmp");

	put_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_CMP_OP, op);
	put_data(b, e, NFTNL_EXPR_CMP_DATA, data, len);
}

void nft_cmp_u8(struct nft_batch *b, uint32_t op, uint8_t value)
{
	nft_cmp(b, op, &value, sizeof(value));
}

void nft_cmp_u32(struct nft_batch *b, uint32_t op, uint32_t value)
{
	nft_cmp(b, op, &value, sizeof(value));
}

void nft_cmp_ifname(struct nft_batch *b, uint32_t op, const char *name)
{
	char data[IFNAMSIZ] = "";

	strncpy(data, name, sizeof(data) - 1);
	nft_cmp(b, op, data, sizeof(data));
}

/* dreg: -1 for a test, a register for a map, NFT_REG_VERDICT for a verdict map. */
static void lookup(struct nft_batch *b, uint32_t set, int dreg)
{
	struct nftnl_expr *e = expr_add(b, "lookup");

	put_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, set);
	put_str(b, e, NFTNL_EXPR_LOOKUP_SET, dreg < 0 ? "__set%d" : "__map%d");
	if (dreg >= 0)
		put_u32(e, NFTNL_EXPR_LOOKUP_DREG, (uint32_t)dreg);
}

void nft_lookup(struct nft_batch *b, uint32_t set)
{
	lookup(b, set, -1);
}

void nft_map(struct nft_batch *b, uint32_t set)
{
	lookup(b, set, NFT_REG_1);
}

void nft_vmap(struct nft_batch *b, uint32_t set)
{
	lookup(b, set, NFT_REG_VERDICT);
}

void nft_count(struct nft_batch *b, const char *counter)
{
	struct nftnl_expr *e = expr_add(b, "objref");

	put_u32(e, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	put_str(b, e, NFTNL_EXPR_OBJREF_IMM_NAME, counter);
}

void nft_verdict(struct nft_batch *b, int verdict, const char *chain)
{
	struct nftnl_expr *e = expr_add(b, "immediate");

	put_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	put_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain)
		put_str(b, e, NFTNL_EXPR_IMM_CHAIN, chain);
}

void nft_notrack(struct nft_batch *b)
{
	expr_add(b, "notrack");
}

void nft_reset(struct nft_batch *b)
{
	struct nftnl_expr *e = expr_add(b, "reject");

	put_u32(e, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
	if (e)
		nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, 0);
}

void nft_masquerade(struct nft_batch *b)
{
	expr_add(b, "masq");
}

void nft_snat(struct nft_batch *b, const struct in6_addr *to)
{
	struct nftnl_expr *load = expr_add(b, "immediate"), *nat = expr_add(b, "nat");
	size_t len;
	const void *data = addr_wire(to, &len);

	put_u32(load, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
	put_data(b, load, NFTNL_EXPR_IMM_DATA, data, (uint32_t)len);
	put_u32(nat, NFTNL_EXPR_NAT_TYPE, NFT_NAT_SNAT);
	put_u32(nat, NFTNL_EXPR_NAT_FAMILY, addr_is_v4(to) ? NFPROTO_IPV4 : NFPROTO_IPV6);
	put_u32(nat, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
}
