// SPDX-License-Identifier: GPL-2.0-or-later
/* Expressions that choose among links, and those that tell whose a packet is. */
#include <errno.h>
#include <stdio.h> /* libnftnl/expr.h forgets it */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "nl/nft_message.h"

/* Behind the register that all else uses: what is hashed must not lie where its result goes. */
#define INPUT NFT_REG32_04

static struct nftnl_expr *expr_add(struct nft_batch *b, const char *name)
{
	struct nftnl_expr *e = b->err ? NULL : nftnl_expr_alloc(name);

	if (e)
		nftnl_rule_add_expr(b->rule, e);
	else
		nft_fail(b, -ENOMEM);
	return e;
}

static void put_u32(struct nftnl_expr *e, uint16_t type, uint32_t v)
{
	if (e)
		nftnl_expr_set_u32(e, type, v);
}

/* Numbers are compared as bytes. */
static void to_big_endian(struct nft_batch *b)
{
	struct nftnl_expr *e = expr_add(b, "byteorder");

	put_u32(e, NFTNL_EXPR_BYTEORDER_SREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_BYTEORDER_DREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	put_u32(e, NFTNL_EXPR_BYTEORDER_LEN, sizeof(uint32_t));
	put_u32(e, NFTNL_EXPR_BYTEORDER_SIZE, sizeof(uint32_t));
}

/* The load of the owner fails for a packet without a socket. */
void nft_has_socket(struct nft_batch *b)
{
	const uint32_t none = 0;
	struct nftnl_expr *e;

	nft_meta_load(b, NFT_META_SKUID);
	to_big_endian(b);
	e = expr_add(b, "cmp");
	put_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_GTE);
	if (e && nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, &none, sizeof(none)))
		nft_fail(b, -ENOMEM);
}

void nft_wildcard_load(struct nft_batch *b)
{
	struct nftnl_expr *e = expr_add(b, "socket");

	put_u32(e, NFTNL_EXPR_SOCKET_KEY, NFT_SOCKET_WILDCARD);
	put_u32(e, NFTNL_EXPR_SOCKET_DREG, NFT_REG_1);
}

void nft_hash_input(struct nft_batch *b, uint32_t base, uint32_t offset, uint32_t len, uint32_t at)
{
	struct nftnl_expr *e = expr_add(b, "payload");

	put_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	put_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	put_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	put_u32(e, NFTNL_EXPR_PAYLOAD_DREG, INPUT + at);
}

void nft_hash_load(struct nft_batch *b, uint32_t words, uint32_t mod, uint32_t seed)
{
	struct nftnl_expr *e = expr_add(b, "hash");

	put_u32(e, NFTNL_EXPR_HASH_SREG, INPUT);
	put_u32(e, NFTNL_EXPR_HASH_DREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_HASH_LEN, words * sizeof(uint32_t));
	put_u32(e, NFTNL_EXPR_HASH_MODULUS, mod);
	put_u32(e, NFTNL_EXPR_HASH_SEED, seed);
	put_u32(e, NFTNL_EXPR_HASH_TYPE, NFT_HASH_JENKINS);
	to_big_endian(b);
}
