/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writer of the table (apply/ruleset.c) and its text (plan_nft.c) must agree on. */
#ifndef CORE_PLAN_NFT_H
#define CORE_PLAN_NFT_H

#include "core/plan.h"
#include <stdbool.h>

/* The table's comment, by which we know it as ours. */
#define PLAN_NFT_COMMENT "asymbpf"

/* Names of chains and counters: a kind and a link's name, or "gone" and an id. */
#define PLAN_NFT_NAME (MODEL_NAME + 8)

enum plan_nft_chain { PLAN_NFT_MARK, PLAN_NFT_IN, PLAN_NFT_OUT, PLAN_NFT_CHAIN_MAX };

/* "mark_NAME", "in_NAME", "out_NAME"; counters have the name of the chain that raises them. */
void plan_nft_link_name(enum plan_nft_chain kind, const struct plan_link *l,
			char ret[static PLAN_NFT_NAME]);
/* "gone_ID".  The name of a link that went may be in use again. */
void plan_nft_gone_name(const struct plan_id *id, char ret[static PLAN_NFT_NAME]);

/* Whether the id of a link that went still fits under the mask. */
bool plan_nft_gone_fits(const struct plan *p, const struct plan_id *id);
/* Whether any link has this kind of NAT for the family, and whether any has NAT at all. */
bool plan_nft_has_nat(const struct plan *p, enum asym_family f, enum model_nat nat);
bool plan_nft_any_nat(const struct plan *p);
/* The chains of DHCP requests: that at hook output, and that which hides renewals from conntrack that are
 * about to leave by another link than that of their address. */
#define PLAN_NFT_BOOTP "bootp"
#define PLAN_NFT_STRAYS "strays"
/* Where they are, from the UDP header on (RFC 2131, 2). */
#define PLAN_NFT_CIADDR 20
#define PLAN_NFT_GIADDR 32
/* Whether there are such chains. */
bool plan_nft_has_bootp(const struct plan *p);
/* As text. */
void plan_nft_bootp(struct str *out);
void plan_nft_strays(const struct plan *p, struct str *out);
/* The largest TCP segment (payload bytes) a link's device carries; 0: unknown or unlimited. */
uint16_t plan_nft_mss(const struct plan_link *l, enum asym_family f);

#endif
