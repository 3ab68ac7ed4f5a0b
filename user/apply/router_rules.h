/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contents of the table; for router.c alone. */
#ifndef APPLY_ROUTER_RULES_H
#define APPLY_ROUTER_RULES_H

#include "core/plan_router.h"
#include "nl/nft.h"

/* All chains and rules, into an empty table.  kind: not NONE. */
void router_rules_add(struct nft_batch *b, const struct plan *p, enum plan_router_kind kind, bool programs);

#endif
