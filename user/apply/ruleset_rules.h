/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contents of the table; for ruleset.c alone. */
#ifndef APPLY_RULESET_RULES_H
#define APPLY_RULESET_RULES_H

#include "core/plan.h"
#include "nl/nft.h"

/* All chains and counters of the plan, by name, in the order in which they are made.  0 or
 * -ENOMEM. */
int ruleset_chain_names(const struct plan *p, struct nft_list *ret);
int ruleset_counter_names(const struct plan *p, struct nft_list *ret);

/* Adds a chain of ruleset_chain_names, in its place if it is a base chain. */
void ruleset_chain_add(struct nft_batch *b, const char *name);
/* One that is there already accepts what its rules do not judge, whatever somebody made of it. */
void ruleset_chain_keep(struct nft_batch *b, const char *name);
/* Adds all rules; the chains are there and empty. */
void ruleset_rules_add(struct nft_batch *b, const struct plan *p);
/* Parts of it: the chains of DHCP requests, the end of prerouting, chain clamp and the jump to it, chain nat. */
void ruleset_reset_add(struct nft_batch *b, const struct plan *p);
void ruleset_clamp_add(struct nft_batch *b, const struct plan *p);
void ruleset_bootp_add(struct nft_batch *b, const struct plan *p);
void ruleset_nat_add(struct nft_batch *b, const struct plan *p);

/* The device name loaded is that of a link. */
void ruleset_test_links(struct nft_batch *b, const struct plan *p);

#endif
